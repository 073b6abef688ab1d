package receive

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func newPenances() *penances {
	return &penances{waited: prometheus.NewCounter(prometheus.CounterOpts{}), by: map[string]*penance{}}
}

// TestPenance: how long the next body waits after one that took so long.
func TestPenance(t *testing.T) {
	for _, row := range []struct {
		name    string
		took    time.Duration
		refused bool
		later   time.Duration // the next body comes so much later
		waits   time.Duration
	}{
		{"taken", 100 * time.Millisecond, false, 0, 0},
		{"refused: nine times as long", 100 * time.Millisecond, true, 0, 900 * time.Millisecond},
		{"the next comes later by itself", 100 * time.Millisecond, true, 600 * time.Millisecond, 300 * time.Millisecond},
		{"refused at a glance", time.Microsecond, true, 0, leastPause},
		{"refused after long", time.Minute, true, 0, longestPause},
		{"an hour ago", time.Minute, true, time.Hour, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPenances()
			leave, _ := p.enter(t.Context(), "bad")
			time.Sleep(row.took)
			leave(row.refused)
			time.Sleep(row.later)
			begin := time.Now()
			leave, _ = p.enter(t.Context(), "good")
			leave(false)
			if others := time.Since(begin); others != 0 {
				t.Errorf("%s: another host waited %v", row.name, others)
			}
			leave, refused := p.enter(t.Context(), "bad")
			if waited := time.Since(begin); refused != nil || waited != row.waits {
				t.Errorf("%s: the next body waited %v, refused %v, want %v", row.name, waited, refused, row.waits)
			}
			leave(false)
			if counted := testutil.ToFloat64(p.waited); counted != row.waits.Seconds() {
				t.Errorf("%s: counted %v s, want %v", row.name, counted, row.waits.Seconds())
			}
		})
	}
}

// TestPenanceShare: eight connections of one host send nothing but bodies that
// take 50 ms to refuse; they get a tenth of the time, one after the other.
func TestPenanceShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPenances()
		var mu sync.Mutex
		var worked time.Duration
		busy, most := 0, 0
		begin := time.Now()
		var senders sync.WaitGroup
		for range 8 {
			senders.Go(func() {
				for n := 0; time.Since(begin) < time.Minute; n++ {
					leave, refused := p.enter(t.Context(), "bad")
					if refused != nil {
						t.Errorf("refused: %+v", refused)
						return
					}
					mu.Lock()
					if busy++; time.Since(begin) > time.Second { // the first bodies come from somebody unknown
						most = max(most, busy)
					}
					mu.Unlock()
					time.Sleep(50 * time.Millisecond)
					mu.Lock()
					busy--
					worked += 50 * time.Millisecond
					mu.Unlock()
					leave(true)
				}
			})
		}
		senders.Wait()
		if share := float64(worked) / float64(time.Since(begin)); most != 1 || share > refusedShare+0.01 {
			t.Errorf("%d at once, %.3f of the time; want 1 and at most a tenth", most, share)
		}
	})
}

// TestPenanceEnds: those that wait are bounded, a request that ended frees its
// place, and who behaves for a minute is like any other.
func TestPenanceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPenances()
		leave, _ := p.enter(t.Context(), "bad")
		leave(true)
		ctx, cancel := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		for range waitingTurns {
			waiting.Go(func() {
				if _, refused := p.enter(ctx, "bad"); refused == nil || refused.forEver() {
					t.Errorf("a request that ended: got %+v, want one that is made again", refused)
				}
			})
		}
		synctest.Wait()
		if _, refused := p.enter(t.Context(), "bad"); refused == nil || refused.status != http.StatusTooManyRequests || refused.retry == 0 {
			t.Errorf("one more: got %+v, want 429 with Retry-After", refused)
		}
		cancel()
		waiting.Wait()
		leave, refused := p.enter(t.Context(), "bad")
		if refused != nil {
			t.Fatalf("after the others ended: %+v", refused)
		}
		time.Sleep(forgiven + time.Second)
		if leave(false); len(p.by) != 0 {
			t.Errorf("%d remembered a minute later, want none", len(p.by))
		}
	})
}

// TestHeavy: more large bodies than turns wait, and one whose request ended
// takes no turn.
func TestHeavy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeavy(prometheus.NewCounter(prometheus.CounterOpts{}))
		var bodies sync.WaitGroup
		begin := time.Now()
		for range 3 * cap(h.turns) {
			bodies.Go(func() {
				done, ok := h.enter(t.Context())
				if !ok {
					t.Error("no turn")
					return
				}
				time.Sleep(time.Second)
				done()
			})
		}
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, ok := h.enter(ended); ok {
			t.Error("a request that ended was given a turn")
		}
		bodies.Wait()
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("three times as many as there are turns took %v, want 3 s", took)
		}
		if waited := testutil.ToFloat64(h.waited); waited != float64(3*cap(h.turns)) {
			t.Errorf("counted %v s, want %d", waited, 3*cap(h.turns))
		}
	})
}
