package entered_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/entered"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

const agreed = `components: [{name: page}]
services: [{name: shop, needs: page}]
agreements:
  - {number: S-1, service: shop, zone: Asia/Shanghai, effective: {from: 2026-09-01, to: 2027-01-01},
     indicators: [{name: availability, target: 99%}, {name: satisfaction, kind: manual, target: 4.5}]}
`

// TestEntries: each row enters one more value, at noon of 10 December 2026.
func TestEntries(t *testing.T) {
	now := time.Date(2026, 12, 10, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	l, err := ledger.Open(ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db"), Now: clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c, faults := catalogue.Parse("catalogue.yaml", []byte(agreed))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	d := entered.NewDesk(l, func() *availability.Catalogue { return c.Availability }, clock)
	li := people.Visitor{Kind: people.Person, Name: "li", Role: people.Operator}
	first := now.UnixMilli()
	for _, row := range []struct {
		agreement, indicator, month, value string
		refused                            string // key of the text; empty: it is kept
	}{
		{"S-1", "satisfaction", "2026-11", "4.2", ""},
		{"S-1", "satisfaction", "2026-11", " 4.2 ", "refused.value.same"},
		{"S-1", "satisfaction", "2026-11", "4.8", ""},
		{"S-1", "satisfaction", "2026-12", "-3", ""}, // while the month lasts
		{"S-1", "satisfaction", "2026-11", "4,8", "refused.value.number"},
		{"S-1", "satisfaction", "2026-11", "4e9", "refused.value.number"},
		{"S-1", "satisfaction", "2026-11", "1/3", "refused.value.number"},
		{"S-1", "satisfaction", "2026-11", "", "refused.value.number"},
		{"S-1", "satisfaction", "2026-11", "1234567890123456789012345678901", "refused.value.number"},
		{"S-1", "satisfaction", "2027-01", "4", "refused.value.early"},
		{"S-1", "satisfaction", "2026-08", "4", "refused.value.force"},
		{"S-1", "satisfaction", "November", "4", "refused.value.month"},
		{"S-1", "availability", "2026-11", "4", "refused.value.indicator"}, // a machine measures it
		{"S-2", "satisfaction", "2026-11", "4", "refused.value.indicator"},
	} {
		_, err := d.Enter(t.Context(), entered.Entry{Agreement: row.agreement, Indicator: row.indicator, Month: row.month, Value: row.value}, li)
		var refusal *words.Refusal
		if got := errors.As(err, &refusal); err != nil && !got || got && refusal.Key != row.refused || !got && row.refused != "" {
			t.Errorf("%+v: %v", row, err)
		}
		now = now.Add(time.Second)
	}
	for _, row := range []struct {
		month string
		at    int64
		want  string // empty: nothing had been entered
	}{
		{"2026-11", first - 1, ""}, {"2026-11", first, "4.2"}, {"2026-11", first + 1999, "4.2"}, {"2026-11", first + 2000, "4.8"},
		{"2026-12", first + 2000, ""}, {"2026-12", first + 3000, "-3"}, {"2026-10", first + 9000, ""},
	} {
		n, ok, err := d.Newest(t.Context(), "S-1", "satisfaction", row.month, row.at)
		if err != nil || ok != (row.want != "") || n.Value != row.want {
			t.Errorf("%s at %d: %q, %t, %v, want %q", row.month, row.at-first, n.Value, ok, err, row.want)
		}
	}
	all, err := d.Entries(t.Context(), "S-1", "satisfaction", "2026-11")
	if err != nil || len(all) != 2 || all[0].Value != "4.2" || all[1].By != "li" {
		t.Errorf("all of November: %+v, %v", all, err)
	}
	for _, row := range []struct {
		agreement, indicator, month string
		entries                     int
		refused                     string
	}{
		{"S-1", "satisfaction", "2026-11", 2, ""},
		{"S-1", "satisfaction", "2026-10", 0, ""},
		{"S-1", "satisfaction", "2026-1", 0, "refused.value.month"},
		{"S-1", "satisfactoin", "2026-11", 0, "refused.value.indicator"},
		{"S-1", "availability", "2026-11", 0, "refused.value.indicator"},
		{"S-9", "satisfaction", "2026-11", 0, "refused.value.indicator"},
	} {
		all, err := d.Asked(t.Context(), row.agreement, row.indicator, row.month)
		var refusal *words.Refusal
		if got := errors.As(err, &refusal); len(all) != row.entries || got != (row.refused != "") || got && refusal.Key != row.refused {
			t.Errorf("asked for %+v: %d entries, %v", row, len(all), err)
		}
	}
	c.Availability.Agreements = nil
	if all, err := d.Asked(t.Context(), "S-1", "satisfaction", "2026-11"); err != nil || len(all) != 2 {
		t.Errorf("of an agreement that is no longer: %d entries, %v", len(all), err)
	}
	if v, err := l.Verify(t.Context()); err != nil || len(v.Faults) > 0 {
		t.Errorf("the audit chain: %v, %v", v.Faults, err)
	}
}
