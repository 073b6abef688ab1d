package series

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// t0 is when the tests' time begins, Unix ms; a multiple of the block range.
var t0 = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC).UnixMilli()

func nowAt(ms int64) func() time.Time { return func() time.Time { return time.UnixMilli(ms) } }

// TestAnyHistorySurvives appends, compacts, trims the journal and restarts in
// any order, with samples that come late: the store must hold what was given.
func TestAnyHistorySurvives(t *testing.T) {
	dirs := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(dirs, "")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		feed := newTape()
		want := history{}
		var clock atomic.Int64 // read by the store's own goroutine
		clock.Store(t0)
		series := []*batch.Series{newSeries("a", 0), newSeries("a", 1), newSeries("b", 0)}
		last := journal.Position(0)
		opts := small(t, dir, feed, func() time.Time { return time.UnixMilli(clock.Load()) })
		s := start(t, opts, feed)
		defer func() { _ = s.stop() }()
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(rt, "batches") {
					ts0 := clock.Add(rapid.Int64Range(1, 15_000).Draw(rt, "step"))
					var samples []batch.Sample
					for i, sr := range series {
						if rapid.IntRange(0, 5).Draw(rt, "skip") == 0 {
							continue
						}
						ts := ts0
						if rapid.IntRange(0, 3).Draw(rt, "late") == 0 {
							ts -= rapid.Int64Range(0, 600_000).Draw(rt, "by")
						}
						samples = append(samples, batch.Sample{Series: sr, T: ts, V: float64(ts%1000) + float64(i)})
						want[key{sr.Labels.String(), ts}] = float64(ts%1000) + float64(i)
					}
					last = feed.append(samples...)
				}
				s.until(t, last)
			},
			"compact": func(rt *rapid.T) {
				if err := s.Compact(context.Background()); err != nil {
					rt.Fatal(err)
				}
			},
			"trim": func(*rapid.T) { feed.trim(s.SafeTrim()) },
			"restart": func(rt *rapid.T) {
				if err := s.stop(); err != nil {
					rt.Fatal(err)
				}
				feed.fresh()
				s = start(t, opts, feed)
				s.until(t, last)
			},
			"": func(rt *rapid.T) {
				if safe, applied, _ := s.SafeTrim(), last, 0; safe > applied {
					rt.Fatalf("safe position %d beyond the applied %d", safe, applied)
				}
			},
		})
		equal(t, dump(t, s.Store), want)
		if t.Failed() {
			rt.FailNow()
		}
	})
}

func TestHeadMovesIntoBlocksAndJournalMayGo(t *testing.T) {
	feed, dir := newTape(), t.TempDir()
	s := start(t, small(t, dir, feed, nowAt(t0)), feed)
	a := newSeries("a", 0)
	var last journal.Position
	for i := range int64(200) {
		last = feed.append(batch.Sample{Series: a, T: t0 + i*1000, V: float64(i)})
	}
	s.until(t, last)
	if got := s.SafeTrim(); got != 0 {
		t.Errorf("before a compaction the journal up to %d may go, want 0", got)
	}
	if err := s.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	// 200 s in blocks of 60 s: the head keeps between one and one and a half of them.
	safe := s.SafeTrim()
	if safe < 60 || safe > 140 {
		t.Errorf("after a compaction the journal up to %d may go, want about 120", safe)
	}
	if got, _, ready := s.Progress(); got != last || !ready {
		t.Errorf("applied %d, ready %v; want %d, true", got, ready, last)
	}
	if n := len(s.db.Blocks()); n == 0 {
		t.Error("no blocks")
	}
}

func TestChangedValueFirstStands(t *testing.T) {
	feed, reg := newTape(), prometheus.NewRegistry()
	opts := small(t, t.TempDir(), feed, nowAt(t0))
	opts.Registerer = reg
	s := start(t, opts, feed)
	a := newSeries("a", 0)
	s.until(t, feed.append(batch.Sample{Series: a, T: t0, V: 1}))
	feed.append(batch.Sample{Series: a, T: t0, V: 1}) // the same again: nothing
	s.until(t, feed.append(batch.Sample{Series: a, T: t0, V: 2}))
	equal(t, dump(t, s.Store), history{{a.Labels.String(), t0}: 1})
	if got := counter(t, reg, "plimsoll_series_samples_refused_total", "changed"); got != 1 {
		t.Errorf("counted %v changed values, want 1", got)
	}
}

func TestTooOldIsCounted(t *testing.T) {
	feed, reg := newTape(), prometheus.NewRegistry()
	opts := small(t, t.TempDir(), feed, nowAt(t0))
	opts.Registerer = reg
	s := start(t, opts, feed)
	a := newSeries("a", 0)
	feed.append(batch.Sample{Series: a, T: t0, V: 1})
	s.until(t, feed.append(batch.Sample{Series: a, T: t0 - 2*time.Hour.Milliseconds(), V: 2}))
	equal(t, dump(t, s.Store), history{{a.Labels.String(), t0}: 1})
	if got := counter(t, reg, "plimsoll_series_samples_refused_total", "too_old"); got != 1 {
		t.Errorf("counted %v too old samples, want 1", got)
	}
}

