package words

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// unbroken keeps each number and its % on one line.
func unbroken(text string) string { return strings.ReplaceAll(text, " %", "\u00a0%") }

// Name is a name that people gave, in the reader's language where it is one of
// those that Plimsoll itself writes (the indicators of the quickstart, the
// shipped resources), else as it was given.
func (b *Book) Name(given string) string {
	return b.Or("name."+strings.ReplaceAll(given, " ", "_"), given)
}

// Localized is a text that is kept in both languages, in that of the book.
func (b *Book) Localized(english, chinese string) string {
	if b.Lang == "zh-CN" && chinese != "" {
		return unbroken(chinese)
	}
	return unbroken(english)
}

// Ratio writes an exact ratio as a percentage with decimals digits, truncated
// and never rounded: 0.999949 with 3 is "99.994 %". A nil ratio is "no value",
// which is neither 0 % nor 100 %.
func (b *Book) Ratio(r *big.Rat, decimals int) string {
	if r == nil {
		return b.T("no.value")
	}
	return unbroken(availability.Percent(r, decimals))
}

// RatioUp is Ratio rounded up, for the upper end of an interval: 0.651899 with
// 3 is "65.190 %", so that no upper end is printed below its value.
func (b *Book) RatioUp(r *big.Rat, decimals int) string {
	if r == nil {
		return b.T("no.value")
	}
	return unbroken(availability.PercentUp(r, decimals))
}

// Percent is Ratio for a float, taken as the shortest decimal that means it:
// 0.998 is 99.8 and not 99.7999.
func (b *Book) Percent(ratio *float64, decimals int) string {
	if ratio == nil || math.IsNaN(*ratio) || math.IsInf(*ratio, 0) {
		return b.T("no.value")
	}
	return unbroken(availability.PercentOf(ratio, decimals))
}

// Share is Percent without zeros at its end: a target of 0.999 is "99.9 %".
func (b *Book) Share(ratio *float64) string {
	text, ok := strings.CutSuffix(b.Percent(ratio, 4), "\u00a0%")
	if !ok {
		return text
	}
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + "\u00a0%"
}

// Seconds writes a length of time given in seconds: its two largest units, cut
// off, not rounded: "3 d 4 h", "31 min 5 s", "12 s", "0.25 s". nil is "no value".
func (b *Book) Seconds(s *float64) string {
	if s == nil || math.IsNaN(*s) || math.IsInf(*s, 0) {
		return b.T("no.value")
	}
	v := *s
	sign := ""
	if v < 0 {
		sign, v = "−", -v
	}
	ms := int64(math.Round(v * 1000)) // figures are whole milliseconds
	if ms < 10_000 && ms%1000 != 0 {
		text := strings.TrimRight(fmt.Sprintf("%d.%03d", ms/1000, ms%1000), "0")
		return sign + b.T("unit.s", text)
	}
	units := []struct {
		key string
		ms  int64
	}{{"unit.d", 86_400_000}, {"unit.h", 3_600_000}, {"unit.min", 60_000}, {"unit.s", 1000}}
	for i, u := range units {
		if ms < u.ms && i < len(units)-1 {
			continue
		}
		text := b.T(u.key, strconv.FormatInt(ms/u.ms, 10))
		if i+1 < len(units) {
			if rest := ms % u.ms / units[i+1].ms; rest > 0 {
				text += " " + b.T(units[i+1].key, strconv.FormatInt(rest, 10))
			}
		}
		return sign + text
	}
	return ""
}

// SecondsUp is Seconds rounded up, for the upper end of an interval.
func (b *Book) SecondsUp(s *float64) string {
	if s == nil || math.IsNaN(*s) || math.IsInf(*s, 0) {
		return b.T("no.value")
	}
	unit := 1.0 // ms that Seconds cuts off at
	switch {
	case *s >= 86400:
		unit = 3600_000
	case *s >= 3600:
		unit = 60_000
	case *s >= 10:
		unit = 1000
	}
	up := math.Ceil(*s*1000/unit-1e-9) * unit / 1000
	return b.Seconds(&up)
}

// Verdict is the text of a verdict. Until the period is over it says that it
// is one so far: met after a minute of a month is no promise kept.
func (b *Book) Verdict(state string, over bool) string {
	text := b.T("verdict." + state)
	switch state {
	case "met", "below_target", "unacceptable":
		if !over {
			return b.T("verdict.so_far", text)
		}
	}
	return text
}

// Millis is Seconds for whole milliseconds.
func (b *Book) Millis(ms int64) string {
	s := float64(ms) / 1000
	return b.Seconds(&s)
}

// Instant writes t with date, seconds and zone: "2026-11-25 11:30:05 +08:00".
func Instant(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	return t.Format("2006-01-02 15:04:05 ") + Zone(t)
}

// Zone is the zone of t as its offset, which no reader takes for another one
// (CST alone is three zones): "+08:00", "UTC".
func Zone(t time.Time) string {
	if _, offset := t.Zone(); offset == 0 {
		return "UTC"
	}
	return t.Format("-07:00")
}

// ParseMonth reads a month as every page, request and command writes it:
// 2026-11, from 1970 to 9998, so that its end has four digits, too.
func ParseMonth(text string) (time.Time, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil || t.Year() < 1970 || t.Year() > 9998 {
		return time.Time{}, fmt.Errorf("%.40q is not a month: write it like 2026-11", text)
	}
	return t, nil
}

// Month writes the month "2026-11" as the language does: "November 2026", "2026年11月".
func (b *Book) Month(period string) string {
	t, err := time.Parse("2006-01", period)
	if err != nil {
		return period
	}
	return b.T("month", strconv.Itoa(t.Year()), b.T("month."+strconv.Itoa(int(t.Month()))))
}

// Number writes v with at most four significant digits, without an exponent
// where it has no more than nine digits before the point.
func Number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v == math.Trunc(v) && math.Abs(v) < 1e9:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// Agreed writes a number in full, as it was agreed; only one that is a row of
// zeros has an exponent.
func Agreed(v float64) string {
	if abs := math.Abs(v); abs != 0 && (abs < smallest || abs >= largest) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// Numbers from smallest to below largest are written without an exponent.
const (
	smallest = 1e-9
	largest  = 1e30
)

// decimal writes a decimal in full, digit for digit.
func decimal(r *big.Rat) string {
	v, _ := r.Float64()
	digits, exact := r.FloatPrec()
	if abs := math.Abs(v); !exact || abs != 0 && abs < smallest || abs > largest {
		return Agreed(v)
	}
	return r.FloatString(digits)
}
