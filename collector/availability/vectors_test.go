package availability

import (
	"testing"
	"time"
)

// v0 is October 2026 in Shanghai: one service, all of a and b, five outages.
func v0(t *testing.T) *world {
	w := newWorld(t, "Asia/Shanghai", "a", "b")
	w.from, w.to = "2026-10-01", "2026-11-01"
	w.sees("a", "2026-09-01 up", "2026-09-30 23:00 down", "2026-10-01 02:00 up", "2026-10-10 10:00 down", "2026-10-10 11:30 up",
		"2026-10-20 01:00 down", "2026-10-20 05:00 up", "2026-10-31 23:30 down", "2026-11-01 03:00 up")
	w.sees("b", "2026-09-01 up", "2026-10-10 11:00 down", "2026-10-10 12:00 up")
	return w.window("CHG-1", "2026-10-20 00:00", "2026-10-20 04:00", "2026-10-15 10:00", []string{"s"}, nil)
}

func TestVector0(t *testing.T) {
	// 31 days = 44640 min; the window takes 240. Down in the month: 120 of
	// (1), 120 of (2) and (3) together, 60 of (4) after the window, 30 of (5).
	w := v0(t)
	w.under(map[string]string{
		"default":       "A 99.2567 % cov 100.00 %, agreed 44400, planned 240, up 44070, down 330; outages 3/3",
		"planned: down": "A 98.8575 % cov 100.00 %, agreed 44640, up 44130, down 510; outages 3/3",
		"planned: up":   "A 99.2607 % cov 100.00 %, agreed 44640, up 44310, down 330; outages 3/3",
	})
	f := w.evaluate()[0]
	for _, c := range []struct {
		name string
		got  *float64
		want float64
	}{
		{"MTBF", f.MTBFS, 244*3600 + 50*60}, {"MTBSI", f.MTBSIS, 246*3600 + 40*60}, {"down per outage", f.DownPerOutageS, 110 * 60},
		{"MTTR", f.MTTRS, 120 * 60}, {"without exclusions", f.AvailabilityWithoutExclusions, 1 - 510.0/44640},
	} {
		if !near(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, *c.got, c.want)
		}
	}
	last := f.Outages[len(f.Outages)-1]
	if len(f.Outages) != 4 || !last.Ongoing || last.To != nil || last.AgreedS != 1800 {
		t.Errorf("ongoing outage: got %+v", last)
	}
	if first := f.Outages[0]; first.AgreedS != 3*3600 || first.DownS != 2*3600 {
		t.Errorf("outage over the edge: got %+v", first)
	}
	// Office hours: 17 weekdays from the 8th and Saturday the 10th, 8 h each.
	// Of (2) and (3) 10:00-12:00 is inside; (1), (4) and (5) are at night.
	w.agreement().Calendar, w.catalogue.Calendars["office"] = "office", w.office()
	if got, want := brief(&w.evaluate()[0]), "A 98.6111 % cov 100.00 %, agreed 8640, calendar 36000, up 8520, down 120; outages 1/1"; got != want {
		t.Errorf("office\n got %s\nwant %s", got, want)
	}
}

// hours is a day of which every vector below takes a part.
func hours(t *testing.T, components ...string) *world {
	w := newWorld(t, "UTC", components...)
	w.from, w.to = "2026-06-10", "2026-06-11" // 1440 min
	return w
}

