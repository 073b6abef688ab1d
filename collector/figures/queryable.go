package figures

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
)

// Records lists problem records.
type Records interface {
	Records(ctx context.Context, f ledger.RecordFilter) ([]record.Record, error)
}

// Hosts lists the living hosts.
type Hosts interface {
	Hosts(ctx context.Context) ([]ledger.Host, error)
}

// The series computed when they are asked for. A sample at t is the figure of
// the month that contains t, as of t.
const (
	metricAvailability = "plimsoll_service_availability_ratio" // {service,customer,agreement}
	metricCoverage     = "plimsoll_service_coverage_ratio"
	metricTarget       = "plimsoll_sla_target_ratio"
	metricBudget       = "plimsoll_sla_budget_seconds"
	metricDown         = "plimsoll_outage_seconds_total"
	metricMTBF         = "plimsoll_mtbf_seconds"
	metricMTTR         = "plimsoll_mttr_seconds"
	metricState        = "plimsoll_service_state" // {service,customer}: 1 up, 0.5 degraded, 0 down; none while unknown
	metricInfo         = "plimsoll_service_info"  // {service,customer}: always 1
	metricRecords      = "plimsoll_records_open"  // {kind}
	metricHostInfo     = "plimsoll_host_info"     // {instance,host,customer, and the host's labels}: always 1
)

// Metrics names the computed series with a sentence each.
func Metrics() map[string]string {
	return map[string]string{
		metricAvailability: "Availability of the service in the month so far, as its agreement counts it.",
		metricCoverage:     "Share of the agreed time so far of which the state is known.",
		metricTarget:       "Agreed availability.",
		metricBudget:       "Downtime in seconds that may still happen this month before the target is missed; negative: missed by that much.",
		metricDown:         "Seconds of this month so far that count as down.",
		metricMTBF:         "Mean time between failures in this month so far, in seconds; none without an outage.",
		metricMTTR:         "Mean time to repair of the outages restored in this month so far, in seconds; none without one.",
		metricState:        "State of the service: 1 up, 0.5 degraded, 0 down; no sample while it is unknown.",
		metricInfo:         "1 for each service of the catalogue, whether anything is known of it or not.",
		metricRecords:      "Records that people still have work with.",
		metricHostInfo:     "1 for each enrolled host, with the labels it was enrolled with.",
	}
}

// Computed tells whether a series of that name is computed when it is asked for.
func Computed(name string) bool {
	_, ours := Metrics()[name]
	return ours
}

// lookback is the engine's: a sample this old or older is not seen any more.
const lookback = 5 * time.Minute

// rangeStep is how far samples are apart for expressions over a range, such as avg_over_time.
const rangeStep = 15_000

// maxPoints bounds one query: a figure costs an evaluation of its month.
const maxPoints = 11_000

// Queryable answers PromQL selectors from the ledger.
func (e *Engine) Queryable() storage.Queryable {
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		return &querier{engine: e, mint: mint, maxt: maxt}, nil
	})
}

type querier struct {
	engine     *Engine
	mint, maxt int64
}

// Close has nothing to release.
func (q *querier) Close() error { return nil }

