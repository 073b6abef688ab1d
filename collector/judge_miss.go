package collector

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
)

// presence is the time in which a component had values that were judged,
// without a break of more than MaxGap; Unix milliseconds.
type presence struct{ since, last int64 }

// miss looks for breaches that have no values any more: a file system was
// unmounted, a resource taken out of the catalogue. Such a breach is no longer
// measured, once its host delivers and it alone is missing. What is silent as
// a whole says nothing about its parts.
func (j *Judge) miss(ctx context.Context, v *verdict, resources []capacity.Resource, now time.Time) error {
	all := maps.Clone(j.states)
	for _, s := range v.latest {
		all[s.Key] = s
	}
	j.hear(all, now)
	var hosts map[string]bool // nil until it is needed
	for _, key := range slices.Sorted(maps.Keys(all)) {
		s := all[key]
		if s.State.Level == capacity.Clear || s.State.Unmeasured != 0 {
			continue
		}
		if hosts == nil {
			var err error
			if hosts, err = j.hosts(ctx); err != nil {
				return err
			}
		}
		heard := j.heard[s.Component]
		if !hosts[s.Component] { // nothing vouches for it: its silence is its own
			heard = presence{j.watches.UnixMilli(), now.UnixMilli()}
		}
		grace := j.grace(s.Component, now)
		// What was sent during an absence, of the host or of the judge, may
		// come after what is sent now.
		if heard.last-heard.since < grace {
			continue
		}
		after, findings := capacity.Miss(s.State, heard.last, grace, now.UnixMilli())
		for f := range findings {
			i := instance{resource: resourceOf(resources, s.Resource), customer: s.Customer, component: s.Component, labels: s.Labels,
				metric: record.Metric(s.Resource, s.Labels), key: key}
			j.conclude(ctx, v, &i, &findings[f])
			v.remember(&i, s.State, after)
		}
	}
	return nil
}

// grace is how long, in milliseconds, a component's series may give no value
// before it counts as not measured: three of its intervals, and at least MinGrace.
func (j *Judge) grace(component string, now time.Time) int64 {
	grace := int64(capacity.MinGrace)
	components := j.opt.Catalogue().Components
	for i := range components {
		if components[i].Name == component {
			grace = max(grace, 3*components[i].PaceAt(now.UnixMilli()).Interval)
		}
	}
	return grace
}

// hear keeps up when each component had any value. When something of it was
// received is not asked: after a restart that may be known before the samples
// themselves can be read.
func (j *Judge) hear(states map[string]ledger.JudgeState, now time.Time) {
	newest := map[string]int64{}
	for _, s := range states {
		if s.State.Seen <= now.UnixMilli() { // else the clock was set back since
			newest[s.Component] = max(newest[s.Component], s.State.Seen)
		}
	}
	for component, last := range newest {
		before, known := j.heard[component]
		if gap := last - before.last; !known || gap < 0 || gap > capacity.MaxGap {
			before.since = last
		}
		j.heard[component] = presence{before.since, last}
	}
}

// hosts are the names of those with an agent.
func (j *Judge) hosts(ctx context.Context) (map[string]bool, error) {
	all, err := j.opt.Store.Hosts(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask which hosts there are: %w", err)
	}
	names := make(map[string]bool, len(all))
	for i := range all {
		names[all[i].Instance] = true
	}
	return names, nil
}

// resourceOf is the resource of that name; one that is not in force any more
// is known by its name alone.
func resourceOf(resources []capacity.Resource, name string) *capacity.Resource {
	for i := range resources {
		if resources[i].Name == name {
			return &resources[i]
		}
	}
	return &capacity.Resource{Name: name}
}
