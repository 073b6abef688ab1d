package availability

import (
	"math/big"
	"testing"
	"time"
)

// officeWeek is Monday to Friday from one hour to another.
func officeWeek(from, to int) CalendarVersion {
	var v CalendarVersion
	for d := time.Monday; d <= time.Friday; d++ {
		v.Week[d] = []DaySpan{{from * 60, to * 60}}
	}
	return v
}

func TestVectorsOfCalendars(t *testing.T) {
	paris := zoneNamed(t, "Europe/Paris")
	all := CalendarVersion{}
	for d := range all.Week {
		all.Week[d] = []DaySpan{{0, 1440}}
	}
	holiday, changed := officeWeek(8, 18), officeWeek(8, 18)
	holiday.Closed = []DateRange{{NewDate(2025, 3, 5), NewDate(2025, 3, 6)}}
	holiday.Open = map[Date][]DaySpan{NewDate(2025, 3, 6): {{9 * 60, 10 * 60}}, NewDate(2025, 3, 8): {{22 * 60, 2 * 60}}, NewDate(2025, 3, 10): {}}
	half := NewDate(2025, 3, 15)
	changed.From = &half
	nights := CalendarVersion{}
	for d := range nights.Week {
		nights.Week[d] = []DaySpan{{22 * 60, 6 * 60}, {5 * 60, 7 * 60}}
	}
	twice := CalendarVersion{}
	twice.Week[time.Sunday] = []DaySpan{{2*60 + 15, 2*60 + 45}}
	for _, c := range []struct {
		name     string
		calendar Calendar
		from, to Date
		hours    float64
	}{
		{"8 Q2 2025", Calendar{[]CalendarVersion{officeWeek(8, 18)}}, NewDate(2025, 4, 1), NewDate(2025, 7, 1), 650},        // 65 weekdays
		{"8 March 2025", Calendar{[]CalendarVersion{officeWeek(8, 18)}}, NewDate(2025, 3, 1), NewDate(2025, 4, 1), 210},     // 21
		{"8 October 2025", Calendar{[]CalendarVersion{officeWeek(8, 18)}}, NewDate(2025, 10, 1), NewDate(2025, 11, 1), 230}, // 23
		{"9 March 24x7", Calendar{[]CalendarVersion{all}}, NewDate(2025, 3, 1), NewDate(2025, 4, 1), 743},                   // 31 x 24 - 1
		{"9 October 24x7", Calendar{[]CalendarVersion{all}}, NewDate(2025, 10, 1), NewDate(2025, 11, 1), 745},               // 31 x 24 + 1
		// 210 h, less the 5th, 6th and 10th (30), plus 1 h on the 6th and 4 h into the 9th
		{"10 holiday on a service day", Calendar{[]CalendarVersion{holiday}}, NewDate(2025, 3, 1), NewDate(2025, 4, 1), 185},
		// until the 14th round the clock (14 x 24), then 11 weekdays of 10 h
		{"11 changed on the 15th", Calendar{[]CalendarVersion{all, changed}}, NewDate(2025, 3, 1), NewDate(2025, 4, 1), 446},
		{"nights overlapping mornings count once", Calendar{[]CalendarVersion{nights}}, NewDate(2025, 5, 1), NewDate(2025, 5, 2), 9}, // 00-07 and 22-24
		{"a skipped half hour", Calendar{[]CalendarVersion{twice}}, NewDate(2025, 3, 30), NewDate(2025, 3, 31), 0},
		{"a doubled half hour", Calendar{[]CalendarVersion{twice}}, NewDate(2025, 10, 26), NewDate(2025, 10, 27), 1},
	} {
		got := c.calendar.Within(paris, c.from.Begin(paris), c.to.Begin(paris)).Length()
		if float64(got) != c.hours*3600_000 {
			t.Errorf("%s: got %v h, want %v h", c.name, float64(got)/3600_000, c.hours)
		}
	}
	// None outside hours: every agreed instant of Q2 is a weekday between 8 and 18.
	q2 := (&Calendar{[]CalendarVersion{officeWeek(8, 18)}}).Within(paris, NewDate(2025, 4, 1).Begin(paris), NewDate(2025, 7, 1).Begin(paris))
	for _, s := range q2 {
		from, to := time.UnixMilli(s.From).In(paris), time.UnixMilli(s.To).In(paris)
		if from.Format("15:04") != "08:00" || to.Format("15:04") != "18:00" || from.Weekday() == time.Saturday || from.Weekday() == time.Sunday {
			t.Errorf("outside hours: %s to %s", from, to)
		}
	}
}

