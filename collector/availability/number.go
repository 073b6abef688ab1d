package availability

import (
	"math"
	"math/big"
	"math/bits"
)

// number is an exact fraction. Times and shares of a month fit into two int64
// nearly always, and arithmetic on those costs no memory: figures are computed
// with numbers, and become big.Rat only where somebody keeps them. What does
// not fit is a big.Rat from there on, so that no value is ever rounded. The zero
// number is no value, and what is made of no value has none.
type number struct {
	num, den int64    // in lowest terms, den > 0; den 0: no value, unless wide is set
	wide     *big.Rat // set: the value, for it does not fit
}

// whole is an integer, such as milliseconds.
func whole(n int64) number {
	if n == math.MinInt64 { // has no opposite
		return number{wide: new(big.Rat).SetInt64(n)}
	}
	return number{num: n, den: 1}
}

// numberOf is the number of a fraction; nil is no value.
func numberOf(r *big.Rat) number {
	switch {
	case r == nil:
		return number{}
	case r.Num().IsInt64() && r.Denom().IsInt64() && r.Num().Int64() != math.MinInt64:
		return number{num: r.Num().Int64(), den: r.Denom().Int64()}
	}
	return number{wide: r}
}

// none tells that there is no value.
func (a number) none() bool { return a.den == 0 && a.wide == nil }

// is tells whether both are the same value, or both none.
func (a number) is(b number) bool {
	if a.none() || b.none() || a.wide == nil && b.wide == nil {
		return a == b
	}
	return a.rat().Cmp(b.rat()) == 0
}

// rat is the value as a fraction of its own; nil is no value.
func (a number) rat() *big.Rat {
	switch {
	case a.none():
		return nil
	case a.wide != nil:
		return new(big.Rat).Set(a.wide)
	case a.den == 1:
		return new(big.Rat).SetInt64(a.num)
	}
	return big.NewRat(a.num, a.den)
}

// float is the float nearest to the value; nil is no value.
func (a number) float() *float64 {
	if a.none() {
		return nil
	}
	const exact = 1 << 53 // integers up to here are floats, and their quotient is rounded once
	if a.wide == nil && -exact <= a.num && a.num <= exact && a.den <= exact {
		f := float64(a.num) / float64(a.den)
		return &f
	}
	f, _ := a.rat().Float64()
	return &f
}

func (a number) plus(b number) number {
	if a.none() || b.none() {
		return number{}
	}
	if a.wide == nil && b.wide == nil {
		// a/d + b/e over the least common denominator.
		common := gcd(a.den, b.den)
		left, ok1 := multiply(a.num, b.den/common)
		right, ok2 := multiply(b.num, a.den/common)
		den, ok3 := multiply(a.den, b.den/common)
		if total := left + right; ok1 && ok2 && ok3 && (total > left) == (right > 0) && total != math.MinInt64 {
			return lowest(total, den)
		}
	}
	return numberOf(new(big.Rat).Add(a.rat(), b.rat()))
}

func (a number) less(b number) number { return a.plus(b.times(number{num: -1, den: 1})) }

func (a number) times(b number) number {
	if a.none() || b.none() {
		return number{}
	}
	if a.wide == nil && b.wide == nil {
		// Each numerator against the other's denominator: the product is in lowest terms.
		p, q := gcd(a.num, b.den), gcd(b.num, a.den)
		num, ok1 := multiply(a.num/p, b.num/q)
		den, ok2 := multiply(a.den/q, b.den/p)
		if ok1 && ok2 {
			return number{num: num, den: den}
		}
	}
	return numberOf(new(big.Rat).Mul(a.rat(), b.rat()))
}

// over is a/b, no value where b is 0.
func (a number) over(b number) number {
	switch {
	case a.none() || b.none() || b.wide == nil && b.num == 0:
		return number{}
	case b.wide != nil:
		return a.times(numberOf(new(big.Rat).Inv(b.wide)))
	case b.num < 0:
		return a.times(number{num: -b.den, den: -b.num})
	}
	return a.times(number{num: b.den, den: b.num})
}

// seconds makes seconds of milliseconds.
func (a number) seconds() number { return a.times(number{num: 1, den: 1000}) }

func lowest(num, den int64) number {
	common := gcd(num, den)
	return number{num: num / common, den: den / common}
}

// multiply is the product, where it is an int64 that has an opposite.
func multiply(a, b int64) (int64, bool) {
	high, low := bits.Mul64(size(a), size(b))
	if high != 0 || low > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(low), true
	}
	return int64(low), true
}

func size(a int64) uint64 {
	if a < 0 {
		return uint64(-a)
	}
	return uint64(a)
}

// gcd is the greatest common divisor of a and b > 0, that of 0 and b being b
// (Stein, J. Comp. Phys. 1, 1967: by halving and subtracting).
func gcd(a, b int64) int64 {
	u, v := size(a), uint64(b)
	if u == 0 {
		return b
	}
	if v == 1 || u == 1 {
		return 1
	}
	shift := bits.TrailingZeros64(u | v)
	u >>= bits.TrailingZeros64(u)
	for v != 0 {
		v >>= bits.TrailingZeros64(v)
		if u > v {
			u, v = v, u
		}
		v -= u
	}
	return int64(u << shift)
}
