package catalogue

import (
	"strings"
	"testing"
	"time"

	zonedata "github.com/plimsoll/plimsoll/collector/zone"
)

// TestWarnings: each row has one reason to warn, or none.
func TestWarnings(t *testing.T) {
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	fresh := zonedata.Data{Source: "x", Version: "2026c", Released: now.AddDate(0, 0, -180)}
	const agreed = "components: [{name: a}]\nservices: [{name: s, needs: a}]\nagreements: [{number: SLA-1, service: s, zone: UTC, review_by: "
	const supplied = "components: [{name: a}]\nsuppliers: [{name: NetCo, contract: UC-1, zone: UTC, components: [a], indicators: [{name: availability, target: 99%}], review_by: "
	for _, row := range []struct {
		name, text string
		data       zonedata.Data
		now        time.Time
		want       string
	}{
		{"180 days is not too old", "", fresh, now, ""},
		{"181 days is", "", fresh, now.AddDate(0, 0, 1), "181 days old"},
		{"unknown age", "", zonedata.Data{Source: "x"}, now, "not known"},
		{"no holidays of 2027 in November", "calendars: {o: {closed: [2026-10-01]}}", fresh, now, "none in 2027"},
		{"in October this year's do", "calendars: {o: {closed: [2026-10-01]}}", fresh, now.AddDate(0, 0, -30), ""},
		{"a year by name that is this one", "calendars: {o: {holidays: [cn-2026]}}", fresh, now, "none in 2027"},
		{"and the next one", "holidays: {cn-2027: {year: 2027, closed: [2027-01-01]}}\ncalendars: {o: {holidays: [cn-2026, cn-2027]}}", fresh, now, ""},
		{"a range over the turn of the year has some", "calendars: {o: {closed: [2026-12-31/2027-01-03]}}", fresh, now, ""},
		{"a calendar without closed days needs none", "calendars: {o: {week: {mon: [\"08:00-12:00\"]}}}", fresh, now, ""},
		{"review is due", agreed + "2026-11-24}]", fresh, now, "SLA-1 version 1: its review was due"},
		{"review is tomorrow", agreed + "2026-11-26}]", fresh, now, ""},
		{"review of a version that has ended", agreed + "2026-11-01, effective: {to: 2026-11-02}}]", fresh, now, ""},
		{"review of a contract is due", supplied + "2026-11-24}]", fresh, now, "UC-1 with NetCo: its review was due"},
		{"of one that has ended it is not", supplied + "2026-11-01, effective: {to: 2026-11-02}}]", fresh, now, ""},
	} {
		c, faults := Parse("c.yaml", []byte(row.text))
		if len(faults) > 0 {
			t.Errorf("%s: %v", row.name, faults)
			continue
		}
		got := c.Warnings(row.now, row.data)
		if row.want == "" && len(got) > 0 || row.want != "" && (len(got) != 1 || !strings.Contains(got[0], row.want)) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// TestDaysOfAWrongYear: a day that its version of the calendar never reaches is doubted.
func TestDaysOfAWrongYear(t *testing.T) {
	parsed, faults := Parse("c.yaml", []byte(`calendars:
  o:
    - closed: ["2025-10-01", "2026-10-01"]
    - from: 2026-01-01
      closed:
        - 2025-05-01/2025-05-03
      open: {"2025-05-04": ["08:00-12:00"], "2026-05-04": []}
`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	doubts := parsed.doubts
	got := doubts.Error()
	for _, want := range []string{"c.yaml:3: calendars.o[0].closed[1]: lies after", "c.yaml:6: calendars.o[1].closed[0]: lies before 2026-01-01", "c.yaml:7: calendars.o[1].open.2025-05-04: lies before"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if len(doubts) != 3 {
		t.Errorf("%d doubts, want 3:\n%s", len(doubts), got)
	}
}
