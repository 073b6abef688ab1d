package chart

import (
	"math"
	"strconv"
)

// Unit tells how values are written and which steps an axis may have.
type Unit int

// The units of a chart.
const (
	Number         Unit = iota // plain, with k, M, G
	Share                      // 0..1, written as %
	Bytes                      // binary prefixes
	BytesPerSecond             // binary prefixes
	PerSecond                  // decimal prefixes
	Seconds                    // µs to days
)

type prefix struct {
	scale float64
	name  string
}

func (u Unit) prefixes() []prefix {
	switch u {
	case Bytes:
		return []prefix{{1 << 40, " TiB"}, {1 << 30, " GiB"}, {1 << 20, " MiB"}, {1 << 10, " KiB"}, {1, " B"}}
	case BytesPerSecond:
		return []prefix{{1 << 40, " TiB/s"}, {1 << 30, " GiB/s"}, {1 << 20, " MiB/s"}, {1 << 10, " KiB/s"}, {1, " B/s"}}
	case PerSecond:
		return []prefix{{1e9, " G/s"}, {1e6, " M/s"}, {1e3, " k/s"}, {1, " /s"}}
	case Seconds:
		return []prefix{{86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}, {1e-3, " ms"}, {1e-6, " µs"}}
	case Share:
		return []prefix{{0.01, " %"}}
	}
	return []prefix{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}, {1, ""}}
}

// pick is the prefix in which v has at least one digit before the point.
func (u Unit) pick(v float64) prefix {
	all := u.prefixes()
	v = math.Abs(v)
	for _, p := range all {
		if v >= p.scale {
			return p
		}
	}
	if u == Seconds && v == 0 {
		return prefix{1, " s"}
	}
	return all[len(all)-1]
}

// Format writes one value with three significant digits and its unit:
// "34.1 %", "1.5 GiB", "250 ms"; shares are cut off. A value that is not a number is "–".
func (u Unit) Format(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	p := u.pick(v)
	if u == Share { // cut off, not rounded: 85.98 % is not 86 %
		v = math.Trunc(v*1e5+math.Copysign(1e-6, v)) / 1e5
		if math.Abs(v) >= 0.1 {
			v = math.Trunc(v*1e3+math.Copysign(1e-6, v)) / 1e3
		}
	}
	return digits(v/p.scale, 3) + p.name
}

// digits prints v with n significant digits at most, never in exponents.
func digits(v float64, n int) string {
	if v == 0 {
		return "0"
	}
	decimals := n - 1 - int(math.Floor(math.Log10(math.Abs(v))))
	decimals = min(max(decimals, 0), 6)
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if decimals > 0 {
		for s[len(s)-1] == '0' {
			s = s[:len(s)-1]
		}
		if s[len(s)-1] == '.' {
			s = s[:len(s)-1]
		}
	}
	return s
}

// axis chooses the steps between lo and hi: about n of them at round values
// of the unit's prefix.
func (u Unit) axis(lo, hi float64, n int) (first, step float64, p prefix) {
	p = u.pick(math.Max(math.Abs(lo), math.Abs(hi)))
	raw := (hi - lo) / p.scale / float64(n)
	if raw <= 0 {
		raw = 1
	}
	base := math.Pow(10, math.Floor(math.Log10(raw)))
	step = 10 * base
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*base >= raw*0.999 {
			step = m * base
			break
		}
	}
	if (u == Bytes || u == BytesPerSecond) && step > 10 { // 256 GiB rather than 250 GiB
		step = math.Pow(2, math.Ceil(math.Log2(raw)))
	}
	step *= p.scale
	return math.Ceil(lo/step-1e-9) * step, step, p
}
