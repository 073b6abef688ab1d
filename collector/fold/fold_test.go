package fold

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/silence"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// value is the sample that stands for a state.
func value(s availability.State) float64 {
	return map[availability.State]float64{availability.Up: 1, availability.Degraded: 0.5, availability.Down: 0}[s]
}

// record is a batch of one host with facts.
func record(pos journal.Position, observer string, facts ...availability.Fact) *batch.Batch {
	b := &batch.Batch{Pos: pos, Env: wire.Envelope{Kind: wire.KindBatch2, Host: "id-" + observer, Instance: observer, ReceivedAt: int64(pos)}}
	for _, f := range facts {
		b.Facts = append(b.Facts, batch.Sample{Series: &batch.Series{Fact: batch.FactCheck, Component: f.Component}, T: f.At, V: value(f.State)})
	}
	b.Samples = b.Facts
	return b
}

func fact(component string, at int64, state availability.State) availability.Fact {
	return availability.Fact{Component: component, At: at, State: state}
}

// tape is a feed of what was recorded; it can be longer later.
type tape struct{ records chan *batch.Batch }

func play(records ...*batch.Batch) *tape {
	t := &tape{records: make(chan *batch.Batch, 1000)}
	for _, b := range records {
		t.records <- b
	}
	return t
}

func (t *tape) Next(ctx context.Context, after journal.Position) (*batch.Batch, error) {
	for {
		select {
		case b := <-t.records:
			if b.Pos > after {
				return b, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// facts are raw facts that can be found, of whatever was received so far.
type facts []availability.Fact

func (facts) Await(context.Context, journal.Position) error { return nil }

func (facts) Progress() (applied, last journal.Position, ready bool) { return 0, 0, true }

func (fs facts) FactsBetween(_ context.Context, component, observer string, from, to int64) (out []availability.Fact, _ error) {
	for _, f := range availability.SortFacts(slices.Clone(fs)) {
		if f.Component == component && f.Observer == observer && f.At >= from && f.At <= to {
			out = append(out, f)
		}
	}
	return out, nil
}

func openLedger(t testing.TB, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(ledger.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// memory is a ledger that remembers what it was told, and can refuse.
type memory struct {
	*ledger.Ledger // nil: nothing of what was known is asked for
	writes         []ledger.Fold
	at             []time.Time
	refuse         int
}

func (m *memory) Watches(context.Context) (map[string]*silence.Watch, error) {
	return map[string]*silence.Watch{}, nil
}

func (m *memory) Cursor(context.Context, string) (uint64, error) { return 0, nil }

func (m *memory) Streaks(context.Context, []string, int64, int64) (map[string][]availability.Streak, error) {
	return nil, nil
}

func (m *memory) KnownSince(context.Context, func(ledger.StreakKey, int64)) error { return nil }

func (m *memory) CountFormer(context.Context, func(string, string, int)) error { return nil }

func (m *memory) ApplyFold(_ context.Context, f ledger.Fold) error {
	if m.refuse > 0 {
		m.refuse--
		return errors.New("disk full")
	}
	m.writes = append(m.writes, f)
	m.at = append(m.at, time.Now())
	return nil
}

// TestWhenTheLedgerIsWritten: a changed state at once, a prolonged one at a
// checkpoint, the rest when it stops.
func TestWhenTheLedgerIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, feed, begin := &memory{}, play(), time.Now()
		var changed []string
		f := New(Options{Ledger: m, Log: slog.New(slog.DiscardHandler), Changed: func(c string) { changed = append(changed, c) }})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx, feed) }()
		pos := journal.Position(0)
		for at, state := range []availability.State{1: availability.Up, 2: availability.Up, 3: availability.Down, 4: availability.Down, 24: availability.Down, 25: availability.Down} {
			time.Sleep(time.Second)
			if state == availability.Unknown {
				continue
			}
			pos++
			feed.records <- record(pos, "web", fact("shop", int64(at)*1000, state))
		}
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, w := range m.writes {
			line := fmt.Sprintf("%2.0fs up to %d:", m.at[i].Sub(begin).Seconds(), w.Position)
			for _, s := range w.Put {
				line += fmt.Sprintf(" %s %d-%d", s.State, s.First/1000, s.Last/1000)
			}
			if set, ok := w.Outages["shop"]; ok {
				line += fmt.Sprintf(" outages %d", len(set.Standing))
			}
			got = append(got, line)
		}
		want := []string{
			" 2s up to 1: up 1-1 outages 0",
			" 4s up to 3: up 1-2 down 3-3 outages 1",
			"10s up to 4: down 3-4",
			"26s up to 6: down 3-25",
		}
		for i := range want { // the order of streaks in a write means nothing
			if i == 1 && len(got) > 1 && got[1] == " 4s up to 3: down 3-3 up 1-2 outages 1" {
				got[1] = want[1]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if !cmp.Equal(changed, []string{"shop", "shop"}) {
			t.Errorf("told of %v, want shop when it came up and when it went down", changed)
		}
		if f.Position() != 6 {
			t.Errorf("position: got %d, want 6", f.Position())
		}
	})
}

// TestStorm: a thousand hosts that come at once are not a thousand
// transactions, and the first of them does not wait for the others.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, feed, begin := &memory{}, play(), time.Now()
		f := New(Options{Ledger: m, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for i := range 1000 {
			name := fmt.Sprint("host-", i)
			feed.records <- record(journal.Position(i+1), name, fact(name, 0, availability.Up))
		}
		if err := f.Run(ctx, feed); err != nil {
			t.Fatal(err)
		}
		var got []string
		put := 0
		for i, w := range m.writes {
			got = append(got, fmt.Sprint(m.at[i].Sub(begin)))
			put += len(w.Put)
		}
		if want := []string{"0s", "100ms"}; !cmp.Equal(got, want) || put != 1000 {
			t.Errorf("%d streaks written after %v, want 1000 after %v", put, got, want)
		}
	})
}

// TestLedgerThatRefuses: nothing is lost, nobody is told before it is written.
func TestLedgerThatRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{refuse: 3}
		told := 0
		f := New(Options{Ledger: m, Log: slog.New(slog.DiscardHandler), Changed: func(string) {
			if told++; len(m.writes) == 0 {
				t.Error("told before it was written")
			}
		}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx, play(record(1, "web", fact("shop", 1000, availability.Down)))) }()
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(m.writes) != 1 || told != 1 || f.Position() != 1 {
			t.Errorf("written %d times, told %d times, position %d; want once each", len(m.writes), told, f.Position())
		}
	})
}

