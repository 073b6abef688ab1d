package receive

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

const (
	// straggler is how long a consumer waits for a batch that is durable but
	// not yet in the ring before it reads the journal: its handler is between
	// the two.
	straggler = 50 * time.Millisecond
	// gather is how long a consumer that had to wait for a record waits for
	// those behind it. Two consumers woken for each of a thousand records a
	// second cost the machine more than all they do with them.
	gather = 20 * time.Millisecond
	// recheck is how often a waiting consumer looks into the journal itself.
	recheck = time.Second
	// idleReaders is how many journal readers are kept between calls.
	idleReaders = 4
	// caughtUp is the number of reads from memory after which the tables of
	// the journal's decoder are let go.
	caughtUp = 4096
)

// Feed gives each consumer every record in order. Several consumers may call
// it at once; none of them delays receiving or another consumer.
type Feed struct {
	journal *journal.Journal
	ring    *ring
	limits  batch.Limits
	log     *slog.Logger
	memory  prometheus.Counter
	disk    prometheus.Counter

	mu      sync.Mutex
	readers map[journal.Position]*journal.Reader // by the position they gave last
	decoder *batch.Decoder                       // of records read from the journal; nil when not needed
	hits    int                                  // reads from memory since the last one from the journal
	closed  bool
}

func newFeed(j *journal.Journal, limits batch.Limits, log *slog.Logger, m *metrics) *Feed {
	return &Feed{journal: j, ring: newRing(j.Last()), limits: limits.Journaled(), log: log,
		memory: m.reads.WithLabelValues("memory"), disk: m.reads.WithLabelValues("journal"), readers: map[journal.Position]*journal.Reader{}}
}

// Next gives the first record after the position, waiting for it until ctx
// ends, and then a moment for those that follow. Positions the journal dropped or lost are passed over. The batch is
// shared and read only. A record that cannot be decoded (it was accepted by
// other limits) comes without samples.
func (f *Feed) Next(ctx context.Context, after journal.Position) (*batch.Batch, error) {
	if after > f.journal.Last() {
		// The consumer outlived the journal's end: what comes next must lie
		// after what it has seen.
		f.journal.Advance(after)
	}
	for late := false; ; {
		b, old, wait := f.ring.get(after + 1)
		if b != nil {
			f.hit()
			return b, nil
		}
		pause := recheck
		if durable := f.journal.Last() > after; durable && (old || late) {
			b, err := f.read(after)
			if b != nil || err != nil {
				return b, err
			}
		} else if durable {
			pause = straggler
		}
		late = !happens(ctx, wait, pause)
		if !late {
			happens(ctx, nil, gather)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// happens tells whether wait is closed, or ctx ends, within the time.
func happens(ctx context.Context, wait <-chan struct{}, within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-wait:
	case <-timer.C:
		return false
	case <-ctx.Done():
	}
	return true
}

func (f *Feed) hit() {
	f.memory.Inc()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hits++; f.hits < caughtUp || f.decoder == nil {
		return
	}
	f.decoder = nil
	f.closeReaders()
}

// read takes the first record after the position from the journal; nil when
// there is none.
func (f *Feed) read(after journal.Position) (*batch.Batch, error) {
	f.mu.Lock()
	f.hits = 0
	if f.decoder == nil {
		f.decoder = batch.NewDecoder(f.limits)
	}
	decoder, reader := f.decoder, f.readers[after]
	delete(f.readers, after)
	f.mu.Unlock()
	if reader == nil {
		reader = f.journal.NewReader(after)
	}
	rec, ok, err := reader.TryNext()
	if err != nil {
		_ = reader.Close()
		return nil, err
	}
	var b *batch.Batch
	last := after
	if ok {
		b, last = f.decode(decoder, rec), rec.Pos
		f.disk.Inc()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		_ = reader.Close()
		return b, nil
	}
	if len(f.readers) >= idleReaders {
		f.closeReaders()
	}
	if other := f.readers[last]; other != nil {
		_ = other.Close()
	}
	f.readers[last] = reader
	return b, nil
}

func (f *Feed) decode(decoder *batch.Decoder, rec journal.Record) *batch.Batch {
	env, body, err := wire.Split(rec.Data)
	b := &batch.Batch{Env: env}
	if err == nil {
		var decoded *batch.Batch
		if decoded, err = decoder.Decode(env, body); err == nil {
			b = decoded
		}
	}
	if err != nil {
		f.log.Warn("journaled record cannot be decoded: passed over", "position", uint64(rec.Pos), "host", env.Host, "err", err)
	}
	b.Pos = rec.Pos
	return b
}

// closeReaders is called with mu held.
func (f *Feed) closeReaders() {
	for pos, r := range f.readers {
		_ = r.Close()
		delete(f.readers, pos)
	}
}

// Close lets go of the journal's files. Next still works, at a higher price.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.closeReaders()
}
