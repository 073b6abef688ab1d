package availability

import "sort"

// SortFacts puts facts in the order they count in (component, observer,
// time) and leaves one for each instant: the first received; of those received
// together the worse state, then the shorter own hold. Never the order they
// came in. The slice is sorted in place and the result shares its memory.
func SortFacts(facts []Fact) []Fact {
	sort.SliceStable(facts, func(i, j int) bool { return before(facts[i], facts[j]) })
	kept := facts[:0]
	for _, f := range facts {
		if n := len(kept); n > 0 && kept[n-1].At == f.At && kept[n-1].Observer == f.Observer && kept[n-1].Component == f.Component {
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

func before(a, b Fact) bool {
	switch {
	case a.Component != b.Component:
		return a.Component < b.Component
	case a.Observer != b.Observer:
		return a.Observer < b.Observer
	case a.At != b.At:
		return a.At < b.At
	}
	return Stands(a, b)
}

// Stands tells whether of two facts for one instant, component and observer a
// is the one that counts.
func Stands(a, b Fact) bool {
	switch {
	case a.Received != b.Received:
		return a.Received < b.Received
	case a.State != b.State:
		return a.State > b.State
	}
	return ownHold(a.Hold) < ownHold(b.Hold)
}

func ownHold(h int64) int64 {
	switch h {
	case NoHold:
		return 0
	case 0:
		return forever
	}
	return h
}

// Known tells whether the fact is known at asOf, in ms.
func (f Fact) Known(asOf int64) bool { return f.At < asOf && f.Received <= asOf }

// Extend adds the fact to the end of the streak when it continues it: same
// state, same own hold, no more than gap ms after the last. The fact must be
// later than the streak's last.
func (s *Streak) Extend(f Fact, gap int64) bool {
	if s.State != f.State || s.Hold != f.Hold || f.At-s.Last > gap {
		return false
	}
	s.MaxGap = max(s.MaxGap, f.At-s.Last)
	s.Last = f.At
	s.Count++
	return true
}

// Begin is the streak of the one fact.
func Begin(f Fact) Streak {
	return Streak{Component: f.Component, Observer: f.Observer, State: f.State, First: f.At, Last: f.At, Count: 1, Hold: f.Hold}
}

// Streaks makes streaks of facts that are in order, as SortFacts leaves them.
// gap is the largest gap in ms inside a streak after a fact at the instant with
// this own hold.
func Streaks(facts []Fact, gap func(component string, hold, at int64) int64) []Streak {
	var out []Streak
	for _, f := range facts {
		if n := len(out); n > 0 && out[n-1].Component == f.Component && out[n-1].Observer == f.Observer &&
			out[n-1].Extend(f, gap(f.Component, f.Hold, out[n-1].Last)) {
			continue
		}
		out = append(out, Begin(f))
	}
	return out
}

// Change is what adding a fact does to the streaks of one observer and
// component: those that go (as they were) and those that come. Both are empty
// when the fact changes nothing.
type Change struct {
	Remove []Streak
	Put    []Streak
}

// FactsBetween lists raw facts of the streak's observer and component in
// [from, to], in order.
type FactsBetween func(s Streak, from, to int64) []Fact

// Add works a fact into the streaks of its observer and component, whatever
// the order facts arrive in: the streaks are those of the set of facts. Of
// around only those matter that have a fact within gap of f.At, or f.At inside
// them; it must be in time order. gap is the largest gap inside a streak, in ms, after a fact at the instant.
//
// A fact for an instant that already has one changes nothing. Streaks do not
// keep the times of the facts between their ends, so when one in another state
// falls inside a streak raw is asked for the neighbours to split it exactly;
// where raw is nil or lacks them the streak is split by its largest gap, the
// most that may lie between neighbours. Count and MaxGap of a streak that
// is hit inside by its own state follow raw as far as raw is complete.
func Add(around []Streak, f Fact, gap func(at int64) int64, raw FactsBetween) Change {
	i := sort.Search(len(around), func(i int) bool { return around[i].Last >= f.At })
	if i < len(around) && around[i].First <= f.At {
		return addInside(around[i], f, gap, raw)
	}
	change := Change{Put: []Streak{Begin(f)}}
	if i > 0 {
		grown := around[i-1]
		if grown.Extend(f, gap(grown.Last)) {
			change = Change{Remove: []Streak{around[i-1]}, Put: []Streak{grown}}
		}
	}
	if i < len(around) {
		if joined, ok := join(change.Put[0], around[i], gap(change.Put[0].Last)); ok {
			change.Remove = append(change.Remove, around[i])
			change.Put[0] = joined
		}
	}
	return change
}

// join makes one streak of two that follow each other, when they are one.
func join(a, b Streak, gap int64) (Streak, bool) {
	if a.State != b.State || a.Hold != b.Hold || b.First-a.Last > gap {
		return a, false
	}
	a.MaxGap = max(a.MaxGap, b.MaxGap, b.First-a.Last)
	a.Last = b.Last
	a.Count += b.Count
	return a, true
}

// addInside works in a fact that falls between (or on) the ends of a streak.
func addInside(s Streak, f Fact, gap func(at int64) int64, raw FactsBetween) Change {
	if f.At == s.First || f.At == s.Last {
		return Change{} // the first received stands
	}
	facts := insideFacts(s, raw)
	if facts == nil {
		if f.State == s.State && f.Hold == s.Hold {
			return Change{}
		}
		return Change{Remove: []Streak{s}, Put: splitBlind(s, f)}
	}
	at := sort.Search(len(facts), func(i int) bool { return facts[i].At >= f.At })
	if facts[at].At == f.At {
		return Change{}
	}
	all := append(append(append(make([]Fact, 0, len(facts)+1), facts[:at]...), f), facts[at:]...)
	return Change{Remove: []Streak{s}, Put: Streaks(all, func(_ string, _, at int64) int64 { return gap(at) })}
}

// insideFacts is all the facts of the streak, or nil when raw does not have
// as many as the streak has seen.
func insideFacts(s Streak, raw FactsBetween) []Fact {
	if raw == nil {
		return nil
	}
	var facts []Fact
	for _, f := range raw(s, s.First, s.Last) {
		if f.State == s.State && f.Hold == s.Hold {
			facts = append(facts, f)
		}
	}
	n := len(facts)
	if int64(n) < s.Count || n < 2 || facts[0].At != s.First || facts[n-1].At != s.Last {
		return nil
	}
	return facts
}

// splitBlind splits the streak around the fact without knowing the facts
// beside it: as far from it as the streak's largest gap allows, so that no
// state is claimed longer than it was seen. The count is shared out by time.
func splitBlind(s Streak, f Fact) []Streak {
	left, right := s, s
	left.Last = max(s.First, f.At-s.MaxGap)
	right.First = min(s.Last, f.At+s.MaxGap)
	left.Count = min(max(1, int64(float64(s.Count)*float64(left.Last-s.First)/float64(s.Last-s.First))), s.Count-1)
	right.Count = s.Count - left.Count
	for _, part := range []*Streak{&left, &right} {
		if part.First == part.Last {
			part.Count, part.MaxGap = 1, 0
		}
	}
	return []Streak{left, Begin(f), right}
}
