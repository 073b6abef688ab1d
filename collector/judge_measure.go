package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/series"
)

// instance is one instance of a resource with its values, in time order.
type instance struct {
	resource  *capacity.Resource
	customer  string
	component string
	labels    [][2]string // the rest of its identity, as Resource.Per has it
	metric    string
	key       string        // of its record
	series    labels.Labels // of what is used
	values    []usedOf
}

// usedOf is a pair of values at an instant, in Unix milliseconds.
type usedOf struct {
	at          int64
	used, limit float64
}

// window is a grid of instants: whole multiples of step since 1970, from and
// to inclusive. The same samples lie on the same grid whenever a round is made.
type window struct {
	from, to time.Time
	step     time.Duration
}

// maxSpan bounds what one round judges after the judge was away.
const maxSpan = time.Hour

// resolution is how finely a resource is judged: a third of the time a
// threshold has to stand, so that what stands for it is seen to, but between
// the shortest pause of the judge and a minute.
func resolution(r *capacity.Resource) time.Duration {
	step := minTick
	for _, d := range []time.Duration{10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute} {
		if d <= r.For/3 {
			step = d
		}
	}
	return step
}

// windowOf is what is to be judged of a resource at now: all since the last
// round, and at least MaxGap back, because samples may arrive late.
func windowOf(r *capacity.Resource, last, now time.Time) window {
	step := resolution(r)
	back := min(max(now.Sub(last), capacity.MaxGap*time.Millisecond), maxSpan)
	to := now.Truncate(step) // of the zero time, which lies on each of these grids
	return window{from: to.Add(-back.Truncate(step)), to: to, step: step}
}

// measure gives the instances of a resource with all instants that have a
// value of both used and limit. A value counts at the first instant of the grid
// at or after its sample, and at no later one: what exists for a moment is not
// taken to stand. Who has no value is not judged: what vanished is neither full
// nor empty. A limit may be as old as MaxGap; it seldom changes.
func (j *Judge) measure(ctx context.Context, r *capacity.Resource, w window) ([]instance, error) {
	used, err := j.opt.Samples.Range(ctx, r.Used, w.from, w.to, w.step, w.step)
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", r.Name, err)
	}
	limits, err := j.opt.Samples.Range(ctx, r.Limit, w.from, w.to, w.step, capacity.MaxGap*time.Millisecond)
	if err != nil {
		return nil, fmt.Errorf("measure the limit of %s: %w", r.Name, err)
	}
	limit := larger(r, limits)
	found := map[string]*instance{}
	for id, values := range larger(r, used) {
		i := instanceOf(r, values.labels)
		for at, v := range values.at {
			if l, ok := limit[id].value(at); ok {
				i.values = append(i.values, usedOf{at, v, l})
			}
		}
		if len(i.values) > 0 {
			slices.SortFunc(i.values, func(a, b usedOf) int { return cmp.Compare(a.at, b.at) })
			found[i.component+"\x00"+i.metric+"\x00"+i.customer] = &i
		}
	}
	out := make([]instance, 0, len(found))
	for _, id := range slices.Sorted(maps.Keys(found)) {
		out = append(out, *found[id])
	}
	return out, nil
}

// byInstant are the values of one instance.
type byInstant struct {
	labels labels.Labels
	at     map[int64]float64
}

func (b *byInstant) value(at int64) (v float64, ok bool) {
	if b != nil {
		v, ok = b.at[at]
	}
	return v, ok
}

// larger are the values by instance. Of two series of one instance, such as a
// mount over a mount, the larger value holds.
func larger(r *capacity.Resource, lines []series.Line) map[string]*byInstant {
	all := make(map[string]*byInstant, len(lines))
	for i := range lines {
		id := instanceID(r, lines[i].Labels)
		b := all[id]
		if b == nil {
			b = &byInstant{lines[i].Labels, make(map[int64]float64, len(lines[i].Points))}
			all[id] = b
		}
		for _, p := range lines[i].Points {
			if known, ok := b.at[p.T]; !math.IsNaN(p.V) && (!ok || p.V > known) {
				b.at[p.T] = p.V
			}
		}
	}
	return all
}

