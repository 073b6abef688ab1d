package evaluate_test

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
)

// TestArrivalOrderDoesNotMatter compares whole answers for the same facts in
// several orders.
func TestArrivalOrderDoesNotMatter(t *testing.T) {
	zs, dir, first := zones{}, t.TempDir(), setting(t, "PLIMSOLL_ORACLE_SEED", 1)
	for seed := first; seed < first+setting(t, "PLIMSOLL_ORACLE_RUNS", 100); seed++ {
		p := generate(seed, zs)
		r := rand.New(rand.NewPCG(seed, 7))
		var want string
		for order := range 4 {
			got, err := p.ask(dir)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			text, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if order == 0 {
				want = string(text)
			} else if string(text) != want {
				t.Fatalf("seed %d: another order, another answer:\n%s\n%s\n%s", seed, text, want, p.inputs())
			}
			r.Shuffle(len(p.facts), func(i, j int) { p.facts[i], p.facts[j] = p.facts[j], p.facts[i] })
		}
	}
}

// addUp adds the figures that add up over the parts of a period.
func addUp(total map[string]*big.Rat, g answered) {
	for name, n := range map[string]number{"agreed": g.Agreed, "agreed_period": g.AgreedPeriod, "calendar": g.Cut.Calendar, "existence": g.Cut.Existence,
		"planned": g.Cut.Planned, "adjusted": g.Cut.Adjusted, "up": g.Up, "degraded": g.Degraded, "down": g.Down, "unknown": g.Unknown} {
		r, _ := new(big.Rat).SetString(n.String())
		key := g.Agreement + " " + string(rune('0'+g.Version)) + " " + name
		if total[key] == nil {
			total[key] = new(big.Rat)
		}
		total[key].Add(total[key], r)
	}
	for name, n := range map[string]int{"started": g.Started, "restored": g.Restored} {
		key := g.Agreement + " " + string(rune('0'+g.Version)) + " " + name
		if total[key] == nil {
			total[key] = new(big.Rat)
		}
		total[key].Add(total[key], rat(int64(n)))
	}
}

// TestPeriodIsTheSumOfItsDays cuts periods of days or more at local
// midnights of the first agreement's zone.
func TestPeriodIsTheSumOfItsDays(t *testing.T) {
	zs, dir, first, checked := zones{}, t.TempDir(), setting(t, "PLIMSOLL_ORACLE_SEED", 1), 0
	for seed := first; seed < first+setting(t, "PLIMSOLL_ORACLE_RUNS", 400); seed++ {
		p := generate(seed, zs)
		z := zs.load(p.agreements0().zone)
		from, to := p.from.in(z), p.to.in(z)
		if !p.from.set || to-from < day {
			continue
		}
		checked++
		whole, parts := map[string]*big.Rat{}, map[string]*big.Rat{}
		ask := func(lo, hi int64, into map[string]*big.Rat) {
			p.from, p.to = instant(lo), instant(hi)
			got, err := p.ask(dir)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for _, g := range got.Services {
				addUp(into, g)
			}
		}
		ask(from, to, whole)
		for lo := from; lo < to; {
			hi := min(to, z.dateStart(addDays(z.localDate(lo), 1)))
			if hi <= lo {
				hi = min(to, z.dateStart(addDays(z.localDate(lo), 2)))
			}
			ask(lo, hi, parts)
			lo = hi
		}
		for key, n := range whole {
			other := parts[key]
			if other == nil {
				other = new(big.Rat)
			}
			if n.Cmp(other) != 0 {
				t.Errorf("seed %d: %s: whole %s, sum of days %s", seed, key, n.FloatString(3), other.FloatString(3))
			}
		}
	}
	t.Logf("%d periods, %s", checked, time.Now().UTC().Format(time.TimeOnly))
}

func (p *problem) agreements0() agreement {
	if len(p.agreements) == 0 {
		return plain("UTC", "always")
	}
	return p.agreements[0]
}
