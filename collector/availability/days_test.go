package availability

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestDays: agreed is Monday to Friday from 8 to 18 in Paris, and 2026-10-05 is a
// Monday. It is down from 7 to 9 on it, from 20 to 21 on Tuesday, from 10 to 11 in
// planned work on Wednesday, and from 9 on Thursday, of which it is 12.
func TestDays(t *testing.T) {
	w := newWorld(t, "Europe/Paris", "a")
	w.catalogue.Calendars["office"] = &Calendar{Versions: []CalendarVersion{officeWeek(8, 18)}}
	w.agreement().Calendar = "office"
	w.sees("a", "2026-10-01 00:00 up", "2026-10-05 07:00 down", "2026-10-05 09:00 up", "2026-10-06 20:00 down", "2026-10-06 21:00 up",
		"2026-10-07 10:00 down", "2026-10-07 11:00 up", "2026-10-08 09:00 down")
	w.window("CHG-1", "2026-10-07 09:00", "2026-10-07 12:00", "2026-10-01", nil, []string{"a"})
	w.from, w.to, w.asOf = "2026-10-04", "2026-10-11", "2026-10-08 12:00"
	days, err := Days(w.input())
	if err != nil {
		t.Fatal(err)
	}
	hours := func(ms [4]int64) string {
		var parts []string
		for _, s := range []State{Up, Degraded, Down, Unknown} {
			if ms[s] != 0 {
				parts = append(parts, fmt.Sprintf("%s %g h", s, float64(ms[s])/3_600_000))
			}
		}
		return strings.Join(parts, ", ")
	}
	var got []string
	for _, d := range days["s"] {
		got = append(got, fmt.Sprintf("%s: %s; else %s", Instant{d.From, w.zone}.String()[:10], hours(d.Counted), hours(d.Outside)))
	}
	want := `2026-10-04: ; else up 24 h
2026-10-05: up 9 h, down 1 h; else up 13 h, down 1 h
2026-10-06: up 10 h; else up 13 h, down 1 h
2026-10-07: up 9 h; else up 14 h, down 1 h
2026-10-08: up 1 h, down 3 h; else up 8 h`
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestDaysAddUp: the counted times of the days are the states of the figures,
// and all of them together the time that has elapsed.
func TestDaysAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		w.from, w.to = "2026-06-09", "2026-06-12"
		w.asOf = rapid.SampledFrom([]string{"2026-06-09 06:00", "2026-06-10 10:30", "2026-06-12", "2026-06-13"}).Draw(rt, "as of")
		days, err := Days(w.input())
		if err != nil {
			rt.Fatal(err)
		}
		var counted [4]int64
		var all int64
		for _, d := range days["s"] {
			for s := range counted {
				counted[s] += d.Counted[s]
				all += d.Counted[s] + d.Outside[s]
			}
			if d.To-d.From != 86_400_000 {
				rt.Fatalf("%d lasts %d ms", d.From, d.To-d.From)
			}
		}
		f := w.evaluate()[0]
		for s, want := range map[State]float64{Up: f.UpS, Degraded: f.DegradedS, Down: f.DownS, Unknown: f.UnknownS} {
			if msSeconds(counted[s]) != want {
				rt.Fatalf("%s: the days come to %g s, the figures say %g s", s, msSeconds(counted[s]), want)
			}
		}
		if want := min(w.ms(w.asOf), w.ms(w.to)) - w.ms(w.from); all != want {
			rt.Fatalf("the days come to %d ms of %d", all, want)
		}
	})
}
