package words

import (
	"testing"

	"github.com/plimsoll/plimsoll/collector/availability"
)

func TestCalendar(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	morning, late := availability.DaySpan{From: 8 * 60, To: 12 * 60}, availability.DaySpan{From: 22 * 60, To: 2 * 60}
	work := []availability.DaySpan{morning, {From: 14 * 60, To: 18 * 60}}
	from := availability.NewDate(2026, 10, 15)
	c := &availability.Catalogue{Calendars: map[string]*availability.Calendar{"office": {Versions: []availability.CalendarVersion{
		{Week: [7][]availability.DaySpan{nil, work, work, work, work, work, {late}}, Closed: []availability.DateRange{{First: availability.NewDate(2026, 10, 1), Last: availability.NewDate(2026, 10, 7)}},
			Open: map[availability.Date][]availability.DaySpan{availability.NewDate(2026, 10, 10): {morning}, availability.NewDate(2026, 10, 9): {}}},
		{From: &from, Week: [7][]availability.DaySpan{{morning}, {morning}, {morning}, {morning}, {morning}, {morning}, {morning}}},
	}}}}
	want := "office: Mon–Fri 08:00–12:00, 14:00–18:00, Sat 22:00–02:00; closed 2026-10-01 – 2026-10-07; closed 2026-10-09; open 2026-10-10 08:00–12:00; from 2026-10-15: Mon–Sun 08:00–12:00"
	if got := shelf["en"].Calendar(c, "office"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := shelf["zh-CN"].Calendar(c, "always"); got != "7 × 24" {
		t.Errorf("got %s", got)
	}
}
