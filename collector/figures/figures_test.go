package figures_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/figures/figurestest"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

// TestSeedByHand checks the seed's figures against numbers worked out on
// paper. Known from 9 November 14:20 to 25 November 11:59:55 plus the hold:
// 15 d 21 h 40 min = 1 374 000 s, of 24 d 12 h = 2 116 800 s elapsed.
func TestSeedByHand(t *testing.T) {
	s := figurestest.Open(t)
	all, err := s.Engine.Month(t.Context(), s.Now)
	if err != nil {
		t.Fatal(err)
	}
	shop := all[0]
	const known, down = 1_374_000.0, 23*60 + 5*60 + 2*60 // 03:12:15-03:35:15, 10:00:15-10:05:15, 22:00:15-22:02:15
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"elapsed", shop.AgreedS, 2_116_800}, {"down", shop.DownS, down}, {"up", shop.UpS, known - down}, {"unknown", shop.UnknownS, 2_116_800 - known},
		{"availability", *shop.Availability, (known - down) / known}, {"coverage", *shop.Coverage, known / 2_116_800},
		{"outages", float64(shop.OutagesStarted), 3}, {"MTTR", *shop.MTTRS, down / 3}, {"budget", *shop.BudgetS, 0.001*2_592_000 - down},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
	if !shop.Outages[0].Bridged || shop.Indicators[0].State != availability.InsufficientData {
		t.Errorf("got %+v", shop)
	}
}

// TestStates: how everything stands, and since when.
func TestStates(t *testing.T) {
	s := figurestest.Open(t)
	states, err := s.Engine.States(t.Context(), s.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		got   figures.StateSince
		state availability.State
		since int64
	}{
		{states.Services["shop"], availability.Up, s.At(24, 22, 2, 15)},
		{states.Services["office"], availability.Down, s.At(25, 11, 48, 0)},
		{states.Services["portal"], availability.Unknown, 0},
		{states.Components["database"], availability.Down, s.At(25, 11, 48, 0)},
		{states.Components["web-1"], availability.Up, s.At(9, 14, 20, 0)},
	} {
		if c.got.State != c.state || c.got.Since != c.since {
			t.Errorf("got %+v, want %v since %d", c.got, c.state, c.since)
		}
	}
	line, err := s.Engine.ServiceTimeline(t.Context(), "shop", time.UnixMilli(s.At(12, 3, 0, 0)), time.UnixMilli(s.At(12, 4, 0, 0)), s.Now)
	if err != nil || len(line) != 3 || line[1].State != availability.Down || line[1].Length() != 23*60_000 {
		t.Errorf("got %v, %v", line, err)
	}
}

// TestMonthEdge: an instant on the edge of two months belongs to the one that
// ends there, in each agreement's zone.
func TestMonthEdge(t *testing.T) {
	s := figurestest.Open(t)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 11, 1, 0, 0, 0, 0, s.Zone), "2026-10-01T00:00:00+08:00"},
		{time.Date(2026, 11, 1, 0, 0, 0, 1e6, s.Zone), "2026-11-01T00:00:00+08:00"},
		{time.Date(2026, 10, 31, 17, 0, 0, 0, time.UTC), "2026-11-01T00:00:00+08:00"},
	} {
		all, err := s.Engine.Month(t.Context(), c.at)
		if err != nil || len(all) == 0 || all[0].From.String() != c.want {
			t.Errorf("at %s: got %v, %v, want from %s", c.at, all, err, c.want)
		}
	}
}

// TestAskedAgainAfterLateFacts: a figure of PromQL that was remembered is
// computed again when facts of its time arrive late, and only then differs.
func TestAskedAgainAfterLateFacts(t *testing.T) {
	s := figurestest.Open(t)
	ask := func(at int64) float64 {
		values, err := s.PromQL.Instant(t.Context(), `plimsoll_service_availability_ratio{service="shop"}`, time.UnixMilli(at))
		if err != nil || len(values) != 1 {
			t.Fatalf("got %v, %v", values, err)
		}
		return values[0].V
	}
	before, late := s.At(10, 9, 0, 0), s.At(15, 9, 0, 0)
	firstBefore, firstLate := ask(before), ask(late)
	// The 14th, 12:00 to 12:10 turns out to have been down.
	old := availability.Streak{Component: "shop-page", Observer: "web-1", State: availability.Up, First: s.At(12, 3, 35, 15), Last: s.At(14, 12, 0, 0), Count: 2, MaxGap: 15_000}
	down := availability.Streak{Component: "shop-page", Observer: "web-1", State: availability.Down, First: s.At(14, 12, 0, 0) + 1, Last: s.At(14, 12, 10, 0), Count: 2, MaxGap: 15_000}
	again := availability.Streak{Component: "shop-page", Observer: "web-1", State: availability.Up, First: s.At(14, 12, 10, 0) + 1, Last: s.At(18, 10, 0, 0), Count: 2, MaxGap: 15_000}
	if err := s.Ledger.ApplyFold(t.Context(), ledger.Fold{Position: 11, Put: []availability.Streak{old, down, again}}); err != nil {
		t.Fatal(err)
	}
	s.Now = s.Now.Add(2 * time.Second)
	if got := ask(before); got != firstBefore {
		t.Errorf("before the late facts: got %v, want %v as ever", got, firstBefore)
	}
	if got := ask(late); got >= firstLate {
		t.Errorf("after the late facts: got %v, want less than %v", got, firstLate)
	}
}

