package catalogue

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

// TestOwnDaysStandBeforeTheYear: each row is one day of a calendar of Mondays
// to Fridays, 9 to 17, that names the year.
func TestOwnDaysStandBeforeTheYear(t *testing.T) {
	c, faults := Parse("c.yaml", []byte(`
holidays: {ours-2026: {year: 2026, closed: ["2026-12-31"]}}
calendars:
  o:
    week: {mon-fri: ["09:00-17:00"]}
    holidays: [cn-2026, ours-2026]
    closed: ["2026-02-14"]
    open: {"2026-10-01": ["10:00-12:00"], "2026-10-10": []}
`))
	if faults != nil {
		t.Fatal(faults)
	}
	for _, row := range []struct {
		day   string
		hours int64
		why   string
	}{
		{"2026-02-14", 0, "a make-up Saturday that the calendar closes itself"},
		{"2026-02-28", 8, "a make-up Saturday with a Monday's hours"},
		{"2026-10-01", 2, "a holiday that the calendar opens itself"},
		{"2026-10-02", 0, "a holiday on a Friday"},
		{"2026-10-10", 0, "a make-up Saturday that the calendar opens for no time"},
		{"2026-12-31", 0, "a day of the catalogue's own year"},
	} {
		day, err := time.Parse(time.DateOnly, row.day)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Availability.Calendars["o"].Within(time.UTC, day.UnixMilli(), day.AddDate(0, 0, 1).UnixMilli()).Length()
		if got != row.hours*3600_000 {
			t.Errorf("%s, %s: %d ms, want %d h", row.day, row.why, got, row.hours)
		}
	}
}

// TestShippedYears: the shipped years are read as a catalogue's own would be,
// and no day of them changes: a correction is a year with another name, or the
// figures of the past would change with the program.
func TestShippedYears(t *testing.T) {
	years, err := shippedHolidays()
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{
		"cn-2026": "32705498a7cfc2d766d25fdc3942dd15a00d314ecd58128915b2d43c91c3df99",
	}
	if len(years) != len(sums) {
		t.Errorf("%d years are shipped, %d have a sum", len(years), len(sums))
	}
	for name := range years {
		if sum := fmt.Sprintf("%x", sha256.Sum256(read(t, "holidays/"+name+".yaml"))); sum != sums[name] {
			t.Errorf("%s is changed: its sum is %s", name, sum)
		}
		if _, faults := Parse(name, read(t, "holidays/"+name+".yaml")); faults != nil {
			t.Error(faults)
		}
	}
}
