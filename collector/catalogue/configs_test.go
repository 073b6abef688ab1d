package catalogue

import (
	"path/filepath"
	"testing"
	"time"
)

// TestShippedCatalogues: every catalogue a person may start from is one.
func TestShippedCatalogues(t *testing.T) {
	names, err := filepath.Glob("../../configs/catalogues/*.yaml")
	if err != nil || len(names) < 4 {
		t.Fatalf("%d catalogues, %v", len(names), err)
	}
	for _, name := range append(names, "../../configs/catalogue.yaml") {
		c, faults := Parse(filepath.Base(name), read(t, name))
		if faults != nil {
			t.Error(faults)
			continue
		}
		if len(c.Availability.Services) == 0 || len(c.Availability.Agreements) == 0 {
			t.Errorf("%s shows no service with an agreement", name)
		}
	}
}

// TestChina2026 counts the agreed days of the shipped calendar month by
// month: weekdays, less the holidays on weekdays, plus the make-up workdays.
func TestChina2026(t *testing.T) {
	c, faults := Parse("china-2026.yaml", read(t, "../../configs/catalogues/china-2026.yaml"))
	if faults != nil {
		t.Fatal(faults)
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		month time.Month
		days  int64
		why   string
	}{
		{time.January, 21, "22 weekdays - Thu 1, Fri 2 + Sun 4"},
		{time.February, 16, "20 weekdays - Mon 16 to Fri 20, Mon 23 + Sat 14, Sat 28"},
		{time.March, 22, "22 weekdays"},
		{time.April, 21, "22 weekdays - Mon 6"},
		{time.May, 19, "21 weekdays - Fri 1, Mon 4, Tue 5 + Sat 9"},
		{time.June, 21, "22 weekdays - Fri 19"},
		{time.July, 23, "23 weekdays"},
		{time.August, 21, "21 weekdays"},
		{time.September, 22, "22 weekdays - Fri 25 + Sun 20"},
		{time.October, 18, "22 weekdays - Thu 1, Fri 2, Mon 5 to Wed 7 + Sat 10"},
		{time.November, 21, "21 weekdays"},
		{time.December, 23, "23 weekdays"},
	}
	const day = 8 * 3600_000 // ms of agreed time in a workday
	for _, r := range rows {
		from := time.Date(2026, r.month, 1, 0, 0, 0, 0, zone)
		spans := c.Availability.Calendars["office"].Within(zone, from.UnixMilli(), from.AddDate(0, 1, 0).UnixMilli())
		if got := spans.Length(); got != r.days*day {
			t.Errorf("%s (%s): %v days of 8 h, want %d", r.month, r.why, float64(got)/day, r.days)
		}
	}
}