func TestBeginningOfDates(t *testing.T) {
	for _, c := range []struct {
		zone string
		date Date
		want string
	}{
		{"Asia/Shanghai", NewDate(2026, 10, 1), "2026-09-30T16:00:00Z"},
		{"America/Sao_Paulo", NewDate(2018, 11, 4), "2018-11-04T03:00:00Z"}, // midnight is skipped: the day begins at 01:00
		{"Pacific/Apia", NewDate(2011, 12, 30), "2011-12-30T10:00:00Z"},     // the whole day is skipped: the 31st begins
		{"Pacific/Apia", NewDate(2011, 12, 31), "2011-12-30T10:00:00Z"},     //
		{"America/Sao_Paulo", NewDate(2018, 2, 18), "2018-02-18T03:00:00Z"}, // 24:00 went back to 23:00: the first 24:00 never was
		{"Atlantic/Azores", NewDate(2025, 10, 26), "2025-10-26T00:00:00Z"},  // midnight comes twice: the first
		{"Africa/Casablanca", NewDate(2026, 2, 15), "2026-02-14T23:00:00Z"},
	} {
		zone := zoneNamed(t, c.zone)
		if got := (Instant{c.date.Begin(zone), time.UTC}).String(); got != c.want {
			t.Errorf("%s in %s: got %s, want %s", c.date, c.zone, got, c.want)
		}
	}
}

func TestVectorsOfReliability(t *testing.T) {
	month := func() *world { // 720 h
		w := newWorld(t, "UTC", "a")
		w.from, w.to = "2026-06-01", "2026-07-01"
		return w.sees("a", "2026-05-01 up")
	}
	t.Run("19 two outages of 1 h in 720 h", func(t *testing.T) {
		w := month().sees("a", "2026-06-10 01:00 down", "2026-06-10 02:00 up", "2026-06-20 01:00 down", "2026-06-20 02:00 up")
		w.under(map[string]string{"default": "A 99.7222 % cov 100.00 %, agreed 43200, up 43080, down 120; outages 2/2"})
		f := w.evaluate()[0]
		if !near(f.MTBFS, 359*3600) || !near(f.MTBSIS, 360*3600) || !near(f.DownPerOutageS, 3600) {
			t.Errorf("got MTBF %v MTBSI %v", *f.MTBFS, *f.MTBSIS)
		}
		// chi2(0.95; 6) = 12.5916, chi2(0.05; 4) = 0.710723
		if !near(f.MTBFLowerS, 2*718*3600/12.591587243743977) || !near(f.MTBFUpperS, 2*718*3600/0.7107230213973242) {
			t.Errorf("interval %v to %v", *f.MTBFLowerS, *f.MTBFUpperS)
		}
	})
	t.Run("20 no outage in 720 h", func(t *testing.T) {
		f := month().evaluate()[0]
		if f.MTBFS != nil || f.MTBFUpperS != nil || *f.MTBFLowerS/3600 < 240.34 || *f.MTBFLowerS/3600 > 240.35 {
			t.Errorf("got MTBF %v, lower %v h, upper %v", f.MTBFS, *f.MTBFLowerS/3600, f.MTBFUpperS)
		}
	})
	t.Run("22 budget after 10 clean days of 30", func(t *testing.T) {
		w := month()
		w.asOf = "2026-06-11"
		w.agreement().Indicators = []Indicator{{Name: "availability", Kind: KindAvailability, Target: big.NewRat(999, 1000)}}
		f := w.evaluate()[0]
		if *f.BudgetS != 2592 || *f.BudgetElapsedS != 864 || *f.BurnRate != 0 {
			t.Errorf("got %v, %v, burn %v", *f.BudgetS, *f.BudgetElapsedS, *f.BurnRate)
		}
		w.sees("a", "2026-06-05 down", "2026-06-05 00:14:24 up") // 864 s: what ten days allow
		if f = w.evaluate()[0]; *f.BudgetS != 1728 || *f.BudgetElapsedS != 0 || *f.BurnRate != 1 {
			t.Errorf("got %v, %v, burn %v", *f.BudgetS, *f.BudgetElapsedS, *f.BurnRate)
		}
	})
	t.Run("23 the handbook example", func(t *testing.T) {
		w := newWorld(t, "UTC", "a").sees("a", "2026-01-01 up", "2026-02-01 00:00 down", "2026-02-01 06:00 up", "2026-03-01 00:00 down", "2026-03-01 14:00 up")
		w.from, w.to = "2026-01-01", "2026-07-29 04:00" // 209 days and 4 h = 5020 h
		f := w.evaluate()[0]
		if got := Percent(f.Exact.Availability, 1); got != "99.6 %" || !near(f.MTBSIS, 2510*3600) || !near(f.MTBFS, 2500*3600) || !near(f.DownPerOutageS, 36000) {
			t.Errorf("A %s MTBSI %v MTBF %v down %v", got, *f.MTBSIS, *f.MTBFS, *f.DownPerOutageS)
		}
	})
}

