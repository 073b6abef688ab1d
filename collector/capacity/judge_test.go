package capacity

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const minute = int64(60_000)

// TestJudge walks one instance through time: each step is a utilisation in
// percent, a minute after the one before, and what is found then.
func TestJudge(t *testing.T) {
	r := Resource{Warning: 0.8, Critical: 0.9, Clear: 0.75, For: 2 * time.Minute}
	noCritical, atOnce, noClear := r, r, r
	noCritical.Critical, atOnce.For, noClear.Clear = 0, 0, 0
	for _, c := range []struct {
		name  string
		r     Resource
		steps string // 85 = 85 %, - = no value, x3 = three minutes more without one
		want  string // minute: event level
	}{
		{"never full", r, "50 60 79 50", ""},
		{"stands for its time", r, "50 80 80 80", "3: breached warning since 1"},
		{"a dip begins the wait again", r, "80 80 79 80 80 80", "5: breached warning since 3"},
		{"straight to critical", r, "95 95 95 95", "2: breached critical since 0"},
		{"warning first, then critical", r, "85 85 85 95 95 95", "2: breached warning since 0, 5: escalated critical since 3"},
		{"critical for a moment only", r, "85 85 85 95 85 95", "2: breached warning since 0"},
		{"critical while it waits counts for warning", r, "85 95 85", "2: breached warning since 0"},
		{"once found it is not found again", r, "85 85 85 85 85 85", "2: breached warning since 0"},
		{"between clear and warning nothing changes", r, "85 85 85 76 76 76 85 85 85", "2: breached warning since 0"},
		{"recovered after its time below clear", r, "85 85 85 70 70 70", "2: breached warning since 0, 5: recovered warning since 3"},
		{"a moment below clear is no recovery", r, "85 85 85 70 76 70 70", "2: breached warning since 0"},
		{"equal to clear is not below it", r, "85 85 85 75 75 75", "2: breached warning since 0"},
		{"again after recovery", r, "85 85 85 70 70 70 85 85 85", "2: breached warning since 0, 5: recovered warning since 3, 8: breached warning since 6"},
		{"recovered from critical in one step", r, "95 95 95 10 10 10", "2: breached critical since 0, 5: recovered critical since 3"},
		{"a vanished series is neither", r, "85 - - 85", "3: breached warning since 0"},
		{"vanished in breach is no recovery", r, "85 85 85 - - - - 85", "2: breached warning since 0"},
		{"away for too long begins the wait again", r, "85 x6 85 85 85", "9: breached warning since 7"},
		{"without critical", noCritical, "95 95 95 95 95", "2: breached warning since 0"},
		{"at once", atOnce, "85 70 95 10", "0: breached warning since 0, 1: recovered warning since 1, 2: breached critical since 2, 3: recovered critical since 3"},
		{"clear is warning where it is not given", noClear, "85 85 85 79 79 79", "2: breached warning since 0, 5: recovered warning since 3"},
	} {
		if got := walk(t, &c.r, c.steps); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.name, c.steps, got, c.want)
		}
	}
}

// walk judges the steps and tells what was found.
func walk(t *testing.T, r *Resource, steps string) string {
	t.Helper()
	var s State
	var found []string
	begin := 1_000_000 * minute
	at := begin
	for _, step := range strings.Fields(steps) {
		var percent float64
		var more int64
		switch {
		case step == "-":
		case strings.HasPrefix(step, "x"):
			if _, err := fmt.Sscanf(step, "x%d", &more); err != nil {
				t.Fatal(err)
			}
			at += (more - 1) * minute
		default:
			if _, err := fmt.Sscanf(step, "%f", &percent); err != nil {
				t.Fatal(err)
			}
			var fs []Finding
			s, fs = Judge(s, r, percent, 100, at)
			for _, f := range fs {
				event := map[Event]string{Breached: "breached", Escalated: "escalated", Recovered: "recovered"}[f.Event]
				found = append(found, fmt.Sprintf("%d: %s %s since %d", (at-begin)/minute, event, f.Level, (f.Since-begin)/minute))
			}
		}
		at += minute
	}
	return strings.Join(found, ", ")
}