// checkExpressions names each resource whose thresholds or expressions cannot
// be judged, all of them at once.
func checkExpressions(resources []capacity.Resource, parse func(expr string) error) error {
	var faults []error
	for i := range resources {
		r := &resources[i]
		if err := r.Check(); err != nil {
			faults = append(faults, err)
			continue
		}
		for _, e := range [...]struct{ key, expr string }{{"used", r.Used}, {"limit", r.Limit}} {
			if err := parse(e.expr); err != nil {
				faults = append(faults, fmt.Errorf("resource %s: %s is not PromQL: %w", r.Name, e.key, err))
			}
		}
	}
	return errors.Join(faults...)
}

// instanceID joins the values of the labels that make an instance.
func instanceID(r *capacity.Resource, ls labels.Labels) string {
	var b strings.Builder
	b.WriteString(ls.Get("customer"))
	for _, name := range r.Per {
		b.WriteByte(0)
		b.WriteString(ls.Get(name))
	}
	return b.String()
}

func instanceOf(r *capacity.Resource, ls labels.Labels) instance {
	i := instance{resource: r, customer: ls.Get("customer"), component: ls.Get(r.Per[0]), series: ls}
	for _, name := range r.Per[1:] {
		i.labels = append(i.labels, [2]string{name, ls.Get(name)})
	}
	i.metric = record.Metric(r.Name, i.labels)
	i.key = record.Key(i.customer, record.Problem, r.Rule(), i.component, i.metric)
	return i
}

// evidenceSpan and evidenceStep are how much of the past a record keeps.
const (
	evidenceSpan = time.Hour
	evidenceStep = 30 * time.Second
)

// evidence is what was seen of i. Values that cannot be read leave Points
// empty: the record opens all the same.
func (j *Judge) evidence(ctx context.Context, i *instance, f *capacity.Finding) record.Evidence {
	r := i.resource
	e := record.Evidence{At: f.At, Since: f.Since, Query: r.Used, Unit: r.Unit, Used: f.Used, Capacity: f.Limit, Threshold: f.Threshold,
		Hold: r.For.Milliseconds(), Points: []record.Point{}, Labels: []string{r.Per[0] + "=" + i.component}}
	for _, l := range i.labels {
		e.Labels = append(e.Labels, l[0]+"="+l[1])
	}
	at := time.UnixMilli(f.At)
	lines, err := j.opt.Samples.Range(ctx, r.Used, at.Add(-evidenceSpan), at, evidenceStep, 0)
	if err != nil {
		j.opt.Log.Warn("the values before a breach were not read", "component", i.component, "resource", r.Name, "err", err)
		return e
	}
	for _, line := range lines {
		if instanceOf(r, line.Labels).key != i.key {
			continue
		}
		for _, p := range line.Points {
			if !math.IsNaN(p.V) && !math.IsInf(p.V, 0) {
				e.Points = append(e.Points, record.Point{T: p.T, V: p.V})
			}
		}
		break
	}
	return e
}

// verdict is a judgement being made, with all states it leads to.
type verdict struct {
	ledger.Judgement
	latest []ledger.JudgeState
}

// remember keeps the new state. Only what matters after a restart goes to the
// ledger: a level, a wait that runs, and that they are over.
func (v *verdict) remember(i *instance, before, after capacity.State) {
	s := ledger.JudgeState{Key: i.key, Resource: i.resource.Name, Customer: i.customer, Component: i.component, Labels: i.labels, State: after}
	v.latest = append(v.latest, s)
	waits := func(s *capacity.State) bool {
		return s.Level != capacity.Clear || s.OverWarning != 0 || s.OverCritical != 0
	}
	if before.Seen == 0 || waits(&before) || waits(&after) {
		v.States = append(v.States, s)
	}
}

// promSamples lets the judge ask PromQL with its own lookback.
type promSamples struct{ *series.PromQL }

// Range evaluates expr for each step. lookback 0 is the engine's.
func (p promSamples) Range(ctx context.Context, expr string, from, to time.Time, step, lookback time.Duration) ([]series.Line, error) {
	return p.RangeWithin(ctx, expr, from, to, step, lookback)
}