func TestVectorsOfDataAndExistence(t *testing.T) {
	t.Run("1 no facts at all", func(t *testing.T) {
		w := hours(t, "a")
		w.under(map[string]string{
			"default":       "A - cov 0.00 %, agreed 1440, unknown 1440; outages 0/0",
			"unknown: up":   "A 100.0000 % cov 0.00 %, agreed 1440, unknown 1440; outages 0/0",
			"unknown: down": "A 0.0000 % cov 0.00 %, agreed 1440, unknown 1440; outages 0/0",
		})
	})
	t.Run("2 created mid-period", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-10 12:00 up", "2026-06-10 18:00 down", "2026-06-10 19:00 up")
		w.catalogue.Services[0].From = w.bound("2026-06-10 12:00")
		w.under(map[string]string{ // 60 of 720; under up 60 of 1440
			"default":              "A 91.6666 % cov 100.00 %, agreed 720, existence 720, up 660, down 60; outages 1/1",
			"before_existence: up": "A 95.8333 % cov 100.00 %, agreed 1440, up 1380, down 60; outages 1/1",
		})
	})
	t.Run("2b component created mid-period, down before it existed", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-10 10:00 down", "2026-06-10 13:00 up")
		w.component("a").From = w.bound("2026-06-10 12:00")
		w.under(map[string]string{
			"default":              "A 91.6666 % cov 100.00 %, agreed 720, existence 720, up 660, down 60; outages 1/1",
			"before_existence: up": "A 95.8333 % cov 100.00 %, agreed 1440, up 1380, down 60; outages 1/1",
		})
	})
	t.Run("3 removed mid-period", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-09 up", "2026-06-10 10:00 down", "2026-06-10 11:00 up", "2026-06-10 13:00 down")
		w.component("a").Until = w.bound("2026-06-10 12:00")
		w.under(map[string]string{
			"default":              "A 91.6666 % cov 100.00 %, agreed 720, existence 720, up 660, down 60; outages 1/1",
			"before_existence: up": "A 95.8333 % cov 100.00 %, agreed 1440, up 1380, down 60; outages 1/1",
		})
	})
	t.Run("4 down before the period, no fact inside", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-08 up", "2026-06-09 22:00 down")
		w.under(map[string]string{"default": "A 0.0000 % cov 100.00 %, agreed 1440, down 1440; outages 0/0"})
		if f := w.evaluate()[0]; len(f.Outages) != 1 || f.Outages[0].AgreedS != 26*3600 || !f.Outages[0].Ongoing {
			t.Errorf("carried in: got %+v", f.Outages)
		}
	})
	t.Run("15 interval changed from 1 to 5 min", func(t *testing.T) {
		w := newWorld(t, "UTC", "a")
		w.from, w.to = "2026-06-01", "2026-07-01"
		w.component("a").Interval = 300_000
		w.pings("a", "2026-06-01", "2026-06-21", time.Minute, Up).pings("a", "2026-06-21", "2026-07-01", 5*time.Minute, Down)
		w.under(map[string]string{"default": "A 66.6666 % cov 100.00 %, agreed 43200, up 28800, down 14400; outages 1/0"})
	})
	t.Run("17 agent silent 3 h, then backfill", func(t *testing.T) {
		w := hours(t, "a")
		w.component("a").Interval = 60_000 // held 2.5 min, the last fact at 08:59
		w.pings("a", "2026-06-10 00:00", "2026-06-10 09:00", time.Minute, Up)
		w.pings("a", "2026-06-10 12:00", "2026-06-11 00:00", time.Minute, Up)
		w.under(map[string]string{
			"default":       "A 100.0000 % cov 87.60 %, agreed 1440, up 1261.5, unknown 178.5; outages 0/0",
			"unknown: down": "A 87.6041 % cov 87.60 %, agreed 1440, up 1261.5, unknown 178.5; outages 0/0",
		})
		w.pings("a", "2026-06-10 09:00", "2026-06-10 12:00", time.Minute, Up)
		w.under(map[string]string{"default": "A 100.0000 % cov 100.00 %, agreed 1440, up 1440; outages 0/0"})
	})
	t.Run("18 collector away 1 h", func(t *testing.T) {
		w := hours(t, "a")
		w.component("a").Hold = 90_000
		w.pings("a", "2026-06-10 00:00", "2026-06-11 00:00", time.Minute, Up)
		late := w.ms("2026-06-10 13:00")
		for i := range w.facts {
			if at := w.facts[i].At; at >= w.ms("2026-06-10 12:00") && at < late {
				w.facts[i].Received = late
			}
		}
		w.asOf = "2026-06-10 12:30"
		w.under(map[string]string{ // known up to 11:59 + 90 s; 750 min elapsed
			"default":       "A 100.0000 % cov 96.06 %, agreed 750, up 720.5, unknown 29.5; outages 0/0",
			"unknown: down": "A 96.0666 % cov 96.06 %, agreed 750, up 720.5, unknown 29.5; outages 0/0",
		})
		w.asOf = "2026-06-10 13:30"
		w.under(map[string]string{"default": "A 100.0000 % cov 100.00 %, agreed 810, up 810; outages 0/0"})
	})
}

