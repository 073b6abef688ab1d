package series

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/tsdb"
	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/internal/journal"
)

// lateMax is after how many late samples a compaction does not wait any longer.
const lateMax = 10_000_000

// Run applies the journal and compacts until ctx ends. It starts once.
func (s *Store) Run(ctx context.Context, feed Feed) error {
	// A merge of blocks takes long on a large store and can be done again.
	defer context.AfterFunc(ctx, func() { s.stopMerges() })()
	target := s.opts.Journal.Last()
	var faults backoff
	for {
		g, gctx := errgroup.WithContext(ctx)
		g.Go(func() error { return s.write(gctx, feed, target) })
		g.Go(func() error { return s.compactLoop(gctx) })
		g.Go(func() error { return s.verifyLoop(gctx) })
		err := g.Wait()
		if !errors.Is(err, errPoisoned) && !errors.Is(err, errDamaged) {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		heal := s.renew
		if errors.Is(err, errDamaged) {
			heal, target = s.reopen, s.opts.Journal.Last()
		}
		for err := heal(ctx); err != nil; err = heal(ctx) {
			if faults.first() {
				s.opts.Log.Error("open the series anew; trying again, the journal keeps everything meanwhile", "err", err)
			}
			if err := faults.wait(ctx); err != nil || ctx.Err() != nil {
				return err
			}
		}
		faults = backoff{}
	}
}

// compactLoop compacts when it is due.
func (s *Store) compactLoop(ctx context.Context) error {
	ticker := time.NewTicker(s.opts.CheckEvery)
	defer ticker.Stop()
	last := s.opts.Now()
	var faults int
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if s.poisoned() {
			return errPoisoned
		}
		now := s.opts.Now()
		if last.After(now) { // the clock went back
			last = now
		}
		if !s.due(now.Sub(last)) {
			continue
		}
		if free, err := s.opts.Free(); err == nil && free < reserve {
			continue // the writer says so
		}
		if err := s.Compact(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if faults++; faults == 1 {
				s.opts.Log.Error("compact series; trying again, the journal keeps everything meanwhile", "err", err)
			}
			continue
		}
		faults, last = 0, now
	}
}

// due tells whether the head is long enough to become a block, or samples
// that came late have waited long enough.
func (s *Store) due(since time.Duration) bool {
	h := s.db.Head()
	if h.MinTime() <= h.MaxTime() && h.MaxTime()-h.MinTime() > s.opts.BlockRange.Milliseconds()/2*3 {
		return true
	}
	late := s.late.Load()
	return late >= lateMax || late > 0 && since >= s.opts.CompactEvery
}

// Compact writes what is ripe into blocks and moves the cursor. It may run
// beside the writer.
func (s *Store) Compact(ctx context.Context) error {
	s.compacting.Lock()
	defer s.compacting.Unlock()
	began := s.opts.Now()
	// What is appended from here on lies behind the noted position; it stays in
	// the head, or goes into a block as well (see gate).
	noted, late := journal.Position(s.applied.Load()), s.late.Load()
	err := s.gate.compacts(func() error {
		if err := s.db.Compact(ctx); err != nil {
			return err
		}
		return s.db.CompactOOOHead(ctx)
	})
	if err != nil {
		s.metrics.compacted(err, 0)
		return fmt.Errorf("compact head: %w", err)
	}
	// Of a head that is still empty the minimum is everything, and rightly so.
	if err := s.settle(noted, s.db.Head().MinTime()); err != nil {
		return err
	}
	s.late.Add(-late)
	s.sealAll()
	s.metrics.compacted(nil, s.opts.Now().Sub(began))
	return nil
}

// settle stores what the blocks are now known to hold.
func (s *Store) settle(p journal.Position, before int64) error {
	s.positions.Lock()
	defer s.positions.Unlock()
	r := reach{base: s.reach.base, entries: append([]reachEntry(nil), s.reach.entries...)}
	r.settle(p, before)
	c := cursor{Position: p, Before: before, Base: min(r.base, p)}
	if err := saveCursor(s.cursorPath(), c); err != nil {
		return err
	}
	s.reach, s.cursor = r, c
	return nil
}

// renew writes the whole head into blocks and opens a new one: after a clock
// that was ahead, the old head would refuse the present.
func (s *Store) renew(ctx context.Context) error {
	if s.db == nil { // closed by an attempt before
		return s.reopen(ctx)
	}
	began := s.opts.Now()
	h := s.db.Head()
	s.opts.Log.Warn("samples lie in the future: the clock was ahead; beginning a new head",
		"youngest", time.UnixMilli(h.MaxTime()).UTC().Format(time.RFC3339))
	noted := journal.Position(s.applied.Load())
	err := s.gate.compacts(func() error {
		if err := s.db.Compact(ctx); err != nil {
			return fmt.Errorf("compact head: %w", err)
		}
		if h.MinTime() <= h.MaxTime() {
			if err := s.db.CompactHead(tsdb.NewRangeHead(h, h.MinTime(), h.MaxTime())); err != nil {
				return fmt.Errorf("compact rest of head: %w", err)
			}
		}
		if err := s.db.CompactOOOHead(ctx); err != nil {
			return fmt.Errorf("compact out-of-order head: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.settle(noted, everything); err != nil {
		return err
	}
	s.sealAll()
	s.metrics.compacted(nil, s.opts.Now().Sub(began))

	s.mu.Lock() // waits for the queriers
	defer s.mu.Unlock()
	if err := s.closeDB(); err != nil {
		s.opts.Log.Error("close the old head", "err", err)
	}
	s.positions.Lock()
	s.restart()
	s.positions.Unlock()
	s.late.Store(0)
	return s.openDB()
}
