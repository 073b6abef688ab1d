package fold

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/silence"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// Feed gives the decoded records of the journal in order.
type Feed interface {
	// Next blocks for the first record behind after; it ends with ctx.
	Next(ctx context.Context, after journal.Position) (*batch.Batch, error)
}

// Ledger is where the fold keeps what it made.
type Ledger interface {
	Cursor(ctx context.Context, name string) (uint64, error)
	// Streaks of all components from ever to ever, by component, and there by
	// observer and time.
	Streaks(ctx context.Context, components []string, from, to int64) (map[string][]availability.Streak, error)
	// KnownSince tells of streaks since when they are known as they are.
	KnownSince(ctx context.Context, tell func(k ledger.StreakKey, since int64)) error
	// FormerStreaks are those that are no more, of which it was known at the instant.
	FormerStreaks(ctx context.Context, asOf int64) ([]ledger.Former, error)
	CountFormer(ctx context.Context, tell func(component, observer string, n int)) error
	ForgetFormer(ctx context.Context, component, observer string, keep int) (until int64, left int, err error)
	// Watches is what is remembered of the envelopes of each host, by its id.
	Watches(ctx context.Context) (map[string]*silence.Watch, error)
	// ApplyFold writes all of it and the cursor, or nothing.
	ApplyFold(ctx context.Context, f ledger.Fold) error
}

// Raw is where raw facts are still found.
type Raw interface {
	// Await blocks until the facts of the record at pos can be found.
	Await(ctx context.Context, pos journal.Position) error
	// Progress tells up to which of the journal's positions facts can be found;
	// not ready: it is still reading what was there when it started.
	Progress() (applied, last journal.Position, ready bool)
	// FactsBetween gives the facts of one observer and component in [from, to], in order.
	FactsBetween(ctx context.Context, component, observer string, from, to int64) ([]availability.Fact, error)
}

// Options of a Fold. Ledger is needed.
type Options struct {
	Ledger Ledger
	// Raw finds the neighbours of a late fact. Without it a contradicted
	// streak is split by the largest gap it has.
	Raw Raw
	// Catalogue is the one in force; another pointer means it has changed.
	// Components it does not name are folded too.
	Catalogue func() *availability.Catalogue
	// Changed is told each component whose observers now say otherwise than
	// before, after that is in the ledger. It must not block.
	Changed func(component string)
	// Checkpoint is the longest time between two ledger transactions while
	// facts come in; 0: 10 s.
	Checkpoint time.Duration
	Now        func() time.Time      // nil: time.Now
	Log        *slog.Logger          // nil: slog.Default()
	Registerer prometheus.Registerer // nil: no metrics
}

