package evaluate_test

import (
	"fmt"
	"time"
)

// zone is an IANA zone with the beginnings of dates already found.
type zone struct {
	loc    *time.Location
	starts map[string]int64
}

type zones map[string]*zone

func (z zones) load(name string) *zone {
	if found, ok := z[name]; ok {
		return found
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(fmt.Sprintf("load zone %s: %v", name, err))
	}
	z[name] = &zone{loc: loc, starts: map[string]int64{}}
	return z[name]
}

func (z *zone) local(ms int64) time.Time { return time.UnixMilli(ms).In(z.loc) }

// localDate is the date a clock on the wall shows.
func (z *zone) localDate(ms int64) string { return z.local(ms).Format(time.DateOnly) }

// dateStart is the first instant whose local date is not earlier, found by
// walking minute by minute from where no zone has reached the date yet.
func (z *zone) dateStart(date string) int64 {
	if found, ok := z.starts[date]; ok {
		return found
	}
	noon, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(fmt.Sprintf("date %q: %v", date, err))
	}
	at := noon.UnixMilli() - 30*hour
	for z.localDate(at) < date {
		at += minute
	}
	for z.localDate(at-second) >= date { // an offset of odd seconds
		at -= second
	}
	z.starts[date] = at
	return at
}

// addDays moves a date of the calendar, whether the zone had that day or not.
func addDays(date string, n int) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(fmt.Sprintf("date %q: %v", date, err))
	}
	return t.AddDate(0, 0, n).Format(time.DateOnly)
}

// spansOf are the spans that start on a date: open beats closed beats week,
// in the version that holds on that date.
func (c calendar) spansOf(date string) []span {
	var version *calendarVersion
	for i := range c.versions {
		if c.versions[i].from <= date {
			version = &c.versions[i]
		}
	}
	if version == nil {
		return nil
	}
	if spans, ok := version.open[date]; ok {
		return spans
	}
	for _, r := range version.closed {
		if r.first <= date && date <= r.last {
			return nil
		}
	}
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(fmt.Sprintf("date %q: %v", date, err))
	}
	return version.week[int(t.Weekday())]
}

// agreedTime tells whether one instant is inside a calendar. It remembers
// the spans of dates, which a walk asks for again and again.
type agreedTime struct {
	zone  *zone
	cal   *calendar // nil: always
	spans map[[3]int][2][]span
}

func (a *agreedTime) inside(ms int64) bool {
	if a.cal == nil {
		return true
	}
	local := a.zone.local(ms)
	year, month, dayOf := local.Date()
	key := [3]int{year, int(month), dayOf}
	both, ok := a.spans[key]
	if !ok {
		date := local.Format(time.DateOnly)
		both = [2][]span{a.cal.spansOf(date), a.cal.spansOf(addDays(date, -1))}
		a.spans[key] = both
	}
	clock := local.Hour()*60 + local.Minute()
	for _, s := range both[0] {
		overnight := s.end <= s.start
		if clock >= s.start && (overnight || clock < s.end) {
			return true
		}
	}
	for _, s := range both[1] {
		if s.end <= s.start && clock < s.end {
			return true
		}
	}
	return false
}

func (p *problem) agreedTime(a agreement, zs zones) *agreedTime {
	result := &agreedTime{zone: zs.load(a.zone), spans: map[[3]int][2][]span{}}
	for i := range p.calendars {
		if p.calendars[i].name == a.calendar {
			result.cal = &p.calendars[i]
			if z := p.calendars[i].zone; z != "" {
				result.zone = zs.load(z)
			}
		}
	}
	return result
}

// capKey names the calendar month, quarter or year a date belongs to, so
// that later ones compare greater.
func capKey(date, per string) string {
	switch per {
	case "year":
		return date[:4]
	case "quarter":
		return fmt.Sprintf("%s-%c", date[:4], '0'+((date[5]-'0')*10+(date[6]-'0')-1)/3)
	}
	return date[:7]
}
