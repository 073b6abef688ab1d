package evaluate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// transitions are the instants 1970 to 2037 at which a zone's clock or its
// name changes.
func transitions(z *zone) []int64 {
	var all []int64
	last := at("2038-01-01T00:00:00Z")
	for now := int64(0); ; {
		_, end := z.local(now).ZoneBounds()
		if end.IsZero() || end.UnixMilli() >= last {
			return all
		}
		now = end.UnixMilli()
		all = append(all, now)
	}
}

// TestEveryZoneTransition compares agreed time about every transition of
// every zone with a walk, half minute by half minute, of the days around
// it. PLIMSOLL_ORACLE_ZONES says how many zones, from a random first one.
func TestEveryZoneTransition(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "oracle", "zones.txt"))
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(text))
	count := min(int(setting(t, "PLIMSOLL_ORACLE_ZONES", 12)), len(names))
	first := int(setting(t, "PLIMSOLL_ORACLE_SEED", 1)) * 131 % len(names)
	zs, checked, began := zones{}, 0, time.Now()
	for i := range count {
		name := names[(first+i*53)%len(names)]
		checked += aroundTransitions(t, name, zs)
	}
	t.Logf("%d transitions of %d zones from %s, %v", checked, count, names[first], time.Since(began).Round(time.Second))
}

func aroundTransitions(t *testing.T, name string, zs zones) int {
	t.Helper()
	dir := t.TempDir()
	p := &problem{components: []component{comp("a")}, services: []service{{name: "shop", customer: "acme", needs: allOf("a")}},
		calendars: []calendar{
			{name: "all", versions: []calendarVersion{{week: week([]int{0, 1, 2, 3, 4, 5, 6}, span{0, 1440})}}},
			{name: "night", versions: []calendarVersion{{week: week([]int{0, 1, 2, 3, 4, 5, 6}, span{60, 240})}}}},
		asOf: at("2040-01-01T00:00:00Z")}
	for i, cal := range []string{"all", "night"} {
		a := plain(name, cal)
		a.number += cal
		a.version = i + 1
		p.agreements = append(p.agreements, a)
	}
	z := zs.load(name)
	facts, catalogue := filepath.Join(dir, "facts.csv"), filepath.Join(dir, "catalogue.yaml")
	for file, text := range map[string]string{facts: p.csv(), catalogue: p.catalogue()} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := transitions(z)
	for _, change := range all {
		date := z.localDate(change)
		p.from, p.to = onDate(addDays(date, -1)), onDate(addDays(date, 2))
		got, err := p.askFiles(facts, catalogue)
		if err != nil {
			t.Errorf("%s at %s: %v", name, rfc3339(change), err)
			continue
		}
		for i, a := range p.agreements {
			walk := int64(0)
			inside := p.agreedTime(a, zs)
			for now := p.from.in(z); now < p.to.in(z); now += minute / 2 {
				if inside.inside(now) {
					walk += minute / 2
				}
			}
			c := &comparison{zone: z, entry: name + " " + a.calendar + " at " + rfc3339(change)}
			if _, offset := z.local(p.from.in(z)).Zone(); offset%60 == 0 { // RFC 3339 has no seconds of offset
				c.instant("from", &got.Services[i].From, p.from.in(z))
				c.instant("to", &got.Services[i].To, p.to.in(z))
			}
			c.millis("agreed_s", got.Services[i].Agreed, walk)
			for _, line := range c.lines {
				t.Error(line)
			}
		}
	}
	return len(all)
}
