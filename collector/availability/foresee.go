package availability

import "fmt"

// Foresight is what one agreement version will make of one maintenance window,
// should it be approved at the instant assumed. Lengths and instants are in ms.
type Foresight struct {
	Agreement *Agreement
	Window    Span
	// Direct: the window names the service itself, so all of it is planned
	// time. Else only what of it takes the service down is, and Counts is the
	// most that can be.
	Direct   bool
	Deadline int64 // last instant of an approval that keeps the notice
	InTime   bool  // the assumed approval is not after it
	Agreed   int64 // of the window, inside the calendar and the service's existence
	Counts   int64 // of Agreed, what will be planned time that is not planned already
	Left     int64 // of the cap, before this window, in the cap's period it begins in; 0 without a cap
	Displace int64 // planned time of later windows in that period that will be beyond the cap
}

// Foresee tells what each agreement about something the windows name makes of
// each of them, in order, each as if those before it had been approved too.
// in.AsOf is the instant of the assumed approval; of windows ahead of it that
// name only parts of a service, all their time is taken to be planned.
func Foresee(in Input, windows []Window) ([]Foresight, error) {
	c := *in.Catalogue
	c.Windows = append([]Window(nil), c.Windows...)
	in.Catalogue = &c
	e := newEvaluation(in)
	var out []Foresight
	for _, w := range windows {
		w.ApprovedAt = At(in.AsOf)
		for i := range c.Agreements {
			a := &c.Agreements[i]
			force := a.inForce()
			when := span(w.From, w.To, a.Zone).within(force.From, force.To)
			if when.Length() == 0 {
				continue
			}
			v, err := e.view(a)
			if err != nil {
				return nil, fmt.Errorf("agreement %s version %d: %w", a.Number, a.Version, err)
			}
			if len(v.while(w.Services, when)) == 0 && len(v.while(w.Components, when)) == 0 {
				continue
			}
			f, err := v.foresee(w, when)
			if err != nil {
				return nil, fmt.Errorf("agreement %s version %d: %w", a.Number, a.Version, err)
			}
			out = append(out, f)
		}
		c.Windows = append(c.Windows, w)
	}
	return out, nil
}

func (v *view) foresee(w Window, when Span) (Foresight, error) {
	a := v.agreement
	f := Foresight{Agreement: a, Window: when, Direct: contains(w.Services, a.Service), Deadline: span(w.From, w.To, a.Zone).From - a.Notice}
	f.InTime = v.model.asOf <= f.Deadline
	start, end := v.capStart(when.From), when.To
	if a.Cap != nil {
		_, next := a.Cap.Per.begin(localDate(when.From, a.Zone))
		end = max(end, next.Begin(a.Zone))
	}
	base, err := v.model.catalogue.agreedTime(a.Calendar, a.Zone, start, end)
	if err != nil {
		return f, err
	}
	if a.Policies.BeforeExistence == Exclude {
		base = base.Minus(v.gone)
	}
	reserved := base.Intersect(v.reserved(start, end))
	before := v.capped(reserved)
	f.Agreed = base.LengthWithin(when.From, when.To)
	if a.Cap != nil {
		_, next := a.Cap.Per.begin(localDate(when.From, a.Zone))
		f.Left = max(0, a.Cap.Length-before.LengthWithin(start, next.Begin(a.Zone)))
	}
	if !f.InTime {
		return f, nil
	}
	with := v.capped(reserved.Union(base.Within(when.From, when.To)))
	f.Counts = with.LengthWithin(when.From, when.To) - before.LengthWithin(when.From, when.To)
	f.Displace = max(0, before.LengthWithin(when.To, end)-with.LengthWithin(when.To, end))
	return f, nil
}

// reserved is the planned time in [from, to) before the cap: what has passed
// as it was, what is ahead as if all work took the service down.
func (v *view) reserved(from, to int64) Set {
	direct, indirect, lifted := v.windows(from, to)
	ahead := setOf(indirect).Within(max(from, v.model.asOf), to)
	past := v.taken(lifted, setOf(indirect).Within(from, min(to, v.model.asOf)))
	return setOf(direct).Union(ahead).Union(past)
}
