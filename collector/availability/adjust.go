package availability

import (
	"sort"
	"time"
)

// span is the bounds as instants when dates are local to the zone.
func span(from, to Bound, zone *time.Location) Span {
	return Span{from.In(zone, -far), to.In(zone, far)}
}

// approved tells whether the approval is known at asOf.
func approved(at Bound, zone *time.Location, asOf int64) bool {
	return at.IsSet() && at.In(zone, far) <= asOf
}

// correct collects the approved corrections of each name. Of two for one
// instant the one approved last stands; approved together, the later listed.
func (m *model) correct() {
	type entry struct {
		Segment
		approved int64
	}
	byName := map[string][]entry{}
	for _, a := range m.catalogue.Adjustments {
		if a.Effect == CutOut || !approved(a.ApprovedAt, m.zone, m.asOf) {
			continue
		}
		state := Up
		if a.Effect == CorrectDown {
			state = Down
		}
		e := entry{Segment{span(a.From, a.To, m.zone), state}, a.ApprovedAt.In(m.zone, far)}
		for _, names := range [][]string{a.Components, a.Services} {
			for _, name := range names {
				byName[name] = append(byName[name], e)
			}
		}
	}
	for name, entries := range byName {
		sort.SliceStable(entries, func(i, j int) bool { return entries[i].approved < entries[j].approved })
		var line []Segment
		var taken Set
		for i := len(entries) - 1; i >= 0; i-- {
			for _, free := range NewSet(entries[i].Span).Minus(taken) {
				line = append(line, Segment{free, entries[i].State})
			}
			taken = taken.Union(NewSet(entries[i].Span))
		}
		sort.Slice(line, func(i, j int) bool { return line[i].From < line[j].From })
		m.corrections[name] = line
	}
}

// cause is time taken by one window or adjustment, for the explanation.
type cause struct {
	span Span
	name string
}

// adjusted is the time approved adjustments cut out of the service: those that
// name it, and those that name something while that is a part of it.
func (v *view) adjusted() (Set, []cause) {
	var causes []cause
	m := v.model
	for _, a := range m.catalogue.Adjustments {
		if a.Effect != CutOut || !approved(a.ApprovedAt, m.zone, m.asOf) {
			continue
		}
		when := span(a.From, a.To, m.zone)
		for _, each := range v.while(a.Services, when).Union(v.while(a.Components, when)) {
			causes = append(causes, cause{each, a.ID})
		}
	}
	return setOf(causes), causes
}

func setOf(causes []cause) Set {
	spans := make([]Span, len(causes))
	for i, c := range causes {
		spans[i] = c.span
	}
	return NewSet(spans...)
}
