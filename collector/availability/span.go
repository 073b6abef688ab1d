package availability

import "sort"

// Span is the half-open interval [From, To) in ms.
type Span struct {
	From, To int64
}

// Length is in ms, never negative.
func (s Span) Length() int64 { return max(0, s.To-s.From) }

// within is the part of the span inside [from, to).
func (s Span) within(from, to int64) Span { return Span{max(s.From, from), min(s.To, to)} }

// Set is a set of instants: spans in order that neither overlap nor touch.
// Nobody changes a set once it is made, so that one may be another.
type Set []Span

// NewSet is the set of all instants that lie in one of the spans.
func NewSet(spans ...Span) Set {
	sorted := make([]Span, 0, len(spans))
	ordered := true
	for _, s := range spans {
		if s.To <= s.From {
			continue
		}
		if n := len(sorted); n > 0 && sorted[n-1].From > s.From {
			ordered = false
		}
		sorted = append(sorted, s)
	}
	if !ordered {
		sort.Slice(sorted, func(i, j int) bool { return sorted[i].From < sorted[j].From })
	}
	out := Set(sorted[:0])
	for _, s := range sorted {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// Union has the instants of either set.
func (s Set) Union(o Set) Set {
	switch {
	case len(o) == 0:
		return s[:len(s):len(s)]
	case len(s) == 0:
		return o[:len(o):len(o)]
	}
	return NewSet(append(append(make([]Span, 0, len(s)+len(o)), s...), o...)...)
}

// Intersect has the instants of both sets.
func (s Set) Intersect(o Set) Set {
	var out Set
	for i, j := 0, 0; i < len(s) && j < len(o); {
		if both := s[i].within(o[j].From, o[j].To); both.Length() > 0 {
			out = append(out, both)
		}
		if s[i].To < o[j].To {
			i++
		} else {
			j++
		}
	}
	return out
}

// Minus has the instants of s that are not in o.
func (s Set) Minus(o Set) Set {
	if len(o) == 0 {
		return s[:len(s):len(s)]
	}
	var out Set
	j := 0
	for _, span := range s {
		for j < len(o) && o[j].To <= span.From {
			j++
		}
		from := span.From
		for k := j; k < len(o) && o[k].From < span.To; k++ {
			if o[k].From > from {
				out = append(out, Span{from, o[k].From})
			}
			from = max(from, o[k].To)
		}
		if from < span.To {
			out = append(out, Span{from, span.To})
		}
	}
	return out
}

// Within has the instants of s in [from, to).
func (s Set) Within(from, to int64) Set {
	if len(s) > 0 && from <= s[0].From && s[len(s)-1].To <= to {
		return s[:len(s):len(s)]
	}
	var out Set
	for _, span := range s[s.search(from):] {
		if span.From >= to {
			break
		}
		if cut := span.within(from, to); cut.Length() > 0 {
			out = append(out, cut)
		}
	}
	return out
}

// search is the index of the first span that ends after t.
func (s Set) search(t int64) int {
	return sort.Search(len(s), func(i int) bool { return s[i].To > t })
}

// Has tells whether the instant is in the set.
func (s Set) Has(t int64) bool {
	i := s.search(t)
	return i < len(s) && s[i].From <= t
}

// Meets tells whether an instant of [from, to) is in the set.
func (s Set) Meets(from, to int64) bool {
	i := s.search(from)
	return i < len(s) && s[i].From < to && from < to
}

// Length is the sum of the spans in ms.
func (s Set) Length() int64 {
	var sum int64
	for _, span := range s {
		sum += span.Length()
	}
	return sum
}

// LengthWithin is the length in ms of what lies in [from, to).
func (s Set) LengthWithin(from, to int64) int64 {
	var sum int64
	for _, span := range s[s.search(from):] {
		if span.From >= to {
			break
		}
		sum += span.within(from, to).Length()
	}
	return sum
}
