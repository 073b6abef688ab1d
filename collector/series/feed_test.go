package series

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// tape is a journal in memory with the feed over it.
type tape struct {
	mu      sync.Mutex
	first   journal.Position // of batches[0]
	batches []*batch.Batch
	changed chan struct{}
}

func newTape() *tape { return &tape{first: 1, changed: make(chan struct{})} }

func (f *tape) Last() journal.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first + journal.Position(len(f.batches)) - 1
}

func (f *tape) append(samples ...batch.Sample) journal.Position {
	return f.record(&batch.Batch{Samples: samples})
}

// record puts b at the end of the tape.
func (f *tape) record(b *batch.Batch) journal.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	b.Pos = f.first + journal.Position(len(f.batches))
	f.batches = append(f.batches, b)
	close(f.changed)
	f.changed = make(chan struct{})
	return b.Pos
}

// trim drops what is not after pos.
func (f *tape) trim(pos journal.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.first <= pos && len(f.batches) > 0 {
		f.batches, f.first = f.batches[1:], f.first+1
	}
}

// fresh forgets the references that series carry, as a new process does.
func (f *tape) fresh() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.batches {
		for _, s := range b.Samples {
			s.Series.Ref = 0
		}
	}
}

func (f *tape) Next(ctx context.Context, after journal.Position) (*batch.Batch, error) {
	for {
		f.mu.Lock()
		after = max(after, f.first-1)
		var b *batch.Batch
		if i := int(after + 1 - f.first); i < len(f.batches) {
			b = f.batches[i]
		}
		changed := f.changed
		f.mu.Unlock()
		if b != nil {
			return b, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func newSeries(name string, i int) *batch.Series {
	return &batch.Series{Labels: labels.FromStrings(nameLabel, name, "instance", fmt.Sprintf("host-%d", i))}
}

// small is a store whose blocks hold a minute, so that a test passes many.
func small(t testing.TB, dir string, j Journal, now func() time.Time) Options {
	return Options{Dir: dir, Journal: j, Now: now, Log: slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Retention: 1000 * time.Hour, OutOfOrder: time.Hour, CheckEvery: time.Hour, BlockRange: time.Minute}
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Helper()
	l.t.Log(string(p))
	return len(p), nil
}

var _ io.Writer = testLog{}

// running is a store whose Run is under way.
type running struct {
	*Store
	stop func() error
}

func start(t testing.TB, opts Options, feed Feed) running {
	t.Helper()
	s, err := Open(opts)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, feed) }()
	stop := sync.OnceValue(func() error {
		cancel()
		if err := <-done; err != nil {
			return fmt.Errorf("run: %w", err)
		}
		return s.Close()
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return running{s, stop}
}

// until waits for everything the tape holds.
func (r running) until(t testing.TB, pos journal.Position) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.Await(ctx, pos); err != nil {
		t.Fatalf("position %d was not applied: %v", pos, err)
	}
}

// key of a sample in a history.
type key struct {
	labels string
	t      int64
}

// history is samples by series and time; it fails on a double.
type history map[key]float64

// dump reads all samples through a querier.
func dump(t testing.TB, s *Store) history {
	t.Helper()
	q, err := s.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatalf("querier: %v", err)
	}
	defer func() {
		if err := q.Close(); err != nil {
			t.Errorf("close querier: %v", err)
		}
	}()
	got := history{}
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, nameLabel, ".+"))
	for set.Next() {
		name := set.At().Labels().String()
		it := set.At().Iterator(nil)
		last := int64(math.MinInt64)
		for it.Next() == chunkenc.ValFloat {
			ts, v := it.At()
			if ts <= last {
				t.Errorf("series %s: time %d after %d", name, ts, last)
			}
			last = ts
			got[key{name, ts}] = v
		}
		if err := it.Err(); err != nil {
			t.Errorf("series %s: %v", name, err)
		}
	}
	if err := set.Err(); err != nil {
		t.Errorf("select: %v", err)
	}
	return got
}

// equal names the first differences.
func equal(t testing.TB, got, want history) {
	t.Helper()
	missing, wrong, extra := 0, 0, 0
	say := func(n *int, format string, args ...any) {
		if *n++; *n <= 3 {
			t.Errorf(format, args...)
		}
	}
	for k, v := range want {
		switch g, ok := got[k]; {
		case !ok:
			say(&missing, "missing: %v = %v", k, v)
		case g != v:
			say(&wrong, "wrong: %v = %v, want %v", k, g, v)
		}
	}
	for k, v := range got {
		if _, ok := want[k]; !ok {
			say(&extra, "not expected: %v = %v", k, v)
		}
	}
	if missing+wrong+extra > 0 {
		t.Errorf("of %d samples %d missing, %d wrong; %d too many", len(want), missing, wrong, extra)
	}
}
