package availability

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawFacts draws facts of one component by up to three observers within two
// days around 2026-06-10, on a grid coarse enough for equal instants.
func drawFacts(t *rapid.T, w *world, name string) []Fact {
	begin := w.ms("2026-06-09 12:00")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Fact {
		f := Fact{Component: name, Observer: rapid.SampledFrom([]string{"", "p", "q"}).Draw(t, "observer"),
			At:    begin + 30_000*rapid.Int64Range(0, 5000).Draw(t, "at"),
			State: rapid.SampledFrom([]State{Up, Up, Degraded, Down}).Draw(t, "state")}
		f.Received = f.At + 60_000*rapid.Int64Range(0, 3).Draw(t, "late")
		f.Hold = rapid.SampledFrom([]int64{0, 0, 0, 600_000, NoHold}).Draw(t, "hold")
		return f
	}), 0, 60).Draw(t, "facts of "+name)
}

// drawWorld draws a service of three components with all that can happen.
func drawWorld(tb testing.TB, t *rapid.T) *world {
	w := newWorld(tb, rapid.SampledFrom([]string{"UTC", "Europe/Paris", "Asia/Shanghai"}).Draw(t, "zone"), "a", "b", "c")
	w.from, w.to = "2026-06-10", "2026-06-11"
	w.catalogue.Services[0].Needs.AtLeast = rapid.IntRange(1, 3).Draw(t, "k")
	for _, name := range []string{"a", "b", "c"} {
		w.facts = append(w.facts, drawFacts(t, w, name)...)
		c := w.component(name)
		c.Interval = rapid.SampledFrom([]int64{0, 60_000, 300_000}).Draw(t, "interval")
		if rapid.Bool().Draw(t, "own hold") {
			c.Hold = rapid.SampledFrom([]int64{450_000, 3600_000}).Draw(t, "hold")
		}
		c.Need = rapid.IntRange(0, 2).Draw(t, "need")
	}
	if rapid.Bool().Draw(t, "starts") {
		w.component("a").From = w.bound("2026-06-10 06:00")
	}
	a := w.agreement()
	a.Policies = rapid.SampledFrom([]Policies{{}, {Planned: AsUp}, {Planned: AsDown}, {Unknown: AsUp}, {Unknown: AsDown}, {BeforeExistence: AsUp},
		{Degraded: DegradedPolicy{Down: true}}, {Degraded: DegradedPolicy{Share: big.NewRat(1, 3)}}}).Draw(t, "policies")
	if rapid.Bool().Draw(t, "window") {
		w.window("C1", "2026-06-10 03:00", "2026-06-10 09:00", "2026-06-01", nil, []string{"a"})
		w.window("C2", "2026-06-10 08:00", "2026-06-10 10:00", "2026-06-01", []string{"s"}, nil)
	}
	if rapid.Bool().Draw(t, "adjustments") {
		w.adjust("A1", "2026-06-10 05:00", "2026-06-10 07:00", rapid.SampledFrom([]Effect{CutOut, CorrectUp, CorrectDown}).Draw(t, "effect"), nil, []string{"b"})
	}
	return w
}

func asJSON(t testing.TB, figures []Figures) string {
	text, err := json.MarshalIndent(figures, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestArrivalOrderDoesNotMatter: the same facts in any order give the same
// figures.
func TestArrivalOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		want := asJSON(t, w.evaluate())
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "shuffle"), 1))
		r.Shuffle(len(w.facts), func(i, j int) { w.facts[i], w.facts[j] = w.facts[j], w.facts[i] })
		if diff := cmp.Diff(want, asJSON(t, w.evaluate())); diff != "" {
			rt.Fatalf("another order, other figures:\n%s", diff)
		}
	})
}

// TestStreaksAreAsGoodAsFacts: figures from streaks as the ledger keeps them
// equal those from one streak for each fact. Earliest may lie inside a streak;
// there the raw facts are asked, as the collector does.
func TestStreaksAreAsGoodAsFacts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		in := w.input()
		facts := SortFacts(append([]Fact(nil), w.facts...))
		known := facts[:0]
		for _, f := range facts {
			if f.Known(in.AsOf) {
				known = append(known, f)
			}
		}
		in.FactBefore = func(s Streak, before int64) (int64, bool) {
			at, ok := int64(0), false
			for _, f := range known {
				if f.Component == s.Component && f.Observer == s.Observer && f.At >= s.First && f.At < before {
					at, ok = f.At, true
				}
			}
			return at, ok
		}
		single, kept := map[string][]Streak{}, map[string][]Streak{}
		for _, f := range known {
			single[f.Component] = append(single[f.Component], Begin(f))
		}
		for _, s := range Streaks(known, func(name string, own, at int64) int64 { return w.component(name).StreakGap(own, at) }) {
			kept[s.Component] = append(kept[s.Component], s)
		}
		var results []string
		for _, streaks := range []map[string][]Streak{single, kept, in.Streaks} {
			in.Streaks = streaks
			figures, err := Evaluate(in)
			if err != nil {
				rt.Fatal(err)
			}
			results = append(results, asJSON(t, figures))
		}
		if diff := cmp.Diff(results[0], results[1]); diff != "" {
			rt.Fatalf("ledger's streaks:\n%s", diff)
		}
		if diff := cmp.Diff(results[0], results[2]); diff != "" {
			rt.Fatalf("longest streaks:\n%s", diff)
		}
	})
}