func TestValuesThatSayNothing(t *testing.T) {
	r := Resource{Warning: 0.8, Clear: 0.75}
	prev := State{Level: Warning, Seen: 10 * minute, Used: 90, Limit: 100}
	for _, c := range []struct {
		name        string
		used, limit float64
		at          int64
	}{
		{"no limit", 1, 0, 11 * minute}, {"limit below zero", 1, -1, 11 * minute}, {"limit no number", 1, math.NaN(), 11 * minute},
		{"limit infinite", 1, math.Inf(1), 11 * minute}, {"used no number", math.NaN(), 100, 11 * minute}, {"used infinite", math.Inf(1), 100, 11 * minute},
		{"the same instant again", 1, 100, 10 * minute}, {"an earlier instant", 1, 100, 9 * minute},
	} {
		if s, f := Judge(prev, &r, c.used, c.limit, c.at); s != prev || len(f) > 0 {
			t.Errorf("%s: got %+v %v, want no change", c.name, s, f)
		}
	}
}

// TestMiss: an instance in breach whose last value is from minute 100, with a
// grace of 5 minutes.
func TestMiss(t *testing.T) {
	for _, c := range []struct {
		name       string
		level      Level
		unmeasured int64 // minute; 0: measured
		heard      int64 // minute its host was heard of
		at         int64
		found      bool
	}{
		{"within the grace", Warning, 0, 104, 104, false},
		{"beyond it", Warning, 0, 105, 105, true},
		{"critical beyond it", Critical, 0, 110, 110, true},
		{"its host is silent, too", Critical, 0, 101, 500, false},
		{"said already", Critical, 100, 110, 110, false},
		{"not in breach", Clear, 0, 110, 110, false},
	} {
		prev := State{Level: c.level, OverWarning: 90 * minute, UnderClear: 99 * minute, Seen: 100 * minute, Used: 95, Limit: 100, Unmeasured: c.unmeasured * minute}
		s, found := Miss(prev, c.heard*minute, 5*minute, c.at*minute)
		if !c.found {
			if s != prev || len(found) > 0 {
				t.Errorf("%s: got %+v %v, want no change", c.name, s, found)
			}
			continue
		}
		want := Finding{Event: Vanished, Level: c.level, Since: 100 * minute, At: c.at * minute, Used: 95, Limit: 100}
		if len(found) != 1 || found[0] != want || s.Unmeasured != 100*minute || s.Level != c.level || s.OverWarning != 0 || s.UnderClear != 0 {
			t.Errorf("%s: got %+v %+v, want %+v", c.name, s, found, want)
		}
	}
}

// TestReturn: what was not measured since minute 100 has values again from
// minute 110 on, in percent, one a minute; clear is 75 % and `for` 2 minutes.
func TestReturn(t *testing.T) {
	r := Resource{Warning: 0.8, Critical: 0.9, Clear: 0.75, For: 2 * time.Minute}
	names := map[Event]string{Breached: "breached", Escalated: "escalated", Recovered: "recovered", Returned: "returned"}
	for _, c := range []struct {
		values []float64
		want   string
		level  Level
	}{
		{[]float64{85, 85}, "110 returned", Warning},
		{[]float64{78, 78}, "110 returned", Warning},
		{[]float64{75}, "110 returned", Warning},
		{[]float64{95, 95, 95}, "110 returned, 112 escalated", Critical},
		{[]float64{10, 10}, "", Warning},
		{[]float64{10, 10, 10}, "112 recovered", Clear},
		{[]float64{10, 85}, "111 returned", Warning},
		{[]float64{10, 10, 10, 85, 85, 85}, "112 recovered, 115 breached", Warning},
	} {
		s := State{Level: Warning, Seen: 100 * minute, Used: 85, Limit: 100, Unmeasured: 100 * minute}
		var got []string
		for i, v := range c.values {
			at := 110 + int64(i)
			var found []Finding
			s, found = Judge(s, &r, v, 100, at*minute)
			for _, f := range found {
				got = append(got, fmt.Sprintf("%d %s", at, names[f.Event]))
			}
		}
		if strings.Join(got, ", ") != c.want || s.Level != c.level || s.Unmeasured != 0 == (c.want != "") {
			t.Errorf("%v: got %v, %+v; want %s, level %s", c.values, got, s, c.want, c.level)
		}
	}
}

