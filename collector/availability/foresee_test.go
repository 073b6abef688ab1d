package availability

import "testing"

// TestForesee: one service under 24x7, notice 24 h, cap 8 h a month, seen from
// 20 October 12:00; two hours of the cap were used on the 5th.
func TestForesee(t *testing.T) {
	const h = int64(3_600_000)
	for _, c := range []struct {
		name      string
		window    Window
		from, to  string
		inTime    bool
		direct    bool
		left      int64
		counts    int64
		displaces int64
	}{
		{"in time, within the cap", Window{Services: []string{"s"}}, "2026-10-22 00:00", "2026-10-22 04:00", true, true, 4 * h, 4 * h, 0},
		{"beyond the cap", Window{Services: []string{"s"}}, "2026-10-29 00:00", "2026-10-29 06:00", true, true, 4 * h, 4 * h, 0},
		{"before a window that is planned already", Window{Services: []string{"s"}}, "2026-10-22 00:00", "2026-10-22 06:00", true, true, 4 * h, 6 * h, 2 * h},
		{"upon a window that is planned already", Window{Services: []string{"s"}}, "2026-10-25 00:00", "2026-10-25 02:00", true, true, 4 * h, 0, 0},
		{"at the last instant", Window{Services: []string{"s"}}, "2026-10-21 12:00", "2026-10-21 13:00", true, true, 4 * h, h, 0},
		{"too late", Window{Services: []string{"s"}}, "2026-10-21 11:59", "2026-10-21 13:00", false, true, 4 * h, 0, 0},
		{"only a component", Window{Components: []string{"a"}}, "2026-10-22 00:00", "2026-10-22 01:00", true, false, 4 * h, h, 0},
		{"over the month's edge", Window{Services: []string{"s"}}, "2026-10-31 20:00", "2026-11-01 02:00", true, true, 4 * h, 6 * h, 0},
		{"the next month begins anew", Window{Services: []string{"s"}}, "2026-11-03 00:00", "2026-11-03 09:00", true, true, 8 * h, 8 * h, 0},
	} {
		w := newWorld(t, "Asia/Shanghai", "a")
		w.agreement().Notice = 24 * h
		w.agreement().Cap = &Cap{Length: 8 * h, Per: Month}
		w.catalogue.Windows = []Window{
			{Change: "past", Services: []string{"s"}, From: w.bound("2026-10-05 00:00"), To: w.bound("2026-10-05 02:00"), ApprovedAt: w.bound("2026-10-01")},
			{Change: "ahead", Services: []string{"s"}, From: w.bound("2026-10-25 00:00"), To: w.bound("2026-10-25 02:00"), ApprovedAt: w.bound("2026-10-01")}}
		c.window.From, c.window.To = w.bound(c.from), w.bound(c.to)
		got, err := Foresee(Input{Catalogue: w.catalogue, AsOf: w.ms("2026-10-20 12:00")}, []Window{c.window})
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %v %v", c.name, got, err)
		}
		f := got[0]
		if f.InTime != c.inTime || f.Direct != c.direct || f.Left != c.left || f.Counts != c.counts || f.Displace != c.displaces {
			t.Errorf("%s: in time %v, direct %v, left %d, counts %d, displaces %d; want %v %v %d %d %d", c.name, f.InTime, f.Direct, f.Left, f.Counts, f.Displace, c.inTime, c.direct, c.left, c.counts, c.displaces)
		}
		if want := w.ms(c.from) - 24*h; f.Deadline != want {
			t.Errorf("%s: deadline %d, want %d", c.name, f.Deadline, want)
		}
		// What was foreseen is what comes: approved now, the figures count it so.
		if !c.direct {
			continue
		}
		planned := func() float64 {
			all, err := Evaluate(Input{Catalogue: w.catalogue, From: w.bound("2026-10-01"), To: w.bound("2026-12-01"), AsOf: w.ms("2026-12-01")})
			if err != nil {
				t.Fatal(err)
			}
			return all[0].Cut.PlannedS
		}
		before := planned()
		c.window.Change, c.window.ApprovedAt = "new", w.bound("2026-10-20 12:00")
		w.catalogue.Windows = append(w.catalogue.Windows, c.window)
		if got, want := planned()-before, msSeconds(f.Counts-f.Displace); got != want {
			t.Errorf("%s: %v s more are planned, foreseen were %v", c.name, got, want)
		}
	}
}

// TestForeseeSeries: each window of a rule takes of the cap what is left by those before.
func TestForeseeSeries(t *testing.T) {
	const h = int64(3_600_000)
	w := newWorld(t, "Asia/Shanghai", "a")
	w.agreement().Cap = &Cap{Length: 5 * h, Per: Month}
	var windows []Window
	for _, day := range []string{"2026-10-21", "2026-10-22", "2026-10-23"} {
		windows = append(windows, Window{Services: []string{"s"}, From: w.bound(day + " 00:00"), To: w.bound(day + " 02:00")})
	}
	got, err := Foresee(Input{Catalogue: w.catalogue, AsOf: w.ms("2026-10-20 12:00")}, windows)
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	for i, want := range []struct{ left, counts int64 }{{5 * h, 2 * h}, {3 * h, 2 * h}, {h, h}} {
		if got[i].Left != want.left || got[i].Counts != want.counts {
			t.Errorf("window %d: left %d, counts %d, want %v", i, got[i].Left, got[i].Counts, want)
		}
	}
}

// TestCancelledWindow: what has passed stays, one under way ends, and before
// the cancelling was known nothing of it shows.
func TestCancelledWindow(t *testing.T) {
	for _, c := range []struct {
		cancelled, asOf string
		want            float64 // planned, in s
	}{
		{"", "2026-11-01", 4 * 3600},
		{"2026-10-19 12:00", "2026-11-01", 0},
		{"2026-10-20 01:00", "2026-11-01", 3600},
		{"2026-10-21 00:00", "2026-11-01", 4 * 3600},
		{"2026-10-20 01:00", "2026-10-20 00:59", 59 * 60}, // elapsed; the cancelling is not known yet
	} {
		w := newWorld(t, "Asia/Shanghai", "a")
		window := Window{Change: "c", Services: []string{"s"}, From: w.bound("2026-10-20 00:00"), To: w.bound("2026-10-20 04:00"), ApprovedAt: w.bound("2026-10-01")}
		if c.cancelled != "" {
			window.CancelledAt = w.bound(c.cancelled)
		}
		w.catalogue.Windows = []Window{window}
		all, err := Evaluate(Input{Catalogue: w.catalogue, From: w.bound("2026-10-01"), To: w.bound("2026-11-01"), AsOf: w.ms(c.asOf)})
		if err != nil || all[0].Cut.PlannedS != c.want {
			t.Errorf("cancelled %q as of %s: planned %v (%v), want %v", c.cancelled, c.asOf, all[0].Cut.PlannedS, err, c.want)
		}
	}
}
