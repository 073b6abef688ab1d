package collector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/series"
)

// instance is one instance of a resource with its values at an instant.
type instance struct {
	resource    *capacity.Resource
	customer    string
	component   string
	labels      [][2]string // the rest of its identity, as Resource.Per has it
	metric      string
	key         string // of its record
	used, limit float64
}

// measure gives the instances of a resource that have a value of both used
// and limit. Who has none is not judged: what vanished is neither full nor empty.
func (j *Judge) measure(ctx context.Context, r *capacity.Resource, at time.Time) ([]instance, error) {
	lookback := min(max(r.For, time.Minute), 5*time.Minute)
	used, err := j.opt.Samples.Instant(ctx, r.Used, at, lookback)
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", r.Name, err)
	}
	limits, err := j.opt.Samples.Instant(ctx, r.Limit, at, lookback)
	if err != nil {
		return nil, fmt.Errorf("measure the limit of %s: %w", r.Name, err)
	}
	// Two series of one instance, such as a mount over a mount: the larger.
	limit := map[string]float64{}
	for _, v := range limits {
		id := instanceID(r, v)
		if known, ok := limit[id]; !ok || v.V > known {
			limit[id] = v.V
		}
	}
	found := map[string]int{}
	var out []instance
	for _, v := range used {
		id := instanceID(r, v)
		if i, ok := found[id]; ok {
			out[i].used = math.Max(out[i].used, v.V)
			continue
		}
		if l, ok := limit[id]; ok {
			found[id] = len(out)
			out = append(out, instanceOf(r, v, l))
		}
	}
	slices.SortFunc(out, func(a, b instance) int {
		return strings.Compare(a.component+"\x00"+a.metric, b.component+"\x00"+b.metric)
	})
	return out, nil
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
func instanceID(r *capacity.Resource, v series.Value) string {
	var b strings.Builder
	b.WriteString(v.Labels.Get("customer"))
	for _, name := range r.Per {
		b.WriteByte(0)
		b.WriteString(v.Labels.Get(name))
	}
	return b.String()
}

func instanceOf(r *capacity.Resource, v series.Value, limit float64) instance {
	i := instance{resource: r, customer: v.Labels.Get("customer"), component: v.Labels.Get(r.Per[0]), used: v.V, limit: limit}
	for _, name := range r.Per[1:] {
		i.labels = append(i.labels, [2]string{name, v.Labels.Get(name)})
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
	lines, err := j.opt.Samples.Range(ctx, r.Used, at.Add(-evidenceSpan), at, evidenceStep)
	if err != nil {
		j.opt.Log.Warn("the values before a breach were not read", "component", i.component, "resource", r.Name, "err", err)
		return e
	}
	for _, line := range lines {
		if instanceOf(r, series.Value{Labels: line.Labels}, 0).key != i.key {
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

// Instant evaluates expr at an instant. It gives no values for what is not a vector.
func (p promSamples) Instant(ctx context.Context, expr string, at time.Time, lookback time.Duration) ([]series.Value, error) {
	q, err := p.QueryInstant(ctx, expr, at, lookback)
	if err != nil {
		return nil, fmt.Errorf("parse %q: %w", expr, err)
	}
	defer q.Close()
	vector, err := q.Exec(ctx).Vector()
	if err != nil {
		return nil, fmt.Errorf("evaluate %q: %w", expr, err)
	}
	return values(vector), nil
}

func values(vector promql.Vector) []series.Value {
	out := make([]series.Value, 0, len(vector))
	for _, s := range vector {
		if s.H == nil && !math.IsNaN(s.F) {
			out = append(out, series.Value{Labels: s.Metric, T: s.T, V: s.F})
		}
	}
	return out
}
