package series

import (
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/batch"
)

// TestCompactBesideLateBursts: series catch up in turn with bursts of late
// samples, each long enough to fill a chunk of the out-of-order head, while
// compactions of it run one after the other. Without the gate the TSDB forgets
// chunks that are filled while a compaction lists them.
func TestCompactBesideLateBursts(t *testing.T) {
	const (
		fleetSize = 1000
		inBurst   = 100 // series
		burst     = 33  // samples of each; a chunk out of order holds 32
	)
	tape := newTape()
	s := start(t, small(t, t.TempDir(), tape, nowAt(t0+1e12)), tape)
	var fleet []*batch.Series
	for i := range fleetSize {
		fleet = append(fleet, newSeries("burst", i))
	}
	want := history{}
	// Bursts lie behind the youngest sample and within the window.
	last := tape.append(batch.Sample{Series: newSeries("young", 0), T: t0 + 30*60_000, V: 1})
	want[key{newSeries("young", 0).Labels.String(), t0 + 30*60_000}] = 1
	s.until(t, last)

	stop, done := make(chan struct{}), make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				done <- n
				return
			default:
			}
			if err := s.gate.compacts(func() error { return s.db.CompactOOOHead(t.Context()) }); err != nil {
				t.Error(err)
			}
		}
	}()
	b := 0
	for began := time.Now(); time.Since(began) < 2*time.Second; b++ {
		var samples []batch.Sample
		for i := range inBurst {
			one := fleet[(b*inBurst+i)%fleetSize]
			for k := range burst {
				sm := batch.Sample{Series: one, T: t0 + int64(b*burst+k), V: float64(b)}
				samples = append(samples, sm)
				want[key{one.Labels.String(), sm.T}] = sm.V
			}
		}
		last = tape.append(samples...)
		if b%3 == 0 {
			s.until(t, last)
		}
	}
	s.until(t, last)
	close(stop)
	t.Logf("%d bursts, %d samples, %d compactions beside them", b, len(want), <-done)
	equal(t, dump(t, s.Store), want)
}
