package catalogue

import (
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	zonedata "github.com/plimsoll/plimsoll/collector/zone"
)

// holidaysFrom is the month from which the closed days of the next year are
// missed: they are published by then.
const holidaysFrom = time.November

// Warnings are what is no fault today and will be wrong some day: zone data
// that is older than TooOld or of unknown age, calendars without closed
// days of the coming year, agreements whose review is due. now is in the zone
// that the year is told by.
func (c *Catalogue) Warnings(now time.Time, data zonedata.Data) (all []string) {
	age, known := data.Age(now)
	switch {
	case !known:
		all = append(all, fmt.Sprintf("the zone data is %s, so its age is not known; install the tzdata package of the system", data))
	case age > zonedata.TooOld:
		all = append(all, fmt.Sprintf("the zone data %s is %d days old, over %d: a clock may have been changed by law since; update the tzdata package of the system",
			data, int(age/(24*time.Hour)), int(zonedata.TooOld/(24*time.Hour))))
	}
	for _, name := range sortedKeys(c.Availability.Calendars) {
		all = append(all, nextYear(name, c.Availability.Calendars[name], now)...)
	}
	for i := range c.Exceptions {
		if e := &c.Exceptions[i]; e.Until != 0 && e.Until <= now.UnixMilli() {
			all = append(all, fmt.Sprintf("the exception of %s (%s) ended at %s and no longer holds; give it another end or take it out",
				e.Resource, e.Reason, availability.Instant{MS: e.Until, Zone: time.UTC}))
		}
	}
	for _, doubt := range c.doubts {
		all = append(all, doubt.String())
	}
	for i := range c.Availability.Agreements {
		a := &c.Availability.Agreements[i]
		all = append(all, review(a, fmt.Sprintf("%s version %d", a.Number, a.Version), now)...)
	}
	for i := range c.Availability.Contracts {
		a := &c.Availability.Contracts[i]
		all = append(all, review(&a.Terms, fmt.Sprintf("%s with %s", a.Terms.Number, a.Supplier), now)...)
	}
	return all
}

// review warns of an agreement or contract in force whose review is due.
func review(a *availability.Agreement, what string, now time.Time) []string {
	due, force := a.ReviewBy.In(a.Zone, 0), a.InForce()
	if !a.ReviewBy.IsSet() || due > now.UnixMilli() || now.UnixMilli() >= force.To {
		return nil
	}
	return []string{fmt.Sprintf("%s: its review was due by %s; review it and set review_by anew", what, a.ReviewBy)}
}

// nextYear warns of a calendar that has closed days, but none of the next year.
func nextYear(name string, calendar *availability.Calendar, now time.Time) []string {
	var first, last availability.Date
	year := now.Year() + 1
	if now.Month() < holidaysFrom {
		year--
	}
	first, last = availability.NewDate(year, 1, 1), availability.NewDate(year, 12, 31)
	closed := false
	for i := range calendar.Versions {
		for _, r := range calendar.Versions[i].Closed {
			closed = true
			if r.First <= last && r.Last >= first {
				return nil
			}
		}
	}
	if !closed {
		return nil
	}
	return []string{fmt.Sprintf("calendar %s has closed days, but none in %d: holidays of that year would count as agreed time; add them to closed, and make-up days to open, or name that year under holidays", name, year)}
}

// unusedDays doubts days off and on that can never matter, because another
// version of the calendar holds on them: the holidays of a wrong year. They
// change no figure, so that evaluate takes them.
func (c *checker) unusedDays(path string, list bool, versions []availability.CalendarVersion) {
	for i := range versions {
		v, here := &versions[i], path
		if list {
			here = at(path, i)
		}
		outside := func(first, last availability.Date) string {
			if v.From != nil && last < *v.From {
				return "lies before " + v.From.String() + ", from when this version holds"
			}
			if i+1 < len(versions) && versions[i+1].From != nil && first >= *versions[i+1].From {
				return "lies after this version: the next one holds from " + versions[i+1].From.String()
			}
			return ""
		}
		for j, r := range v.Closed {
			if why := outside(r.First, r.Last); why != "" {
				c.doubts = append(c.doubts, c.doc.Fault(at(here+".closed", j), why, "correct its year, or move it to the version that holds then"))
			}
		}
		days := make([]availability.Date, 0, len(v.Open))
		for d := range v.Open {
			days = append(days, d)
		}
		slices.Sort(days)
		for _, d := range days {
			if why := outside(d, d); why != "" {
				c.doubts = append(c.doubts, c.doc.Fault(here+".open."+d.String(), why, "correct its year, or move it to the version that holds then"))
			}
		}
	}
}