func TestVectorsOfExclusions(t *testing.T) {
	t.Run("5 overlapping and touching exclusions", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-09 up", "2026-06-10 08:00 down", "2026-06-10 13:00 up")
		w.window("C1", "2026-06-10 09:00", "2026-06-10 10:00", "2026-06-01", []string{"s"}, nil)
		w.window("C2", "2026-06-10 09:30", "2026-06-10 11:00", "2026-06-01", []string{"s"}, nil)
		w.adjust("ADJ", "2026-06-10 10:30", "2026-06-10 12:00", CutOut, nil, []string{"a"})
		w.under(map[string]string{ // 09-11 planned, 11-12 adjusted, down 08-09 and 12-13
			"default":       "A 90.4761 % cov 100.00 %, agreed 1260, planned 120, adjusted 60, up 1140, down 120; outages 1/1",
			"planned: down": "A 84.4444 % cov 100.00 %, agreed 1350, adjusted 90, up 1140, down 210; outages 1/1", // nothing planned: 10:30-12:00 adjusted
			"planned: up":   "A 91.1111 % cov 100.00 %, agreed 1350, adjusted 90, up 1230, down 120; outages 1/1",
		})
	})
	t.Run("6 exclusion over the whole period", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-09 down")
		w.window("C1", "2026-06-10 00:00", "2026-06-11 00:00", "2026-06-01", []string{"s"}, nil)
		w.under(map[string]string{
			"default":       "A - cov -, agreed 0, planned 1440; outages 0/0",
			"planned: down": "A 0.0000 % cov 100.00 %, agreed 1440, down 1440; outages 0/0",
			"planned: up":   "A 100.0000 % cov 100.00 %, agreed 1440, up 1440; outages 0/0",
		})
	})
	t.Run("7 planned window during time without data", func(t *testing.T) {
		// Ten hours: 6 known up, 4 down would be 60 %; the window lies where nothing is known.
		w := hours(t, "a").sees("a", "2026-06-10 00:00 up", "2026-06-10 06:00 down")
		w.component("a").Hold = 6 * 3600_000 // up 00-06, down 06-12, unknown after
		w.sees("a", "2026-06-10 10:00 up")
		w.component("a").Hold = 6 * 3600_000 // up 10-16, unknown 16-24
		w.window("C1", "2026-06-10 18:00", "2026-06-10 20:00", "2026-06-01", []string{"s"}, nil)
		w.under(map[string]string{ // up 12 h, down 4 h: 75 % with and without the window
			"default":       "A 75.0000 % cov 72.72 %, agreed 1320, planned 120, up 720, down 240, unknown 360; outages 1/1",
			"planned: down": "A 75.0000 % cov 66.66 %, agreed 1440, up 720, down 240, unknown 480; outages 1/1",
			"planned: up":   "A 75.0000 % cov 66.66 %, agreed 1440, up 720, down 240, unknown 480; outages 1/1",
			"unknown: up":   "A 81.8181 % cov 72.72 %, agreed 1320, planned 120, up 720, down 240, unknown 360; outages 1/1",
			"unknown: down": "A 54.5454 % cov 72.72 %, agreed 1320, planned 120, up 720, down 240, unknown 360; outages 1/1",
		})
	})
	t.Run("16 overrun, cap, notice", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 04:30 up")
		w.window("C1", "2026-06-10 02:00", "2026-06-10 04:00", "2026-06-09 02:00", []string{"s"}, nil)
		w.under(map[string]string{ // 30 min of overrun
			"default":       "A 97.7272 % cov 100.00 %, agreed 1320, planned 120, up 1290, down 30; outages 1/1",
			"planned: down": "A 89.5833 % cov 100.00 %, agreed 1440, up 1290, down 150; outages 1/1",
			"planned: up":   "A 97.9166 % cov 100.00 %, agreed 1440, up 1410, down 30; outages 1/1",
		})
		w.agreement().Cap = &Cap{Length: 90 * 60_000, Per: Month} // 30 min of the window are beyond it
		w.under(map[string]string{
			"default":       "A 95.5555 % cov 100.00 %, agreed 1350, planned 90, up 1290, down 60; outages 1/1",
			"planned: down": "A 89.5833 % cov 100.00 %, agreed 1440, up 1290, down 150; outages 1/1",
			"planned: up":   "A 95.8333 % cov 100.00 %, agreed 1440, up 1380, down 60; outages 1/1",
		})
		// A window five days before used up an hour of it, though outside the period.
		w.window("C0", "2026-06-05 00:00", "2026-06-05 01:00", "2026-06-01", []string{"s"}, nil)
		if got, want := brief(&w.evaluate()[0]), "A 91.4893 % cov 100.00 %, agreed 1410, planned 30, up 1290, down 120; outages 1/1"; got != want {
			t.Errorf("cap used before\n got %s\nwant %s", got, want)
		}
		w.agreement().Notice = 24*3600_000 + 1 // approved a millisecond too late
		w.under(map[string]string{"default": "A 89.5833 % cov 100.00 %, agreed 1440, up 1290, down 150; outages 1/1"})
	})
}

