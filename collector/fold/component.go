package fold

import (
	"context"
	"slices"
	"sort"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// Instants no fact has.
const (
	minTime = -1 << 60
	maxTime = 1 << 60
)

// component is one configuration item and what its observers saw.
type component struct {
	is      availability.Component // by the catalogue; only its name when that does not know it
	streams []*stream              // few: one per observer, by name
}

// stream is what one observer saw of one component.
type stream struct {
	observer string
	streaks  []availability.Streak // all, in time order
	grown    bool                  // the last one is longer than in the ledger
	source   ledger.Source         // of the newest fact that prolonged it
	since    []int64               // of each: since when it is known as it is, Unix ms; 0: since its facts are
	former   int                   // how many the ledger has that are no more
}

// component returns the component of that name, making it when it is new.
// The caller holds the lock for writing.
func (f *Fold) component(name string) *component {
	c, ok := f.components[name]
	if !ok {
		c = &component{}
		f.describe(c, name)
		f.components[name] = c
	}
	return c
}

// describe takes what the catalogue says about c.
func (f *Fold) describe(c *component, name string) {
	if f.catalogue == nil {
		f.catalogue = f.opts.Catalogue()
	}
	known, ok := f.catalogue.Component(name)
	if !ok {
		known = availability.Component{Name: name}
	}
	c.is = known
}

// gap is the largest inside a streak after a fact at the instant, in ms.
func (c *component) gap(at int64) int64 { return c.is.StreakGap(0, at) }

func (c *component) stream(observer string) *stream {
	for _, s := range c.streams {
		if s.observer == observer {
			return s
		}
	}
	s := &stream{observer: observer}
	c.streams = append(c.streams, s)
	slices.SortFunc(c.streams, func(a, b *stream) int {
		if a.observer < b.observer {
			return -1
		}
		return 1
	})
	return s
}

// toldBehind tells whether another observer told something behind the instant.
func (c *component) toldBehind(s *stream, at int64) bool {
	for _, other := range c.streams {
		if last, ok := other.last(); ok && other != s && last.Last > at {
			return true
		}
	}
	return false
}

// all copies the streaks of all observers.
func (c *component) all() []availability.Streak {
	n := 0
	for _, s := range c.streams {
		n += len(s.streaks)
	}
	out := make([]availability.Streak, 0, n)
	for _, s := range c.streams {
		out = append(out, s.streaks...)
	}
	return out
}

// fact works one fact in. Nearly all prolong the last streak; the others go
// to the ledger at once.
func (f *Fold) fact(ctx context.Context, pos journal.Position, fact *availability.Fact) {
	source := ledger.Source{Position: uint64(pos), Received: fact.Received}
	f.mu.RLock()
	c := f.components[fact.Component]
	f.mu.RUnlock()
	if c == nil {
		f.mu.Lock()
		c = f.component(fact.Component)
		f.mu.Unlock()
	}
	f.mu.Lock()
	s := c.stream(fact.Observer)
	n := len(s.streaks)
	if n > 0 && fact.At > s.streaks[n-1].Last {
		was := s.streaks[n-1]
		if s.streaks[n-1].Extend(*fact, c.gap(was.Last)) {
			if fact.Received-fact.At > soon && fact.Received > was.Last+c.is.Lasts(was.Hold, was.Last) { // before, what was known held anyway
				s.since[n-1] = f.learn(s, &availability.Change{Remove: []availability.Streak{was}, Put: s.streaks[n-1:]}, fact)
			}
			f.mu.Unlock()
			if c.toldBehind(s, was.Last+c.is.Lasts(was.Hold, was.Last)) {
				f.pending.lookAgain(c, was.First)
			}
			s.source = source
			if !s.grown {
				s.grown = true
				f.pending.grown = append(f.pending.grown, s)
			}
			return
		}
	}
	f.mu.Unlock()

	before, _ := s.last()
	if s.grown { // it may not be the last one any more when it is written
		f.pending.put[key(&before)] = s
		f.pending.grow(key(&before), s.source)
	}
	change := f.change(ctx, pos, c, s, fact)
	if len(change.Put) == 0 {
		f.metrics.repeated.Inc()
		return
	}
	f.mu.Lock()
	s.splice(change, f.learn(s, &change, fact))
	f.mu.Unlock()
	f.pending.change(c, s, change, source)
	after, _ := s.last()
	if after.First != before.First {
		s.source = source
	}
	if after.State != before.State {
		f.pending.changed[fact.Component] = true
		f.metrics.changes.Inc()
	}
}

// change is what a fact that does not simply prolong the last streak does.
func (f *Fold) change(ctx context.Context, pos journal.Position, c *component, s *stream, fact *availability.Fact) availability.Change {
	if n := len(s.streaks); n > 0 && fact.At <= s.streaks[n-1].Last {
		f.metrics.late.Inc()
	}
	i := sort.Search(len(s.streaks), func(i int) bool { return s.streaks[i].Last >= fact.At })
	if i == len(s.streaks) || s.streaks[i].First > fact.At {
		return availability.Add(s.streaks[max(0, i-1):min(len(s.streaks), i+1)], *fact, c.gap, nil)
	}
	in := s.streaks[i]
	same := fact.State == in.State && fact.Hold == in.Hold
	if fact.At == in.First || fact.At == in.Last || same && in.MaxGap <= c.gap(fact.At) {
		return availability.Change{} // the first received stands, and more of the same changes nothing
	}
	near := f.raw(ctx, pos, &in, max(in.First, fact.At-in.MaxGap), min(in.Last, fact.At+in.MaxGap))
	if f.torn {
		return availability.Change{}
	}
	if same { // it is among them itself
		near = slices.DeleteFunc(near, func(n availability.Fact) bool { return n.At == fact.At })
	}
	parts, exact := split(in, *fact, near)
	if same {
		parts = parted(parts, c.gap(fact.At))
	}
	if len(parts) == 0 {
		return availability.Change{}
	}
	f.metrics.splits.WithLabelValues(map[bool]string{true: "yes", false: "no"}[exact]).Inc()
	return availability.Change{Remove: []availability.Streak{in}, Put: parts}
}

func (s *stream) last() (availability.Streak, bool) {
	if len(s.streaks) == 0 {
		return availability.Streak{}, false
	}
	return s.streaks[len(s.streaks)-1], true
}

// splice takes out what the change removes and puts in what it brings, which
// is known since an instant.
func (s *stream) splice(c availability.Change, since int64) {
	for _, r := range c.Remove {
		i := s.at(r.First)
		s.streaks = slices.Delete(s.streaks, i, i+1)
		s.since = slices.Delete(s.since, i, i+1)
	}
	i := s.at(c.Put[0].First)
	s.streaks = slices.Insert(s.streaks, i, c.Put...)
	s.since = slices.Insert(s.since, i, slices.Repeat([]int64{since}, len(c.Put))...)
}

// split takes a streak apart around a fact inside it that is in another
// state, between the last fact of the streak before and the first one after
// it as near tells them. It gives nothing when near has a fact of the streak
// for that very instant: the first received stands. What near does not tell
// is put as far away as the streak's largest gap allows, so that no state is
// claimed for longer than it was seen; exact is false then. The count of facts
// is shared out by time.
func split(s availability.Streak, fact availability.Fact, near []availability.Fact) (parts []availability.Streak, exact bool) {
	left, right := s, s
	left.Last, right.First = max(s.First, fact.At-s.MaxGap), min(s.Last, fact.At+s.MaxGap)
	leftKnown, rightKnown := left.Last == s.First, right.First == s.Last
	for _, n := range near {
		if n.State != s.State || n.Hold != s.Hold {
			continue
		}
		switch {
		case n.At == fact.At:
			return nil, true
		case n.At < fact.At && n.At >= left.Last:
			left.Last, leftKnown = n.At, true
		case n.At > fact.At && n.At <= right.First:
			right.First, rightKnown = n.At, true
		}
	}
	share := float64(left.Last-s.First) / float64(s.Last-s.First)
	left.Count = max(1, min(int64(float64(s.Count)*share+0.5), s.Count-1))
	right.Count = max(1, s.Count-left.Count)
	for _, part := range [...]*availability.Streak{&left, &right} {
		part.MaxGap = min(s.MaxGap, part.Last-part.First)
		if part.First == part.Last {
			part.Count = 1
		} else {
			part.Count = max(part.Count, 2)
		}
	}
	return []availability.Streak{left, availability.Begin(fact), right}, leftKnown && rightKnown
}

// parted are the parts of a streak around a fact inside it of its own state, at
// which another pace holds: it goes on from the fact before, but the next one may
// be too far away by then. It gives nothing when it is not.
func parted(parts []availability.Streak, gap int64) []availability.Streak {
	if len(parts) == 0 {
		return nil
	}
	left, fact, right := parts[0], parts[1], parts[2]
	if right.First-fact.Last <= gap {
		return nil
	}
	left.MaxGap = max(left.MaxGap, fact.Last-left.Last)
	left.Last = fact.Last
	left.Count++
	return []availability.Streak{left, right}
}

func key(s *availability.Streak) ledger.StreakKey {
	return ledger.StreakKey{Component: s.Component, Observer: s.Observer, First: s.First}
}
