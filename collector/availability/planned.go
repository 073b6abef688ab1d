package availability

import "math/big"

// planned is the planned time of the service in [from, to): of base, what
// valid windows take, up to the cap. causes are the windows it is made of.
func (v *view) planned(base Set, from, to int64) (Set, []cause) {
	direct, indirect, lifted := v.windows(from, to)
	time := setOf(direct).Union(v.taken(lifted, setOf(indirect).Within(from, to)))
	return v.capped(base.Intersect(time)), append(direct, indirect...)
}

// windows are the valid windows in [from, to) that are about the service.
//
// A valid window that names the service takes all its time. Windows that name
// other things of the tree take the instants at which the service counts as
// down for a larger share than it would if everything they name were up.
// lifted is, by thing of the tree, when one of the latter names it.
func (v *view) windows(from, to int64) (direct, indirect []cause, lifted map[int][]Span) {
	for _, w := range v.model.catalogue.Windows {
		when, ok := v.valid(w)
		if !ok || when.within(from, to).Length() == 0 {
			continue
		}
		if contains(w.Services, v.agreement.Service) {
			direct = append(direct, cause{when, w.Change})
			continue
		}
		var parts Set // while something it names is a part of the service
		for _, names := range [][]string{w.Services, w.Components} {
			for _, name := range names {
				if i, ok := v.tree.index[name]; ok {
					if lifted == nil {
						lifted = map[int][]Span{}
					}
					lifted[i] = append(lifted[i], when)
					parts = parts.Union(v.parts()[i].Within(when.From, when.To))
				}
			}
		}
		for _, each := range parts {
			indirect = append(indirect, cause{each, w.Change})
		}
	}
	return direct, indirect, lifted
}

// valid is when the window is, as far as its cancelling left it, and whether
// it was approved early enough.
func (v *view) valid(w Window) (Span, bool) {
	zone := v.agreement.Zone
	when := span(w.From, w.To, zone)
	ok := approved(w.ApprovedAt, zone, v.model.asOf) && w.ApprovedAt.In(zone, far) <= when.From-v.agreement.Notice
	if approved(w.CancelledAt, zone, v.model.asOf) {
		when.To = min(when.To, w.CancelledAt.In(zone, far))
	}
	return when, ok
}

func contains(names []string, name string) bool {
	for _, each := range names {
		if each == name {
			return true
		}
	}
	return false
}

// taken is what the work itself takes away in the windows: the instants at
// which the service as seen is down for a larger share than it would be with
// the lifted things up.
func (v *view) taken(lifted map[int][]Span, windows Set) Set {
	if len(windows) == 0 {
		return nil
	}
	var events []event
	for i := range v.tree.things { // in order, so that equal input gives equal work
		for _, s := range NewSet(lifted[i]...) {
			events = append(events, event{s.From, i, forced, value(Up)}, event{s.To, i, forced, released})
		}
	}
	sortEvents(events)
	var out []Span
	last := len(v.tree.things) - 1
	v.tree.walk(windows[0].From, windows[len(windows)-1].To, events, func(span Span, values []value) {
		would := v.share(values[last].state())
		for _, part := range windows.Within(span.From, span.To) {
			for _, seg := range v.seen.Within(part.From, part.To) {
				if v.share(seg.State) > would {
					out = append(out, seg.Span)
				}
			}
		}
	})
	taken := NewSet(out...)
	if v.agreement.Policies.BeforeExistence == AsUp {
		taken = taken.Minus(v.gone)
	}
	return taken
}

// share ranks states by the share of their time that is down.
func (v *view) share(s State) int {
	switch {
	case v.agreement.Policies.isDown(s):
		return 2
	case s != Degraded || v.agreement.Policies.Degraded.Share == nil:
		return 0
	}
	share := v.agreement.Policies.Degraded.Share
	if share.Cmp(big.NewRat(1, 1)) >= 0 {
		return 2
	}
	return share.Sign()
}

// capped keeps of planned time what the cap allows, in time order, beginning
// anew in each of its periods.
func (v *view) capped(planned Set) Set {
	limit := v.agreement.Cap
	if limit == nil {
		return planned
	}
	var out []Span
	until, left := -far, int64(0)
	for _, s := range planned {
		for s.Length() > 0 {
			if s.From >= until {
				_, next := limit.Per.begin(localDate(s.From, v.agreement.Zone))
				until, left = next.Begin(v.agreement.Zone), limit.Length
			}
			part := s.within(s.From, until)
			used := part.within(part.From, part.From+left)
			out = append(out, used)
			left -= used.Length()
			s.From = part.To
		}
	}
	return NewSet(out...)
}

// capStart is the instant from which planned time uses up the cap that is in
// force at t: the beginning of the cap's period, or of the agreement version.
func (v *view) capStart(t int64) int64 {
	if v.agreement.Cap == nil {
		return t
	}
	first, _ := v.agreement.Cap.Per.begin(localDate(t, v.agreement.Zone))
	return min(t, max(first.Begin(v.agreement.Zone), v.agreement.inForce().From))
}
