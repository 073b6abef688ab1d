package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/agent/fault"
	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/agent/source"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// measured is a source with what is known of its last collection.
type measured struct {
	source.Source
	every time.Duration // 0 = in each collection
	well  *fault.Condition
	last  time.Time
}

// collector makes one record of all that is due, each interval.
type collector struct {
	interval time.Duration
	sources  []*measured
	schedule *check.Schedule
	out      *recorder
	own      figures // what the agent tells of itself
	now      func() time.Time

	set sample.Set // of the collecting goroutine

	changes sync.Mutex // one change at a time
	changed sample.Set // of the changing goroutine

	mu    sync.Mutex
	stats collectStats
}

// collectStats are the figures of the collections of this run.
type collectStats struct {
	collections uint64
	failures    uint64 // of sources
	series      int    // of the last collection
	took        time.Duration
	last        time.Time // end of the last collection
}

func newCollector(c *Config, checks []*check.Check, out *recorder, log *slog.Logger, now func() time.Time) *collector {
	k := &collector{interval: c.Interval.Std(), out: out, now: now}
	for _, s := range source.All(c.roots()) {
		exception := c.Sources[s.Name]
		if exception.Enabled != nil && !*exception.Enabled {
			continue
		}
		k.sources = append(k.sources, &measured{
			Source: s, every: exception.Interval.Std(),
			well: fault.New(log.With("source", s.Name), now, "the source measures again"),
		})
	}
	k.schedule = check.NewSchedule(checks, k.change)
	return k
}

// run collects at once and then each interval; when ctx ends it records what
// the checks found since, and returns.
func (k *collector) run(ctx context.Context) error {
	ticker := time.NewTicker(k.interval)
	defer ticker.Stop()
	for {
		if err := k.collect(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// collect makes one record.
func (k *collector) collect(ctx context.Context) error {
	begin := k.now()
	if err := k.out.losses(begin); err != nil {
		return fmt.Errorf("note losses: %w", err)
	}
	k.set.Reset(begin.UnixMilli())
	k.set.Add("up", 1)
	failures := uint64(0)
	for _, s := range k.sources {
		// A little early is due too: tickers are not exact.
		if s.every > 0 && begin.Sub(s.last) < s.every-k.interval/2 {
			continue
		}
		s.last = begin
		if !k.measure(ctx, s) {
			failures++
		}
	}
	for _, f := range k.own {
		k.set.Add(f.name, f.value())
	}
	k.schedule.Take(func(c *check.Check, results []check.Result) { c.AppendResults(results, &k.set) })
	if err := k.out.batch(&k.set); err != nil {
		return fmt.Errorf("record collection: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stats.collections++
	k.stats.failures += failures
	k.stats.last = k.now()
	k.stats.series, k.stats.took = k.set.Len(), k.stats.last.Sub(begin)
	return nil
}

// measure collects one source and adds how that went. It is false when it failed.
func (k *collector) measure(ctx context.Context, s *measured) bool {
	begin := time.Now()
	err := s.Collect(ctx, &k.set)
	took := time.Since(begin)
	ok := err == nil || errors.Is(err, source.ErrNothing)
	success := 0.0
	if ok {
		success = 1
		s.well.OK()
	} else {
		s.well.Fail("a source does not measure", "err", err, "remedy", "see whether the agent may read it; \"plimsoll-agent check\" tries each source once")
	}
	k.set.Add("plimsoll_source_duration_seconds", took.Seconds(), "source", s.Name)
	k.set.Add("plimsoll_source_success", success, "source", s.Name)
	return ok
}

// change records a check's new state at once, with all results that wait, and
// says why in a note. A first result that is up is no news.
func (k *collector) change(c check.Change) {
	k.changes.Lock()
	defer k.changes.Unlock()
	k.changed.Reset(k.now().UnixMilli())
	k.schedule.Take(func(c *check.Check, results []check.Result) { c.AppendResults(results, &k.changed) })
	err := k.out.batch(&k.changed)
	if news := !c.First || c.Result.State != check.Up; err == nil && news {
		err = k.out.note(wire.Note{At: c.Result.At.UnixMilli(), Change: &wire.CheckChange{
			Component: c.Check.Component, Check: c.Check.Name,
			From: c.From.String(), To: c.Result.State.String(), Reason: c.Result.Reason,
		}})
	}
	if err != nil {
		k.out.well.Fail("a changed check could not be recorded", "err", err)
	}
}

// close records what the checks found since the last collection.
func (k *collector) close() error {
	k.changes.Lock()
	defer k.changes.Unlock()
	k.changed.Reset(k.now().UnixMilli())
	k.schedule.Take(func(c *check.Check, results []check.Result) { c.AppendResults(results, &k.changed) })
	return k.out.batch(&k.changed)
}

func (k *collector) figures() collectStats {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stats
}
