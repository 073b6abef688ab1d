package evaluate_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"
)

// at reads an instant as people write it.
func at(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

// changes makes facts of one observer: a time and a state in turn.
func changes(component string, pairs ...any) []fact {
	var facts []fact
	for i := 0; i < len(pairs); i += 2 {
		facts = append(facts, fact{component: component, at: at(pairs[i].(string)), state: pairs[i+1].(state), received: none, hold: none})
	}
	return facts
}

// plain is an agreement with every policy left to its default.
func plain(zone, calendar string) agreement {
	return agreement{number: "SLA-1", version: 1, service: "shop", zone: zone, calendar: calendar,
		notice: none, cap: none, ignore: none, merge: none,
		indicators: []indicator{{name: "availability", target: "99.9%", unacceptable: "99.5%"}}}
}

func comp(name string) component { return component{name: name, interval: none, hold: none} }

func allOf(names ...string) node { return group("all_of", 0, names...) }

func group(form string, k int, names ...string) node {
	n := node{form: form, k: k}
	for _, name := range names {
		n.of = append(n.of, node{name: name})
	}
	return n
}

// week has the same spans on some days, Sunday being 0.
func week(days []int, spans ...span) (w [7][]span) {
	for _, d := range days {
		w[d] = spans
	}
	return w
}

func workdays() []int { return []int{1, 2, 3, 4, 5} }

// october is V0 of the contract: October 2026 in Shanghai.
func october(a agreement) *problem {
	p := &problem{step: 30 * minute, from: onDate("2026-10-01"), to: onDate("2026-11-01"), asOf: at("2026-11-01T00:00:00+08:00"),
		components: []component{comp("a"), comp("b")},
		services:   []service{{name: "shop", customer: "acme", needs: allOf("a", "b")}},
		agreements: []agreement{a},
		windows: []window{{change: "CHG-1", services: []string{"shop"}, from: at("2026-10-20T00:00:00+08:00"),
			to: at("2026-10-20T04:00:00+08:00"), approved: at("2026-10-15T10:00:00+08:00")}},
		calendars: []calendar{{name: "office", zone: "Asia/Shanghai", versions: []calendarVersion{{
			week:   week(workdays(), span{480, 720}, span{840, 1080}),
			closed: []dayRange{{"2026-10-01", "2026-10-07"}},
			open:   map[string][]span{"2026-10-10": {{480, 720}, {840, 1080}}}}}}},
	}
	p.facts = append(p.facts, changes("a", "2026-09-30T00:00:00+08:00", up, "2026-09-30T23:00:00+08:00", down, "2026-10-01T02:00:00+08:00", up,
		"2026-10-10T10:00:00+08:00", down, "2026-10-10T11:30:00+08:00", up, "2026-10-20T01:00:00+08:00", down, "2026-10-20T05:00:00+08:00", up,
		"2026-10-31T23:30:00+08:00", down, "2026-11-01T03:00:00+08:00", up)...)
	p.facts = append(p.facts, changes("b", "2026-09-30T00:00:00+08:00", up, "2026-10-10T11:00:00+08:00", down, "2026-10-10T12:00:00+08:00", up)...)
	return p
}

func ratioText(r *big.Rat) string {
	if r == nil {
		return "null"
	}
	return r.FloatString(8)
}

// TestOracleOctober checks the oracle against V0, worked out by hand.
func TestOracleOctober(t *testing.T) {
	for _, row := range []struct {
		name, calendar, planned string
		agreedMin, downMin      int64
		availability            string
		started, restored       int
	}{
		{"planned excluded", "always", "exclude", 44_400, 330, "0.99256757", 3, 3},
		{"planned counted", "always", "down", 44_640, 510, "0.98857527", 3, 3},
		{"planned up", "always", "up", 44_640, 330, "0.99260753", 3, 3},
		{"office hours", "office", "exclude", 8640, 120, "0.98611111", 1, 1},
	} {
		a := plain("Asia/Shanghai", row.calendar)
		a.planned = row.planned
		f := october(a).expect(zones{})[0]
		got := fmt.Sprint(f.agreed/minute, f.down/minute, ratioText(f.availability), f.started, f.restored)
		want := fmt.Sprint(row.agreedMin, row.downMin, row.availability, row.started, row.restored)
		if got != want {
			t.Errorf("%s: got %s, want %s (agreed, down, A, n_s, n_r)", row.name, got, want)
		}
	}
	f := october(plain("Asia/Shanghai", "always")).expect(zones{})[0]
	for _, row := range []struct {
		name string
		got  *big.Rat
		want int64
	}{
		{"MTBF 244 h 50 min", f.mtbf, 244*hour + 50*minute},
		{"MTBSI 246 h 40 min", f.mtbsi, 246*hour + 40*minute},
		{"down per outage 1 h 50 min", f.downPerOutage, 110 * minute},
		{"MTTR 120 min", f.mttr, 120 * minute},
	} {
		if row.got.Cmp(rat(row.want)) != 0 {
			t.Errorf("%s: got %s ms", row.name, row.got.FloatString(3))
		}
	}
	last := f.outages[len(f.outages)-1]
	if !last.ongoing || last.to != none || last.agreed != 30*minute || len(f.outages) != 4 {
		t.Errorf("the outage of 31 October is ongoing with 30 min so far: got %+v of %d", last, len(f.outages))
	}
}

// TestOracleCalendars checks vectors 8 and 9: hours of a calendar in Paris.
func TestOracleCalendars(t *testing.T) {
	weekdays := calendar{name: "c", versions: []calendarVersion{{week: week(workdays(), span{480, 1080})}}}
	for _, row := range []struct {
		cal      string
		from, to string
		hours    int64
	}{
		{"c", "2025-04-01", "2025-07-01", 650},
		{"c", "2025-03-01", "2025-04-01", 210},
		{"c", "2025-10-01", "2025-11-01", 230},
		{"always", "2025-03-01", "2025-04-01", 743},
		{"always", "2025-10-01", "2025-11-01", 745},
	} {
		p := &problem{step: 30 * minute, from: onDate(row.from), to: onDate(row.to), asOf: at("2026-01-01T00:00:00Z"),
			calendars: []calendar{weekdays}, components: []component{comp("a")},
			services: []service{{name: "shop", needs: allOf("a")}}, agreements: []agreement{plain("Europe/Paris", row.cal)}}
		if f := p.expect(zones{})[0]; f.agreed != row.hours*hour {
			t.Errorf("%s %s..%s: got %d min, want %d h", row.cal, row.from, row.to, f.agreed/minute, row.hours)
		}
	}
}

// TestOracleTwoOfThree checks vector 14: 2-of-3 with one unknown.
func TestOracleTwoOfThree(t *testing.T) {
	for _, row := range []struct{ a, b, c, want state }{
		{up, up, unknown, up},
		{down, down, unknown, down},
		{up, down, unknown, unknown},
		{up, up, down, degraded},
		{degraded, up, up, degraded},
		{unknown, unknown, unknown, unknown},
		{up, absent, absent, up}, // k is at most the number left
		{absent, absent, absent, absent},
	} {
		p := &problem{step: hour, components: []component{comp("a"), comp("b"), comp("c")}}
		w := &world{p: p, g: grid{0, hour, hour}, zone: zones{}.load("UTC"), seen: map[string]seen{}}
		for i, s := range []state{row.a, row.b, row.c} {
			w.seen[p.components[i].name] = seen{states: []state{s}}
		}
		if got := w.node(group("at_least", 2, "a", "b", "c")); got != row.want {
			t.Errorf("2 of (%v, %v, %v): got %v, want %v", row.a, row.b, row.c, got, row.want)
		}
	}
}

// hours makes a problem over so many hours of 24x7 in UTC from facts at
// whole hours, the one of hour 0 being an up.
func hours(n int64, outages ...[2]int64) *problem {
	base := at("2026-09-01T00:00:00Z")
	p := &problem{step: hour, from: instant(base), to: instant(base + n*hour), asOf: base + n*hour, components: []component{comp("a")},
		services: []service{{name: "shop", needs: allOf("a")}}, agreements: []agreement{plain("UTC", "always")}}
	p.facts = append(p.facts, fact{component: "a", at: base, state: up, received: none, hold: none})
	for _, o := range outages {
		p.facts = append(p.facts, fact{component: "a", at: base + o[0]*hour, state: down, received: none, hold: none},
			fact{component: "a", at: base + o[1]*hour, state: up, received: none, hold: none})
	}
	return p
}

// TestOracleFigures checks vectors 15, 19, 20, 22 and 23.
func TestOracleFigures(t *testing.T) {
	equal := func(name string, got *big.Rat, want *big.Rat) {
		t.Helper()
		if got == nil || got.Cmp(want) != 0 {
			t.Errorf("%s: got %s, want %s", name, ratioText(got), ratioText(want))
		}
	}
	f := hours(720, [2]int64{100, 101}, [2]int64{500, 501}).expect(zones{})[0]
	equal("19 MTBF", f.mtbf, rat(359*hour))
	equal("19 MTBSI", f.mtbsi, rat(360*hour))

	f = hours(720).expect(zones{})[0]
	if f.mtbf != nil || f.mtbfUpper != nil || fmt.Sprintf("%.1f", *f.mtbfLower/float64(hour)) != "240.3" {
		t.Errorf("20: got MTBF %v, lower %v h, upper %v", f.mtbf, *f.mtbfLower/float64(hour), f.mtbfUpper)
	}

	p := hours(720)
	p.asOf = p.from.at + 240*hour
	f = p.expect(zones{})[0]
	equal("22 budget", f.budget, rat(2592*second))
	equal("22 budget elapsed", f.budgetElapsed, rat(864*second))

	f = hours(5020, [2]int64{1000, 1006}, [2]int64{3000, 3014}).expect(zones{})[0]
	equal("23 MTBSI", f.mtbsi, rat(2510*hour))
	equal("23 MTBF", f.mtbf, rat(2500*hour))
	equal("23 down per outage", f.downPerOutage, rat(10*hour))
	equal("23 A", f.availability, big.NewRat(5000, 5020))

	p = hours(720)
	p.step, p.components[0].hold, p.facts = minute, 10*minute, nil
	for at := p.from.at; at < p.from.at+480*hour; at += minute {
		p.facts = append(p.facts, fact{component: "a", at: at, state: up, received: none, hold: none})
	}
	for at := p.from.at + 480*hour; at < p.to.at; at += 5 * minute {
		p.facts = append(p.facts, fact{component: "a", at: at, state: down, received: none, hold: none})
	}
	f = sparse(p).expect(zones{})[0]
	equal("15 A", f.availability, big.NewRat(2, 3))
}

// sparse leaves out facts that repeat the state within the hold: the walk
// asks every instant of every fact, which a month of minutes makes slow.
func sparse(p *problem) *problem {
	kept := p.facts[:0]
	for i, f := range p.facts {
		if i%120 == 0 || i > 0 && f.state != p.facts[i-1].state {
			f.hold = day
			kept = append(kept, f)
		}
	}
	p.facts = kept
	return p
}
