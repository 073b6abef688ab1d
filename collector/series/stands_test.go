package series

import (
	"context"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/prometheus/prometheus/model/labels"

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
		opts := small(t, dir, feed, nowAt(t0+600_000))
		s := start(t, opts, feed)
		defer func() { _ = s.stop() }()
		rt.Repeat(map[string]func(*rapid.T){
			"deliver": func(rt *rapid.T) {
				for range rapid.IntRange(1, 10).Draw(rt, "records") {
					together := history{}
					var facts []batch.Sample
					for range rapid.IntRange(1, 4).Draw(rt, "facts") {
						f := batch.Sample{Series: rapid.SampledFrom(series).Draw(rt, "series"), T: t0 + 10_000*rapid.Int64Range(0, 60).Draw(rt, "at"),
							V: rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(rt, "state")}
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

// deliver appends a record whose samples are facts.
func (f *tape) deliver(facts []batch.Sample) journal.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	pos := f.first + journal.Position(len(f.batches))
	f.batches = append(f.batches, &batch.Batch{Pos: pos, Samples: facts, Facts: facts})
	close(f.changed)
	f.changed = make(chan struct{})
	return pos
}
