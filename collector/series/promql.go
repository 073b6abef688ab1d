package series

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// Limits of a query. The zero value of each field takes the default.
type Limits struct {
	Timeout     time.Duration // of one query, waiting included; 2 min
	MaxSamples  int           // held in memory by one query; 50 million
	Concurrency int           // queries at a time, others wait; 20
	Lookback    time.Duration // how old a sample may be to stand for now; 5 min
}

func (l *Limits) defaults() {
	if l.Timeout == 0 {
		l.Timeout = 2 * time.Minute
	}
	if l.MaxSamples == 0 {
		l.MaxSamples = 50_000_000
	}
	if l.Concurrency == 0 {
		l.Concurrency = 20
	}
	if l.Lookback == 0 {
		l.Lookback = 5 * time.Minute
	}
}

// PromQL evaluates expressions over a source of series. Judge, pages, report
// and the Prometheus API share one.
type PromQL struct {
	engine *promql.Engine
	source storage.Queryable
	parse  parser.Parser
	limits Limits
	// suspect is called when a query failed on what it read; nil: nobody.
	suspect func()
}

// NewPromQL makes an engine over source.
func NewPromQL(source storage.Queryable, limits Limits, log *slog.Logger, reg prometheus.Registerer) *PromQL {
	limits.defaults()
	p := NewParser()
	return &PromQL{
		source: source, parse: p, limits: limits,
		engine: promql.NewEngine(promql.EngineOpts{
			Logger: log, Reg: reg, Parser: p,
			MaxSamples: limits.MaxSamples, Timeout: limits.Timeout, LookbackDelta: limits.Lookback,
			ActiveQueryTracker:       newTurns(limits.Concurrency),
			NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
			EnableAtModifier:         true,
			EnableNegativeOffset:     true,
		}),
	}
}

// OnDamage has f called when a query fails on what it reads from a disk. It is
// set before the first query.
func (p *PromQL) OnDamage(f func()) { p.suspect = f }

// watched is a query that tells when what it read is damaged.
type watched struct {
	promql.Query
	suspect func()
}

// Exec evaluates the query.
func (w watched) Exec(ctx context.Context) *promql.Result {
	res := w.Query.Exec(ctx)
	if res.Err != nil && ofDamage(res.Err) {
		w.suspect()
	}
	return res
}

// ofDamage tells the errors by which the TSDB says that its files are not what
// it wrote; it has no type for them.
func ofDamage(err error) bool {
	text := err.Error()
	for _, part := range [...]string{"checksum", "populate chunk", "corrupt", "invalid size", "segment", "decode series entry", "unexpected"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

func (p *PromQL) watch(q promql.Query, err error) (promql.Query, error) {
	if err != nil || p.suspect == nil {
		return q, err
	}
	return watched{q, p.suspect}, nil
}

// Source is what the expressions are evaluated over.
func (p *PromQL) Source() storage.Queryable { return p.source }

// NewParser makes what parses expressions as every engine here does.
func NewParser() parser.Parser { return parser.NewParser(parser.Options{}) }

// Parser parses expressions as the engine does.
func (p *PromQL) Parser() parser.Parser { return p.parse }

// Limits are those in force.
func (p *PromQL) Limits() Limits { return p.limits }

// QueryInstant prepares expr at one instant. lookback 0 is the default. The
// caller executes the query and closes it after use of the result.
func (p *PromQL) QueryInstant(ctx context.Context, expr string, at time.Time, lookback time.Duration) (promql.Query, error) {
	return p.watch(p.engine.NewInstantQuery(ctx, p.source, promql.NewPrometheusQueryOpts(false, lookback, nil), expr, at))
}

// QueryRange prepares expr for each step from from to to, both inclusive.
func (p *PromQL) QueryRange(ctx context.Context, expr string, from, to time.Time, step, lookback time.Duration) (promql.Query, error) {
	return p.watch(p.engine.NewRangeQuery(ctx, p.source, promql.NewPrometheusQueryOpts(false, lookback, nil), expr, from, to, step))
}

// Value is one element of an instant's result.
type Value struct {
	Labels labels.Labels
	T      int64 // Unix ms the expression was evaluated at
	V      float64
}

// Line is one series of a range's result.
type Line struct {
	Labels labels.Labels
	Points []Point
}

// Point is one value of a line.
type Point struct {
	T int64 // Unix ms
	V float64
}

// Instant evaluates expr at one instant. A scalar gives one value without
// labels. Values that mark a series as ended are left out.
func (p *PromQL) Instant(ctx context.Context, expr string, at time.Time) ([]Value, error) {
	q, err := p.QueryInstant(ctx, expr, at, 0)
	if err != nil {
		return nil, fmt.Errorf("parse %q: %w", expr, err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, fmt.Errorf("evaluate %q: %w", expr, res.Err)
	}
	switch v := res.Value.(type) {
	case promql.Vector:
		out := make([]Value, 0, len(v))
		for _, s := range v {
			if s.H == nil && !value.IsStaleNaN(s.F) {
				out = append(out, Value{Labels: s.Metric, T: s.T, V: s.F})
			}
		}
		return out, nil
	case promql.Scalar:
		return []Value{{T: v.T, V: v.V}}, nil
	default:
		return nil, fmt.Errorf("evaluate %q: gives a %s, not a vector or scalar", expr, v.Type())
	}
}

// Range evaluates expr for each step from from to to, both inclusive. step is
// above zero. A gap in the data is a gap in the points.
func (p *PromQL) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Line, error) {
	return p.RangeWithin(ctx, expr, from, to, step, 0)
}

// RangeWithin is Range where a sample stands for now for lookback only; 0 is the default.
func (p *PromQL) RangeWithin(ctx context.Context, expr string, from, to time.Time, step, lookback time.Duration) ([]Line, error) {
	q, err := p.QueryRange(ctx, expr, from, to, step, lookback)
	if err != nil {
		return nil, fmt.Errorf("parse %q: %w", expr, err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, fmt.Errorf("evaluate %q: %w", expr, res.Err)
	}
	m, err := res.Matrix()
	if err != nil {
		return nil, fmt.Errorf("evaluate %q: %w", expr, err)
	}
	lines := make([]Line, 0, len(m))
	for _, s := range m {
		l := Line{Labels: s.Metric, Points: make([]Point, len(s.Floats))}
		for i, f := range s.Floats {
			l.Points[i] = Point{T: f.T, V: f.F}
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// turns lets a bounded number of queries run; the others wait for their turn.
type turns struct{ slots chan struct{} }

func newTurns(n int) *turns { return &turns{slots: make(chan struct{}, n)} }

// GetMaxConcurrent implements promql.QueryTracker.
func (t *turns) GetMaxConcurrent() int { return cap(t.slots) }

// Insert implements promql.QueryTracker: it waits for a turn.
func (t *turns) Insert(ctx context.Context, _ string) (int, error) {
	select {
	case t.slots <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Delete implements promql.QueryTracker: the turn is over.
func (t *turns) Delete(int) { <-t.slots }

// Close implements promql.QueryTracker.
func (t *turns) Close() error { return nil }
