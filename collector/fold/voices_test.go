package fold

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// stale is the marker that a series has ended.
var stale = math.Float64frombits(0x7ff0000000000002)

func selecting() *availability.Catalogue {
	return &availability.Catalogue{Components: []availability.Component{
		{Name: "app", Interval: 1000, Series: &availability.Selector{Metric: "ok", Labels: []availability.Label{{Name: "job", Value: "app"}}}},
	}}
}

// scraped is a record of a sender's samples of the series ok, each with its zone.
func scraped(pos journal.Position, at int64, values map[string]float64) *batch.Batch {
	b := &batch.Batch{Pos: pos, Env: wire.Envelope{Kind: wire.KindForeign2, Host: "s1", Instance: "prom", ReceivedAt: at}}
	zones := make([]string, 0, len(values))
	for zone := range values {
		zones = append(zones, zone)
	}
	slices.Sort(zones)
	for _, zone := range zones {
		pairs := []string{"__name__", "ok", "job", "app", "sender", "prom"}
		if zone != "" {
			pairs = append(pairs, "zone", zone)
		}
		b.Samples = append(b.Samples, batch.Sample{Series: &batch.Series{Labels: labels.FromStrings(pairs...)}, T: at, V: values[zone]})
	}
	return b
}

// folded runs the records through a fold over the ledger.
func folded(t *testing.T, l Ledger, records ...*batch.Batch) *Fold {
	t.Helper()
	c := selecting()
	f := New(Options{Ledger: l, Catalogue: func() *availability.Catalogue { return c }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx, play(records...)) }()
	synctest.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSelectedSeries: 1 and 0 are facts of who sent them; a value that is
// neither, and the end of the series, are none. Each change has a sentence.
func TestSelectedSeries(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
	synctest.Test(t, func(t *testing.T) {
		var records []*batch.Batch
		for i, v := range []float64{1, 1, 0, 0, 1, 2, 2, 1, stale} {
			records = append(records, scraped(journal.Position(i+1), int64(i+1)*1000, map[string]float64{"": v}))
		}
		f := folded(t, l, records...)
		all, err := f.Streaks(t.Context(), nil, minTime, maxTime)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range all["app"] {
			got = append(got, fmt.Sprintf("%s %s %d-%d", s.Observer, s.State, s.First/1000, s.Last/1000))
		}
		want := []string{"prom up 1-2", "prom down 3-4", "prom up 5-5", "prom up 8-8"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
	notes, err := l.Notes(t.Context(), ledger.NoteFilter{Component: "app"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := len(notes) - 1; i >= 0; i-- {
		var n wire.Note
		if err := json.Unmarshal([]byte(notes[i].Body), &n); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %s to %s: %s", n.At/1000, n.Change.From, n.Change.To, n.Change.Reason))
	}
	want := []string{"3 up to down: ok of prom is 0", "5 down to up: ", "6 up to unknown: ok of prom is 2, which is neither 1 (up) nor 0 (down); select a series that is",
		"8 unknown to up: ", "9 up to unknown: ok of prom has ended: its sender marked it stale"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestTwoSeries: both of one sender are told apart as its voices, told once,
// and the component is unknown while they speak.
func TestTwoSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		var records []*batch.Batch
		for i := range 6 {
			records = append(records, scraped(journal.Position(i+1), int64(i+1)*1000, map[string]float64{"a": 1, "b": float64(i % 2)}))
		}
		f := folded(t, m, records...)
		states, err := f.States(t.Context(), 7000)
		if err != nil {
			t.Fatal(err)
		}
		if got := states["app"].State; got != availability.Unknown {
			t.Errorf("two series that match: got %s, want unknown", got)
		}
		told := 0
		for _, w := range m.writes {
			for _, n := range w.Notes {
				if strings.Contains(n.Body, "2 series of ok match") {
					told++
				}
			}
		}
		if told != 1 {
			t.Errorf("told %d times, want once", told)
		}
	})
}

// TestSelectedInAnyOrder: the streaks of selected series are those of the set
// of samples, whatever order they arrive in.
func TestSelectedInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	for round := range 30 {
		var values []map[string]float64
		for range 20 {
			v := map[string]float64{}
			for _, zone := range []string{"a", "b"} {
				if r.Intn(3) > 0 {
					v[zone] = []float64{0, 1, 1, 3}[r.Intn(4)]
				}
			}
			values = append(values, v)
		}
		of := func(order []int) (out []string) {
			synctest.Test(t, func(t *testing.T) {
				var records []*batch.Batch
				for pos, i := range order {
					records = append(records, scraped(journal.Position(pos+1), int64(i+1)*1000, values[i]))
				}
				f := folded(t, &memory{}, records...)
				all, err := f.Streaks(t.Context(), nil, minTime, maxTime)
				if err != nil {
					t.Fatal(err)
				}
				for i, seg := range availability.ComponentTimeline(selecting().Components[0], all["app"], 30_000) {
					out = append(out, fmt.Sprint(i, seg.State, seg.From, seg.To))
				}
			})
			return out
		}
		forward := make([]int, len(values))
		for i := range forward {
			forward[i] = i
		}
		want := of(forward)
		if got := of(r.Perm(len(values))); !slices.Equal(got, want) {
			t.Fatalf("round %d: %v\n got %v\nwant %v", round, values, got, want)
		}
	}
}