func (o *Options) defaults() {
	if o.Catalogue == nil {
		none := &availability.Catalogue{}
		o.Catalogue = func() *availability.Catalogue { return none }
	}
	if o.Changed == nil {
		o.Changed = func(string) {}
	}
	if o.Checkpoint <= 0 {
		o.Checkpoint = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}

// Fold keeps the streaks of all components in memory, a hundred bytes each,
// and writes them to the ledger.
type Fold struct {
	opts    Options
	metrics *metrics
	loaded  chan struct{} // closed when the ledger's streaks are in memory
	durable atomic.Uint64 // position in the ledger
	folded  atomic.Uint64 // position in memory

	mu         sync.RWMutex // of components and all below them; only Run's goroutine writes
	components map[string]*component
	former     []ledger.Former // what the ledger does not have yet of what streaks were
	newest     int64           // Unix ms: nothing that is known became known after it

	forgetting sync.RWMutex // held for writing while the ledger and since lose what was once known

	// Run's goroutine alone:
	watches   map[string]*silence.Watch // of the envelopes of each host, by its id
	catalogue *availability.Catalogue
	described bool // all components were, by catalogue
	voices    voices
	pending   pending
	torn      bool      // it was told to stop in the middle of a record
	written   time.Time // when the ledger was last written to, by the monotonic clock
}

// burst is the shortest time between two transactions.
const burst = 100 * time.Millisecond

// New makes a fold; Run does the work.
func New(opts Options) *Fold {
	opts.defaults()
	f := &Fold{opts: opts, loaded: make(chan struct{}), components: map[string]*component{}}
	f.metrics = newMetrics(f)
	f.pending.reset()
	return f
}

// Position is up to where the journal is in the ledger.
func (f *Fold) Position() journal.Position { return journal.Position(f.durable.Load()) }

// Folded is up to where the journal is in what Streaks and States tell.
func (f *Fold) Folded() journal.Position { return journal.Position(f.folded.Load()) }

// Run folds what feed gives until ctx ends, and then writes what is not in the
// ledger yet. A ledger that refuses to write is tried again; meanwhile the
// journal waits.
func (f *Fold) Run(ctx context.Context, feed Feed) error {
	if err := f.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	for ctx.Err() == nil {
		if err := f.period(ctx, feed); err != nil && ctx.Err() == nil {
			return err
		}
		f.settle(ctx)
	}
	if f.torn {
		return nil // what is not in the ledger is folded again after the start
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return f.flush(last)
}

// period folds until a checkpoint is due. A changed state is written at once,
// but a storm of them together.
func (f *Fold) period(ctx context.Context, feed Feed) error {
	due, cancel := context.WithTimeout(ctx, f.opts.Checkpoint)
	defer cancel()
	for due.Err() == nil {
		step := f.next
		if f.pending.urgent {
			step = f.gather
		}
		if err := step(ctx, due, feed); err != nil {
			return err
		}
		if f.pending.urgent && time.Since(f.written) >= burst {
			f.settle(ctx)
		}
	}
	return nil
}

// gather folds until the ledger may be written to again.
func (f *Fold) gather(ctx, due context.Context, feed Feed) error {
	soon, cancel := context.WithDeadline(due, f.written.Add(burst))
	defer cancel()
	for soon.Err() == nil {
		if err := f.next(ctx, soon, feed); err != nil {
			return err
		}
	}
	return nil
}

// next waits for a record until due and folds it, however long that takes:
// the raw facts it may have to look up are not given up for a date with the
// ledger. That due ended is no error.
func (f *Fold) next(ctx, due context.Context, feed Feed) error {
	b, err := feed.Next(due, f.Folded())
	switch {
	case err == nil && b != nil:
		f.take(ctx, b)
	case due.Err() == nil:
		return err
	}
	return nil
}

// settle flushes, again and again until it succeeds or ctx ends.
func (f *Fold) settle(ctx context.Context) {
	for wait := 100 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 10*time.Second) {
		err := f.flush(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		f.metrics.refused.Inc()
		f.opts.Log.Error("the ledger did not take what was folded; trying again", "wait", wait, "err", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// load reads the cursor and the streaks.
func (f *Fold) load(ctx context.Context) error {
	at, err := f.opts.Ledger.Cursor(ctx, ledger.FoldCursor)
	if err != nil {
		return err
	}
	all, err := f.opts.Ledger.Streaks(ctx, nil, minTime, maxTime)
	if err != nil {
		return err
	}
	if f.watches, err = f.opts.Ledger.Watches(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, streaks := range all {
		c := f.component(name)
		for _, s := range streaks {
			o := c.stream(s.Observer)
			o.streaks, o.since = append(o.streaks, s), append(o.since, 0)
		}
	}
	if err := f.loadKnown(ctx); err != nil {
		return err
	}
	f.durable.Store(at)
	f.folded.Store(at)
	close(f.loaded)
	return nil
}

// loadKnown reads what was known when. The caller holds the lock.
func (f *Fold) loadKnown(ctx context.Context) error {
	err := f.opts.Ledger.KnownSince(ctx, func(k ledger.StreakKey, since int64) {
		s := f.component(k.Component).stream(k.Observer)
		s.since[s.at(k.First)] = since
		f.newest = max(f.newest, since)
	})
	if err != nil {
		return err
	}
	return f.opts.Ledger.CountFormer(ctx, func(component, observer string, n int) {
		f.component(component).stream(observer).former = n
	})
}

// take folds one record, or leaves it torn when ctx ends meanwhile.
func (f *Fold) take(ctx context.Context, b *batch.Batch) {
	f.setBack(b.Env.ReceivedAt)
	f.silences(ctx, b)
	facts := f.pending.factsOf(b, f.voices.facts(f, b))
	for i := range facts {
		f.fact(ctx, b.Pos, &facts[i])
	}
	if f.torn {
		return
	}
	f.voices.compare(f, facts)
	f.voices.tell(f, b)
	f.metrics.facts.Add(float64(len(facts)))
	f.pending.see(b)
	if b.Note != nil {
		f.metrics.silent(b.Env.Instance, b.Note)
		if err := f.pending.note(b); err != nil {
			f.opts.Log.Warn("a note was left out", "instance", b.Env.Instance, "position", uint64(b.Pos), "err", err)
		}
	}
	f.folded.Store(uint64(b.Pos))
}

// patience is how long the fold waits for raw facts that come no nearer.
const patience = 30 * time.Second

// raw gives the facts around a late one that are still to be found; none when
// they cannot be. When ctx ends before they are found the record is torn.
func (f *Fold) raw(ctx context.Context, pos journal.Position, s *availability.Streak, from, to int64) []availability.Fact {
	if f.opts.Raw == nil {
		return nil
	}
	facts, err := f.lookUp(ctx, pos, s, from, to)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		f.torn = true
	default:
		f.opts.Log.Warn("the raw facts beside a late one were not found", "component", s.Component, "observer", s.Observer, "err", err)
	}
	return facts
}

// lookUp waits for the raw facts as long as they come nearer: after a start
// they are read from the journal first.
func (f *Fold) lookUp(ctx context.Context, pos journal.Position, s *availability.Streak, from, to int64) ([]availability.Fact, error) {
	for {
		before, _, _ := f.opts.Raw.Progress()
		patient, cancel := context.WithTimeout(ctx, patience)
		err := f.opts.Raw.Await(patient, pos)
		cancel()
		if now, _, _ := f.opts.Raw.Progress(); err != nil && ctx.Err() == nil && now > before {
			continue
		}
		if err != nil {
			return nil, err
		}
		patient, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
		return f.opts.Raw.FactsBetween(patient, s.Component, s.Observer, from, to)
	}
}
