package fold

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// received are the raw facts of what was received up to now.
type received struct{ facts *facts }

func (received) Await(context.Context, journal.Position) error { return nil }

func (received) Progress() (applied, last journal.Position, ready bool) { return 0, 0, true }

func (r received) FactsBetween(ctx context.Context, component, observer string, from, to int64) ([]availability.Fact, error) {
	return r.facts.FactsBetween(ctx, component, observer, from, to)
}

// TestWhatWasKnownThen delivers random facts late and in any order, with
// crashes in between, and asks afterwards what was known at instants of the past:
// it is what the facts received up to each instant say, from memory and from
// the ledger. Asked are instants behind which nothing came for a minute.
func TestWhatWasKnownThen(t *testing.T) {
	dir, n, asked := t.TempDir(), 0, 0
	component := availability.Component{Name: "c", Interval: 40_000} // gap 60 s, hold 100 s
	catalogue := &availability.Catalogue{Components: []availability.Component{component}}
	rapid.Check(t, func(t *rapid.T) {
		n++
		l, err := ledger.Open(ledger.Options{Path: filepath.Join(dir, fmt.Sprint(n, ".db")), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ctx, now, told, want := t.Context(), int64(1_000_000), facts{}, map[int64]string{}
		options := Options{Ledger: l, Raw: received{&told}, Catalogue: func() *availability.Catalogue { return catalogue },
			Now: func() time.Time { return time.UnixMilli(now) }, Log: slog.New(slog.DiscardHandler)}
		f := reopen(t, options)
		// What was not in the ledger when it crashed comes again, as from the journal.
		type received struct {
			observer string
			at       int64
			facts    facts
		}
		var journaled []received
		take := func(pos int) {
			r := journaled[pos-1]
			b := record(journal.Position(pos), r.observer, r.facts...)
			b.Env.ReceivedAt = r.at
			f.take(ctx, b)
		}
		for range rapid.IntRange(1, 25).Draw(t, "records") {
			later := rapid.SampledFrom([]int64{500, 20_000, 61_000, 90_000, 400_000}).Draw(t, "later")
			if now += later; later > soon { // the checkpoint comes long before
				if err := f.flush(ctx); err != nil {
					t.Fatal(err)
				}
			}
			r := received{observer: rapid.SampledFrom([]string{"x", "x", "y"}).Draw(t, "observer"), at: now}
			for range rapid.IntRange(1, 5).Draw(t, "facts") {
				late := rapid.SampledFrom([]int64{1, 30_000, 60_000, 100_000, 300_000, 900_000}).Draw(t, "late")
				r.facts = append(r.facts, availability.Fact{Component: "c", Observer: r.observer, Received: now, At: now - late,
					State: rapid.SampledFrom([]availability.State{availability.Up, availability.Up, availability.Up, availability.Degraded, availability.Down}).Draw(t, "state")})
			}
			told = append(told, r.facts...)
			journaled = append(journaled, r)
			take(len(journaled))
			switch rapid.IntRange(0, 9).Draw(t, "then") {
			case 0: // a crash
				f = reopen(t, options)
				for int(f.Folded()) < len(journaled) {
					take(int(f.Folded()) + 1)
				}
			case 1, 2, 3:
				if err := f.flush(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i, r := range journaled {
			if i+1 < len(journaled) && journaled[i+1].at <= r.at+soon {
				continue
			}
			for _, asOf := range []int64{r.at, r.at + 300} {
				var known facts
				for _, fact := range told {
					if fact.At < asOf && fact.Received <= asOf {
						known = append(known, fact)
					}
				}
				streaks := availability.Streaks(availability.SortFacts(known), func(_ string, own, at int64) int64 { return component.StreakGap(own, at) })
				want[asOf] = timelines(component, streaks, asOf)
			}
		}
		check := func(from string, ask func(context.Context, int64) (map[string][]availability.Streak, error)) {
			for asOf, want := range want {
				got, err := ask(ctx, asOf)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, timelines(component, got["c"], asOf)); diff != "" {
					t.Fatalf("known at %d, %s (-want +got)\n%s", asOf, from, diff)
				}
				asked++
			}
		}
		check("from memory", f.KnownStreaks)
		if err := f.flush(ctx); err != nil {
			t.Fatal(err)
		}
		check("from memory and ledger", f.KnownStreaks)
		check("from the ledger", l.KnownStreaks)
		f = reopen(t, options)
		check("after a start", f.KnownStreaks)
	})
	if asked < 10*n {
		t.Errorf("asked only %d times", asked)
	}
}

// TestTooMuchThatWas has a sender that is always two minutes late: each record
// of it makes another former streak, and of those only so many are kept. What was
// known at instants before them is answered as if what came until then had
// been known; of all later ones it stays exact, also after a start.
func TestTooMuchThatWas(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
	catalogue := &availability.Catalogue{Components: []availability.Component{{Name: "c", Interval: 40_000}}}
	options := Options{Ledger: l, Catalogue: func() *availability.Catalogue { return catalogue }, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()}
	ctx, f := t.Context(), New(options)
	if err := f.load(ctx); err != nil {
		t.Fatal(err)
	}
	const pace, late, records = 61_000, 120_000, maxFormer + 500
	catalogue.Components[0].Interval = pace
	for pos := 1; pos <= records; pos++ {
		b := record(journal.Position(pos), "x", fact("c", int64(pos)*pace, availability.Up))
		b.Env.ReceivedAt = int64(pos)*pace + late
		f.take(ctx, b)
		if pos%100 == 0 {
			if err := f.flush(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	last := func(ask func(context.Context, int64) (map[string][]availability.Streak, error), received int64) int64 {
		t.Helper()
		got, err := ask(ctx, received*pace+late)
		if err != nil || len(got["c"]) != 1 {
			t.Fatalf("as of the receipt of %d: %+v, %v", received, got, err)
		}
		return got["c"][0].Last / pace
	}
	// At maxFormer+100 records, when it was written down, all but keptFormer
	// were given up: the next kept is of the 1 100th record.
	const begin = maxFormer + 100 - keptFormer
	options.Registerer = nil
	for _, ask := range []func(context.Context, int64) (map[string][]availability.Streak, error){f.KnownStreaks, l.KnownStreaks, New(options).after(ctx, t).KnownStreaks} {
		for received, want := range map[int64]int64{1: begin, 500: begin, begin - 1: begin, begin: begin, begin + 1: begin + 1, 3000: 3000, records: records} {
			if got := last(ask, received); got != want {
				t.Errorf("as of the receipt of record %d: known up to %d, want %d", received, got, want)
			}
		}
	}
	if got := testutil.ToFloat64(f.metrics.forgotten); got != begin-1 {
		t.Errorf("%v given up, want %d", got, begin-1)
	}
}

// after is the fold after a start.
func (f *Fold) after(ctx context.Context, t *testing.T) *Fold {
	t.Helper()
	if err := f.load(ctx); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestClockSetBack: a collector whose clock was an hour ahead sees a component
// fail, and then its clock is set right. What it saw does not wait for an hour.
func TestClockSetBack(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
	f := New(Options{Ledger: l, Log: slog.New(slog.DiscardHandler)}).after(t.Context(), t)
	const hour = 3_600_000
	take := func(pos int, received int64, facts ...availability.Fact) {
		b := record(journal.Position(pos), "x", facts...)
		b.Env.ReceivedAt = received
		f.take(t.Context(), b)
	}
	take(1, 10*hour, fact("c", 10*hour-1000, availability.Up))
	take(2, 11*hour+20_000, fact("c", 10*hour+20_000, availability.Down))
	if err := f.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	take(3, 11*hour+25_000, fact("c", 10*hour+25_000, availability.Up))
	take(4, 10*hour+40_000, fact("d", 10*hour+39_000, availability.Up))
	for range 2 {
		for asOf, want := range map[int64]int{10*hour + 10_000: 1, 10*hour + 39_999: 1, 10*hour + 40_000: 3, 12 * hour: 3} {
			if got, err := f.KnownStreaks(t.Context(), asOf); err != nil || len(got["c"]) != want {
				t.Errorf("as of %d s after 10: %d streaks, %v; want %d", asOf/1000-10*3600, len(got["c"]), err, want)
			}
		}
		if err := f.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		f = New(f.opts).after(t.Context(), t)
	}
}

// timelines are what each observer, and all of them, said up to an instant.
func timelines(c availability.Component, streaks []availability.Streak, asOf int64) string {
	of := map[string][]availability.Streak{}
	for _, s := range streaks {
		of[s.Observer] = append(of[s.Observer], s)
	}
	of["all"] = streaks
	var out strings.Builder
	for _, observer := range []string{"x", "y", "all"} {
		fmt.Fprintf(&out, "%s:", observer)
		for _, seg := range availability.ComponentTimeline(c, of[observer], asOf) {
			if seg.State != availability.Unknown {
				fmt.Fprintf(&out, " %s %d-%d", seg.State, seg.From, seg.To)
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}
