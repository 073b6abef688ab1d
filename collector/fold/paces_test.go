package fold

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// TestLateFactWhereThePaceChanges: three facts of one state, the pace is 8 s
// before second 40 and 2 s from then on (a gap of 12 s, then of 3 s inside a
// streak; facts hold 20 s, then 5 s). Whatever order they come in, with raw facts
// or without, the streaks are the same: a late fact of the same state may end
// what held.
func TestLateFactWhereThePaceChanges(t *testing.T) {
	component := availability.Component{Name: "c", Interval: 8000, Paces: []availability.Pace{{From: 40_000, Interval: 2000}}}
	catalogue := &availability.Catalogue{Components: []availability.Component{component}}
	for i, row := range []struct {
		at   [3]int64 // s
		want string
	}{
		{[3]int64{30, 33, 39}, "[up 30-39]"},
		{[3]int64{37, 40, 43}, "[up 37-43]"},
		{[3]int64{37, 40, 44}, "[up 37-40 up 44-44]"},
		{[3]int64{39, 40, 51}, "[up 39-40 up 51-51]"},
		{[3]int64{39, 52, 55}, "[up 39-39 up 52-55]"},
	} {
		for k, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			l := openLedger(t, filepath.Join(t.TempDir(), fmt.Sprint(i, k)))
			told := facts{}
			f := New(Options{Ledger: l, Raw: received{&told}, Catalogue: func() *availability.Catalogue { return catalogue }, Now: func() time.Time { return time.UnixMilli(0) }, Log: slog.New(slog.DiscardHandler)}).after(t.Context(), t)
			for pos, which := range order {
				one := fact("c", row.at[which]*1000, availability.Up)
				one.Observer = "x"
				told = append(told, one)
				f.take(t.Context(), record(journal.Position(pos+1), "x", one))
			}
			all, err := f.Streaks(t.Context(), nil, minTime, maxTime)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range all["c"] {
				got = append(got, fmt.Sprintf("%s %d-%d", s.State, s.First/1000, s.Last/1000))
			}
			if fmt.Sprint(got) != row.want {
				t.Errorf("facts at %v s in the order %v: %v, want %s", row.at, order, got, row.want)
			}
			if n := slices.IndexFunc(all["c"], func(s availability.Streak) bool { return s.Count < 1 || s.First == s.Last && s.Count != 1 }); n >= 0 {
				t.Errorf("facts at %v s in the order %v: count %d", row.at, order, all["c"][n].Count)
			}
		}
	}
}

// TestProlongedBehindOthers: x says down at 3 s and up at 13 s; y's up of 2 s
// holds until 12 s, so there is an outage from 12 s to 13 s, until it comes out
// that y said up at 3 s too.
func TestProlongedBehindOthers(t *testing.T) {
	component := availability.Component{Name: "c", Interval: 4000}
	catalogue := &availability.Catalogue{Components: []availability.Component{component}}
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
	f := New(Options{Ledger: l, Catalogue: func() *availability.Catalogue { return catalogue }, Now: func() time.Time { return time.UnixMilli(0) }, Log: slog.New(slog.DiscardHandler)}).after(t.Context(), t)
	outages := func(pos int, observer string, facts ...availability.Fact) int {
		t.Helper()
		f.take(t.Context(), record(journal.Position(pos), observer, facts...))
		if err := f.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := l.Outages(t.Context(), ledger.OutageFilter{})
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	outages(1, "y", fact("c", 0, availability.Up), fact("c", 2000, availability.Up))
	if n := outages(2, "x", fact("c", 3000, availability.Down), fact("c", 13_000, availability.Up)); n != 1 {
		t.Fatalf("%d outages, want the one from 12 s to 13 s", n)
	}
	if n := outages(3, "y", fact("c", 3000, availability.Up)); n != 0 {
		t.Errorf("%d outages stand, want none", n)
	}
}
