package availability

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Times are exact fractions of milliseconds until they leave the package.

func ratMS(ms int64) *big.Rat { return new(big.Rat).SetInt64(ms) }

func sum(a, b *big.Rat) *big.Rat {
	if n, m, ok := int64s(a, b); ok && small(n) && small(m) {
		return ratMS(n + m)
	}
	return new(big.Rat).Add(a, b)
}

func minus(a, b *big.Rat) *big.Rat {
	if n, m, ok := int64s(a, b); ok && small(n) && small(m) {
		return ratMS(n - m)
	}
	return new(big.Rat).Sub(a, b)
}

// small tells whether a sum of two such numbers is an int64.
func small(n int64) bool { return -1<<62 < n && n < 1<<62 }

func product(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

// ratio is a/b, nil (no value) where b is 0 or either has no value.
func ratio(a, b *big.Rat) *big.Rat {
	if a == nil || b == nil || b.Sign() == 0 {
		return nil
	}
	if n, d, ok := int64s(a, b); ok {
		return big.NewRat(n, d)
	}
	return new(big.Rat).Quo(a, b)
}

// int64s gives two whole numbers as such: most times are, and then one
// reduction does for the three of a division of fractions.
func int64s(a, b *big.Rat) (n, d int64, ok bool) {
	if !a.IsInt() || !b.IsInt() || !a.Num().IsInt64() || !b.Num().IsInt64() {
		return 0, 0, false
	}
	n, d = a.Num().Int64(), b.Num().Int64()
	return n, d, n != math.MinInt64 && d != math.MinInt64
}

// seconds makes seconds of milliseconds; no value stays none.
func seconds(ms *big.Rat) *big.Rat { return ratio(ms, ratMS(1000)) }

// float is the float nearest to the exact value; nil stays nil.
func float(r *big.Rat) *float64 {
	if r == nil {
		return nil
	}
	f, _ := r.Float64()
	return &f
}

// msSeconds is the float nearest to the exact value: of a whole number that a
// float holds exactly, division gives just that.
func msSeconds(ms int64) float64 {
	const exact = 1 << 53
	if -exact <= ms && ms <= exact {
		return float64(ms) / 1000
	}
	return *float(seconds(ratMS(ms)))
}

// Percent prints the share in per cent with so many decimals, cut off and
// never rounded: 0.999949 with 2 decimals is "99.99 %" and never looks better
// than it is. No value is "-".
func Percent(share *big.Rat, decimals int) string {
	if share == nil {
		return "-"
	}
	return Truncate(product(share, ratMS(100)), decimals) + " %"
}

// PercentUp is Percent rounded up: the upper end of an interval is never
// printed below its value.
func PercentUp(share *big.Rat, decimals int) string {
	if share == nil {
		return "-"
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)+2), nil)
	up, rest := new(big.Int).DivMod(new(big.Int).Mul(share.Num(), scale), share.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		up.Add(up, big.NewInt(1))
	}
	return Percent(new(big.Rat).SetFrac(up, scale), decimals)
}

// Truncate prints the number with so many decimals, the rest cut off.
func Truncate(r *big.Rat, decimals int) string {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	scaled := new(big.Int).Mul(r.Num(), scale)
	scaled.Quo(scaled, r.Denom()) // towards zero
	text := new(big.Int).Abs(scaled).String()
	if pad := decimals + 1 - len(text); pad > 0 {
		text = strings.Repeat("0", pad) + text
	}
	if decimals > 0 {
		text = text[:len(text)-decimals] + "." + text[len(text)-decimals:]
	}
	if scaled.Sign() < 0 {
		text = "-" + text
	}
	return text
}

// PercentOf prints a share that has already become a float, as Percent does;
// the float is taken for the shortest decimal that it is the nearest to, so
// that 0.999 is 99.9 % and not a hair less.
func PercentOf(share *float64, decimals int) string {
	if share == nil {
		return "-"
	}
	exact, ok := new(big.Rat).SetString(strconv.FormatFloat(*share, 'f', -1, 64))
	if !ok {
		return "-"
	}
	return Percent(exact, decimals)
}
