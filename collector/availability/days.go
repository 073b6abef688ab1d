package availability

import (
	"slices"
	"time"
)

// Day is what one local day came to under an agreement, as far as it had elapsed.
type Day struct {
	From, To int64                  // ms; its beginning and end in the agreement's zone
	Counted  [Down + 1]int64        // ms by State: what the four cuts left, blips ignored, before the policies for degraded and unknown time
	Cut      [CutAdjusted + 1]int64 // ms that each cut took
	Outside  [Down + 1]int64        // ms by State of what the cuts took, where that was looked at
}

// DaysOf are the days in the zone that the pieces touch, in order.
func DaysOf(pieces []Piece, zone *time.Location) []Day {
	var days []Day
	for i := range pieces {
		days = addPiece(days, &pieces[i], zone)
	}
	return days
}

// DayAt is that of the days, in order, which has the instant (ms) in it; one
// without any time where none has.
func DayAt(days []Day, at int64) Day {
	if i, ok := searchDay(days, at); ok {
		return days[i]
	}
	return Day{}
}

// Days are the days of the period, by service and in order, with what was
// outside of what counted; services without an agreement in it have none. The
// counted times of a period's days add up to the four states of its figures.
func Days(in Input) (map[string][]Day, error) {
	all := map[string][]Day{}
	e := newEvaluation(in)
	err := e.each(func(v *view, p period) error {
		if p.end <= p.from {
			return nil // nothing of it has elapsed
		}
		c, err := v.cut(p.from, p.to)
		if err != nil {
			return err
		}
		pieces, _, err := v.pieces(c, p.from, p.end)
		if err != nil {
			return err
		}
		a := v.agreement
		for i := range pieces {
			all[a.Service] = addPiece(all[a.Service], &pieces[i], a.Zone)
		}
		for _, s := range v.seen.overlay(NewSet(Span{p.from, p.end}).Minus(c.remaining)) {
			all[a.Service] = eachDay(all[a.Service], s.Span, a.Zone, func(d *Day, ms int64) { d.Outside[s.State] += ms })
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func addPiece(days []Day, p *Piece, zone *time.Location) []Day {
	return eachDay(days, p.Span, zone, func(d *Day, ms int64) {
		if p.Cut == NoCut {
			d.Counted[p.State] += ms
		} else {
			d.Cut[p.Cut] += ms
		}
	})
}

// eachDay gives the parts of the span to the days they are in, making those
// that are not there yet.
func eachDay(days []Day, s Span, zone *time.Location, add func(d *Day, ms int64)) []Day {
	for at := s.From; at < s.To; {
		i, ok := searchDay(days, at)
		if !ok {
			y, m, dom := time.UnixMilli(at).In(zone).Date()
			date := NewDate(y, int(m), dom)
			days = slices.Insert(days, i, Day{From: date.Begin(zone), To: max((date + 1).Begin(zone), at+1)})
		}
		end := min(s.To, days[i].To)
		add(&days[i], end-at)
		at = end
	}
	return days
}

func searchDay(days []Day, at int64) (int, bool) {
	return slices.BinarySearchFunc(days, at, func(d Day, at int64) int {
		switch {
		case at < d.From:
			return 1
		case at >= d.To:
			return -1
		}
		return 0
	})
}
