package receive

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/internal/wire"
)

func newClocks() *clocks {
	return &clocks{known: map[string][]int64{}, corrected: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c"}, []string{"instance"})}
}

func TestShift(t *testing.T) {
	const s, h, now = int64(1000), int64(3_600_000), int64(1_764_000_000_000)
	for _, row := range []struct {
		name string
		at   wire.Clocks // at collection
		sent wire.Clocks // at sending
		want int64
	}{
		{"right", wire.Clocks{Wall: now - 2*s, Boot: 98 * s}, wire.Clocks{Wall: now, Boot: 100 * s}, 0},
		{"5 s off: may be the way", wire.Clocks{Wall: now + 3*s, Boot: 98 * s}, wire.Clocks{Wall: now + 5*s, Boot: 100 * s}, 0},
		{"an hour fast", wire.Clocks{Wall: now + h - 2*s, Boot: 98 * s}, wire.Clocks{Wall: now + h, Boot: 100 * s}, -h},
		{"an hour slow", wire.Clocks{Wall: now - h - 2*s, Boot: 98 * s}, wire.Clocks{Wall: now - h, Boot: 100 * s}, h},
		{"in 1970", wire.Clocks{Wall: 40 * s, Boot: 98 * s}, wire.Clocks{Wall: 42 * s, Boot: 100 * s}, now - 42*s},
		{"in 2099", wire.Clocks{Wall: 4_070_908_800_000, Boot: 98 * s}, wire.Clocks{Wall: 4_070_908_802_000, Boot: 100 * s}, now - 4_070_908_802_000},
		{"backlog of two hours by a right clock", wire.Clocks{Wall: now - 2*h, Boot: h}, wire.Clocks{Wall: now, Boot: 3 * h}, 0},
		{"made before the clock was set an hour back, which was right", wire.Clocks{Wall: now + h - 600*s, Boot: h}, wire.Clocks{Wall: now, Boot: h + 600*s}, -h},
		{"made by a right clock before it was set wrong", wire.Clocks{Wall: now - 600*s, Boot: h}, wire.Clocks{Wall: now + h, Boot: h + 600*s}, 0},
		{"of another boot, by a right clock", wire.Clocks{Wall: now - 9*h, Boot: 50 * h}, wire.Clocks{Wall: now}, 0},
		{"of another boot, an hour fast now", wire.Clocks{Wall: now - 9*h, Boot: 50 * h}, wire.Clocks{Wall: now + h}, -h},
		{"a boot clock that went back is of another boot", wire.Clocks{Wall: now - 9*h, Boot: 50 * h}, wire.Clocks{Wall: now, Boot: h}, 0},
		{"a sender without clocks", wire.Clocks{}, wire.Clocks{}, 0},
	} {
		env := &wire.Envelope{Host: "h", ReceivedAt: now, Clocks: row.at}
		if got := newClocks().shift(env, row.sent); got != row.want {
			t.Errorf("%s: shift by %d s, want %d s", row.name, got/s, row.want/s)
		}
	}
}

// TestShiftDoesNotTremble: records take 0 to 400 ms, the clock is 61.5 s fast;
// all are corrected by the same, also at the edge where correcting begins.
func TestShiftDoesNotTremble(t *testing.T) {
	for _, fast := range []int64{61_500, 5_000, 5_200} {
		c, seen, random := newClocks(), map[int64]int{}, rand.New(rand.NewPCG(1, uint64(fast)))
		c.shift(&wire.Envelope{Host: "h", ReceivedAt: 1_764_000_000_000, Clocks: wire.Clocks{Wall: 1_764_000_000_000 + 5_400, Boot: 1}}, wire.Clocks{Wall: 1_764_000_000_000 + 5_400, Boot: 1})
		for i := range int64(1000) {
			at, boot := 1_764_000_000_000+i*15_000, 1000+i*15_000
			sent := wire.Clocks{Wall: at + fast, Boot: boot}
			seen[c.shift(&wire.Envelope{Host: "h", ReceivedAt: at + random.Int64N(400), Clocks: sent}, sent)]++
		}
		if len(seen) != 1 {
			t.Errorf("%d ms fast: corrected by %v, want one correction", fast, seen)
		}
	}
}

// TestClockScenarios is a thousand hosts whose clocks are wrong in every way:
// set by a second to ten years, forwards and backwards, more than once, running
// up to 500 ppm too fast or slow, in 1970, and restarted in between; records
// come after up to two seconds, or as backlog after an hour. In each there is one
// true outage of a component. It must come out as one, as long as it was to
// within one interval, and no other state may appear anywhere.
func TestClockScenarios(t *testing.T) {
	const (
		scenarios = 1000
		interval  = int64(15_000)
		records   = 480 // two hours
		begin     = int64(1_764_000_000_000)
	)
	type fact struct {
		at   int64
		down bool
	}
	worst, worstOf, phantoms, corrected := int64(0), "", 0, 0
	for n := range scenarios {
		random := rand.New(rand.NewPCG(uint64(n), 12))
		drift := (random.Float64()*2 - 1) * 500e-6
		offset, bootAt := int64(0), begin-random.Int64N(1_000_000_000)
		how := fmt.Sprintf("scenario %d: drift %.0f ppm", n, drift*1e6)
		steps := map[int]int64{}
		for range random.IntN(4) {
			size := time.Duration([]int64{1_000, 4_000, 10_000, 60_000, 3_600_000, 86_400_000, 31_536_000_000, 315_360_000_000}[random.IntN(8)])
			steps[random.IntN(records)] = int64(size) * int64(random.IntN(2)*2-1)
		}
		if random.IntN(10) == 0 { // no battery: 1970 until the network is there
			offset = -begin + random.Int64N(100_000)
			steps[random.IntN(records)] = -offset
		}
		reboot := -1
		if random.IntN(4) == 0 {
			reboot = random.IntN(records)
		}
		away := random.IntN(3) == 0 // the collector is not there for the second half hour
		downFrom, downTo := random.IntN(200), 220+random.IntN(200)
		c, facts := newClocks(), []fact(nil)
		boot := 0
		bootOf := func(at int64) int64 { return at - bootAt }
		wall := func(at, since int64) int64 { return at + offset + int64(float64(at-since)*drift) }
		type made struct {
			env  wire.Envelope
			down bool
			boot int
		}
		var backlog []made
		deliver := func(m made, at int64) {
			sent := wire.Clocks{Wall: wall(at, begin), Boot: bootOf(at)}
			if m.boot != boot {
				sent.Boot = 0
			}
			m.env.ReceivedAt = at + random.Int64N(2000)
			shift := c.shift(&m.env, sent)
			if shift != 0 {
				corrected++
			}
			facts = append(facts, fact{m.env.Clocks.Wall + shift, m.down})
		}
		for i := range records {
			at := begin + int64(i)*interval
			offset += steps[i]
			if i == reboot && !away {
				boot, bootAt = boot+1, at-20_000
			}
			m := made{wire.Envelope{Host: "h", Instance: "h", Clocks: wire.Clocks{Wall: wall(at, begin), Boot: bootOf(at)}}, i >= downFrom && i < downTo, boot}
			if away && i >= 120 && i < 240 {
				backlog = append(backlog, m)
				continue
			}
			for _, old := range backlog {
				deliver(old, at)
			}
			backlog = nil
			deliver(m, at+random.Int64N(500))
		}
		slices.SortStableFunc(facts, func(a, b fact) int { return int(a.at - b.at) })
		// One outage: up, down, up.
		changes, from, to := 0, int64(0), int64(0)
		for i := range facts {
			if i == 0 && facts[i].down || i > 0 && facts[i].down != facts[i-1].down {
				changes++
				if facts[i].down {
					from = facts[i].at
				} else {
					to = facts[i].at
				}
			}
		}
		if changes != 2 {
			phantoms++
			t.Errorf("%s, steps %v: %d changes of state, want down and up", how, steps, changes)
			continue
		}
		wrong := to - from - int64(downTo-downFrom)*interval
		if wrong = max(wrong, -wrong); wrong > worst {
			worst, worstOf = wrong, fmt.Sprintf("%s, steps %v", how, steps)
		}
		for _, f := range facts {
			if f.at < begin-interval || f.at > begin+records*interval+interval {
				t.Fatalf("%s, steps %v: a fact %d s outside of the two hours", how, steps, (f.at-begin)/1000)
			}
		}
	}
	t.Logf("%d scenarios, %d records corrected: %d with another number of outages, duration wrong by at most %d ms (%s)", scenarios, corrected, phantoms, worst, worstOf)
	if worst > interval {
		t.Errorf("a duration was wrong by %d ms, want at most one interval of %d ms: %s", worst, interval, worstOf)
	}
}
