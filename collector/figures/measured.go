package figures

import (
	"context"
	"errors"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/entered"
	"github.com/plimsoll/plimsoll/collector/series"
)

// Entered gives values that people entered: the newest of an agreement's
// indicator and month at an instant, Unix ms.
type Entered interface {
	Newest(ctx context.Context, agreement, indicator, month string, at int64) (n entered.Noted, ok bool, err error)
}

// Raw gives samples as they were measured.
type Raw interface {
	// RangeWithin evaluates expr for each step from from to to, both inclusive,
	// where a sample stands for lookback.
	RangeWithin(ctx context.Context, expr string, from, to time.Time, step, lookback time.Duration) ([]series.Line, error)
	// Durations visits how long the checks of a component took, from <= time < to
	// in Unix ms, observer by observer and there in order.
	Durations(ctx context.Context, component string, from, to int64, each func(series.Duration)) error
	// Kept is the instant from which raw samples are kept, Unix ms.
	Kept() int64
}

// measuring fills in the indicators that facts do not give.
type measuring struct {
	engine *Engine
	cat    *catalogue.Catalogue
	asOf   int64
	month  string // 2026-10 where the period is that month, else empty
	fresh  bool   // nothing that is remembered is used
}

// measure fills in what f's agreement promises beyond what facts give.
func (e *Engine) measure(ctx context.Context, m measuring, f *availability.Figures) error {
	if !slices.ContainsFunc(f.Indicators, func(i availability.IndicatorResult) bool { return !i.Kind.Computed() }) {
		return nil
	}
	m.engine = e
	a := agreementOf(m.cat.Availability, f)
	if a == nil || len(a.Indicators) != len(f.Indicators) {
		return nil
	}
	f.Indicators = slices.Clone(f.Indicators) // a snapshot's stay as they are
	for k := range a.Indicators {
		i := &a.Indicators[k]
		if i.Kind.Computed() {
			continue
		}
		value, basis, err := m.one(ctx, a, i, f)
		if err != nil {
			return err
		}
		f.Indicators[k] = i.Conclude(value, basis)
	}
	return nil
}

func agreementOf(c *availability.Catalogue, f *availability.Figures) *availability.Agreement {
	for i := range c.Agreements {
		if a := &c.Agreements[i]; a.Number == f.Agreement && a.Version == f.Version {
			return a
		}
	}
	return nil
}

// one is the value of one indicator, nil without one, and what it rests on.
func (m *measuring) one(ctx context.Context, a *availability.Agreement, i *availability.Indicator, f *availability.Figures) (*big.Rat, *availability.Basis, error) {
	left := f.Remaining()
	if len(left) == 0 {
		return nil, &availability.Basis{Reason: availability.NotBegun}, nil
	}
	switch i.Kind {
	case availability.KindManual:
		return m.manual(ctx, a, i)
	case availability.KindPromQL:
		return m.query(ctx, i, f)
	case availability.KindLatency:
		return m.latency(ctx, a, i, left)
	case availability.KindCapacity:
		return m.capacity(ctx, a, i, left)
	}
	return nil, &availability.Basis{Reason: availability.NoSource}, nil
}

// manual is what a person entered for the month, as it stood at as_of.
func (m *measuring) manual(ctx context.Context, a *availability.Agreement, i *availability.Indicator) (*big.Rat, *availability.Basis, error) {
	b := &availability.Basis{Reason: availability.NotEntered, Month: m.month}
	switch {
	case m.month == "":
		b.Reason = availability.NoMonth
		return nil, b, nil
	case m.engine.o.Entered == nil:
		return nil, b, nil
	}
	n, ok, err := m.engine.o.Entered.Newest(ctx, a.Number, i.Name, m.month, m.asOf)
	if err != nil || !ok {
		return nil, b, err
	}
	value, err := n.Rat()
	if err != nil {
		return nil, nil, err
	}
	b.Reason, b.By, b.Comment, b.Entry = availability.ByPerson, n.By, n.Comment, n.Seq
	b.At = &availability.Instant{MS: n.At, Zone: a.Zone}
	return value, b, nil
}

// query is the one value of an expression at the end of the period, or at
// as_of while it lasts.
func (m *measuring) query(ctx context.Context, i *availability.Indicator, f *availability.Figures) (*big.Rat, *availability.Basis, error) {
	at := availability.Instant{MS: min(m.asOf, f.To.MS), Zone: f.To.Zone}
	b := &availability.Basis{Reason: availability.NoValue, Query: i.Query, At: &at}
	if m.engine.o.Samples == nil {
		return nil, b, nil
	}
	if m.engine.o.Raw != nil && looksBackTo(i.Query, at.MS) < m.engine.o.Raw.Kept() {
		b.Reason = availability.AgedOut // also where the expression makes a value of nothing
		return nil, b, nil
	}
	found, err := m.engine.o.Samples.Instant(ctx, i.Query, time.UnixMilli(at.MS))
	if err != nil {
		return nil, b, m.failed(err, b)
	}
	b.Found = int64(len(found))
	switch {
	case len(found) > 1:
		b.Reason = availability.SeveralValues
	case len(found) == 1:
		if value := steadily(found[0].V); value != nil {
			b.Reason = availability.ByQuery
			return value, b, nil
		}
	}
	return nil, b, nil
}

// failed takes a fault of an expression into the basis: no page is lost by it.
// What may come out otherwise when it is tried again is an error for what is
// kept for ever.
func (m *measuring) failed(err error, b *availability.Basis) error {
	var timeout promql.ErrQueryTimeout
	var canceled promql.ErrQueryCanceled
	var storage promql.ErrStorage
	passing := errors.As(err, &timeout) || errors.As(err, &canceled) || errors.As(err, &storage)
	if errors.Is(err, context.Canceled) || passing && m.fresh {
		return err
	}
	b.Reason, b.Fault = availability.NotMeasurable, err.Error()
	return nil
}

// looksBackTo is the instant of the oldest sample an expression may depend on
// when it is evaluated at an instant, both Unix ms.
func looksBackTo(expr string, at int64) int64 {
	parsed, err := series.NewParser().ParseExpr(expr)
	if err != nil {
		return at // it is told when it is evaluated
	}
	t := time.UnixMilli(at)
	from, _ := promql.FindMinMaxTime(&parser.EvalStmt{Expr: parsed, Start: t, End: t, LookbackDelta: usualHold * time.Millisecond})
	return min(from, at)
}

// exactly is the shortest decimal that means the float: 0.1 is a tenth and not
// a hair more. What is no number is nil.
func exactly(v float64) *big.Rat {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(v, 'g', -1, 64)) // such a text is a number
	return r
}

// steadyDigits is how many significant digits of an expression's value count:
// in which order a sum is made is not the same each time, and its last digits
// with it.
const steadyDigits = 12

// steadily is the value of an expression to so many digits that it comes out
// the same when it is evaluated again. What is no number is nil.
func steadily(v float64) *big.Rat {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(v, 'g', steadyDigits, 64))
	return r
}