func TestVectorsOfComponentWindows(t *testing.T) {
	t.Run("24 one of 2-of-3, up all along", func(t *testing.T) {
		w := hours(t, "a", "b", "c").sees("a", "2026-06-09 up").sees("b", "2026-06-09 up").sees("c", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 03:00 up")
		w.catalogue.Services[0].Needs.AtLeast = 2
		w.window("C1", "2026-06-10 02:00", "2026-06-10 04:00", "2026-06-01", nil, []string{"c"})
		w.under(map[string]string{ // degraded 02-03: planned only where that counts for something
			"default":        "A 100.0000 % cov 100.00 %, agreed 1440, up 1380, degraded 60; outages 0/0",
			"degraded: down": "A 100.0000 % cov 100.00 %, agreed 1380, planned 60, up 1380; outages 0/0",
			"degraded: 0.25": "A 100.0000 % cov 100.00 %, agreed 1380, planned 60, up 1380; outages 0/0",
		})
	})
	t.Run("24 the single database", func(t *testing.T) {
		w := hours(t, "db").sees("db", "2026-06-09 up", "2026-06-10 02:30 down", "2026-06-10 04:30 up")
		w.window("C1", "2026-06-10 02:00", "2026-06-10 04:00", "2026-06-01", nil, []string{"db"})
		w.agreement().Cap = &Cap{Length: 100 * 60_000, Per: Month} // 90 min used: the unused half hour uses none
		w.under(map[string]string{
			"default":       "A 97.7777 % cov 100.00 %, agreed 1350, planned 90, up 1320, down 30; outages 1/1",
			"planned: down": "A 91.6666 % cov 100.00 %, agreed 1440, up 1320, down 120; outages 1/1",
			"planned: up":   "A 97.9166 % cov 100.00 %, agreed 1440, up 1410, down 30; outages 1/1",
		})
	})
	t.Run("24 the other fails too", func(t *testing.T) {
		w := hours(t, "a", "b").sees("a", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 04:00 up")
		w.sees("b", "2026-06-09 up", "2026-06-10 03:00 down", "2026-06-10 05:00 up")
		w.window("C1", "2026-06-10 02:00", "2026-06-10 04:00", "2026-06-01", nil, []string{"a"})
		w.under(map[string]string{ // 02-03 is the work; 03-05 would be down all the same
			"default":       "A 91.3043 % cov 100.00 %, agreed 1380, planned 60, up 1260, down 120; outages 1/1",
			"planned: down": "A 87.5000 % cov 100.00 %, agreed 1440, up 1260, down 180; outages 1/1",
			"planned: up":   "A 91.6666 % cov 100.00 %, agreed 1440, up 1320, down 120; outages 1/1",
		})
		// Two windows at once: everything they name taken as up, nothing is left of the outage but 04-05.
		w.window("C2", "2026-06-10 03:00", "2026-06-10 04:00", "2026-06-01", nil, []string{"b"})
		if got, want := brief(&w.evaluate()[0]), "A 95.4545 % cov 100.00 %, agreed 1320, planned 120, up 1260, down 60; outages 1/1"; got != want {
			t.Errorf("windows at once\n got %s\nwant %s", got, want)
		}
	})
	t.Run("24 a needed service, and unknown", func(t *testing.T) {
		w := hours(t, "a", "b").sees("a", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 03:00 up").sees("b", "2026-06-09 up")
		w.catalogue.Services[0].Needs = Need{AtLeast: 1, Of: []Need{{Name: "store"}}}
		w.catalogue.Services = append(w.catalogue.Services, Service{Name: "store", Needs: Need{AtLeast: 2, Of: []Need{{Name: "a"}, {Name: "b"}}}})
		w.window("C1", "2026-06-10 01:00", "2026-06-10 04:00", "2026-06-01", []string{"store"}, nil)
		w.under(map[string]string{
			"default":       "A 100.0000 % cov 100.00 %, agreed 1380, planned 60, up 1380; outages 0/0",
			"planned: down": "A 95.8333 % cov 100.00 %, agreed 1440, up 1380, down 60; outages 1/1",
			"planned: up":   "A 100.0000 % cov 100.00 %, agreed 1440, up 1440; outages 0/0",
		})
		w.facts = nil // nothing known: unknown stays unknown, and no time is planned
		w.under(map[string]string{
			"default":       "A - cov 0.00 %, agreed 1440, unknown 1440; outages 0/0",
			"unknown: up":   "A 100.0000 % cov 0.00 %, agreed 1440, unknown 1440; outages 0/0",
			"unknown: down": "A 0.0000 % cov 0.00 %, agreed 1440, unknown 1440; outages 0/0",
		})
	})
	t.Run("24 a blip is not planned", func(t *testing.T) {
		w := hours(t, "a").sees("a", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 02:00:20 up")
		w.agreement().IgnoreBlips = 30_000
		w.window("C1", "2026-06-10 01:00", "2026-06-10 04:00", "2026-06-01", nil, []string{"a"})
		w.under(map[string]string{"default": "A 100.0000 % cov 100.00 %, agreed 1440, up 1440; outages 0/0"})
	})
}

func TestVector25LowCoverage(t *testing.T) {
	// 24 h of which 12 are unknown; target 90 %, unacceptable below 80 %.
	for _, c := range []struct {
		name  string
		facts []string // known for 12 h
		want  string
	}{
		{"A_high 19/24, below unacceptable", []string{"2026-06-10 00:00 up", "2026-06-10 07:00 down"}, Unacceptable},
		{"A_high 20/24, between", []string{"2026-06-10 00:00 up", "2026-06-10 08:00 down"}, BelowTarget},
		{"A_high 22/24, above the target", []string{"2026-06-10 00:00 up", "2026-06-10 10:00 down"}, InsufficientData},
		{"A_high 21.6/24, on the target", []string{"2026-06-10 00:00 up", "2026-06-10 09:36 down"}, InsufficientData},
	} {
		w := hours(t, "a").sees("a", c.facts...)
		w.component("a").Hold = 12 * 3600_000
		w.facts[1].Hold = w.ms("2026-06-10 12:00") - w.facts[1].At
		w.agreement().Indicators = []Indicator{
			{Name: "availability", Kind: KindAvailability, Target: big.NewRat(9, 10), Unacceptable: big.NewRat(8, 10)},
			{Name: "mttr", Kind: KindMTTR, Target: big.NewRat(7200, 1)},
			{Name: "outages", Kind: KindOutages, Target: big.NewRat(0, 1)},
			{Name: "satisfaction", Kind: KindManual},
		}
		f := w.evaluate()[0]
		var got []string
		for _, i := range f.Indicators {
			got = append(got, i.State)
		}
		if got[0] != c.want || got[1] != InsufficientData || got[2] != InsufficientData || got[3] != NotApplicable {
			t.Errorf("%s: got %v, want %s, then insufficient data twice and not applicable", c.name, got, c.want)
		}
	}
}

func TestIndicatorStates(t *testing.T) {
	targets := []Indicator{
		{Name: "availability", Kind: KindAvailability, Target: big.NewRat(23, 24), Unacceptable: big.NewRat(22, 24)},
		{Name: "mttr", Kind: KindMTTR, Target: big.NewRat(3600, 1), Unacceptable: big.NewRat(7200, 1)},
		{Name: "mtbf", Kind: KindMTBF, Target: big.NewRat(23*3600, 1)},
		{Name: "outages", Kind: KindOutages, Target: big.NewRat(1, 1), Unacceptable: big.NewRat(2, 1)},
		{Name: "longest", Kind: KindLongestOutage, Target: big.NewRat(3600, 1)},
	}
	for _, c := range []struct {
		name  string
		facts []string
		asOf  string
		want  [5]string // availability, mttr, mtbf, outages, longest
	}{
		{"nothing happened", []string{"2026-06-09 up"}, "", [5]string{Met, NotApplicable, Met, Met, Met}},
		{"equal is met", []string{"2026-06-09 up", "2026-06-10 01:00 down", "2026-06-10 02:00 up"}, "", [5]string{Met, Met, Met, Met, Met}},
		{"equal to unacceptable is not yet", []string{"2026-06-09 up", "2026-06-10 01:00 down", "2026-06-10 03:00 up"}, "",
			[5]string{BelowTarget, BelowTarget, BelowTarget, Met, BelowTarget}},
		{"worse", []string{"2026-06-09 up", "2026-06-10 01:00 down", "2026-06-10 03:00:01 up"}, "",
			[5]string{Unacceptable, Unacceptable, BelowTarget, Met, BelowTarget}},
		{"carried in: no outage of this period", []string{"2026-06-09 up", "2026-06-09 23:30 down", "2026-06-10 00:30 up"}, "",
			[5]string{Met, Met, NotApplicable, Met, Met}},
		{"not begun", []string{"2026-06-09 up"}, "2026-06-10", [5]string{NotApplicable, NotApplicable, NotApplicable, NotApplicable, NotApplicable}},
	} {
		w := hours(t, "a").sees("a", c.facts...)
		w.asOf = c.asOf
		w.agreement().Indicators = targets
		for i, got := range w.evaluate()[0].Indicators {
			if got.State != c.want[i] {
				t.Errorf("%s: %s is %s, want %s", c.name, got.Name, got.State, c.want[i])
			}
		}
	}
}
