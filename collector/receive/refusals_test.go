package receive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestRefusalsAreBounded: a flood of ten minutes is ten entries and a rest, at
// most one a minute for each host and reason, and together they count all.
func TestRefusalsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &register{}
		r := newRefusals(&Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Agents: a}, newMetrics(prometheus.NewRegistry()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.run(ctx) }()
		const every, lasts = 10 * time.Millisecond, 10 * time.Minute
		begin := time.Now()
		for time.Since(begin) < lasts {
			r.add("web-1", refusedQuarantined, netip.MustParseAddr("10.0.0.1"))
			r.add("", refusedTokenUsed, netip.MustParseAddr("10.0.0.2"))
			time.Sleep(every)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		count, last := map[string]int{}, map[string]time.Time{}
		entries := map[string]int{}
		for _, x := range a.audited {
			count[x.Reason] += x.Count
			entries[x.Reason]++
			if x.First.Before(last[x.Reason]) || x.Last.Before(x.First) {
				t.Errorf("%s: from %v to %v after %v", x.Reason, x.First, x.Last, last[x.Reason])
			}
			last[x.Reason] = x.Last
		}
		for _, reason := range []string{refusedQuarantined, refusedTokenUsed} {
			if want := int(lasts / every); count[reason] != want || entries[reason] > 12 {
				t.Errorf("%s: %d counted in %d entries, want %d in at most 12", reason, count[reason], entries[reason], want)
			}
		}
	})
}

// TestRefusalsWaitForTheLedger: what could not be written is written later, once.
func TestRefusalsWaitForTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &register{broken: errors.New("ledger is busy")}
		r := newRefusals(&Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Agents: a}, newMetrics(prometheus.NewRegistry()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.run(ctx) }()
		for range 3 {
			r.add("web-1", refusedRemoved, netip.Addr{})
			time.Sleep(90 * time.Second)
		}
		a.mu.Lock()
		a.broken = nil
		a.mu.Unlock()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(a.audited) != 1 || a.audited[0].Count != 3 || a.audited[0].Last.Sub(a.audited[0].First) != 3*time.Minute {
			t.Errorf("got %+v, want one entry that counts 3 over 3 minutes", a.audited)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if len(r.tallies) != 0 {
			t.Errorf("%d pairs still remembered", len(r.tallies))
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestTooManyPairsAreCountedTogether(t *testing.T) {
	a := &register{}
	r := newRefusals(&Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Agents: a}, newMetrics(prometheus.NewRegistry()))
	const more = 50
	for i := range maxTallies + more {
		r.add(fmt.Sprint("host-", i), refusedRemoved, netip.Addr{})
	}
	r.tell(context.Background(), true)
	together := 0
	for _, x := range a.audited {
		if x.Host == "" {
			together += x.Count
		}
	}
	if len(a.audited) != maxTallies+1 || together != more {
		t.Errorf("%d entries with %d counted together, want %d with %d", len(a.audited), together, maxTallies+1, more)
	}
}
