package availability

import (
	"slices"
	"testing"
	"time"
)

// TestOnlyWhatIsAPartThen: host b was in the service until the 10th, as one
// that moved to another group was. What happened to it since, and what was
// corrected or planned of it since, is no part of the service.
func TestOnlyWhatIsAPartThen(t *testing.T) {
	w := newWorld(t, "UTC", "a", "b")
	w.catalogue.Services = []Service{
		{Name: "s", Needs: Need{AtLeast: 1, Of: []Need{{Name: "a"}, {Name: "b in s"}}}},
		{Name: "b in s", Needs: Need{Name: "b"}, Until: w.bound("2026-10-10")},
	}
	for _, c := range []string{"a", "b"} {
		w.pings(c, "2026-10-01", "2026-10-05 00:00", time.Hour, Up)
		w.pings(c, "2026-10-05", "2026-10-06 00:00", time.Hour, Down)
		w.pings(c, "2026-10-06", "2026-10-20 00:00", time.Hour, Up)
		w.pings(c, "2026-10-20", "2026-10-21 00:00", time.Hour, Down)
		w.pings(c, "2026-10-21", "2026-11-01 00:00", time.Hour, Up)
	}
	w.adjust("ADJ-1", "2026-10-09", "2026-10-12", CutOut, nil, []string{"b"})
	w.window("CHG-1", "2026-10-20", "2026-10-20 12:00", "2026-10-01", nil, []string{"b"})
	w.from, w.to = "2026-10-01", "2026-11-01"
	f := w.evaluate()[0]
	if len(f.Outages) != 2 {
		t.Fatalf("got %d outages, want 2", len(f.Outages))
	}
	for i, want := range [][]string{{"a", "b"}, {"a"}} {
		if got := f.Outages[i].Components; !slices.Equal(got, want) {
			t.Errorf("outage %d: components %v, want %v", i+1, got, want)
		}
	}
	if f.Cut.AdjustedS != 86400 || f.Cut.PlannedS != 0 {
		t.Errorf("adjusted %g s, planned %g s; want the one day on which b was a part, and nothing", f.Cut.AdjustedS, f.Cut.PlannedS)
	}
	for _, p := range f.Pieces {
		if slices.Contains(p.Why, "CHG-1") {
			t.Errorf("the change of what is no part is the reason of %+v", p)
		}
	}
}
