package availability

import (
	"math/big"
	"strconv"
	"strings"
)

// msSeconds is the float nearest to the exact value: of a whole number that a
// float holds exactly, division gives just that.
func msSeconds(ms int64) float64 {
	const exact = 1 << 53
	if -exact <= ms && ms <= exact {
		return float64(ms) / 1000
	}
	return *whole(ms).seconds().float()
}

// Percent prints the share in per cent with so many decimals, cut off and
// never rounded: 0.999949 with 2 decimals is "99.99 %" and never looks better
// than it is. No value is "-".
func Percent(share *big.Rat, decimals int) string {
	if share == nil {
		return "-"
	}
	return Truncate(new(big.Rat).Mul(share, big.NewRat(100, 1)), decimals) + " %"
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
