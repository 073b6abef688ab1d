package receive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// line is a journal with a feed, without the network before it.
type line struct {
	t       testing.TB
	journal *journal.Journal
	decoder *batch.Decoder
	feed    *Feed
	m       *metrics
}

func newLine(t testing.TB, dir string) *line {
	t.Helper()
	j, _, err := journal.Open(journal.Options{Dir: dir, Now: time.Now, WhenFull: journal.Refuse, SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	m := newMetrics(prometheus.NewRegistry())
	l := &line{t: t, journal: j, decoder: batch.NewDecoder(batch.Defaults()), m: m, feed: newFeed(j, batch.Defaults(), slog.New(slog.DiscardHandler), m)}
	t.Cleanup(l.close)
	return l
}

func (l *line) close() {
	l.feed.Close()
	_ = l.journal.Close()
}

// add journals a record; published tells whether it reaches the ring.
func (l *line) add(seq uint64, published bool) journal.Position {
	l.t.Helper()
	env := wire.Envelope{Kind: wire.KindBatch1, Seq: seq, Host: "h", Instance: "web-1", Job: "node", ReceivedAt: time.Now().UnixMilli()}
	raw := body(env.ReceivedAt, "up", fmt.Sprint("m", seq%5))
	b, err := l.decoder.Decode(env, raw)
	if err != nil {
		l.t.Error(err)
		return 0
	}
	pos, err := l.journal.Append(env.Append(nil), raw)
	if err != nil {
		l.t.Error(err)
		return 0
	}
	if b.Pos = pos; published {
		l.feed.ring.put(b)
	}
	return pos
}

// read expects every position once and in order, with its two samples.
func (l *line) read(after, last journal.Position) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for pos := after; pos < last; pos++ {
		b, err := l.feed.Next(ctx, pos)
		if err != nil || b.Pos != pos+1 || len(b.Samples) != 2 || len(b.Facts) != 1 {
			l.t.Errorf("after %d: got %+v, error %v, want position %d with 2 samples", pos, b, err, pos+1)
			return
		}
	}
}

func TestFeedUnderConcurrentAppends(t *testing.T) {
	dir := t.TempDir()
	const before, writers, each = 40, 8, 100
	l := newLine(t, dir)
	for i := range before {
		l.add(uint64(i), true)
	}
	l.close()

	l = newLine(t, dir) // a restart: the first records are in the journal alone
	last := journal.Position(before + writers*each)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(w)))
			for i := range each {
				// A handler that dies between the journal and the ring must not stop the feed.
				l.add(uint64(w*1000+i), random.IntN(100) > 0)
			}
		})
	}
	for _, after := range []journal.Position{0, 0, before, before / 2} {
		all.Go(func() { l.read(after, last) })
	}
	all.Wait()
	if n := testutil.ToFloat64(l.m.reads.WithLabelValues("memory")); n == 0 {
		t.Error("no record was read from memory")
	}
}

func TestFeedFallsBackWhenTheRingHasGoneOn(t *testing.T) {
	l := newLine(t, t.TempDir())
	l.feed.ring.slots = make([]*batch.Batch, 16)
	for i := range 100 {
		l.add(uint64(i), true)
	}
	l.read(0, 100)
	if memory, disk := testutil.ToFloat64(l.feed.memory), testutil.ToFloat64(l.feed.disk); memory != 16 || disk != 84 {
		t.Errorf("got %v records from memory and %v from the journal, want 16 and 84", memory, disk)
	}
}

func TestRingIsBoundedBySamples(t *testing.T) {
	r := newRing(0)
	for pos := journal.Position(1); pos <= 10; pos++ {
		r.put(&batch.Batch{Pos: pos, Samples: make([]batch.Sample, ringSamples/4)})
	}
	for _, c := range []struct {
		pos  journal.Position
		here bool
		old  bool
	}{{1, false, true}, {6, false, true}, {7, true, false}, {10, true, false}, {11, false, false}} {
		b, old, _ := r.get(c.pos)
		if (b != nil) != c.here || old != c.old {
			t.Errorf("position %d: here %v old %v, want %v %v", c.pos, b != nil, old, c.here, c.old)
		}
	}
	r.put(&batch.Batch{Pos: 2}) // late, and too old to keep
	if b, old, _ := r.get(2); b != nil || !old {
		t.Errorf("position 2 came late: got %v, want it from the journal", b)
	}
	r.put(&batch.Batch{Pos: 11, Samples: make([]batch.Sample, 2*ringSamples)})
	if b, _, _ := r.get(11); b == nil || r.samples != 2*ringSamples {
		t.Errorf("one batch above the bound: got %v with %d samples held, want it alone", b, r.samples)
	}
}

func TestFeedWaitsAndEnds(t *testing.T) {
	l := newLine(t, t.TempDir())
	got := make(chan *batch.Batch)
	go func() {
		b, err := l.feed.Next(context.Background(), 0)
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	l.add(1, true)
	if b := <-got; b == nil || b.Pos != 1 {
		t.Errorf("got %+v, want position 1", b)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.feed.Next(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestFeedAfterTheJournalLostItsEnd(t *testing.T) {
	l := newLine(t, filepath.Join(t.TempDir(), "journal"))
	l.add(1, true)
	// The consumer has seen up to 41; a copy of the journal brought back from
	// a backup ends at 1.
	got := make(chan *batch.Batch)
	go func() {
		b, err := l.feed.Next(context.Background(), 41)
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	eventually(t, "appends go on after 41", func() bool { return l.journal.Last() >= 41 })
	if pos := l.add(2, true); pos != 42 {
		t.Fatalf("appended at %d, want 42", pos)
	}
	if b := <-got; b == nil || b.Pos != 42 {
		t.Errorf("got %+v, want position 42", b)
	}
}

func TestUndecodableRecordDoesNotStopTheFeed(t *testing.T) {
	dir := t.TempDir()
	l := newLine(t, dir)
	for _, raw := range []string{"no envelope at all", string((&wire.Envelope{Kind: wire.KindBatch2, Host: "h"}).Append(nil)) + "garbage"} {
		if _, err := l.journal.Append([]byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	l.add(1, false)
	l.close()
	l = newLine(t, dir)
	for pos, samples := range []int{0, 0, 2} {
		b, err := l.feed.Next(context.Background(), journal.Position(pos))
		if err != nil || b.Pos != journal.Position(pos+1) || len(b.Samples) != samples {
			t.Errorf("got %+v, error %v, want position %d with %d samples", b, err, pos+1, samples)
		}
	}
}
