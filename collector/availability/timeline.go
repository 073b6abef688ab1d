package availability

import (
	"cmp"
	"slices"
	"sort"
)

// Segment is a span of one state.
type Segment struct {
	Span
	State State
}

// Timeline is segments in order without holes, neighbours in different
// states, from long before any fact to the instant as of which it is known.
type Timeline []Segment

// add appends [from, to) in the state, joining it to the last segment when
// that has the same.
func (t Timeline) add(from, to int64, state State) Timeline {
	if from >= to {
		return t
	}
	if n := len(t); n > 0 && t[n-1].State == state && t[n-1].To == from {
		t[n-1].To = to
		return t
	}
	return append(t, Segment{Span{from, to}, state})
}

// search is the index of the first segment that ends after t.
func (t Timeline) search(at int64) int {
	return sort.Search(len(t), func(i int) bool { return t[i].To > at })
}

// At is the state at the instant, and since when it has been that without
// interruption; Unknown outside the timeline.
func (t Timeline) At(at int64) (State, int64) {
	i := t.search(at)
	if i == len(t) || t[i].From > at {
		return Unknown, -far
	}
	return t[i].State, t[i].From
}

// Within is the part of the timeline in [from, to).
func (t Timeline) Within(from, to int64) Timeline {
	var out Timeline
	for _, seg := range t[t.search(from):] {
		if seg.From >= to {
			break
		}
		cut := seg.within(from, to)
		out = out.add(cut.From, cut.To, seg.State)
	}
	return out
}

// where is the set of instants whose state satisfies is.
func (t Timeline) where(is func(State) bool) Set {
	var spans []Span
	for _, seg := range t {
		if is(seg.State) {
			spans = append(spans, seg.Span)
		}
	}
	return NewSet(spans...)
}

// observed is what one component's observers saw.
type observed struct {
	component Component
	observers [][]Streak // one list for each observer, in time order
	timeline  Timeline   // of the component, [-far, asOf)
	bridged   Set        // gaps between down facts that are down only because of that
}

// observe makes the component's timeline as known at asOf of its streaks,
// given in any order.
func observe(c Component, streaks []Streak, asOf int64) *observed {
	o := &observed{component: c, observers: byObserver(streaks, asOf)}
	timelines := make([]Timeline, len(o.observers))
	var bridged []Span
	for i, list := range o.observers {
		timelines[i], bridged = holdStreaks(c, list, asOf, bridged)
	}
	o.bridged = NewSet(bridged...)
	names := make([]string, len(timelines))
	for i, list := range o.observers {
		names[i] = list[0].Observer
	}
	if c.Series != nil {
		timelines, names = speakers(c, o.observers, timelines, asOf)
	}
	if len(timelines) == 1 && c.Need <= 1 {
		o.timeline = timelines[0]
	} else {
		own := slices.IndexFunc(names, func(name string) bool { return name == c.Name && c.Name != "" })
		o.timeline = majority(timelines, own, c.Need, asOf)
	}
	return o
}

// byObserver sorts the streaks that begin before asOf into one list for each
// observer, in time order.
func byObserver(streaks []Streak, asOf int64) [][]Streak {
	sorted := make([]Streak, 0, len(streaks))
	for _, s := range streaks {
		if s.First < asOf {
			sorted = append(sorted, s)
		}
	}
	slices.SortStableFunc(sorted, func(a, b Streak) int {
		return cmp.Or(cmp.Compare(a.Observer, b.Observer), cmp.Compare(a.First, b.First))
	})
	var lists [][]Streak
	for begin, i := 0, 1; i <= len(sorted); i++ {
		if i == len(sorted) || sorted[i].Observer != sorted[begin].Observer {
			lists = append(lists, sorted[begin:i])
			begin = i
		}
	}
	return lists
}

// holdStreaks is one observer's timeline: each fact holds to the next, at most
// its hold; a gap between two down facts is down however long, and the part
// of it that was not held is appended to bridged.
func holdStreaks(c Component, list []Streak, asOf int64, bridged []Span) (Timeline, []Span) {
	t := make(Timeline, 0, len(list)+2)
	at := -far
	for i, s := range list {
		t = t.add(at, s.First, Unknown)
		next := asOf
		if i+1 < len(list) {
			next = list[i+1].First
		}
		end := min(next, s.Last+c.Lasts(s.Hold, s.Last))
		t = t.add(s.First, end, s.State)
		at = end
		if end < next && i+1 < len(list) && s.State == Down && list[i+1].State == Down {
			bridged = append(bridged, Span{end, next})
			t = t.add(end, next, Down)
			at = next
		}
	}
	return t.add(at, asOf, Unknown), bridged
}

// majority is the component's timeline of several observers' ones, by vote.
// own is the host's own agent among them, where the component is a host; -1
// where it is none: then byHost decides.
func majority(timelines []Timeline, own, need int, asOf int64) Timeline {
	var out Timeline
	next := make([]int, len(timelines))
	for from := -far; from < asOf; {
		var count [4]int
		itself := Unknown
		to := asOf
		for i, t := range timelines {
			for next[i] < len(t) && t[next[i]].To <= from {
				next[i]++
			}
			if next[i] >= len(t) {
				continue
			}
			to = min(to, t[next[i]].To)
			if i == own {
				itself = t[next[i]].State
			} else {
				count[t[next[i]].State]++
			}
		}
		state := vote(count, need)
		if own >= 0 {
			state = byHost(itself, count, need)
		}
		out = out.add(from, to, state)
		from = to
	}
	return out
}

// byHost is the state of a host whose own agent is one of its observers. What
// that proves stands: it runs while it measures, whoever else cannot reach it.
// While it is silent, others may know; that the host is down takes two of them,
// for one may itself be cut off.
func byHost(itself State, others [4]int, need int) State {
	if itself != Unknown {
		return itself
	}
	state := vote(others, need)
	if state == Down && others[Down] < 2 {
		return Unknown
	}
	return state
}

// vote is down while more than half of those that know say down (or need of
// them, if that is not 0), unknown while none knows, degraded while some other
// says down or degraded, else up.
func vote(count [4]int, need int) State {
	known := count[Up] + count[Degraded] + count[Down]
	switch {
	case known == 0:
		return Unknown
	case need > 0 && count[Down] >= need, need == 0 && 2*count[Down] > known:
		return Down
	case count[Down]+count[Degraded] > 0:
		return Degraded
	}
	return Up
}

// lastFact is the last fact before t, of any observer, in a state that
// satisfies is, and the streak it belongs to; not found when there is none.
func (o *observed) lastFact(t int64, is func(State) bool, exact FactBefore) (at int64, of Streak, found bool) {
	at = -far
	for _, list := range o.observers {
		i := sort.Search(len(list), func(i int) bool { return list[i].First >= t }) - 1
		for i >= 0 && !is(list[i].State) {
			i--
		}
		if i < 0 {
			continue
		}
		last := list[i].Last
		if last >= t {
			last = insideStreak(list[i], t, exact)
		}
		if !found || last > at {
			at, of, found = last, list[i], true
		}
	}
	return at, of, found
}

func insideStreak(s Streak, t int64, exact FactBefore) int64 {
	if exact != nil {
		if at, ok := exact(s, t); ok {
			return at
		}
	}
	return max(s.First, t-s.MaxGap)
}

// FactBefore finds the last fact of the streak before an instant that lies
// inside it (s.First < before <= s.Last). Streaks do not keep the times of the
// facts between their ends; raw facts do.
type FactBefore func(s Streak, before int64) (at int64, ok bool)
