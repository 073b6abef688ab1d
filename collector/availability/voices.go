package availability

import (
	"slices"
	"strconv"
	"strings"
)

// Selector names the series whose 0 and 1 are facts about a component: those
// of a metric that have all of the labels. A label with an empty value is one
// that must be missing.
type Selector struct {
	Metric string
	Labels []Label // by name
}

// Label is a label of a series.
type Label struct{ Name, Value string }

// String is the selector as PromQL writes it.
func (s *Selector) String() string {
	var parts []string
	for _, l := range s.Labels {
		parts = append(parts, l.Name+"="+strconv.Quote(l.Value))
	}
	if len(parts) == 0 {
		return s.Metric
	}
	return s.Metric + "{" + strings.Join(parts, ",") + "}"
}

// Pins tells whether the selector says what the label must be.
func (s *Selector) Pins(name string) bool {
	return slices.ContainsFunc(s.Labels, func(l Label) bool { return l.Name == name })
}

// voiceMark ends the name of who sent a series, where the observer says which
// one of several it was. No host and no sender has it in its name.
const voiceMark = "{"

// Voice is the observer of facts that come from a selected series: who sent
// it, and the labels that the selector leaves open, in their order. Without
// any it is the sender alone.
func Voice(sender string, open []Label) string {
	if len(open) == 0 {
		return sender
	}
	var b strings.Builder
	b.WriteString(sender)
	for i, l := range open {
		b.WriteString([...]string{voiceMark, ","}[min(i, 1)])
		b.WriteString(l.Name + "=" + l.Value)
	}
	return b.String() + "}"
}

// Speaker is who sent what the observer saw.
func Speaker(observer string) string {
	sender, _, _ := strings.Cut(observer, voiceMark)
	return sender
}

// run is a time in which facts of one voice followed each other, each while
// the one before it held.
type run struct {
	first, last int64 // of its facts
	until       int64 // as long as the last one holds
}

func runs(c Component, list []Streak) []run {
	var out []run
	for _, s := range list {
		until := s.Last + c.Lasts(s.Hold, s.Last)
		if n := len(out); n > 0 && s.First <= out[n-1].until {
			out[n-1].last, out[n-1].until = s.Last, until
			continue
		}
		out = append(out, run{s.First, s.Last, until})
	}
	return out
}

// Ambiguous are the times in which more than one series of one sender speaks
// for a component: from the first fact of the later one to the end of what one
// of them said last. A series that begins after the last fact of another one
// has taken its place, and nothing is ambiguous. The lists are the voices of
// one sender, each in time order.
func ambiguous(c Component, voices [][]Streak) Set {
	all := make([][]run, len(voices))
	for i, list := range voices {
		all[i] = runs(c, list)
	}
	var spans []Span
	for i := range all {
		for j := i + 1; j < len(all); j++ {
			spans = append(spans, together(all[i], all[j])...)
		}
	}
	return NewSet(spans...)
}

// together are the spans in which two voices speak at once.
func together(a, b []run) (spans []Span) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		earlier, later := a[i], b[j]
		if earlier.first > later.first {
			earlier, later = later, earlier
		}
		if later.first <= earlier.last {
			spans = append(spans, Span{later.first, min(earlier.until, later.until)})
		}
		if a[i].until < b[j].until {
			i++
		} else {
			j++
		}
	}
	return spans
}

// speakers joins the voices of each sender to one timeline: that of the voice
// that began last among those that hold, and unknown while they are ambiguous.
// names are who the timelines belong to.
func speakers(c Component, lists [][]Streak, timelines []Timeline, asOf int64) (joined []Timeline, names []string) {
	for i := 0; i < len(lists); {
		name, end := Speaker(lists[i][0].Observer), i+1
		for end < len(lists) && Speaker(lists[end][0].Observer) == name {
			end++
		}
		one := timelines[i]
		if end > i+1 {
			one = speaker(c, lists[i:end], timelines[i:end], asOf)
		}
		joined, names = append(joined, one), append(names, name)
		i = end
	}
	return joined, names
}

// speaker joins the voices of one sender.
func speaker(c Component, lists [][]Streak, timelines []Timeline, asOf int64) Timeline {
	unclear := ambiguous(c, lists)
	began := make([][]run, len(lists))
	var edges []int64
	for i := range lists {
		began[i] = runs(c, lists[i])
		for _, r := range began[i] {
			edges = append(edges, r.first, r.until)
		}
	}
	for _, t := range timelines {
		for _, seg := range t {
			edges = append(edges, seg.From)
		}
	}
	for _, s := range unclear {
		edges = append(edges, s.From, s.To)
	}
	slices.Sort(edges)
	edges = append(slices.Compact(edges), asOf)
	var out Timeline
	for k := 0; k+1 < len(edges) && edges[k] < asOf; k++ {
		at, to := edges[k], min(edges[k+1], asOf)
		state := Unknown
		if !unclear.Has(at) {
			state = newest(timelines, began, at)
		}
		out = out.add(at, to, state)
	}
	return out
}

// newest is what the voice says whose run began last, of those that hold. Where
// none does, one that is down before and after is down in between.
func newest(timelines []Timeline, began [][]run, at int64) State {
	state, last := Unknown, -far
	for i, t := range timelines {
		is, _ := t.At(at)
		for _, r := range began[i] {
			if r.first <= at && at < r.until && r.first > last {
				state, last = is, r.first
			}
		}
		if last == -far && is == Down {
			state = Down
		}
	}
	return state
}

// SpeakAtOnce are the voices of one sender that speak for the component at the
// same time, at the instant; none where each sender has one voice. Of several
// senders it is the first by name. The streaks may be in any order.
func SpeakAtOnce(c Component, streaks []Streak, at int64) []string {
	lists := byObserver(streaks, forever)
	for i := 0; i < len(lists); {
		end := i + 1
		for end < len(lists) && Speaker(lists[end][0].Observer) == Speaker(lists[i][0].Observer) {
			end++
		}
		if end > i+1 && ambiguous(c, lists[i:end]).Has(at) {
			var names []string
			for _, list := range lists[i:end] {
				if state, _ := voiceAt(c, list, at); state != Unknown {
					names = append(names, list[0].Observer)
				}
			}
			return names
		}
		i = end
	}
	return nil
}

// voiceAt is what one voice says at an instant.
func voiceAt(c Component, list []Streak, at int64) (State, int64) {
	t, _ := holdStreaks(c, list, at+1, nil)
	return t.At(at)
}