// TestNoValueEndsTheSeries: an instant without a value does not show an older one.
func TestNoValueEndsTheSeries(t *testing.T) {
	s := figurestest.Open(t)
	state := func(at int64) int {
		values, err := s.PromQL.Instant(t.Context(), `plimsoll_service_state{service="shop"}`, time.UnixMilli(at))
		if err != nil {
			t.Fatal(err)
		}
		return len(values)
	}
	if n := state(s.At(9, 14, 19, 0)); n != 0 {
		t.Errorf("before the first fact: %d samples", n)
	}
	// Two minutes after the last fact all are unknown, in a range too.
	lines, err := s.PromQL.Range(t.Context(), `plimsoll_service_state{service="shop"}`, s.Now.Add(-time.Minute), s.Now.Add(3*time.Minute), 30*time.Second)
	if err != nil || len(lines) != 1 {
		t.Fatalf("got %v, %v", lines, err)
	}
	if last := lines[0].Points[len(lines[0].Points)-1].T; last > s.Now.Add(time.Minute).UnixMilli() {
		t.Errorf("a state is shown until %s", time.UnixMilli(last))
	}
}

// TestComputedSeriesOverARange: functions over ranges and subqueries work on figures.
func TestComputedSeriesOverARange(t *testing.T) {
	s := figurestest.Open(t)
	for _, expr := range []string{
		`avg_over_time(plimsoll_service_state{service="shop"}[1h])`,
		`min_over_time(plimsoll_service_availability_ratio{service="office"}[30m:1m])`,
		`plimsoll_service_availability_ratio{service="shop"} offset 1d`,
		`plimsoll_records_open`,
		`count({__name__=~"plimsoll_service_.*"})`,
	} {
		values, err := s.PromQL.Instant(t.Context(), expr, s.Now)
		if err != nil || len(values) != 1 {
			t.Errorf("%s: got %v, %v", expr, values, err)
		}
	}
	yesterday, err := s.PromQL.Instant(t.Context(), `plimsoll_service_availability_ratio{service="shop"} offset 1d`, s.Now)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Engine.Month(t.Context(), s.Now.Add(-24*time.Hour))
	if err != nil || yesterday[0].V != *all[0].Availability {
		t.Errorf("offset 1d: got %v, want %v", yesterday[0].V, *all[0].Availability)
	}
}

// TestUsages: levels and thresholds of what is full.
func TestUsages(t *testing.T) {
	s := figurestest.Open(t)
	usages, err := s.Engine.Usages(t.Context(), s.Now)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]capacity.Level{}
	for _, u := range usages {
		got[u.Resource.Name+" "+u.Instance()] = u.Level()
	}
	if len(got) != 8 || got["filesystem db-1 /var/lib/postgresql"] != capacity.Warning || got["filesystem db-1 /"] != capacity.Clear {
		t.Errorf("got %v", got)
	}
}

// TestCombineIsTheTree: Combine agrees with the arithmetic's own trees.
func TestCombineIsTheTree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		children := rapid.SliceOfN(rapid.SampledFrom([]availability.State{availability.Unknown, availability.Up, availability.Degraded, availability.Down}), 1, 5).Draw(r, "children")
		atLeast := rapid.IntRange(1, len(children)).Draw(r, "at least")
		c := &availability.Catalogue{Services: []availability.Service{{Name: "s", Needs: availability.Need{AtLeast: atLeast}}}}
		streaks := map[string][]availability.Streak{}
		for i, state := range children {
			name := fmt.Sprint("c", i)
			c.Components = append(c.Components, availability.Component{Name: name})
			c.Services[0].Needs.Of = append(c.Services[0].Needs.Of, availability.Need{Name: name})
			if state != availability.Unknown {
				streaks[name] = []availability.Streak{{Component: name, State: state, First: 1000, Last: 1000, Count: 1}}
			}
		}
		line, err := availability.ServiceTimeline(availability.Input{Catalogue: c, Streaks: streaks, AsOf: 5000}, "s")
		if err != nil {
			r.Fatal(err)
		}
		if want, _ := line.At(2000); figures.Combine(atLeast, children) != want {
			r.Errorf("%d of %v: got %v, want %v", atLeast, children, figures.Combine(atLeast, children), want)
		}
	})
}
