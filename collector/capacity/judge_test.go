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
