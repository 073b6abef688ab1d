package availability

import (
	"fmt"
	"time"
)

// Always is the name of the built-in calendar, 24 x 7.
const Always = "always"

// Calendar says when service is agreed. Its versions are in order; each holds
// from its local date until the next one's.
type Calendar struct {
	Versions []CalendarVersion
}

// CalendarVersion is a calendar from a date on.
type CalendarVersion struct {
	From   *Date          // nil: from ever
	Zone   *time.Location // nil: the agreement's
	Week   [7][]DaySpan   // by time.Weekday
	Closed []DateRange
	Open   map[Date][]DaySpan // an empty list is a closed day
}

// DateRange is days, both ends included.
type DateRange struct {
	First, Last Date
}

// DaySpan is a part of a local day, in minutes since midnight. One whose end
// is not after its start runs into the next day.
type DaySpan struct {
	From int // 0..1439
	To   int // 0..1440
}

// ParseDaySpan reads "08:00-12:00", "22:00-02:00" or "00:00-24:00".
func ParseDaySpan(text string) (DaySpan, error) {
	if len(text) == 11 && text[5] == '-' {
		from, ok1 := minuteOfDay(text[:5])
		to, ok2 := minuteOfDay(text[6:])
		if ok1 && ok2 && from < 1440 {
			return DaySpan{from, to}, nil
		}
	}
	return DaySpan{}, fmt.Errorf("%q is not a span of the day; write it like 08:00-12:00, 22:00-02:00 or 00:00-24:00", text)
}

func minuteOfDay(text string) (int, bool) {
	hour, ok1 := digits(text[:2])
	minute, ok2 := digits(text[3:])
	n := hour*60 + minute
	return n, ok1 && ok2 && text[2] == ':' && minute < 60 && n <= 1440
}

// String is the span as ParseDaySpan reads it.
func (s DaySpan) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, s.To/60, s.To%60)
}

// spans are the spans that start on the day: open beats closed beats week.
func (v *CalendarVersion) spans(d Date) []DaySpan {
	if spans, ok := v.Open[d]; ok {
		return spans
	}
	for _, r := range v.Closed {
		if r.First <= d && d <= r.Last {
			return nil
		}
	}
	return v.Week[d.Weekday()]
}

// Within is the agreed time in [from, to), in ms. zone is the agreement's,
// for versions that have none of their own.
//
// An instant is agreed when its local date and time of day are in a span: an
// hour the clocks go through twice counts twice, one they skip not at all.
func (c *Calendar) Within(zone *time.Location, from, to int64) Set {
	var spans []Span
	for i := range c.Versions {
		v := &c.Versions[i]
		first, last := Date(-1<<31), Date(1<<31-1)
		if v.From != nil {
			first = *v.From
		}
		if i+1 < len(c.Versions) && c.Versions[i+1].From != nil {
			last = *c.Versions[i+1].From - 1
		}
		if v.Zone != nil {
			spans = v.expand(spans, v.Zone, first, last, from, to)
		} else {
			spans = v.expand(spans, zone, first, last, from, to)
		}
	}
	return NewSet(spans...).Within(from, to)
}

// expand appends the spans of the version's local days first..last. Between
// two changes of the zone's offset local time runs evenly, so each such piece
// is worked out by itself.
func (v *CalendarVersion) expand(spans []Span, zone *time.Location, first, last Date, from, to int64) []Span {
	for t := from; t < to; {
		offset, end := offsetAt(t, zone)
		end = min(end, to)
		begin := max(int64(first), floorDiv(t+offset, day)-1) // yesterday's may run into today
		for d := begin; d <= min(int64(last), floorDiv(end+offset, day)); d++ {
			for _, s := range v.spans(Date(d)) {
				length := s.To - s.From
				if length <= 0 {
					length += 1440
				}
				start := d*day + int64(s.From)*60_000 - offset
				if span := (Span{start, start + int64(length)*60_000}).within(t, end); span.Length() > 0 {
					spans = append(spans, span)
				}
			}
		}
		t = end
	}
	return spans
}

// agreedTime is what the calendar of that name agrees in [from, to).
func (c *Catalogue) agreedTime(name string, zone *time.Location, from, to int64) (Set, error) {
	if name == "" || name == Always {
		return NewSet(Span{from, to}), nil
	}
	calendar, ok := c.Calendars[name]
	if !ok {
		return nil, fmt.Errorf("no calendar %q", name)
	}
	return calendar.Within(zone, from, to), nil
}

// begin is the first day of the cap's period that has the day in it, and next
// the first day of the one after.
func (p CapPeriod) begin(d Date) (first, next Date) {
	year, month, _ := d.civil()
	switch p {
	case Year:
		return NewDate(year, 1, 1), NewDate(year+1, 1, 1)
	case Quarter:
		month -= (month - 1) % 3
		return NewDate(year, int(month), 1), addMonths(year, int(month), 3)
	}
	return NewDate(year, int(month), 1), addMonths(year, int(month), 1)
}

func addMonths(year, month, n int) Date {
	month += n
	return NewDate(year+(month-1)/12, (month-1)%12+1, 1)
}
