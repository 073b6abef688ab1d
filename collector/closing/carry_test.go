package closing

import (
	"math/big"
	"testing"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// month is a frozen month with one indicator.
func month(kind availability.Kind, value *big.Rat, basis *availability.Basis) *Frozen {
	promised := availability.Indicator{Name: "i", Kind: kind, Target: big.NewRat(5, 1), Higher: true}
	result := availability.IndicatorResult{Name: "i", Kind: kind, State: availability.NotApplicable}
	if basis != nil {
		result = promised.Conclude(value, basis)
	}
	f := Freeze("acme", "2026-10", "", "", "", 0, []availability.Explanation{{Figures: availability.Figures{Service: "shop", Agreement: "S-1", Version: 1,
		Indicators: []availability.IndicatorResult{result}}}})
	return &f
}

// TestWhatCannotBeMeasuredAgainStands: what an indicator of a closed month was
// and is now, and the differences that makes.
func TestWhatCannotBeMeasuredAgainStands(t *testing.T) {
	of := func(r availability.Reason) *availability.Basis { return &availability.Basis{Reason: r} }
	two, nine := big.NewRat(2, 1), big.NewRat(9, 1)
	for _, c := range []struct {
		name     string
		was, now *Frozen
		differs  int
		carried  bool
	}{
		{"the same", month("latency", two, of("samples")), month("latency", two, of("samples")), 0, false},
		{"late samples", month("latency", two, of("samples")), month("latency", nine, of("samples")), 2, false}, // met becomes below target
		{"late samples, as good", month("latency", two, of("samples")), month("latency", big.NewRat(3, 1), of("samples")), 1, false},
		{"aged out", month("latency", two, of("samples")), month("latency", nil, of("aged_out")), 0, true},
		{"aged out twice", month("latency", two, of("carried")), month("latency", nil, of("aged_out")), 0, true},
		{"the first days aged out, the rest is still enough", month("latency", two, of("samples")), month("latency", nine, &availability.Basis{Reason: "samples", Aged: true}), 0, true},
		{"partly aged out already when it was frozen", month("latency", two, &availability.Basis{Reason: "samples", Aged: true}), month("latency", nine, &availability.Basis{Reason: "samples", Aged: true}), 0, true},
		{"aged out, and there never was a value", month("latency", nil, of("few_samples")), month("latency", nil, &availability.Basis{Reason: "few_samples", Aged: true}), 0, false},
		{"there never was a value", month("latency", nil, of("few_samples")), month("latency", nil, of("aged_out")), 0, false},
		{"entered late", month("manual", nil, of("not_entered")), month("manual", nine, of("entered")), 2, false},
		{"amended", month("manual", nine, of("entered")), month("manual", big.NewRat(10, 1), of("entered")), 1, false},
		{"frozen before it was measured", month("latency", nil, nil), month("latency", two, of("samples")), 0, false},
		{"frozen before it was asked for", month("manual", nil, nil), month("manual", nil, of("not_entered")), 0, false},
		{"and then entered", month("manual", nil, nil), month("manual", nine, of("entered")), 2, false},
	} {
		carry(c.was, 3, c.now)
		differs, err := Differences(c.was, c.now)
		if err != nil {
			t.Fatal(err)
		}
		got := &c.now.Results[0]
		basis := got.Explanation.Figures.Indicators[0].Basis
		if carried := basis.Reason == availability.CarriedForward; len(differs) != c.differs || carried != c.carried {
			t.Errorf("%s: differences %v, %s; want %d, carried %t", c.name, differs, basis.Reason, c.differs, c.carried)
		}
		if c.carried && (got.Indicators[0].Exact == nil || got.Indicators[0].Exact.Cmp(two) != 0) {
			t.Errorf("%s: the fraction kept is %v", c.name, got.Indicators[0].Exact)
		}
	}
}
