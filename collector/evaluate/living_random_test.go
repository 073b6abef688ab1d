package evaluate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// perCollector is how many histories one collector is told.
const perCollector = 40

// yearsFrom is how far from an instant the facts, and what is asked of them, get at most.
func (p *problem) yearsFrom(month time.Time) float64 {
	far := p.asOf - month.UnixMilli()
	for _, f := range p.facts {
		far = max(far, f.at-month.UnixMilli(), month.UnixMilli()-f.at)
	}
	return float64(max(far, -far)) / float64(365*day)
}

// TestLivingCollectorAgrees tells random histories, calendars, trees and
// policies to living collectors, late, doubled and in any order, and compares
// their figures with those of evaluate, field by field.
func TestLivingCollectorAgrees(t *testing.T) {
	r, zs := need.Random(t), zones{}
	for round := range need.Rounds(t, 1, 20) {
		month := time.Date(2000+r.IntN(30), time.Month(1+r.IntN(12)), 1, 0, 0, 0, 0, time.UTC)
		var all []*history
		for range perCollector {
			seed := r.Uint64N(1 << 32)
			p := generateAbout(seed, zs, month)
			for p.yearsFrom(month) > 4 { // a collector's authority lasts ten, and the histories share one
				seed = r.Uint64N(1 << 32)
				p = generateAbout(seed, zs, month)
			}
			all = append(all, &history{name: fmt.Sprintf("round %d, history %d about %s", round, seed, month.Format("2006-01")), problem: p, asks: []ask{{at: p.asOf}}})
		}
		run(t, r, 6, all)
		if t.Failed() {
			break
		}
	}
}
