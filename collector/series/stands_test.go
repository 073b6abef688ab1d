package series

import (
	"context"
	"math"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// TestFirstFactStands appends facts that contradict each other in any order,
// compacts and restarts in between: of several for one instant the store has
// the first received, of those received together the worse.
func TestFirstFactStands(t *testing.T) {
	dirs := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(dirs, "")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		feed, want, last := newTape(), history{}, journal.Position(0)
		var series []*batch.Series
		for _, component := range []string{"shop", "till"} {
			series = append(series, &batch.Series{Labels: labels.FromStrings(nameLabel, checkStateName, "instance", "a", componentLabel, component),
				Component: component, Fact: batch.FactCheck})
		}
		series = append(series, &batch.Series{Labels: labels.FromStrings(nameLabel, "healthy", "instance", "a")})
		opts := small(t, dir, feed, nowAt(t0+600_000))
		opts.Catalogue = selecting("healthy")
		s := start(t, opts, feed)
		defer func() { _ = s.stop() }()
		rt.Repeat(map[string]func(*rapid.T){
			"deliver": func(rt *rapid.T) {
				for range rapid.IntRange(1, 10).Draw(rt, "records") {
					together := history{}
					var facts []batch.Sample
					for range rapid.IntRange(1, 4).Draw(rt, "facts") {
						f := batch.Sample{Series: rapid.SampledFrom(series).Draw(rt, "series"), T: t0 + 10_000*rapid.Int64Range(0, 60).Draw(rt, "at")}
						states := []float64{0, 0.5, 1}
						if f.Series.Fact == batch.FactNone {
							states = []float64{0, 1} // what selected series can say
						}
						f.V = rapid.SampledFrom(states).Draw(rt, "state")
						if rapid.IntRange(0, 3).Draw(rt, "let in anew") == 0 { // its host was: the same labels are another series to who decodes
							f.Series = &batch.Series{Labels: f.Series.Labels, Component: f.Series.Component, Fact: f.Series.Fact}
						}
						facts = append(facts, f)
						k := key{f.Series.Labels.String(), f.T}
						if v, ok := together[k]; !ok || f.V < v {
							together[k] = f.V
						}
					}
					for k, v := range together {
						if _, ok := want[k]; !ok {
							want[k] = v
						}
					}
					last = feed.deliver(facts)
				}
				s.until(t, last)
			},
			"compact": func(rt *rapid.T) {
				if err := s.Compact(context.Background()); err != nil {
					rt.Fatal(err)
				}
			},
			"restart": func(rt *rapid.T) {
				if err := s.stop(); err != nil {
					rt.Fatal(err)
				}
				feed.fresh()
				s = start(t, opts, feed)
				s.until(t, last)
			},
			"": func(*rapid.T) {},
		})
		equal(t, dump(t, s.Store), want)
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// TestStaleMarkersOfFacts: the mark that a series has ended is kept, of series
// that are facts as of others; beside a fact of its instant it is not.
func TestStaleMarkersOfFacts(t *testing.T) {
	stale := math.Float64frombits(value.StaleNaN)
	up := &batch.Series{Labels: labels.FromStrings(nameLabel, upName, "instance", "a"), Component: "a", Fact: batch.FactHost}
	healthy := &batch.Series{Labels: labels.FromStrings(nameLabel, "healthy", "instance", "a")}
	other := &batch.Series{Labels: labels.FromStrings(nameLabel, "other", "instance", "a")}
	for _, of := range []*batch.Series{up, healthy, other} {
		feed := newTape()
		opts := small(t, t.TempDir(), feed, nowAt(t0+600_000))
		opts.Catalogue = selecting("healthy")
		s := start(t, opts, feed)
		feed.deliver([]batch.Sample{{Series: of, T: t0, V: 1}, {Series: of, T: t0 + 10_000, V: stale}})
		s.until(t, feed.deliver([]batch.Sample{{Series: of, T: t0, V: stale}, {Series: of, T: t0 + 20_000, V: 1}}))
		got := dump(t, s.Store)
		kept := map[int64]float64{t0 + 10_000: stale, t0 + 20_000: 1}
		if of != other { // of which nobody computes a figure
			kept[t0] = 1
		}
		for at, want := range kept {
			if v, ok := got[key{of.Labels.String(), at}]; !ok || math.Float64bits(v) != math.Float64bits(want) {
				t.Errorf("%s at %d s: %v, there %v; want %v", of.Labels, (at-t0)/1000, v, ok, want)
			}
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}
}

// selecting is a catalogue with one component, by a metric.
func selecting(metric string) func() *availability.Catalogue {
	c := &availability.Catalogue{Components: []availability.Component{{Name: "selected", Series: &availability.Selector{Metric: metric}}}}
	return func() *availability.Catalogue { return c }
}

// deliver appends a record, with those of its samples as facts that are by themselves.
func (f *tape) deliver(samples []batch.Sample) journal.Position {
	facts := slices.DeleteFunc(slices.Clone(samples), func(s batch.Sample) bool { return s.Series.Fact == batch.FactNone })
	return f.record(&batch.Batch{Samples: samples, Facts: facts})
}
