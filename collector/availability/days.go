package availability

import (
	"cmp"
	"slices"
	"time"
)

// Day is what one local day came to for a service, by the versions of its
// agreement that were in force: as far as it had elapsed.
type Day struct {
	Date     Date
	From, To int64    // ms; its beginning and end in the agreement's zone
	Counted  [4]int64 // ms by State: what the four cuts left, blips ignored, before the policies for degraded and unknown time
	Outside  [4]int64 // ms by State of the rest: not agreed, before existence, planned or corrected
}

// Days are the days of the period, by service and in order; services without
// an agreement in it have none. The counted times of a period's days add up to
// the four states of its figures.
func Days(in Input) (map[string][]Day, error) {
	type dayOf struct {
		service string
		date    Date
	}
	found := map[dayOf]*Day{}
	e := newEvaluation(in)
	err := e.each(func(v *view, p period) error {
		if p.end <= p.from {
			return nil // nothing of it has elapsed
		}
		c, err := v.cut(p.from, p.to)
		if err != nil {
			return err
		}
		zone := v.agreement.Zone
		counts, elapsed := c.remaining.Within(p.from, p.end), NewSet(Span{p.from, p.end})
		for _, part := range []struct {
			segments []Segment
			into     func(*Day) *[4]int64
		}{
			{v.states(counts, c.upExist, c.upPlanned), func(d *Day) *[4]int64 { return &d.Counted }},
			{v.seen.overlay(elapsed.Minus(counts)), func(d *Day) *[4]int64 { return &d.Outside }},
		} {
			for _, s := range part.segments {
				for at := s.From; at < s.To; {
					y, m, day := time.UnixMilli(at).In(zone).Date()
					date := NewDate(y, int(m), day)
					d := found[dayOf{v.agreement.Service, date}]
					if d == nil {
						d = &Day{Date: date, From: date.Begin(zone), To: (date + 1).Begin(zone)}
						found[dayOf{v.agreement.Service, date}] = d
					}
					end := min(s.To, max(d.To, at+1))
					part.into(d)[s.State] += end - at
					at = end
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := map[string][]Day{}
	for k, d := range found {
		out[k.service] = append(out[k.service], *d)
	}
	for _, days := range out {
		slices.SortFunc(days, func(a, b Day) int { return cmp.Compare(a.From, b.From) })
	}
	return out, nil
}
