package fold

import (
	"context"
	"sort"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// Streaks returns all streaks of the components as they are at this moment,
// also what no checkpoint has brought to the ledger yet; of all components
// when none is named. From each observer come those that touch [from, to),
// the one before and the one after. They are the caller's own. It waits
// until the ledger's streaks are read.
func (f *Fold) Streaks(ctx context.Context, components []string, from, to int64) (map[string][]availability.Streak, error) {
	select {
	case <-f.loaded:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := map[string][]availability.Streak{}
	add := func(name string, c *component) {
		var picked []availability.Streak
		for _, s := range c.streams {
			picked = append(picked, s.touching(from, to)...)
		}
		if len(picked) > 0 {
			out[name] = picked
		}
	}
	if len(components) == 0 {
		for name, c := range f.components {
			add(name, c)
		}
	}
	for _, name := range components {
		if c, ok := f.components[name]; ok {
			add(name, c)
		}
	}
	return out, nil
}

func (s *stream) touching(from, to int64) []availability.Streak {
	begin := sort.Search(len(s.streaks), func(i int) bool { return s.streaks[i].Last >= from })
	end := sort.Search(len(s.streaks), func(i int) bool { return s.streaks[i].First >= to })
	return s.streaks[max(0, begin-1):min(len(s.streaks), max(begin, end)+1)]
}

// States is what each component ever seen is at an instant (Unix ms), and since when.
func (f *Fold) States(ctx context.Context, at int64) (map[string]availability.Status, error) {
	all, err := f.Streaks(ctx, nil, minTime, maxTime)
	if err != nil {
		return nil, err
	}
	catalogue := f.opts.Catalogue()
	out := make(map[string]availability.Status, len(all))
	for name, streaks := range all {
		c, ok := catalogue.Component(name)
		if !ok {
			c = availability.Component{Name: name}
		}
		state, since := availability.ComponentTimeline(c, streaks, at).At(at - 1)
		out[name] = availability.Status{State: state, Since: since}
	}
	return out, nil
}
