package words

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// TestMeasuredValues: no value looks better than it is. Durations and shares
// are rounded up; which way other values are better nobody knows here, so they
// are written in full.
func TestMeasuredValues(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind        availability.Kind
		value, want string
	}{
		{availability.KindLatency, "0.1141", "0.115 s"},
		{availability.KindCapacity, "0.850001", "85.001 %"},
		{availability.KindManual, "4.4999", "4.4999"}, // not 4.5, which may be the target
		{availability.KindManual, "00004.50", "4.5"},
		{availability.KindManual, "-12.75", "-12.75"},
		{availability.KindManual, "999999999999999999999999999999", "999999999999999999999999999999"},
		{availability.KindPromQL, "99.996", "99.996"},
		{availability.KindPromQL, "12345.678", "12345.678"},
		{availability.KindPromQL, "0.000123", "0.000123"},
		{availability.KindPromQL, "0", "0"},
		{availability.KindPromQL, "1.23456789012e-20", "1.23456789012e-20"}, // a row of zeros nobody counts
		{availability.KindPromQL, "1.5e+40", "1.5e+40"},
	} {
		exact, _ := new(big.Rat).SetString(c.value)
		v, _ := exact.Float64()
		got, ok := shelf["en"].Measured(&availability.IndicatorResult{Kind: c.kind, Exact: exact, Actual: &v})
		if got = strings.ReplaceAll(got, "\u00a0", " "); !ok || got != c.want {
			t.Errorf("%s of %s: got %q, want %q", c.value, c.kind, got, c.want)
		}
	}
}

// TestAgreedNumbers: a target is written as it was agreed.
func TestAgreedNumbers(t *testing.T) {
	for v, want := range map[float64]string{4.5: "4.5", 4.5555: "4.5555", 12345.5: "12345.5", 100: "100", 2e9: "2000000000", -0.25: "-0.25", 0: "0"} {
		if got := Agreed(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}

// TestWhoEntered: a sentence of a value that was amended, in each language.
func TestWhoEntered(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	i := &availability.IndicatorResult{Kind: availability.KindManual, Basis: &availability.Basis{Reason: availability.ByPerson, By: "li", Entry: 2, Comment: "poll",
		At: &availability.Instant{MS: 0, Zone: time.UTC}}}
	for lang, want := range map[string]string{
		"en":    "Entered by LI at 1970-01-01 00:00:00 UTC (entry 2; those before stay in the ledger): poll",
		"zh-CN": "由 LI 于 1970-01-01 00:00:00 UTC 录入（第 2 次录入，之前的都保留在账本中）：poll",
	} {
		if got := strings.ReplaceAll(shelf[lang].Why(i, strings.ToUpper), "\u00a0", " "); got != want {
			t.Errorf("%s: got %q, want %q", lang, got, want)
		}
	}
}