// TestStory folds a morning of one service and looks at what the ledger has.
func TestStory(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
	ctx, cancel := context.WithCancel(t.Context())
	const s = 1000
	var all facts
	var records []*batch.Batch
	for i, step := range []struct {
		at    int64
		state availability.State
	}{
		{0, 1}, {15, 1}, {30, 1}, {45, 3}, {60, 3}, // down at 45 s
		{300, 3},           // the agent was silent for four minutes, and it is still down
		{315, 1}, {330, 1}, // up
		{390, 1},           // 60 s of silence, still one streak
		{345, 3}, {375, 1}, // backfilled: it was down in there
		{360, 3},
	} {
		f := fact("shop", step.at*s, step.state)
		f.Observer, f.Received = "web", int64(i+1)
		all = append(all, f)
		records = append(records, record(journal.Position(i+1), "web", f))
	}
	records = append(records, &batch.Batch{Pos: 13, Env: wire.Envelope{Kind: wire.KindNote, Host: "id-web", Instance: "web", ReceivedAt: 77},
		Note: &wire.Note{At: 45 * s, Change: &wire.CheckChange{Component: "shop", From: "up", To: "down", Reason: "connection refused"}}})
	f := New(Options{Ledger: l, Raw: all, Log: slog.New(slog.DiscardHandler)})
	done := make(chan error)
	go func() { done <- f.Run(ctx, play(records...)) }()
	for f.Position() < 13 {
		if ctx.Err() != nil {
			t.Fatal("not folded")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	ctx = context.Background()
	streaks, err := l.StreaksOf(ctx, "shop")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"up 0-30", "down 45-60", "down 300-300", "up 315-330", "down 345-360", "up 375-390"}
	if diff := cmp.Diff(want, seconds(streaks)); diff != "" {
		t.Errorf("streaks (-want +got)\n%s", diff)
	}
	outages, err := l.Outages(ctx, ledger.OutageFilter{})
	if diff := cmp.Diff([]ledger.Outage{
		{ID: 2, Component: "shop", From: 345 * s, To: 375 * s, Earliest: 330 * s, Observers: []string{"web"}},
		{ID: 1, Component: "shop", From: 45 * s, To: 315 * s, Earliest: 30 * s, Observers: []string{"web"}},
	}, outages); err != nil || diff != "" {
		t.Errorf("outages: %v (-want +got)\n%s", err, diff)
	}
	notes, err := l.Notes(ctx, ledger.NoteFilter{Component: "shop"})
	if err != nil || len(notes) != 1 || notes[0].Kind != "change" || notes[0].Position != 13 {
		t.Errorf("notes: got %+v %v", notes, err)
	}
	if states, err := f.States(ctx, 400*s); err != nil || states["shop"] != (availability.Status{State: availability.Up, Since: 375 * s}) {
		t.Errorf("states: got %v %v, want up since 375 s", states, err)
	}
}

func seconds(streaks []availability.Streak) (out []string) {
	for _, s := range streaks {
		out = append(out, fmt.Sprintf("%s %d-%d", s.State, s.First/1000, s.Last/1000))
	}
	return out
}

// TestHoldEndsAnOutage: with two observers the silence of one can end an
// outage without any new fact.
func TestHoldEndsAnOutage(t *testing.T) {
	now := int64(0)
	m := &memory{}
	catalogue := &availability.Catalogue{Components: []availability.Component{{Name: "shop", Interval: 10_000, Need: 1}}}
	f := New(Options{Ledger: m, Log: slog.New(slog.DiscardHandler), Catalogue: func() *availability.Catalogue { return catalogue },
		Now: func() time.Time { return time.UnixMilli(now) }})
	if err := f.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	pos := journal.Position(0)
	for now = 10_000; now <= 60_000; now += 10_000 {
		pos++
		f.take(t.Context(), record(pos, "a", fact("shop", now, availability.Up)))
		if now <= 20_000 {
			pos++
			f.take(t.Context(), record(pos, "b", fact("shop", now, availability.Down)))
		}
		if err := f.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := m.writes[len(m.writes)-1].Outages["shop"].Standing
	want := []ledger.Outage{{Component: "shop", From: 10_000, To: 45_000, Observers: []string{"b"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("b said down until 20 s, which holds for 25 s (-want +got)\n%s", diff)
	}
}

func TestSplit(t *testing.T) {
	up := availability.Streak{State: availability.Up, First: 0, Last: 100, Count: 11, MaxGap: 10}
	down := fact("", 55, availability.Down)
	for _, c := range []struct {
		name  string
		near  []availability.Fact
		want  string
		exact bool
	}{
		{"both neighbours known", []availability.Fact{fact("", 50, availability.Up), fact("", 55, availability.Down), fact("", 60, availability.Up)}, "up 0-50 6, down 55-55 1, up 60-100 5", true},
		{"none known", nil, "up 0-45 5, down 55-55 1, up 65-100 6", false},
		{"only the one after", []availability.Fact{fact("", 58, availability.Up)}, "up 0-45 5, down 55-55 1, up 58-100 6", false},
		{"another state does not count", []availability.Fact{fact("", 52, availability.Degraded), fact("", 50, availability.Up), fact("", 60, availability.Up)}, "up 0-50 6, down 55-55 1, up 60-100 5", true},
		{"the first received stands", []availability.Fact{fact("", 55, availability.Up)}, "", true},
	} {
		parts, exact := split(up, down, c.near)
		got := ""
		for i, p := range parts {
			if i > 0 {
				got += ", "
			}
			got += fmt.Sprintf("%s %d-%d %d", p.State, p.First, p.Last, p.Count)
		}
		if got != c.want || exact != c.exact {
			t.Errorf("%s: got %q exact %v, want %q %v", c.name, got, exact, c.want, c.exact)
		}
	}
}

// BenchmarkFold is the cost of one batch of 100 samples with one fact: 1000
// hosts in turn.
func BenchmarkFold(b *testing.B) {
	f := New(Options{Ledger: &memory{}, Log: slog.New(slog.DiscardHandler)})
	if err := f.load(b.Context()); err != nil {
		b.Fatal(err)
	}
	hosts := make([]*batch.Batch, 1000)
	for i := range hosts {
		name := fmt.Sprintf("host-%d", i)
		hosts[i] = record(1, name, fact(name, 0, availability.Up))
		hosts[i].Samples = make([]batch.Sample, 100)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		h := hosts[n%len(hosts)]
		h.Facts[0].T += 15_000
		h.Pos++
		f.take(b.Context(), h)
	}
}

// slow finds raw facts after a while, or not while it is being stopped; each
// position takes it so long.
type slow struct {
	facts
	began time.Time
	each  time.Duration
}

func (s slow) Await(ctx context.Context, pos journal.Position) error {
	select {
	case <-time.After(time.Until(s.began.Add(time.Duration(pos) * s.each))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slow) Progress() (applied, last journal.Position, ready bool) {
	return journal.Position(time.Since(s.began) / s.each), 0, true
}

// TestLateFactsWaitForTheirNeighbours: a late fact takes a streak apart between
// the facts beside it, also when these are found later than the ledger is due,
// and when the program is stopped before they are found.
func TestLateFactsWaitForTheirNeighbours(t *testing.T) {
	for _, row := range []struct {
		name string
		each time.Duration // raw facts come nearer by one record
		stop time.Duration // after the beginning, and started again; 0: not
	}{
		{"at once", time.Millisecond, 0},
		{"later than a burst of writes may be", 50 * time.Millisecond, 0},
		{"later than a checkpoint", 11 * time.Second, 0},
		{"later than its patience, but coming nearer", 25 * time.Second, 0},
		{"stopped meanwhile", 11 * time.Second, 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
			var raw facts
			var records []*batch.Batch
			for _, f := range []struct {
				at    int64
				state availability.State
			}{{0, availability.Up}, {60_000, availability.Up}, {120_000, availability.Up}, {180_000, availability.Up}, {130_000, availability.Down}} {
				each := fact("shop", f.at, f.state)
				each.Observer = "a"
				raw, records = append(raw, each), append(records, record(journal.Position(len(records)+1), "a", each))
			}
			began := time.Now()
			run := func(d time.Duration) {
				f := New(Options{Ledger: l, Raw: slow{raw, began, row.each}, Log: slog.New(slog.DiscardHandler)})
				ctx, cancel := context.WithTimeout(t.Context(), d)
				defer cancel()
				if err := f.Run(ctx, play(records...)); err != nil {
					t.Fatal(err)
				}
			}
			if row.stop > 0 {
				run(row.stop)
			}
			run(5 * time.Minute)
			kept, err := l.StreaksOf(t.Context(), "shop")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range kept {
				got = append(got, line(s))
			}
			if diff := cmp.Diff([]string{"a up 0-120000", "a down 130000-130000", "a up 180000-180000"}, got); diff != "" {
				t.Errorf("%s: streaks (-want +got)\n%s", row.name, diff)
			}
		})
	}
}
