package figures

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/series"
)

// Samples answers PromQL at an instant.
type Samples interface {
	Instant(ctx context.Context, expr string, at time.Time) ([]series.Value, error)
}

// Usage is one instance of a resource at an instant.
type Usage struct {
	Resource    *capacity.Resource  // with the thresholds that hold for this instance
	Exception   *capacity.Exception // why they are not those of all; nil: they are
	Labels      map[string]string   // those in Resource.Per, and customer where there is one
	Used, Limit float64             // in Resource.Unit
}

// Share is Used / Limit, NaN without a limit.
func (u Usage) Share() float64 {
	if u.Limit <= 0 {
		return math.NaN()
	}
	return u.Used / u.Limit
}

// Level is which threshold the share passes at this instant. (What opens a
// record is a threshold that stands for its time: collector/judge.go.)
func (u Usage) Level() capacity.Level {
	switch share := u.Share(); {
	case u.Resource.Unbounded():
		return capacity.Clear
	case u.Resource.Critical > 0 && share >= u.Resource.Critical:
		return capacity.Critical
	case share >= u.Resource.Warning:
		return capacity.Warning
	}
	return capacity.Clear
}

// Instance names the instance without the resource: "web-1 /data".
func (u Usage) Instance() string {
	parts := make([]string, 0, len(u.Resource.Per))
	for _, label := range u.Resource.Per {
		parts = append(parts, u.Labels[label])
	}
	return strings.Join(parts, " ")
}

// Resources are those of the catalogue, and before them the shipped defaults
// that it does not declare itself.
func Resources(c *catalogue.Catalogue) []capacity.Resource {
	var all []capacity.Resource
	for _, d := range capacity.Defaults() {
		if !slices.ContainsFunc(c.Resources, func(r capacity.Resource) bool { return r.Name == d.Name }) {
			all = append(all, d)
		}
	}
	return append(all, c.Resources...)
}

// Usages lists every instance of every resource that had values at the
// instant, by resource and instance.
func (e *Engine) Usages(ctx context.Context, at time.Time) ([]Usage, error) {
	if e.o.Samples == nil {
		return nil, nil
	}
	cat := e.Catalogue()
	hosts, err := e.excepted(ctx, cat)
	if err != nil {
		return nil, err
	}
	var all []Usage
	resources := Resources(cat)
	for i := range resources {
		r := &resources[i]
		used, err := e.o.Samples.Instant(ctx, r.Used, at)
		if err != nil {
			return nil, err
		}
		limits, err := e.o.Samples.Instant(ctx, r.Limit, at)
		if err != nil {
			return nil, err
		}
		limit := map[string]float64{}
		for _, l := range limits {
			limit[identity(r, l)] = l.V
		}
		var found []Usage
		for _, u := range used {
			l, ok := limit[identity(r, u)]
			if !ok || math.IsNaN(u.V) {
				continue
			}
			own := map[string]string{}
			for _, name := range append([]string{"customer"}, r.Per...) {
				if value := u.Labels.Get(name); value != "" {
					own[name] = value
				}
			}
			holds, exception := capacity.For(r, cat.Exceptions, hosts.Label(u.Labels), at.UnixMilli())
			found = append(found, Usage{holds, exception, own, u.V, l})
		}
		slices.SortStableFunc(found, func(a, b Usage) int { return strings.Compare(a.Instance(), b.Instance()) })
		all = append(all, found...)
	}
	return all, nil
}

// HostLabels are labels of hosts by the name they are listed under.
type HostLabels map[string]map[string]string

// LabelsOf are those of the hosts.
func LabelsOf(hosts []ledger.Host) HostLabels {
	all := HostLabels{}
	for i := range hosts {
		if h := &hosts[i]; h.RemovedAt == 0 {
			all[h.Instance] = h.Labels
		}
	}
	return all
}

// Label gives the labels of a series, and where it has none of the name, those
// of its host.
func (h HostLabels) Label(series labels.Labels) func(name string) string {
	return func(name string) string {
		if value := series.Get(name); value != "" {
			return value
		}
		return h[series.Get("instance")][name]
	}
}

// excepted are the hosts' labels, where exceptions ask for them.
func (e *Engine) excepted(ctx context.Context, c *catalogue.Catalogue) (HostLabels, error) {
	if len(c.Exceptions) == 0 || e.o.Hosts == nil {
		return nil, nil
	}
	hosts, err := e.o.Hosts.Hosts(ctx)
	return LabelsOf(hosts), err
}

func identity(r *capacity.Resource, v series.Value) string {
	parts := make([]string, 0, len(r.Per))
	for _, label := range r.Per {
		parts = append(parts, v.Labels.Get(label))
	}
	return strings.Join(parts, "\x00")
}
