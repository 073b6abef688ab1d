package availability

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// world is a catalogue with facts, written so that a reader can follow.
type world struct {
	t         testing.TB
	zone      *time.Location
	catalogue *Catalogue
	facts     []Fact
	from, to  string
	asOf      string // "": to
}

func zoneNamed(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// newWorld has one service "s" that needs all of the components, under one
// 24x7 agreement in the zone.
func newWorld(t testing.TB, zone string, components ...string) *world {
	w := &world{t: t, zone: zoneNamed(t, zone), catalogue: &Catalogue{Calendars: map[string]*Calendar{}}}
	need := Need{AtLeast: len(components)}
	for _, name := range components {
		w.catalogue.Components = append(w.catalogue.Components, Component{Name: name})
		need.Of = append(need.Of, Need{Name: name})
	}
	w.catalogue.Services = []Service{{Name: "s", Needs: need}}
	w.catalogue.Agreements = []Agreement{{Number: "A", Version: 1, Service: "s", Zone: w.zone}}
	return w
}

func (w *world) agreement() *Agreement { return &w.catalogue.Agreements[0] }

func (w *world) component(name string) *Component {
	for i := range w.catalogue.Components {
		if w.catalogue.Components[i].Name == name {
			return &w.catalogue.Components[i]
		}
	}
	w.t.Fatalf("no component %s", name)
	return nil
}

// ms reads "2026-10-01", "2026-10-01 23:00" or "2026-10-01 23:00:30.5" in the
// world's zone.
func (w *world) ms(text string) int64 {
	w.t.Helper()
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, w.zone); err == nil {
			return at.UnixMilli()
		}
	}
	w.t.Fatalf("bad time %q", text)
	return 0
}

func (w *world) bound(text string) Bound { return At(w.ms(text)) }

// sees adds facts: "2026-10-01 23:00 down". The component may carry the
// observer: "a@probe".
func (w *world) sees(component string, lines ...string) *world {
	w.t.Helper()
	name, observer, _ := strings.Cut(component, "@")
	for _, line := range lines {
		cut := strings.LastIndexByte(line, ' ')
		state, err := ParseState(line[cut+1:])
		if err != nil {
			w.t.Fatal(err)
		}
		at := w.ms(line[:cut])
		w.facts = append(w.facts, Fact{Component: name, Observer: observer, At: at, State: state, Received: at})
	}
	return w
}

// pings adds a fact each step from the first instant up to, without, the last.
func (w *world) pings(component, from, to string, step time.Duration, state State) *world {
	name, observer, _ := strings.Cut(component, "@")
	for at := w.ms(from); at < w.ms(to); at += step.Milliseconds() {
		w.facts = append(w.facts, Fact{Component: name, Observer: observer, At: at, State: state, Received: at})
	}
	return w
}

func (w *world) window(change, from, to, approved string, services, components []string) *world {
	w.catalogue.Windows = append(w.catalogue.Windows, Window{Change: change, Services: services, Components: components,
		From: w.bound(from), To: w.bound(to), ApprovedAt: w.bound(approved)})
	return w
}

func (w *world) adjust(id, from, to string, effect Effect, services, components []string) *world {
	w.catalogue.Adjustments = append(w.catalogue.Adjustments, Adjustment{ID: id, Services: services, Components: components,
		From: w.bound(from), To: w.bound(to), Effect: effect, ApprovedAt: w.bound(from)})
	return w
}

func (w *world) office() *Calendar {
	day, err := ParseDaySpan("08:00-12:00")
	if err != nil {
		w.t.Fatal(err)
	}
	spans := []DaySpan{day, {14 * 60, 18 * 60}}
	v := CalendarVersion{Closed: []DateRange{{NewDate(2026, 10, 1), NewDate(2026, 10, 7)}}, Open: map[Date][]DaySpan{NewDate(2026, 10, 10): spans}}
	for d := time.Monday; d <= time.Friday; d++ {
		v.Week[d] = spans
	}
	return &Calendar{Versions: []CalendarVersion{v}}
}

// streaks are the facts known as of the instant, sorted and folded.
func (w *world) streaks(asOf int64) map[string][]Streak {
	var known []Fact
	for _, f := range w.facts {
		if f.Known(asOf) {
			known = append(known, f)
		}
	}
	out := map[string][]Streak{}
	gap := func(name string, own, at int64) int64 { return w.component(name).Lasts(own, at) }
	for _, s := range Streaks(SortFacts(known), gap) {
		out[s.Component] = append(out[s.Component], s)
	}
	return out
}

func (w *world) input() Input {
	w.t.Helper()
	asOf := w.asOf
	if asOf == "" {
		asOf = w.to
	}
	return Input{Catalogue: w.catalogue, Streaks: w.streaks(w.ms(asOf)), From: w.bound(w.from), To: w.bound(w.to), AsOf: w.ms(asOf)}
}

func (w *world) evaluate() []Figures {
	w.t.Helper()
	figures, err := Evaluate(w.input())
	if err != nil {
		w.t.Fatal(err)
	}
	return figures
}

// brief is what most vectors look at, in minutes: availability, coverage; the
// cuts by name and the states that are not 0; outages started and restored.
func brief(f *Figures) string {
	var b strings.Builder
	fmt.Fprintf(&b, "A %s cov %s", Percent(f.Exact.Availability, 4), Percent(f.Exact.Coverage, 2))
	for _, part := range []struct {
		name string
		s    float64
	}{{"agreed", f.AgreedS}, {"calendar", f.Cut.CalendarS}, {"existence", f.Cut.ExistenceS}, {"planned", f.Cut.PlannedS}, {"adjusted", f.Cut.AdjustedS},
		{"up", f.UpS}, {"degraded", f.DegradedS}, {"down", f.DownS}, {"unknown", f.UnknownS}} {
		if part.s != 0 || part.name == "agreed" {
			fmt.Fprintf(&b, ", %s %g", part.name, part.s/60)
		}
	}
	fmt.Fprintf(&b, "; outages %d/%d", f.OutagesStarted, f.OutagesRestored)
	return b.String()
}

// policyValues are all the values of all policies, one at a time.
func policyValues() map[string]Policies {
	return map[string]Policies{
		"default":              {},
		"planned: down":        {Planned: AsDown},
		"planned: up":          {Planned: AsUp},
		"unknown: up":          {Unknown: AsUp},
		"unknown: down":        {Unknown: AsDown},
		"degraded: down":       {Degraded: DegradedPolicy{Down: true}},
		"degraded: 0.25":       {Degraded: DegradedPolicy{Share: big.NewRat(1, 4)}},
		"before_existence: up": {BeforeExistence: AsUp},
	}
}

// under checks the first agreement under every policy value; where want has
// none for a value, the value must change nothing.
func (w *world) under(want map[string]string) {
	w.t.Helper()
	for name, policies := range policyValues() {
		expected, ok := want[name]
		if !ok {
			expected = want["default"]
		}
		w.agreement().Policies = policies
		figures := w.evaluate()
		if got := brief(&figures[0]); got != expected {
			w.t.Errorf("%s\n got %s\nwant %s", name, got, expected)
		}
	}
	w.agreement().Policies = Policies{}
}

func near(got *float64, want float64) bool {
	return got != nil && (*got-want) < 1e-6*max(1, want) && (want-*got) < 1e-6*max(1, want)
}
