package series

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/storage"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// commitSamples is after how many samples a busy writer commits.
const commitSamples = 20_000

// refBits is how much of batch.Series.Ref is the reference of the TSDB; above
// it is the epoch it belongs to.
const refBits = 48

// errPoisoned ends a writer whose head lies in the future.
var errPoisoned = errors.New("the youngest sample lies in the future")

// writer is the one goroutine that appends.
type writer struct {
	store *Store
	cur   cursor // as it was when the writer began

	app     storage.Appender
	pending int          // samples in app
	seen    []reachEntry // positions in app and not yet told to the store
	late    int
	claims  map[place]claim // facts in app
	// Which series are facts, by the catalogue in force.
	catalogue *availability.Catalogue
	selectors *Selectors
	found     []Selected
	refused   map[string]int
	space     space
}

// write applies what feed gives until ctx ends. target is the last position
// of the journal when Run began.
func (s *Store) write(ctx context.Context, feed Feed, target journal.Position) error {
	s.positions.Lock()
	w := &writer{store: s, cur: s.cursor, claims: map[place]claim{}, refused: map[string]int{}, space: space{free: s.opts.Free}}
	s.positions.Unlock()
	after, began := journal.Position(s.applied.Load()), s.opts.Now()
	var faults backoff
	for {
		if after >= target && !s.ready.Load() {
			if err := w.commit(); err != nil {
				return err
			}
			s.ready.Store(true)
			if read := s.replayed.Load(); read > 0 {
				s.opts.Log.Info("series are complete again after the start", "samples_read", read, "took", s.opts.Now().Sub(began).Round(time.Millisecond))
			}
		}
		b, err := feed.Next(ctx, after)
		if ctx.Err() != nil {
			return w.commit()
		}
		if err != nil {
			if faults.first() {
				s.opts.Log.Error("read the journal for the series store; trying again", "after", uint64(after), "err", err)
			}
			if err := errors.Join(w.commit(), faults.wait(ctx)); err != nil {
				return err
			}
			continue
		}
		faults = backoff{}
		if err := w.waitForRoom(ctx); err != nil || ctx.Err() != nil {
			return errors.Join(err, w.commit())
		}
		if err := w.apply(b); err != nil {
			return errors.Join(err, w.commit())
		}
		after = b.Pos
		if w.pending >= commitSamples || after >= s.opts.Journal.Last() {
			if err := w.commit(); err != nil {
				return err
			}
		}
	}
}

// apply appends the samples of b that are not known to be in blocks.
func (w *writer) apply(b *batch.Batch) error {
	floor := w.cur.floor(b.Pos)
	if w.app == nil {
		w.store.gate.mu.Lock() // until the commit
		w.app = w.store.db.Appender(context.Background())
	}
	epoch := w.store.epoch << refBits
	lateBefore := w.store.lateBefore()
	youngest := nothing
	w.claim(b)
	for i := range b.Samples {
		sm := &b.Samples[i]
		youngest = max(youngest, sm.T)
		if sm.T < floor {
			continue
		}
		var known storage.SeriesRef
		if ref := sm.Series.Ref; ref>>refBits == w.store.epoch {
			known = storage.SeriesRef(ref &^ epoch)
		}
		ref, err := w.append(b.Pos, known, sm)
		if err != nil {
			if err := w.refuse(err); err != nil {
				return err
			}
			continue
		}
		if ref != known {
			sm.Series.Ref = epoch | uint64(ref)
		}
		w.pending++
		if sm.T < lateBefore {
			w.late++
		}
	}
	w.seen = append(w.seen, reachEntry{first: b.Pos, last: b.Pos, youngest: youngest})
	return nil
}

// refuse counts a sample the TSDB does not take. It fails only when the head
// itself is at fault.
func (w *writer) refuse(err error) error {
	var held errHeld
	switch {
	case errors.As(err, &held):
		if held.changed {
			w.refused[reasonChanged]++
		}
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		w.refused[reasonChanged]++
	case errors.Is(err, storage.ErrTooOldSample), errors.Is(err, storage.ErrOutOfBounds):
		if w.store.poisoned() {
			return errPoisoned
		}
		w.refused[reasonTooOld]++
	default:
		w.refused[reasonInvalid]++
	}
	return nil
}

// commit makes what was applied visible to queries.
func (w *writer) commit() error {
	if w.app != nil {
		err := w.app.Commit()
		w.app = nil
		w.store.gate.mu.Unlock()
		if err != nil {
			return fmt.Errorf("commit samples: %w", err)
		}
	}
	w.store.late.Add(int64(w.late))
	if !w.store.ready.Load() {
		w.store.replayed.Add(int64(w.pending))
	}
	w.store.metrics.count(w.pending, w.refused)
	w.store.advance(w.seen)
	w.pending, w.late, w.seen = 0, 0, w.seen[:0]
	clear(w.refused)
	clear(w.claims)
	return nil
}

// lateBefore is the time before which a sample is out of order for sure.
func (s *Store) lateBefore() int64 {
	if t, ok := s.db.Head().AppendableMinValidTime(); ok {
		return t
	}
	return nothing
}

// poisoned tells whether the youngest sample of the head lies in the future.
func (s *Store) poisoned() bool {
	return s.db.Head().MaxTime() > s.opts.Now().Add(clockSlack).UnixMilli()
}

// backoff spaces repeated attempts: 1 s, 2 s … 30 s.
type backoff struct{ delay time.Duration }

func (b *backoff) first() bool { return b.delay == 0 }

func (b *backoff) wait(ctx context.Context) error {
	b.delay = min(max(2*b.delay, time.Second), 30*time.Second)
	t := time.NewTimer(b.delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return nil
	}
}
