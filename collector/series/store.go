package series

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// Feed gives the decoded records of the journal in order.
type Feed interface {
	// Next blocks for the first record behind after and returns it; positions
	// that the journal lost are skipped. It ends with ctx.
	Next(ctx context.Context, after journal.Position) (*batch.Batch, error)
}

// Journal is what the store asks of the collector's journal itself.
type Journal interface {
	Last() journal.Position // last durable position
}

// Options of a Store. Dir, Journal and Log are needed.
type Options struct {
	Dir        string
	Journal    Journal
	Now        func() time.Time // nil: time.Now
	Log        *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
	Retention  time.Duration         // of raw samples, in time they cover; 0: 90 days
	OutOfOrder time.Duration         // how far behind the youngest a sample may come; 0: 7 days
	// Catalogue says which series are facts about its components; nil: none is.
	Catalogue func() *availability.Catalogue
	// CheckEvery is how often the store looks whether a compaction is due; 0: 15 s.
	CheckEvery time.Duration
	// CompactEvery bounds how long out-of-order samples wait for a compaction; 0: 2 h.
	CompactEvery time.Duration
	// Damaged is told of each damaged block before it is moved aside; nil: nobody.
	Damaged func(Damaged)
	// Free gives the free space in bytes under Dir; nil: asks the system.
	Free func() (int64, error)
	// BlockRange is the time range of the smallest block; 0: 2 h.
	BlockRange time.Duration
}

// OutOfOrder is how far behind the youngest a sample may come, unless Options
// say otherwise; what the journal has of older ones does not come back.
const OutOfOrder = 7 * 24 * time.Hour

func (o *Options) defaults() {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.Retention, 90 * 24 * time.Hour},
		{&o.OutOfOrder, OutOfOrder},
		{&o.CheckEvery, 15 * time.Second},
		{&o.CompactEvery, 2 * time.Hour},
		{&o.BlockRange, 2 * time.Hour},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if o.Free == nil {
		o.Free = freeSpace(o.Dir)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Damaged == nil {
		o.Damaged = func(Damaged) {}
	}
}

// Store holds samples and answers queries. Open it, start Run once, Close it
// after Run returned.
type Store struct {
	opts    Options
	metrics *metrics

	// mu is held for reading by each open querier, for writing while the TSDB
	// is opened anew or closed: its head must not vanish under a reader.
	mu sync.RWMutex
	db *tsdb.DB
	// stopMerges ends a compaction of db that is under way.
	stopMerges context.CancelFunc

	epoch uint64 // which opening of the TSDB the references in batch.Series belong to

	compacting sync.Mutex // one compaction at a time
	gate       gate       // the writer's transactions and compactions of the head; taken after compacting

	// positions guards what follows; moved is closed and renewed when applied moves.
	positions   sync.Mutex
	moved       chan struct{}
	cursor      cursor
	reach       reach
	quarantined []string
	found       map[string]error // blocks found damaged and not yet moved aside
	suspect     chan struct{}    // a query failed on what it read

	applied atomic.Uint64 // last position whose samples are in the head or in blocks
	ready   atomic.Bool   // what was in the journal at the start of Run is applied
	// replayed counts samples appended before the store was ready.
	replayed atomic.Int64
	late     atomic.Int64 // samples behind the youngest by more than half a block since the last compaction
}

// Open opens the store in opts.Dir, whatever state a crash left it in. Only
// errors of the directory itself fail.
func Open(opts Options) (*Store, error) {
	opts.defaults()
	s := &Store{opts: opts, moved: make(chan struct{}), suspect: make(chan struct{}, 1)}
	s.metrics = newMetrics(s)
	if err := os.MkdirAll(opts.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("make series directory: %w", err)
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	s.restart()
	if err := s.openDB(); err != nil {
		return nil, err
	}
	if err := s.metrics.register(opts.Registerer); err != nil {
		return nil, errors.Join(fmt.Errorf("register series metrics: %w", err), s.Close())
	}
	return s, nil
}

// prepare sets damaged blocks aside and takes up the cursor. Where the cursor
// cannot be true any more it is put back to the start, before anything else
// is changed: reading too much of the journal is harmless.
func (s *Store) prepare() error {
	bad, err := damaged(s.opts.Dir)
	if err != nil {
		return err
	}
	s.positions.Lock()
	found := s.found
	s.found = nil
	s.positions.Unlock()
	for name, cause := range found {
		if _, err := os.Stat(filepath.Join(s.opts.Dir, name)); err == nil {
			bad[name] = cause
		}
	}
	if s.cursor, err = loadCursor(s.cursorPath()); err != nil {
		s.opts.Log.Warn("the series cursor is unusable; reading the whole journal again", "err", err)
	}
	last := s.opts.Journal.Last()
	foreign := s.cursor.Position > last
	if foreign {
		s.opts.Log.Warn("the journal ends before the series cursor: it is not the one this store was fed from; reading all of it",
			"journal", uint64(last), "cursor", uint64(s.cursor.Position))
	}
	if foreign || len(bad) > 0 {
		s.cursor = cursor{Before: nothing}
		if err := saveCursor(s.cursorPath(), s.cursor); err != nil {
			return err
		}
	}
	if len(bad) > 0 {
		s.quarantined = append(s.quarantined, slices.Sorted(maps.Keys(bad))...)
		return quarantine(s.opts.Dir, bad, s.opts.Damaged, s.opts.Log)
	}
	return nil
}

func (s *Store) cursorPath() string { return filepath.Join(s.opts.Dir, "cursor") }

// restart sets the positions to where the cursor says blocks end.
func (s *Store) restart() {
	s.reach = reach{base: s.cursor.Base}
	s.applied.Store(uint64(s.cursor.Base))
}

// Close releases the store once all queriers are closed. Run must have returned.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metrics.unregister(s.opts.Registerer)
	return s.closeDB()
}

// Progress tells the last applied position, the last one of the journal, and
// whether everything that was in the journal when Run began is applied.
func (s *Store) Progress() (applied, last journal.Position, ready bool) {
	return journal.Position(s.applied.Load()), s.opts.Journal.Last(), s.ready.Load()
}

// Quarantined names the blocks that were found damaged since the start.
func (s *Store) Quarantined() []string { return s.quarantined }

// SafeTrim is the position up to which every sample of the journal is in
// blocks. Segments of the journal that end there or before may go, as far as
// this store is concerned.
func (s *Store) SafeTrim() journal.Position {
	s.positions.Lock()
	defer s.positions.Unlock()
	return s.cursor.Base
}

// Await blocks until the record at pos is applied: then a query sees it.
func (s *Store) Await(ctx context.Context, pos journal.Position) error {
	for {
		s.positions.Lock()
		moved := s.moved
		s.positions.Unlock()
		if journal.Position(s.applied.Load()) >= pos {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// advance notes that the records seen are applied.
func (s *Store) advance(seen []reachEntry) {
	if len(seen) == 0 {
		return
	}
	s.positions.Lock()
	defer s.positions.Unlock()
	for _, e := range seen {
		s.reach.add(e.last, e.youngest)
	}
	s.applied.Store(uint64(seen[len(seen)-1].last))
	close(s.moved)
	s.moved = make(chan struct{})
}
