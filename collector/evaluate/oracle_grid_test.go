package evaluate_test

import (
	"fmt"
	"testing"
)

// grid is the range that holds everything of a problem that can change.
func (p *problem) grid(zs zones) grid {
	lo, hi := p.asOf, p.asOf
	note := func(at int64) {
		lo, hi = min(lo, at), max(hi, at)
		if at%p.step != 0 {
			panic(fmt.Sprintf("seed %d: instant %d is not on the grid of %d ms", p.seed, at, p.step))
		}
	}
	for _, a := range p.agreements {
		z := zs.load(a.zone)
		note(p.from.in(z))
		note(p.to.in(z))
	}
	for _, f := range p.facts {
		if f.at < p.asOf && p.component(f.component) != nil {
			note(f.at)
		}
	}
	for _, m := range p.windows {
		lo = min(lo, m.from)
	}
	for _, a := range p.adjustments {
		lo = min(lo, a.from)
	}
	return grid{lo: lo - 2*p.step, hi: hi, step: p.step}
}

func TestOracleReadsDurationsItWrites(t *testing.T) {
	for _, ms := range []int64{1, 250, 1000, 90_000, 129_600_000, 86_400_001} {
		if got := readDuration(duration(ms)); got != ms {
			t.Errorf("readDuration(%q) = %d, want %d", duration(ms), got, ms)
		}
	}
}
