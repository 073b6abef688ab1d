package availability

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestNumbersAreFractions: whatever is computed with numbers is what big.Rat
// makes of the same, also where int64 do not suffice.
func TestNumbersAreFractions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-20, 20), rapid.Int64Range(-1<<43, 1<<43),
			rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1}))
		n, want := whole(0), new(big.Rat)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			each := whole(any.Draw(t, "numerator"))
			if d := any.Draw(t, "denominator"); d != 0 {
				each = each.over(whole(d))
			}
			operand := each.rat()
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				n, want = n.plus(each), new(big.Rat).Add(want, operand)
			case 1:
				n, want = n.less(each), new(big.Rat).Sub(want, operand)
			case 2:
				n, want = n.times(each), new(big.Rat).Mul(want, operand)
			case 3:
				if operand.Sign() == 0 {
					if !n.over(each).none() {
						t.Fatalf("%v divided by 0 has a value", want)
					}
					continue
				}
				n, want = n.over(each), new(big.Rat).Quo(want, operand)
			}
			near, _ := want.Float64()
			if n.rat().Cmp(want) != 0 || *n.float() != near || !n.is(numberOf(want)) {
				t.Fatalf("got %v, %v; want %v, %v", n.rat(), *n.float(), want, near)
			}
			if small := want.Num().IsInt64() && want.Denom().IsInt64() && want.Num().Int64() != math.MinInt64; small && n.wide != nil {
				t.Fatalf("%v fits, but is kept wide", want)
			}
		}
	})
}

// TestNoValueStaysNone: what is made of no value has none.
func TestNoValueStaysNone(t *testing.T) {
	var none number
	one := whole(1)
	for what, n := range map[string]number{"none + 1": none.plus(one), "1 - none": one.less(none), "none * 1": none.times(one), "1 / none": one.over(none), "1 / 0": one.over(whole(0))} {
		if !n.none() || n.rat() != nil || n.float() != nil {
			t.Errorf("%s = %v", what, n.rat())
		}
	}
}

// BenchmarkNumber is D, K and A of one month, beside big.Rat.
func BenchmarkNumber(b *testing.B) {
	b.Run("number", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = whole(2_591_700_000).over(whole(2_591_700_000).plus(whole(300_000))).float()
		}
	})
	b.Run("big.Rat", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			up := new(big.Rat).SetInt64(2_591_700_000)
			_, _ = new(big.Rat).Quo(up, new(big.Rat).Add(up, new(big.Rat).SetInt64(300_000))).Float64()
		}
	})
}