// TestClockThatWasAhead: samples a year ahead, then the right time again.
// Nothing of either is lost, also not over a restart.
func TestClockThatWasAhead(t *testing.T) {
	feed, dir := newTape(), t.TempDir()
	var clock atomic.Int64 // read by the store's own goroutine
	clock.Store(t0)
	opts := small(t, dir, feed, func() time.Time { return time.UnixMilli(clock.Load()) })
	opts.Registerer = prometheus.NewRegistry()
	s := start(t, opts, feed)
	a, want := newSeries("a", 0), history{}
	give := func(ts int64, v float64) {
		want[key{a.Labels.String(), ts}] = v
		s.until(t, feed.append(batch.Sample{Series: a, T: ts, V: v}))
	}
	year := 365 * 24 * time.Hour.Milliseconds()
	for i := range int64(10) {
		give(t0+i*1000, 1)
	}
	for i := range int64(100) {
		give(t0+year+i*5000, 2)
	}
	for i := range int64(300) {
		clock.Store(t0 + 20_000 + i*1000)
		give(clock.Load(), 3)
	}
	equal(t, dump(t, s.Store), want)
	if err := s.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	feed.trim(s.SafeTrim())
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	feed.fresh()
	s = start(t, opts, feed)
	for i := range int64(100) {
		give(clock.Load()+20_000+i*1000, 4)
	}
	equal(t, dump(t, s.Store), want)
	if got, want := s.db.Head().MaxTime(), clock.Load()+20_000+99_000; got != want {
		t.Errorf("the head's youngest is %d, want the present %d", got, want)
	}
}

// TestDamagedBlock: the store starts, and what the journal still has comes back.
func TestDamagedBlock(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, block string)
	}{
		{"index cut", func(t *testing.T, b string) { truncate(t, filepath.Join(b, "index"), 20) }},
		{"index flipped at its end", func(t *testing.T, b string) { flip(t, filepath.Join(b, "index"), -10) }},
		{"chunks cut", func(t *testing.T, b string) { truncate(t, filepath.Join(b, "chunks", "000001"), 3) }},
		{"meta empty", func(t *testing.T, b string) { truncate(t, filepath.Join(b, "meta.json"), 0) }},
		{"index gone", func(t *testing.T, b string) { _ = os.Remove(filepath.Join(b, "index")) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			feed, dir := newTape(), t.TempDir()
			opts := small(t, dir, feed, nowAt(t0))
			s := start(t, opts, feed)
			a, want := newSeries("a", 0), history{}
			var last journal.Position
			for i := range int64(400) {
				ts := t0 + i*1000
				want[key{a.Labels.String(), ts}] = float64(i)
				last = feed.append(batch.Sample{Series: a, T: ts, V: float64(i)})
			}
			s.until(t, last)
			if err := s.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
			block := s.db.Blocks()[1].Dir()
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
			tc.damage(t, block)
			for range 2 { // and once more, when the block is gone already
				feed.fresh()
				s = start(t, opts, feed)
				s.until(t, last)
				equal(t, dump(t, s.Store), want)
				if err := s.stop(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, quarantineDir, filepath.Base(block))); err != nil {
				t.Errorf("the block is not in quarantine: %v", err)
			}
		})
	}
}

// TestJournalOfAnother: a journal that is shorter than the cursor is read whole.
func TestJournalOfAnother(t *testing.T) {
	feed, dir := newTape(), t.TempDir()
	s := start(t, small(t, dir, feed, nowAt(t0)), feed)
	a, want := newSeries("a", 0), history{}
	var last journal.Position
	for i := range int64(400) {
		want[key{a.Labels.String(), t0 + i*1000}] = 1
		last = feed.append(batch.Sample{Series: a, T: t0 + i*1000, V: 1})
	}
	s.until(t, last)
	if err := s.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	for k := range want { // what only the lost journal held is lost
		if k.t >= s.db.Head().MinTime() {
			delete(want, k)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	other := newTape()
	want[key{a.Labels.String(), t0 + 10_500}] = 2
	other.append(batch.Sample{Series: newSeries("a", 0), T: t0 + 10_500, V: 2})
	s = start(t, small(t, dir, other, nowAt(t0)), other)
	s.until(t, 1)
	equal(t, dump(t, s.Store), want)
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func flip(t *testing.T, path string, at int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 0x40
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// counter reads one counter with one label from reg.
func counter(t *testing.T, reg *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no counter %s for %s", name, label)
	return 0
}

// TestNoSpace: samples wait in the journal while the disk is full, queries go on.
func TestNoSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newTape()
		opts := small(t, t.TempDir(), feed, time.Now)
		var free atomic.Int64
		free.Store(reserve)
		opts.Free = func() (int64, error) { return free.Load(), nil }
		s := start(t, opts, feed)
		a := newSeries("a", 0)
		at := time.Now().UnixMilli()
		s.until(t, feed.append(batch.Sample{Series: a, T: at, V: 1}))
		free.Store(reserve - 1)
		time.Sleep(2 * spaceEvery)
		last := feed.append(batch.Sample{Series: a, T: at + 1, V: 2})
		time.Sleep(time.Minute)
		if applied, _, _ := s.Progress(); applied != last-1 {
			t.Errorf("applied %d without space, want %d", applied, last-1)
		}
		equal(t, dump(t, s.Store), history{{a.Labels.String(), at}: 1})
		free.Store(reserve)
		s.until(t, last)
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
}