func TestVectorsOfStates(t *testing.T) {
	t.Run("12 outage over the month's edge", func(t *testing.T) {
		w := newWorld(t, "UTC", "a").sees("a", "2026-05-01 up", "2026-06-30 23:00 down", "2026-07-01 01:00 up")
		w.from, w.to, w.asOf = "2026-06-01", "2026-07-01", "2026-07-02"
		w.under(map[string]string{"default": "A 99.8611 % cov 100.00 %, agreed 43200, up 43140, down 60; outages 1/0"})
		f := w.evaluate()[0]
		if o := f.Outages[0]; !o.Ongoing || o.To == nil || o.To.MS != w.ms("2026-07-01 01:00") || o.AgreedS != 3600 || f.MTTRS != nil {
			t.Errorf("June: got %+v, mttr %v", o, f.MTTRS)
		}
		w.from, w.to = "2026-07-01", "2026-07-02"
		w.under(map[string]string{"default": "A 95.8333 % cov 100.00 %, agreed 1440, up 1380, down 60; outages 0/1"})
		if f := w.evaluate()[0]; !near(f.MTTRS, 7200) {
			t.Errorf("July: mttr %v, want the full 2 h", *f.MTTRS)
		}
	})
	t.Run("13 blips", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-09 up", "2026-06-10 01:00 down", "2026-06-10 01:00:29 up", // a blip between ups
			"2026-06-10 02:00 down", "2026-06-10 02:00:30 up", // as long as the limit: an outage
			"2026-06-10 02:01 down", "2026-06-10 02:02 up") // 30 s after it: the same outage
		w.under(map[string]string{"default": "A 99.8622 % cov 100.00 %, agreed 1440, up 1438.0166666666667, down 1.9833333333333334; outages 3/3"})
		w.agreement().IgnoreBlips, w.agreement().MergeBlips = 30_000, 31_000
		w.under(map[string]string{"default": "A 99.8958 % cov 100.00 %, agreed 1440, up 1438.5, down 1.5; outages 1/1"})
		w.agreement().MergeBlips = 30_000 // the gap is not shorter
		w.under(map[string]string{"default": "A 99.8958 % cov 100.00 %, agreed 1440, up 1438.5, down 1.5; outages 2/2"})
		if f := w.evaluate()[0]; !near(f.MTTRS, 45) {
			t.Errorf("mttr %v, want 45 s", *f.MTTRS)
		}
	})
	t.Run("13b blip beside unknown stays, beside degraded goes", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-10 00:00 up", "2026-06-10 06:00 down")
		w.component("a").Hold = 6 * 3600_000
		w.facts[1].Hold = 20_000 // down for 20 s, then unknown
		w.sees("a", "2026-06-10 18:00 degraded", "2026-06-10 20:00 down", "2026-06-10 20:00:20 up")
		w.agreement().IgnoreBlips = 30_000
		w.under(map[string]string{ // up 00-06 and 20-24; under degraded: down the second blip is the end of a long one
			"default":        "A 99.9537 % cov 50.02 %, agreed 1440, up 600, degraded 120, down 0.3333333333333333, unknown 719.6666666666666; outages 1/1",
			"degraded: down": "A 83.2484 % cov 50.02 %, agreed 1440, up 599.6666666666666, degraded 120, down 0.6666666666666666, unknown 719.6666666666666; outages 1/1",
			"degraded: 0.25": "A 95.7889 % cov 50.02 %, agreed 1440, up 600, degraded 120, down 0.3333333333333333, unknown 719.6666666666666; outages 1/1",
			"unknown: up":    "A 99.9768 % cov 50.02 %, agreed 1440, up 600, degraded 120, down 0.3333333333333333, unknown 719.6666666666666; outages 1/1",
			"unknown: down":  "A 50.0000 % cov 50.02 %, agreed 1440, up 600, degraded 120, down 0.3333333333333333, unknown 719.6666666666666; outages 1/1",
		})
	})
	t.Run("14 two of three, one unknown", func(t *testing.T) {
		w := hours(t, "a", "b", "c")
		w.catalogue.Services[0].Needs.AtLeast = 2
		w.sees("a", "2026-06-10 00:00 up", "2026-06-10 16:00 down") // c is never known
		w.sees("b", "2026-06-10 00:00 up", "2026-06-10 08:00 down")
		w.under(map[string]string{ // up 00-08, unknown 08-16 (1 up, 1 unknown), down 16-24
			"default":       "A 50.0000 % cov 66.66 %, agreed 1440, up 480, down 480, unknown 480; outages 1/0",
			"unknown: up":   "A 66.6666 % cov 66.66 %, agreed 1440, up 480, down 480, unknown 480; outages 1/0",
			"unknown: down": "A 33.3333 % cov 66.66 %, agreed 1440, up 480, down 480, unknown 480; outages 1/0",
		})
	})
	t.Run("21 open at report time", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-09 up", "2026-06-10 10:00 down")
		w.asOf = "2026-06-10 12:00"
		w.under(map[string]string{"default": "A 83.3333 % cov 100.00 %, agreed 720, up 600, down 120; outages 1/0"})
		f := w.evaluate()[0]
		if o := f.Outages[0]; !o.Ongoing || o.To != nil || o.AgreedS != 7200 || f.MTTRS != nil || !near(f.LongestS, 7200) {
			t.Errorf("got %+v, mttr %v", o, f.MTTRS)
		}
	})
	t.Run("degraded", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-10 00:00 up", "2026-06-10 12:00 degraded", "2026-06-10 18:00 up")
		w.under(map[string]string{ // 360 of 1440 degraded
			"default":        "A 100.0000 % cov 100.00 %, agreed 1440, up 1080, degraded 360; outages 0/0",
			"degraded: down": "A 75.0000 % cov 100.00 %, agreed 1440, up 1080, degraded 360; outages 1/1",
			"degraded: 0.25": "A 93.7500 % cov 100.00 %, agreed 1440, up 1080, degraded 360; outages 0/0",
		})
	})
}
