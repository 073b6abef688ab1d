package quickstart

import (
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/catalogue"
)

// TestDemoCatalogueIsGood: on any day of any year, also where a month before
// has fewer days, the first catalogue of the demonstration has no fault, and
// the planned work of its story is approved in time.
func TestDemoCatalogueIsGood(t *testing.T) {
	for _, day := range []string{"2026-11-25", "2026-12-31", "2027-01-01", "2027-03-31", "2028-02-29"} {
		now, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		text := catalogueText(found{Host: "here", Zone: "UTC", At: now, Demo: demoCatalogue(now)})
		parsed, faults := catalogue.Parse("catalogue.yaml", []byte(text))
		if len(faults) > 0 {
			t.Errorf("%s: %v", day, faults)
			continue
		}
		if a := parsed.Availability; len(a.Services) != 7 || len(a.Agreements) != 7 || len(a.Windows) != 1 {
			t.Errorf("%s: %d services, %d agreements, %d windows, want 7, 7 and 1", day, len(a.Services), len(a.Agreements), len(a.Windows))
		}
		for _, c := range demoChecks() {
			if _, ok := parsed.Availability.Component(c.Component); !ok {
				t.Errorf("%s: no component %s", day, c.Component)
			}
		}
	}
}

// TestDemoStory: the month before the last one has little downtime, the last
// one has what its story says, and nothing of it lies in the future.
func TestDemoStory(t *testing.T) {
	now := time.Date(2026, 11, 25, 17, 0, 0, 0, time.UTC)
	p := demoPlan(now, now.Add(time.Hour))
	before, last, this := months(now)
	down := func(component string, from, to time.Time) (sum time.Duration) {
		for _, s := range p.ComponentTruth(component) {
			if s.From >= from.UnixMilli() && s.To <= to.UnixMilli() {
				sum += time.Duration(s.To-s.From) * time.Millisecond
			}
		}
		return sum
	}
	for _, row := range []struct {
		component  string
		good, evil time.Duration
	}{
		{"shop-database", 6 * time.Minute, 52 * time.Minute},
		{"payment-gateway", 0, 112 * time.Minute},
		{"order-app", 9 * time.Minute, 211 * time.Minute},
		{"order-database", 0, 14 * time.Minute},
		{"file-share", 0, 0}, // its only observer was stopped: nobody knows
	} {
		if good, evil := down(row.component, before, last), down(row.component, last, this); good != row.good || evil != row.evil {
			t.Errorf("%s: down for %v and %v, want %v and %v", row.component, good, evil, row.good, row.evil)
		}
	}
	for _, e := range p.Events {
		if e.To > now.UnixMilli() || e.From < p.From {
			t.Errorf("%+v is not in the past of %v", e, now)
		}
	}
}

// TestDemoLoads: shares are shares, counters never fall, and the disk of the
// story is full on its day and has room after it.
func TestDemoLoads(t *testing.T) {
	now := time.Date(2026, 11, 25, 17, 0, 0, 0, time.UTC)
	before, last, _ := months(now)
	l := newLoads(before, last, now)
	counters := map[string]float64{}
	var fullest, after float64
	for _, h := range demoHosts() {
		for at := before; at.Before(now); at = at.Add(4 * time.Minute) {
			level := map[string]float64{}
			l.load(func(name string, v float64, labels ...string) {
				key := h.Name + name + strings.Join(labels, ",")
				if strings.HasSuffix(name, "_total") {
					if v < counters[key] {
						t.Fatalf("%s fell from %v to %v", key, counters[key], v)
					}
					counters[key] = v
				}
				if strings.Contains(key, "postgresql") {
					level[name] = v
				}
			}, &h, at.UnixMilli(), 0)
			if size := level["node_filesystem_size_bytes"]; size > 0 {
				share := 1 - level["node_filesystem_avail_bytes"]/size
				if share < 0 || share > 1 {
					t.Fatalf("%s is %v full", h.Name, share)
				}
				fullest = max(fullest, share)
				if at.After(l.disk.Add(time.Hour)) {
					after = max(after, share)
				}
			}
		}
	}
	if fullest < 0.97 || after > 0.65 {
		t.Errorf("the disk of the story was %.2f full at most, and %.2f after its day; want at least 0.97 and at most 0.65", fullest, after)
	}
}

// TestDemoShareGetsFull: on any day of a month the share passes its warning
// threshold of 80 % within the hour before the demonstration begins, and not
// the critical one: the judge opens one record by its own rule.
func TestDemoShareGetsFull(t *testing.T) {
	for _, day := range []string{"2026-11-01T00:10:00+08:00", "2026-11-25T17:00:00+08:00", "2026-12-31T23:50:00+08:00", "2027-03-01T11:00:00+08:00", "2027-03-31T11:00:00+08:00"} {
		now, err := time.Parse(time.RFC3339, day)
		if err != nil {
			t.Fatal(err)
		}
		before, last, _ := months(now)
		l, nas := newLoads(before, last, now), machines()["pj-nas-1"]
		for at := now.Add(-7 * 24 * time.Hour); at.Before(now.Add(24 * time.Hour)); at = at.Add(time.Minute) {
			share := l.share(&nas, at.UnixMilli())
			if at.Before(now.Add(-copyBefore)) && share >= 0.80 || at.After(now.Add(-copyBefore+copyTook)) && (share < 0.80 || share >= 0.90) {
				t.Fatalf("%s: %.3f full at %s", day, share, at)
			}
		}
	}
}
