package closing

import (
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// TestDifferences: what makes a closed month another one. Each row changes one
// thing of a month with one outage, from 10:00 to 11:00.
func TestDifferences(t *testing.T) {
	at := func(hour, minute int) availability.Instant {
		return availability.Instant{MS: time.Date(2026, 10, 5, hour, minute, 0, 0, time.UTC).UnixMilli(), Zone: time.UTC}
	}
	month := func(change func(f *availability.Figures, o *availability.Outage)) *Frozen {
		end, earliest := at(11, 0), at(9, 59)
		f := availability.Figures{Service: "shop", Agreement: "SLA-1", Version: 1, From: at(0, 0), To: availability.Instant{MS: at(0, 0).MS + 31*86_400_000, Zone: time.UTC}, DownS: 3600, OutagesStarted: 1,
			Outages: []availability.Outage{{From: at(10, 0), To: &end, Earliest: &earliest, AgreedS: 3600, DownS: 3600, Components: []string{"db"}}}}
		change(&f, &f.Outages[0])
		return &Frozen{Results: []Result{{Explanation: availability.Explanation{Figures: f}}}}
	}
	before := month(func(*availability.Figures, *availability.Outage) {})
	for _, row := range []struct {
		what   string
		change func(f *availability.Figures, o *availability.Outage)
		want   string // the figures that differ
	}{
		{"nothing", func(*availability.Figures, *availability.Outage) {}, ""},
		{"asked later", func(f *availability.Figures, _ *availability.Outage) { f.AsOf = at(23, 0) }, ""},
		{"raw facts aged out: its beginning is less sure", func(_ *availability.Figures, o *availability.Outage) { x := at(9, 55); o.Earliest = &x }, ""},
		{"half an hour of it did not count", func(f *availability.Figures, o *availability.Outage) { f.DownS, o.DownS, o.AgreedS = 1800, 1800, 1800 }, "down_s, outage 2026-10-05T10:00:00Z"},
		{"another component", func(_ *availability.Figures, o *availability.Outage) { o.Components = []string{"web"} }, "outage 2026-10-05T10:00:00Z"},
		{"it began earlier", func(f *availability.Figures, o *availability.Outage) { o.From = at(9, 58) }, "outage 2026-10-05T09:58:00Z, outage 2026-10-05T10:00:00Z"},
	} {
		all, err := Differences(before, month(row.change))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, d := range all {
			names = append(names, d.Figure)
		}
		if got := strings.Join(names, ", "); got != row.want {
			t.Errorf("%s: %q, want %q", row.what, got, row.want)
		}
	}
}
