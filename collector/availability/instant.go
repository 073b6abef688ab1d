package availability

import (
	"fmt"
	"time"
)

// The instants that can be written: the years 1 to 9999.
const (
	earliestInstant int64 = -62_135_596_800_000
	latestInstant   int64 = 253_402_300_799_999
)

// Instant is a moment in ms with the zone it is written in. The zero Zone is
// UTC.
type Instant struct {
	MS   int64
	Zone *time.Location
}

// Time is the instant as the standard library has it, in its zone.
func (i Instant) Time() time.Time {
	zone := i.Zone
	if zone == nil {
		zone = time.UTC
	}
	return time.UnixMilli(i.MS).In(zone)
}

// String is RFC 3339 in the instant's zone, with milliseconds when there are
// any. Where the zone's offset is no whole minute (before railways) it is UTC,
// since RFC 3339 could not say it.
func (i Instant) String() string {
	at := i.Time()
	if _, offset := at.Zone(); offset%60 != 0 {
		at = at.UTC()
	}
	if i.MS%1000 != 0 {
		return at.Format("2006-01-02T15:04:05.000Z07:00")
	}
	return at.Format(time.RFC3339)
}

// MarshalText is String, for JSON.
func (i Instant) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads what MarshalText writes; the zone becomes a fixed one.
func (i *Instant) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err == nil {
		*i = Instant{MS: at.UnixMilli(), Zone: at.Location()}
	}
	return err
}

// ParseInstant reads RFC 3339 with an offset, or Unix milliseconds, into ms.
// Digits finer than a millisecond are cut off.
func ParseInstant[T string | []byte](text T) (int64, error) {
	if ms, ok := parseMillis(text); ok {
		return ms, nil
	}
	if ms, ok := parseRFC3339(text); ok {
		return ms, nil
	}
	return 0, fmt.Errorf("%q is not an instant; write it like 2026-10-01T08:00:00+08:00 or as Unix milliseconds", string(text))
}

func parseMillis[T string | []byte](text T) (int64, bool) {
	negative := len(text) > 0 && text[0] == '-'
	start := 0
	if negative {
		start = 1
	}
	if len(text) == start || len(text)-start > 15 {
		return 0, false
	}
	var n int64
	for i := start; i < len(text); i++ {
		c := text[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	if negative {
		n = -n
	}
	return n, n >= earliestInstant && n <= latestInstant
}

// parseRFC3339 reads 2026-10-01T08:00:00[.fff]Z or +08:00.
func parseRFC3339[T string | []byte](s T) (int64, bool) {
	if len(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != 't' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	dom, ok3 := digits(s[8:10])
	hour, ok4 := digits(s[11:13])
	minute, ok5 := digits(s[14:16])
	second, ok6 := digits(s[17:19])
	numbers := ok1 && ok2 && ok3 && ok4 && ok5 && ok6
	if !numbers || !validDate(year, month, dom) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	rest, millis := 19, 0
	if s[rest] == '.' {
		rest++
		begin := rest
		for scale := 100; rest < len(s) && s[rest]-'0' <= 9; rest++ {
			millis += int(s[rest]-'0') * scale
			scale /= 10
		}
		if rest == begin {
			return 0, false
		}
	}
	offset, ok := parseOffset(s[rest:])
	if !ok {
		return 0, false
	}
	ms := daysOf(year, month, dom)*day + int64(hour)*3_600_000 + int64(minute)*60_000 + int64(second)*1000 + int64(millis) - offset
	return ms, ms >= earliestInstant && ms <= latestInstant
}

// parseOffset reads Z or +08:00 into ms.
func parseOffset[T string | []byte](s T) (int64, bool) {
	if len(s) == 1 && (s[0] == 'Z' || s[0] == 'z') {
		return 0, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hours, ok1 := digits(s[1:3])
	minutes, ok2 := digits(s[4:6])
	if !ok1 || !ok2 || hours > 23 || minutes > 59 {
		return 0, false
	}
	offset := int64(hours)*3_600_000 + int64(minutes)*60_000
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

func digits[T string | []byte](s T) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, len(s) > 0
}

func validDate(year, month, dom int) bool {
	if year < 1 || month < 1 || month > 12 || dom < 1 {
		return false
	}
	last := 31
	switch month {
	case 4, 6, 9, 11:
		last = 30
	case 2:
		last = 28
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			last = 29
		}
	}
	return dom <= last
}

// daysOf counts the days from 1970-01-01 to the date (proleptic Gregorian,
// counted in eras of 400 years that begin on the first of March).
func daysOf(year, month, dom int) int64 {
	y := int64(year)
	if month <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yearOfEra := y - era*400
	monthFromMarch := int64(month+9) % 12
	dayOfYear := (153*monthFromMarch+2)/5 + int64(dom) - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return era*146_097 + dayOfEra - 719_468
}