func TestClockSetBack(t *testing.T) {
	r := Resource{Warning: 0.8, Clear: 0.75, For: time.Minute}
	s := State{OverWarning: 99 * minute, Seen: 100 * minute, Used: 90, Limit: 100}
	s, f := Judge(s, &r, 90, 100, 50*minute)
	if len(f) > 0 || s.OverWarning != 50*minute || s.Seen != 50*minute {
		t.Errorf("got %+v %v, want the wait to begin at the new time", s, f)
	}
	if _, f = Judge(s, &r, 90, 100, 51*minute); len(f) != 1 {
		t.Errorf("got %v, want a breach a minute later", f)
	}
}

// TestFindingsAlternate: whatever the values, a breach comes before a
// recovery, an escalation only between them, and each stands on values that
// stood for the whole time it says.
func TestFindingsAlternate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Resource{Warning: 0.8, Critical: 0.9, Clear: 0.7, For: time.Duration(rapid.IntRange(0, 5).Draw(t, "for")) * time.Minute}
		var s State
		seen := map[int64]float64{}
		at, level := 1000*minute, Clear
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			at += rapid.Int64Range(1, 3).Draw(t, "pause") * minute
			u := rapid.SampledFrom([]float64{0.1, 0.69, 0.7, 0.75, 0.8, 0.85, 0.9, 0.99}).Draw(t, "used")
			seen[at] = u
			var found []Finding
			s, found = Judge(s, &r, u*1000, 1000, at)
			for _, f := range found {
				if ok := map[Event]bool{Breached: level == Clear, Escalated: level == Warning && f.Level == Critical, Recovered: level != Clear && f.Level == level}[f.Event]; !ok {
					t.Fatalf("%+v from level %s", f, level)
				}
				for when, v := range seen {
					if when >= f.Since && when <= f.At && (v >= f.Threshold) == (f.Event == Recovered) {
						t.Fatalf("%+v, but it was %v at %d", f, v, when)
					}
				}
				if f.At-f.Since < r.For.Milliseconds() {
					t.Fatalf("%+v stood for less than %v", f, r.For)
				}
				level = f.Level
				if f.Event == Recovered {
					level = Clear
				}
			}
			if s.Level != level {
				t.Fatalf("state says %s, findings say %s", s.Level, level)
			}
		}
	})
}

func TestDefaultsAreGood(t *testing.T) {
	names := map[string]bool{}
	for _, r := range Defaults() {
		if err := r.Check(); err != nil || names[r.Name] {
			t.Errorf("%s: %v, name taken %v", r.Name, err, names[r.Name])
		}
		names[r.Name] = true
		if r.Rule() != "capacity/"+r.Name || r.Per[0] != "instance" || r.Critical == 0 || r.Clear >= r.Warning || r.For < time.Minute {
			t.Errorf("%s is not what a default has to be: %+v", r.Name, r)
		}
	}
	for _, want := range []string{"cpu", "memory", "filesystem"} {
		if !names[want] {
			t.Errorf("no default for %s", want)
		}
	}
}

func TestCheckNamesAllFaults(t *testing.T) {
	bad := Resource{Warning: -1, Critical: -2, Clear: 3, For: -1}
	want := strings.Join([]string{
		"resource without a name",
		"resource : per names no label: what makes one instance of it?",
		"resource : used and limit are both needed",
		"resource : warning -1 is not a share of the limit above 0",
		"resource : critical -2 is below warning -1",
		"resource : clear 3 is not between 0 and warning -1",
		"resource : for -1ns is negative",
	}, "\n")
	if err := bad.Check(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestLevelsComeBack(t *testing.T) {
	for _, l := range []Level{Clear, Warning, Critical} {
		if got := ParseLevel(l.String()); got != l {
			t.Errorf("%s came back as %s", l, got)
		}
	}
	if u := (State{Used: 1}).Utilisation(); !math.IsNaN(u) {
		t.Errorf("utilisation without a limit: got %v", u)
	}
}
