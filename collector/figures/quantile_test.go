package figures

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/series"
)

// TestNearestRank: the ceil(q n)-th smallest, without a float in between.
func TestNearestRank(t *testing.T) {
	for _, c := range []struct {
		q    string
		n    int64
		want int64
	}{
		{"95/100", 1, 1},
		{"95/100", 19, 19}, // 18.05
		{"95/100", 20, 19}, // 19 exactly
		{"95/100", 21, 20}, // 19.95
		{"95/100", 100, 95},
		{"999/1000", 1000, 999},
		{"1/2", 4, 2},
		{"1/2", 5, 3},
		{"1", 7, 7},       // the largest
		{"1/1000", 10, 1}, // never below the smallest
		{"7/100", 100, 7}, // 0.07 x 100 is 7.000000000000001 as floats
	} {
		q, _ := new(big.Rat).SetString(c.q)
		if got := nearestRank(q, c.n); got != c.want {
			t.Errorf("%s of %d: rank %d, want %d", c.q, c.n, got, c.want)
		}
	}
}

// TestInstants: the grid is every five minutes of the hour; from is in, to is not.
func TestInstants(t *testing.T) {
	const min = 60_000
	got := instants(availability.NewSet(availability.Span{From: 1, To: 10 * min}, availability.Span{From: 15 * min, To: 20*min + 1}))
	want := []int64{5 * min, 15 * min, 20 * min}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestSharesOfInstances: each instance by its own limit; no limit, a limit of
// nothing and no number are no utilisation.
func TestSharesOfInstances(t *testing.T) {
	r := &capacity.Resource{Name: "disk", Per: []string{"instance", "mountpoint"}}
	line := func(mount string, values ...float64) series.Line {
		l := series.Line{Labels: labels.FromStrings("instance", "web-1", "mountpoint", mount)}
		for i, v := range values {
			l.Points = append(l.Points, series.Point{T: int64(i) * grid, V: v})
		}
		return l
	}
	got := shares(r, []series.Line{line("/", 50, 60), line("/", 55), line("/data", 1, 2), line("/new", 7)}, []series.Line{line("/", 100, 120), line("/data", 0, 4)})
	for _, c := range []struct {
		name string
		at   int64
		want float64 // -1: none
	}{
		{"web-1\x00/", 0, 0.55}, // of two series of one instance the larger
		{"web-1\x00/", grid, 0.5},
		{"web-1\x00/data", 0, -1},
		{"web-1\x00/data", grid, 0.5},
		{"web-1\x00/new", 0, -1},
	} {
		v := -1.0
		if u := got[c.name]; u != nil {
			if known, ok := u.at[c.at]; ok {
				v = known
			}
		}
		if v != c.want {
			t.Errorf("%q at %d: %v, want %v", c.name, c.at, v, c.want)
		}
	}
}

// TestSteadyValues: a sum made in another order is the same value.
func TestSteadyValues(t *testing.T) {
	a, b := 0.1, 0.2
	if steadily(a+b+0.3).Cmp(steadily(0.3+b+a)) != 0 || steadily(a+b).Cmp(big.NewRat(3, 10)) != 0 {
		t.Error("the last digits of a sum count")
	}
	if exactly(0.1).Cmp(big.NewRat(1, 10)) != 0 {
		t.Error("0.1 is no tenth")
	}
}

// TestNoInstantYet: before the first five minutes of the hour that are agreed
// nothing can be said of utilisation, also not that nothing has the resource.
func TestNoInstantYet(t *testing.T) {
	cat, faults := catalogue.Parse("catalogue.yaml", []byte(fmt.Sprintf(tenHours, "{name: i, kind: capacity, resource: disk, target: 85%}")))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	h := &archive{used: []series.Line{disk("web-1", "/", 0, 10*hour, 40)}}
	e := New(Options{Samples: h, Raw: h, Now: func() time.Time { return time.UnixMilli(20 * hour) }})
	for to, want := range map[int64]string{
		5 * minute:   "none not_applicable not_begun",
		5*minute + 1: "2/5 met samples 1/1 web-1 /",
	} {
		all, err := e.evaluate(availability.Input{Catalogue: cat.Availability, From: availability.At(minute), To: availability.At(10 * hour), AsOf: to})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.measure(t.Context(), measuring{cat: cat, asOf: to}, &all[0]); err != nil {
			t.Fatal(err)
		}
		if got := told(&all[0].Indicators[0]); got != want {
			t.Errorf("up to %d ms: got %q, want %q", to, got, want)
		}
	}
}
