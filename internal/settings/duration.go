package settings

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Duration is a length of time as configuration files write it: "1d12h",
// "2h", "90s", "250ms" or "0". A day is 24 h. It is never negative.
type Duration time.Duration

type unit struct {
	name string
	size int64 // milliseconds
}

// units from the largest to the smallest, the order they are written in.
func units() []unit {
	return []unit{{"d", 86_400_000}, {"h", 3_600_000}, {"m", 60_000}, {"s", 1000}, {"ms", 1}}
}

// ParseDuration reads "1d12h", "2h", "90s", "250ms" or "0": whole numbers,
// each with a unit d, h, m, s or ms, the larger units first and each once.
func ParseDuration(text string) (Duration, error) {
	bad := func(why string) (Duration, error) {
		return 0, fmt.Errorf("%q is not a duration: %s; write it like 1d12h, 2h, 90s, 250ms or 0", text, why)
	}
	if text == "0" {
		return 0, nil
	}
	if text == "" {
		return bad("it is empty")
	}
	rest, next, total := text, 0, int64(0)
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 {
			return bad("a number is missing")
		}
		if digits > 15 {
			return bad("too long")
		}
		var n int64
		for _, c := range rest[:digits] {
			n = n*10 + int64(c-'0')
		}
		rest = rest[digits:]
		letters := len(rest) - len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))
		name := rest[:letters]
		rest = rest[letters:]
		if name == "" {
			return bad("a unit is missing")
		}
		at := unitIndex(name)
		if at < 0 {
			return bad(fmt.Sprintf("no unit %q", name))
		}
		if at < next {
			return bad("larger units come first, each once")
		}
		next = at + 1
		const most = math.MaxInt64 / int64(time.Millisecond)
		size := units()[at].size
		if n > (most-total)/size {
			return bad("longer than 290 years")
		}
		total += n * size
	}
	return Duration(time.Duration(total) * time.Millisecond), nil
}

func unitIndex(name string) int {
	for i, u := range units() {
		if u.name == name {
			return i
		}
	}
	return -1
}

// UnmarshalText reads the duration for Decode.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Milliseconds is the duration in whole milliseconds; what ParseDuration
// reads is a whole number of them.
func (d Duration) Milliseconds() int64 { return time.Duration(d).Milliseconds() }

// String writes the duration the way ParseDuration reads it.
func (d Duration) String() string {
	rest := d.Milliseconds()
	if rest == 0 {
		return "0"
	}
	var b strings.Builder
	for _, u := range units() {
		if n := rest / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			rest -= n * u.size
		}
	}
	return b.String()
}