// Select computes the series that matchers select at the instants hints ask for.
func (q *querier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if !anyOurs(matchers) {
		return storage.EmptySeriesSet()
	}
	all, err := q.compute(ctx, q.grid(hints), wanted(matchers))
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	kept := all[:0]
	for _, s := range all {
		if matches(s.Labels(), matchers) {
			kept = append(kept, s)
		}
	}
	slices.SortFunc(kept, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &seriesSet{series: kept}
}

// grid is the instants samples are wanted at. The end of a selector without a
// range is an instant of evaluation, and so is each step after the beginning
// and the lookback.
func (q *querier) grid(h *storage.SelectHints) []int64 {
	if h == nil {
		return []int64{q.maxt}
	}
	first, step := h.Start, int64(rangeStep)
	switch {
	case h.Func == "series", h.Range == 0 && h.Step <= 1, h.End-h.Start < lookback.Milliseconds() && h.Range == 0:
		return []int64{h.End}
	case h.Range == 0:
		first, step = h.Start+lookback.Milliseconds()-1, h.Step
	}
	var all []int64
	for t := first; t <= h.End && len(all) <= maxPoints; t += step {
		all = append(all, t)
	}
	if n := len(all); h.Range > 0 && n > 0 && all[n-1] != h.End {
		all = append(all, h.End)
	}
	return all
}

func anyOurs(matchers []*labels.Matcher) bool {
	for name := range Metrics() {
		if wanted(matchers)(name) {
			return true
		}
	}
	return false
}

// wanted tells whether a name of ours passes the matchers of the name.
func wanted(matchers []*labels.Matcher) func(string) bool {
	return func(name string) bool {
		for _, m := range matchers {
			if m.Name == model.MetricNameLabel && !m.Matches(name) {
				return false
			}
		}
		return true
	}
}

func matches(l labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}

// builder collects samples by series.
type builder struct {
	byLabels map[string]*computed
	at       int64
	keep     func(string) bool
}

type computed struct {
	labels  labels.Labels
	samples []chunks.Sample
	missing bool // the newest sample marks the end
}

// add appends a value; nil ends the series there, so that an older value does
// not stand for an instant that has none.
func (b *builder) add(v *float64, name string, pairs ...string) {
	if !b.keep(name) {
		return
	}
	l := labels.FromStrings(append(append([]string{}, pairs...), model.MetricNameLabel, name)...)
	key := l.String()
	c := b.byLabels[key]
	switch {
	case v == nil && (c == nil || c.missing):
		return
	case c == nil:
		c = &computed{labels: l}
		b.byLabels[key] = c
	}
	c.missing = v == nil
	if c.missing {
		end := math.Float64frombits(value.StaleNaN)
		v = &end
	}
	c.samples = append(c.samples, sample{t: b.at, v: *v})
}

func (q *querier) compute(ctx context.Context, grid []int64, keep func(string) bool) ([]storage.Series, error) {
	if len(grid) == 0 {
		return nil, nil
	}
	if len(grid) > maxPoints {
		return nil, fmt.Errorf("a computed figure was asked for at more than %d instants: take a larger step", maxPoints)
	}
	end := grid[len(grid)-1]
	s, err := q.engine.at(ctx, time.UnixMilli(end))
	if err != nil {
		return nil, err
	}
	b := &builder{byLabels: map[string]*computed{}, keep: keep}
	var records []record.Record
	if keep(metricRecords) && q.engine.o.Records != nil {
		if records, err = q.engine.o.Records.Records(ctx, ledger.RecordFilter{To: end + 1}); err != nil {
			return nil, err
		}
	}
	var hosts []ledger.Host
	if keep(metricHostInfo) && q.engine.o.Hosts != nil {
		if hosts, err = q.engine.o.Hosts.Hosts(ctx); err != nil {
			return nil, err
		}
	}
	var all *lines
	if keep(metricState) {
		if all, err = q.engine.lines(ctx, time.UnixMilli(end)); err != nil {
			return nil, err
		}
	}
	for _, t := range grid {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b.at = t
		if b.month() {
			rows, err := q.engine.rowsAt(s, t)
			if err != nil {
				return nil, err
			}
			b.rows(rows)
		}
		if all != nil {
			b.states(s.agreed, all)
		}
		for _, service := range s.agreed.Services {
			b.add(number(1), metricInfo, "service", service.Name, "customer", service.Customer)
		}
		b.hosts(hosts)
		if q.engine.o.Records != nil {
			open := countOpen(records, t)
			b.add(&open, metricRecords, "kind", "problem")
		}
	}
	out := make([]storage.Series, 0, len(b.byLabels))
	for _, c := range b.byLabels {
		out = append(out, storage.NewListSeries(c.labels, c.samples))
	}
	return out, nil
}

// month tells whether a figure of the month is wanted at all.
func (b *builder) month() bool {
	for name := range Metrics() {
		if name != metricState && name != metricInfo && name != metricRecords && name != metricHostInfo && b.keep(name) {
			return true
		}
	}
	return false
}

// rows adds the figures of each agreement.
func (b *builder) rows(rows []row) {
	for i := range rows {
		r := &rows[i]
		pairs := []string{"service", r.service, "customer", r.customer, "agreement", r.agreement}
		b.add(r.availability, metricAvailability, pairs...)
		b.add(r.coverage, metricCoverage, pairs...)
		b.add(r.budget, metricBudget, pairs...)
		b.add(&r.down, metricDown, pairs...)
		b.add(r.mtbf, metricMTBF, pairs...)
		b.add(r.mttr, metricMTTR, pairs...)
		b.add(r.target, metricTarget, pairs...)
	}
}

func (b *builder) states(c *availability.Catalogue, all *lines) {
	for _, s := range c.Services {
		var v *float64
		switch stateAt(all.services[s.Name], b.at).State {
		case availability.Up:
			v = number(1)
		case availability.Degraded:
			v = number(0.5)
		case availability.Down:
			v = number(0)
		}
		b.add(v, metricState, "service", s.Name, "customer", s.Customer)
	}
}

// hosts adds the living hosts that had enrolled by then. A host's labels never
// replace those that say who it is.
func (b *builder) hosts(all []ledger.Host) {
	for i := range all {
		h := &all[i]
		if h.EnrolledAt > b.at {
			continue
		}
		own := maps.Clone(h.Labels)
		if own == nil {
			own = map[string]string{}
		}
		own["instance"], own["host"], own["customer"] = h.Instance, h.ID, h.Customer
		pairs := make([]string, 0, 2*len(own))
		for name, value := range own {
			pairs = append(pairs, name, value)
		}
		b.add(number(1), metricHostInfo, pairs...)
	}
}

func number(v float64) *float64 { return &v }

// countOpen counts the records people had work with at t.
func countOpen(records []record.Record, t int64) float64 {
	n := 0.0
	for i := range records {
		if r := &records[i]; r.DetectedAt <= t && (r.State.Open() || r.StateSince > t) {
			n++
		}
	}
	return n
}

// Promise is the first availability indicator, nil without one.
func Promise(f *availability.Figures) *availability.IndicatorResult {
	for i := range f.Indicators {
		if f.Indicators[i].Kind == availability.KindAvailability {
			return &f.Indicators[i]
		}
	}
	return nil
}

// CountedDown is the seconds of the period that count as down, after degraded
// and unknown time were assigned.
func CountedDown(f *availability.Figures) float64 {
	if f.Exact.Down == nil {
		return 0
	}
	v, _ := f.Exact.Down.Float64()
	return v
}

// LabelValues lists the values of a label among the series that match at the end of the time asked for.
func (q *querier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	var values []string
	err := q.each(ctx, matchers, func(l labels.Labels) {
		if v := l.Get(name); v != "" {
			values = append(values, v)
		}
	})
	slices.Sort(values)
	return limited(slices.Compact(values), hints), nil, err
}

// LabelNames lists the names of labels among the series that match.
func (q *querier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	var names []string
	err := q.each(ctx, matchers, func(l labels.Labels) {
		l.Range(func(one labels.Label) { names = append(names, one.Name) })
	})
	slices.Sort(names)
	return limited(slices.Compact(names), hints), nil, err
}

func limited(all []string, hints *storage.LabelHints) []string {
	if hints != nil && hints.Limit > 0 && len(all) > hints.Limit {
		return all[:hints.Limit]
	}
	return all
}

// each visits the series at the end of the time asked for, at most now.
func (q *querier) each(ctx context.Context, matchers []*labels.Matcher, visit func(labels.Labels)) error {
	if !anyOurs(matchers) {
		return nil
	}
	at := min(q.maxt, q.engine.o.Now().UnixMilli())
	all, err := q.compute(ctx, []int64{at}, wanted(matchers))
	for _, s := range all {
		if matches(s.Labels(), matchers) {
			visit(s.Labels())
		}
	}
	return err
}
