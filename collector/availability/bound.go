package availability

import (
	"fmt"
	"strconv"
	"time"
)

const day int64 = 86_400_000 // ms

// Date is a day of the calendar, as days since 1970-01-01.
type Date int32

// NewDate is the day of that year, month (1..12) and day of the month.
func NewDate(year, month, dayOfMonth int) Date {
	return Date(daysOf(year, month, dayOfMonth))
}

// ParseDate reads "2026-10-01".
func ParseDate(text string) (Date, error) {
	if len(text) == 10 && text[4] == '-' && text[7] == '-' {
		year, ok1 := digits(text[0:4])
		month, ok2 := digits(text[5:7])
		dom, ok3 := digits(text[8:10])
		if ok1 && ok2 && ok3 && validDate(year, month, dom) {
			return NewDate(year, month, dom), nil
		}
	}
	return 0, fmt.Errorf("%q is not a date; write it like 2026-10-01", text)
}

func (d Date) civil() (year int, month time.Month, dom int) {
	return time.UnixMilli(int64(d) * day).UTC().Date()
}

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) }

// String is the date as ParseDate reads it.
func (d Date) String() string { return time.UnixMilli(int64(d) * day).UTC().Format(time.DateOnly) }

// Begin is the first instant, in ms, whose local date in the zone is not
// earlier than d.
func (d Date) Begin(zone *time.Location) int64 {
	local := int64(d) * day
	for t := local - 2*day; ; {
		offset, end := offsetAt(t, zone)
		if first := max(t, local-offset); first < end {
			return first
		}
		t = end
	}
}

// offsetAt is the zone's offset from UTC at t and the instant, in ms, at
// which it may change next.
func offsetAt(t int64, zone *time.Location) (offset, end int64) {
	at := time.UnixMilli(t).In(zone)
	_, seconds := at.Zone()
	_, next := at.ZoneBounds()
	end = far
	if !next.IsZero() {
		end = next.UnixMilli()
	}
	return int64(seconds) * 1000, end
}

// localDate is the date in the zone at t.
func localDate(t int64, zone *time.Location) Date {
	offset, _ := offsetAt(t, zone)
	return Date(floorDiv(t+offset, day))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Bound is an instant, or a date that stands for its beginning in the zone
// of the agreement it is used with. The zero value is no bound.
type Bound struct {
	kind boundKind
	at   int64
	date Date
}

type boundKind uint8

const (
	unbounded boundKind = iota
	instant
	localDay
)

// At is the bound at an instant in ms.
func At(ms int64) Bound { return Bound{kind: instant, at: ms} }

// On is the bound at the beginning of a local date.
func On(d Date) Bound { return Bound{kind: localDay, date: d} }

// ParseBound reads "2026-10-01", "2026-10-01T00:00:00+08:00" or Unix
// milliseconds of at least twelve digits (so that a year is not taken for one).
func ParseBound(text string) (Bound, error) {
	if d, err := ParseDate(text); err == nil {
		return On(d), nil
	}
	if _, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) < 12 {
		return Bound{}, fmt.Errorf("%q is not an instant or a date; write it like 2026-10-01 or 2026-10-01T08:00:00+08:00", text)
	}
	at, err := ParseInstant(text)
	if err != nil {
		return Bound{}, fmt.Errorf("%q is not an instant or a date; write it like 2026-10-01 or 2026-10-01T08:00:00+08:00", text)
	}
	return At(at), nil
}

// UnmarshalText reads the bound as ParseBound does.
func (b *Bound) UnmarshalText(text []byte) error {
	parsed, err := ParseBound(string(text))
	if err == nil {
		*b = parsed
	}
	return err
}

// IsSet tells whether there is a bound.
func (b Bound) IsSet() bool { return b.kind != unbounded }

// IsInstant tells whether the bound is an instant: the same in every zone.
func (b Bound) IsInstant() bool { return b.kind == instant }

// In is the bound's instant in ms when dates are local to the zone; without
// a bound it is otherwise.
func (b Bound) In(zone *time.Location, otherwise int64) int64 {
	switch b.kind {
	case instant:
		return b.at
	case localDay:
		return b.date.Begin(zone)
	}
	return otherwise
}

// String is the bound as ParseBound reads it.
func (b Bound) String() string {
	switch b.kind {
	case instant:
		return Instant{MS: b.at, Zone: time.UTC}.String()
	case localDay:
		return b.date.String()
	}
	return ""
}
