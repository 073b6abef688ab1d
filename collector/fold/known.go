package fold

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

// What was known when. Figures as of an instant are those of the facts that
// were received up to it. Each streak has the instant since when it is known as it
// is, and what facts made something else of goes to the ledger with the time in
// which it was known. A fact that only says that a state went on is not worth
// that each time: see soon.

const (
	// soon is how long, in ms, after its instant, or after another that came
	// late, a fact may come that only prolongs or joins streaks and still count
	// as known from that instant on.
	soon = 60_000
	// maxFormer is how many former streaks of one observer of a component are
	// kept, some 150 bytes each on disk; keptFormer how many of them when they
	// become too many. A sender that brings all its facts half an hour late makes
	// 48 a day.
	maxFormer, keptFormer = 5000, 4000
)

// learn notes since when what the change brings is known, and what was known
// before. It comes before the streaks are changed. The caller holds the lock.
func (f *Fold) learn(s *stream, c *availability.Change, fact *availability.Fact) (since int64) {
	before := int64(0)
	known := make([]int64, len(c.Remove))
	for i := range c.Remove {
		known[i] = s.since[s.at(c.Remove[i].First)]
		before = max(before, known[i])
	}
	since = max(fact.Received, before)
	if goesOn(c) && (fact.Received-fact.At <= soon || since-before < soon) {
		since = before
	}
	for i := range c.Remove {
		if known[i] < since {
			f.former = append(f.former, ledger.Former{Streak: c.Remove[i], From: known[i], Until: since})
			s.former++
		}
	}
	if s.former > maxFormer {
		f.pending.crowded[s] = true
	}
	f.newest = max(f.newest, since)
	return since
}

// goesOn tells whether the change only makes streaks of one state longer, or one.
func goesOn(c *availability.Change) bool {
	if len(c.Remove) == 0 || len(c.Put) != 1 {
		return false
	}
	for i := range c.Remove {
		if c.Remove[i].State != c.Put[0].State {
			return false
		}
	}
	return true
}

// setBack takes notice of a record that was received long before what is
// known: the collector's clock was wrong. All that is there was known by then.
func (f *Fold) setBack(received int64) {
	if received == 0 || received >= f.newest-soon {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.components {
		for _, s := range c.streams {
			for i := range s.since {
				s.since[i] = min(s.since[i], received)
			}
		}
	}
	f.former = slices.DeleteFunc(f.former, func(o ledger.Former) bool { return o.From >= received })
	for i := range f.former {
		f.former[i].Until = min(f.former[i].Until, received)
	}
	f.newest = received
	f.pending.back = received
}

// KnownStreaks are all streaks as they were known at the instant, in Unix ms,
// that began before it, as KnownStreaks of the ledger, with what is not there yet.
func (f *Fold) KnownStreaks(ctx context.Context, asOf int64) (map[string][]availability.Streak, error) {
	select {
	case <-f.loaded:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.forgetting.RLock()
	defer f.forgetting.RUnlock()
	out, former, all := f.snapshot(asOf)
	if all {
		return out, nil
	}
	kept, err := f.opts.Ledger.FormerStreaks(ctx, asOf)
	if err != nil {
		return nil, err
	}
	// Whatever went to the ledger meanwhile is there twice.
	type begun struct {
		observer string
		first    int64
	}
	of := map[string]map[begun]bool{}
	for _, o := range append(former, kept...) {
		there, ok := of[o.Component]
		if !ok {
			there = map[begun]bool{}
			for _, k := range out[o.Component] {
				there[begun{k.Observer, k.First}] = true
			}
			of[o.Component] = there
		}
		if k := (begun{o.Observer, o.First}); !there[k] {
			there[k] = true
			out[o.Component] = append(out[o.Component], o.Streak)
		}
	}
	for name := range of {
		slices.SortFunc(out[name], func(a, b availability.Streak) int {
			return cmp.Or(cmp.Compare(a.Observer, b.Observer), cmp.Compare(a.First, b.First))
		})
	}
	return out, nil
}

// snapshot are the streaks of now and those not in the ledger yet that were,
// of which it was known at the instant; all: nothing came after it.
func (f *Fold) snapshot(asOf int64) (out map[string][]availability.Streak, former []ledger.Former, all bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	all = asOf >= f.newest
	out = make(map[string][]availability.Streak, len(f.components))
	for name, c := range f.components {
		n := 0
		for _, s := range c.streams {
			n += len(s.streaks)
		}
		known := make([]availability.Streak, 0, n)
		for _, s := range c.streams {
			known = s.knownAt(known, asOf, all)
		}
		if len(known) > 0 {
			out[name] = known
		}
	}
	for _, o := range f.former {
		if o.First < asOf && o.From <= asOf && asOf < o.Until {
			former = append(former, o)
		}
	}
	return out, former, all
}

// knownAt appends the streaks of s that began before the instant and are known as they are since then.
func (s *stream) knownAt(to []availability.Streak, asOf int64, all bool) []availability.Streak {
	n := s.at(asOf)
	if all {
		return append(to, s.streaks[:n]...)
	}
	for i := range s.streaks[:n] {
		if s.since[i] <= asOf {
			to = append(to, s.streaks[i])
		}
	}
	return to
}

// at is the index of the first streak that does not begin before the instant.
func (s *stream) at(t int64) int {
	return sort.Search(len(s.streaks), func(i int) bool { return s.streaks[i].First >= t })
}

// forget gives up the oldest of what streaks were, where that is too much.
func (f *Fold) forget(ctx context.Context, crowded map[*stream]bool) error {
	var all []error
	for s := range crowded {
		all = append(all, f.forgetOf(ctx, s))
	}
	return errors.Join(all...)
}

func (f *Fold) forgetOf(ctx context.Context, s *stream) error {
	f.forgetting.Lock()
	defer f.forgetting.Unlock()
	until, left, err := f.opts.Ledger.ForgetFormer(ctx, s.streaks[0].Component, s.observer, keptFormer)
	if err != nil {
		return err
	}
	f.metrics.forgotten.Add(float64(s.former - left))
	f.mu.Lock()
	defer f.mu.Unlock()
	s.former = left
	for i := range s.since {
		if s.since[i] <= until {
			s.since[i] = 0
		}
	}
	return nil
}