// TestMonthIsTheSumOfItsDays: seconds of parts add up to those of the whole,
// and every outage starts in one part only.
func TestMonthIsTheSumOfItsDays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		whole := w.evaluate()[0]
		w.asOf = w.to
		cuts := []string{"2026-06-10", "2026-06-10 05:30", "2026-06-10 05:31", "2026-06-10 17:00", "2026-06-11"}
		var parts Figures
		for i := range cuts[1:] {
			w.from, w.to = cuts[i], cuts[i+1]
			f := w.evaluate()[0]
			parts.AgreedS += f.AgreedS
			parts.UpS += f.UpS
			parts.DegradedS += f.DegradedS
			parts.DownS += f.DownS
			parts.UnknownS += f.UnknownS
			parts.Cut.PlannedS += f.Cut.PlannedS
			parts.Cut.AdjustedS += f.Cut.AdjustedS
			parts.Cut.ExistenceS += f.Cut.ExistenceS
			parts.OutagesStarted += f.OutagesStarted
			parts.OutagesRestored += f.OutagesRestored
		}
		text := func(f Figures) string {
			return fmt.Sprintf("%.3f %.3f %.3f %.3f %.3f | %.3f | %d %d", f.AgreedS, f.UpS, f.DegradedS, f.DownS, f.UnknownS,
				f.Cut, f.OutagesStarted, f.OutagesRestored)
		}
		if text(parts) != text(whole) {
			rt.Fatalf("\nparts %s\nwhole %s", text(parts), text(whole))
		}
	})
}

// TestAddMakesTheStreaksOfTheSet: facts worked in one by one, in any order,
// doubles included, give the streaks of the sorted set.
func TestAddMakesTheStreaksOfTheSet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		facts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Fact {
			return Fact{Component: "a", At: 10_000 * rapid.Int64Range(0, 60).Draw(t, "at"), State: rapid.SampledFrom([]State{Up, Up, Up, Down}).Draw(t, "state")}
		}), 1, 60).Draw(rt, "facts")
		gap := func(at int64) int64 { return 25_000 - at/60 } // slower at first
		var seen []Fact
		raw := func(s Streak, from, to int64) []Fact {
			var out []Fact
			for _, f := range SortFacts(append([]Fact(nil), seen...)) {
				if f.At >= from && f.At <= to {
					out = append(out, f)
				}
			}
			return out
		}
		var streaks []Streak
		for i, f := range facts {
			f.Received = int64(i)
			change := Add(streaks, f, gap, raw)
			streaks = apply(rt, streaks, change)
			seen = append(seen, f)
		}
		want := Streaks(SortFacts(append([]Fact(nil), seen...)), func(_ string, _, at int64) int64 { return gap(at) })
		if diff := cmp.Diff(want, streaks); diff != "" {
			rt.Fatalf("want -, got +\n%s", diff)
		}
	})
}

func apply(t *rapid.T, streaks []Streak, c Change) []Streak {
	var out []Streak
	removed := 0
	for _, s := range streaks {
		gone := false
		for _, r := range c.Remove {
			gone = gone || r == s
		}
		if gone {
			removed++
		} else {
			out = append(out, s)
		}
	}
	if removed != len(c.Remove) {
		t.Fatalf("removes %v, which are not all there", c.Remove)
	}
	out = append(out, c.Put...)
	sort.Slice(out, func(i, j int) bool { return out[i].First < out[j].First })
	return out
}

// TestSplitWithoutRawFacts: a fact of another state inside a streak whose
// facts nobody kept leaves pieces that claim nothing that was not seen.
func TestSplitWithoutRawFacts(t *testing.T) {
	gap := func(int64) int64 { return 15_000 }
	s := Streak{Component: "a", State: Up, First: 0, Last: 100_000, Count: 11, MaxGap: 10_000}
	got := Add([]Streak{s}, Fact{Component: "a", At: 42_000, State: Down}, gap, nil)
	want := []Streak{{Component: "a", State: Up, First: 0, Last: 32_000, Count: 3, MaxGap: 10_000},
		{Component: "a", State: Down, First: 42_000, Last: 42_000, Count: 1},
		{Component: "a", State: Up, First: 52_000, Last: 100_000, Count: 8, MaxGap: 10_000}}
	if diff := cmp.Diff(want, got.Put); diff != "" || len(got.Remove) != 1 {
		t.Errorf("removes %v\n%s", got.Remove, diff)
	}
	if again := Add([]Streak{s}, Fact{Component: "a", At: 42_000, State: Up}, gap, nil); again.Put != nil || again.Remove != nil {
		t.Errorf("the same state inside changes nothing: got %+v", again)
	}
}

// TestSetAlgebra checks the set operations against membership, instant by
// instant.
func TestSetAlgebra(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) Set {
		var spans []Span
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			from := rapid.Int64Range(0, 40).Draw(t, "from")
			spans = append(spans, Span{from, from + rapid.Int64Range(-1, 9).Draw(t, "length")})
		}
		return NewSet(spans...)
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		for name, c := range map[string]struct {
			got  Set
			want func(a, b bool) bool
		}{
			"union":     {a.Union(b), func(x, y bool) bool { return x || y }},
			"intersect": {a.Intersect(b), func(x, y bool) bool { return x && y }},
			"minus":     {a.Minus(b), func(x, y bool) bool { return x && !y }},
			"within":    {a.Within(10, 30), func(x, _ bool) bool { return x }},
		} {
			var length int64
			for at := int64(-2); at < 60; at++ {
				want := c.want(a.Has(at), b.Has(at)) && (name != "within" || at >= 10 && at < 30)
				if c.got.Has(at) != want {
					t.Fatalf("%s at %d: got %v", name, at, !want)
				}
				if want {
					length++
				}
			}
			if c.got.Length() != length {
				t.Fatalf("%s: length %d, want %d", name, c.got.Length(), length)
			}
			if !cmp.Equal(c.got, NewSet(c.got...)) && len(c.got) > 0 {
				t.Fatalf("%s is not in normal form: %v", name, c.got)
			}
		}
	})
}
