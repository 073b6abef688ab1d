package availability

import (
	"math/big"
	"testing"
)

// TestIndicatorKinds: one day with an outage of 1 h and one of 3 h, so 20 h up
// of 24: each kind's value, and what a target and an unacceptable value make
// of it. Equal to the target is met, equal to what is unacceptable is not yet.
func TestIndicatorKinds(t *testing.T) {
	hours := func(n int64) *big.Rat { return big.NewRat(n*3600, 1) }
	for _, c := range []struct {
		kind                 Kind
		actual               *big.Rat
		target, unacceptable *big.Rat
		state                IndicatorState
	}{
		{KindAvailability, big.NewRat(20, 24), big.NewRat(20, 24), big.NewRat(1, 2), Met},
		{KindAvailability, big.NewRat(20, 24), big.NewRat(21, 24), big.NewRat(20, 24), BelowTarget},
		{KindAvailability, big.NewRat(20, 24), big.NewRat(23, 24), big.NewRat(21, 24), Unacceptable},
		{KindAvailability, big.NewRat(20, 24), big.NewRat(23, 24), nil, BelowTarget}, // nothing is unacceptable
		{KindMTTR, hours(2), hours(2), hours(4), Met},
		{KindMTTR, hours(2), hours(1), hours(2), BelowTarget},
		{KindMTTR, hours(2), big.NewRat(1, 1), hours(1), Unacceptable},
		{KindMTBF, hours(10), hours(10), hours(5), Met},
		{KindMTBF, hours(10), hours(11), hours(10), BelowTarget},
		{KindMTBF, hours(10), hours(24), hours(11), Unacceptable},
		{KindMTBSI, hours(12), hours(12), hours(6), Met},
		{KindMTBSI, hours(12), hours(13), hours(12), BelowTarget},
		{KindMTBSI, hours(12), hours(24), hours(13), Unacceptable},
		{KindOutages, big.NewRat(2, 1), big.NewRat(2, 1), big.NewRat(3, 1), Met},
		{KindOutages, big.NewRat(2, 1), big.NewRat(1, 1), big.NewRat(2, 1), BelowTarget},
		{KindOutages, big.NewRat(2, 1), big.NewRat(0, 1), big.NewRat(1, 1), Unacceptable},
		{KindLongestOutage, hours(3), hours(3), hours(4), Met},
		{KindLongestOutage, hours(3), hours(2), hours(3), BelowTarget},
		{KindLongestOutage, hours(3), hours(1), hours(2), Unacceptable},
		{KindLatency, nil, nil, nil, NotApplicable}, // not computed of states
		{KindCapacity, nil, nil, nil, NotApplicable},
		{KindPromQL, nil, nil, nil, NotApplicable},
		{KindManual, nil, nil, nil, NotApplicable},
	} {
		w := newWorld(t, "UTC", "a").sees("a", "2026-06-10 00:00 up", "2026-06-10 06:00 down", "2026-06-10 07:00 up", "2026-06-10 15:00 down", "2026-06-10 18:00 up")
		w.from, w.to = "2026-06-10", "2026-06-11"
		w.agreement().Indicators = []Indicator{{Name: "i", Kind: c.kind, Target: c.target, Unacceptable: c.unacceptable}}
		got := w.evaluate()[0].Indicators[0]
		if got.State != c.state || (got.Exact == nil) != (c.actual == nil) || got.Exact != nil && got.Exact.Cmp(c.actual) != 0 {
			t.Errorf("%s, target %v, unacceptable %v: %v is %s, want %v and %s", c.kind, c.target, c.unacceptable, got.Exact, got.State, c.actual, c.state)
		}
	}
}
