package fold

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// TestAnyOrderAnyCrash folds random facts of a small world in random order,
// loses the memory at random moments, repeats what the ledger did not have
// yet, and compares streaks and outages with those worked out from all facts
// at once, instant by instant.
func TestAnyOrderAnyCrash(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n, ".db"))
		l, err := ledger.Open(ledger.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		need := rapid.IntRange(0, 2).Draw(t, "need")
		component := availability.Component{Name: "c", Interval: 4, Need: need}                  // gap 6, hold 10
		for _, from := range rapid.SampledFrom([][]int64{nil, {20, 40}}).Draw(t, "paces from") { // gaps 3, 6 or 12
			component.Paces = append(component.Paces, availability.Pace{From: from, Interval: rapid.SampledFrom([]int64{2, 4, 8}).Draw(t, "pace")})
		}
		catalogue := &availability.Catalogue{Components: []availability.Component{component}}
		records, all := journalOf(t)
		options := Options{Ledger: l, Raw: all, Catalogue: func() *availability.Catalogue { return catalogue },
			Now: func() time.Time { return time.UnixMilli(0) }, Log: slog.New(slog.DiscardHandler)}

		ctx := context.Background()
		f := reopen(t, options)
		for int(f.Folded()) < len(records) {
			f.take(ctx, records[f.Folded()])
			switch rapid.IntRange(0, 9).Draw(t, "then") {
			case 0: // a crash
				f = reopen(t, options)
			case 1, 2, 3:
				if err := f.flush(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		live, err := f.Streaks(ctx, nil, minTime, maxTime)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.flush(ctx); err != nil {
			t.Fatal(err)
		}
		compare(ctx, t, l, component, all, live["c"])
	})
}

func reopen(t *rapid.T, o Options) *Fold {
	f := New(o)
	if err := f.load(context.Background()); err != nil {
		t.Fatal(err)
	}
	return f
}

// journalOf draws records in the order they were received.
func journalOf(t *rapid.T) (records []*batch.Batch, all facts) {
	for pos := 1; pos <= rapid.IntRange(1, 40).Draw(t, "records"); pos++ {
		observer := rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "observer")
		var of []availability.Fact
		for range rapid.IntRange(1, 3).Draw(t, "facts") {
			f := availability.Fact{Component: "c", Observer: observer, Received: int64(pos),
				At:    rapid.Int64Range(0, 60).Draw(t, "at"),
				State: rapid.SampledFrom([]availability.State{availability.Up, availability.Up, availability.Degraded, availability.Down}).Draw(t, "state")}
			of = append(of, f)
		}
		records = append(records, record(journal.Position(pos), observer, of...))
		all = append(all, of...)
	}
	return records, all
}

func compare(ctx context.Context, t *rapid.T, l *ledger.Ledger, c availability.Component, all facts, live []availability.Streak) {
	sorted := availability.SortFacts(append(facts{}, all...))
	var want []string
	for _, s := range availability.Streaks(sorted, func(_ string, own, at int64) int64 { return c.StreakGap(own, at) }) {
		want = append(want, line(s))
	}
	kept, err := l.StreaksOf(ctx, "c")
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range [][]availability.Streak{live, kept} {
		var have []string
		for _, s := range got {
			have = append(have, line(s))
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Fatalf("streaks (-want +got)\n%s", diff)
		}
	}
	outages, err := l.Outages(ctx, ledger.OutageFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for i := len(outages) - 1; i >= 0; i-- {
		have = append(have, fmt.Sprintf("%d-%d", outages[i].From, outages[i].To))
	}
	if diff := cmp.Diff(byInstant(c, sorted), have); diff != "" {
		t.Fatalf("outages (-want +got)\n%s", diff)
	}
}

func line(s availability.Streak) string {
	return fmt.Sprintf("%s %s %d-%d", s.Observer, s.State, s.First, s.Last)
}

// byInstant works out the outages ms by ms, straight from the definition.
func byInstant(c availability.Component, sorted []availability.Fact) (out []string) {
	end := int64(0)
	for _, f := range sorted {
		end = max(end, f.At+1)
	}
	begin := int64(-1)
	for t := int64(0); t < end; t++ {
		switch state := stateAt(c, sorted, t); {
		case state == availability.Down && begin < 0:
			begin = t
		case (state == availability.Up || state == availability.Degraded) && begin >= 0:
			out = append(out, fmt.Sprintf("%d-%d", begin, t))
			begin = -1
		}
	}
	if begin >= 0 {
		out = append(out, fmt.Sprintf("%d-0", begin))
	}
	return out
}

func stateAt(c availability.Component, sorted []availability.Fact, t int64) availability.State {
	said := map[availability.State]int{}
	for i, f := range sorted {
		last := i+1 == len(sorted) || sorted[i+1].Observer != f.Observer
		if f.At > t || !last && sorted[i+1].At <= t {
			continue // not the newest fact of its observer
		}
		bridged := f.State == availability.Down && !last && sorted[i+1].State == availability.Down
		if t < f.At+c.Lasts(0, f.At) || bridged {
			said[f.State]++
		}
	}
	known := said[availability.Up] + said[availability.Degraded] + said[availability.Down]
	switch down := said[availability.Down]; {
	case known == 0:
		return availability.Unknown
	case c.Need > 0 && down >= c.Need, c.Need == 0 && 2*down > known:
		return availability.Down
	case down+said[availability.Degraded] > 0:
		return availability.Degraded
	}
	return availability.Up
}
