package evaluate_test

import (
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// sees makes facts of a component, or of component@observer, in a zone:
// "2026-06-10 12:00 down".
func sees(zone, who string, lines ...string) (facts []fact) {
	component, observer := cutAt(who)
	for _, line := range lines {
		cut := len(line) - 1
		for line[cut] != ' ' {
			cut--
		}
		said := map[string]state{"up": up, "degraded": degraded, "down": down}[line[cut+1:]]
		facts = append(facts, fact{component: component, observer: observer, at: clockTime(zone, line[:cut]), state: said, received: none, hold: none})
	}
	return facts
}

// pings makes a fact each step from the first instant up to, without, the last.
func pings(component, from, to string, step int64, s state) (facts []fact) {
	for at := clockTime("UTC", from); at < clockTime("UTC", to); at += step {
		facts = append(facts, fact{component: component, at: at, state: s, received: none, hold: none})
	}
	return facts
}

func cutAt(who string) (component, observer string) {
	for i := range who {
		if who[i] == '@' {
			return who[:i], who[i+1:]
		}
	}
	return who, ""
}

// clockTime reads what a clock of the zone shows, as ms.
func clockTime(zone, text string) int64 {
	z := zones{}.load(zone)
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, z.loc); err == nil {
			return t.UnixMilli()
		}
	}
	panic("not a time: " + text)
}

// vector is a service "shop" that needs all of its components, 24x7 in UTC on
// 10 June 2026, 1440 minutes, unless the row says otherwise.
type vector struct {
	name     string
	of       []string // components; none: a
	facts    [][]fact
	change   func(p *problem, a *agreement)
	punctual bool
	// want is what its figures are by hand, by the name of the policy, at the
	// end of the period.
	want map[string]string
	asks []ask
}

func (v *vector) history() *history {
	p := &problem{from: onDate("2026-06-10"), to: onDate("2026-06-11"), asOf: clockTime("UTC", "2026-06-11")}
	of := v.of
	if of == nil {
		of = []string{"a"}
	}
	for _, name := range of {
		p.components = append(p.components, comp(name))
	}
	p.services = []service{{name: "shop", customer: "acme", needs: allOf(of...)}}
	for _, each := range v.facts {
		p.facts = append(p.facts, each...)
	}
	a := plain("UTC", "always")
	if v.change != nil {
		v.change(p, &a)
	}
	if p.agreements == nil {
		p.agreements = underEveryPolicy(a)
	}
	end := p.to.in(zones{}.load(p.agreements[0].zone))
	return &history{name: v.name, problem: p, want: v.want, punctual: v.punctual, asks: append(v.asks, ask{at: end})}
}

// underEveryPolicy is the agreement under each value of each policy, numbered
// by the policy's name.
func underEveryPolicy(a agreement) (all []agreement) {
	for _, row := range []struct {
		name   string
		change func(*agreement)
	}{
		{"default", func(*agreement) {}},
		{"planned-down", func(a *agreement) { a.planned = "down" }},
		{"planned-up", func(a *agreement) { a.planned = "up" }},
		{"unknown-up", func(a *agreement) { a.unknown = "up" }},
		{"unknown-down", func(a *agreement) { a.unknown = "down" }},
		{"degraded-down", func(a *agreement) { a.degraded = "down" }},
		{"degraded-quarter", func(a *agreement) { a.degraded = "0.25" }},
		{"existence-up", func(a *agreement) { a.existence = "up" }},
	} {
		each := a
		each.number = row.name
		row.change(&each)
		all = append(all, each)
	}
	return all
}

func (p *problem) windowOf(change, from, to, approved string, services, components []string) {
	p.windows = append(p.windows, window{change: change, services: services, components: components,
		from: clockTime("UTC", from), to: clockTime("UTC", to), approved: clockTime("UTC", approved)})
}

// calendarOf gives the agreement a calendar of its own, in Paris.
func (p *problem) calendarOf(a *agreement, from, to string, versions ...calendarVersion) {
	p.calendars = []calendar{{name: "hours", versions: versions}}
	a.zone, a.calendar = "Europe/Paris", "hours"
	p.from, p.to = onDate(from), onDate(to)
	p.facts = sees("Europe/Paris", "a", from+" up")
}

var shop = []string{"shop"}

func june(p *problem) { p.from, p.to = onDate("2026-06-01"), onDate("2026-07-01") }

// vectors are those of section 8 of the contract. None is left out; two kinds
// are said otherwise than the tests of availability say them, since no agent
// can: a fact's own hold (13, 25) is the component's, and an observer without
// a name is a host's.
func vectors() []vector {
	office := calendarVersion{week: week(workdays(), span{480, 1080})}
	everyDay := []int{0, 1, 2, 3, 4, 5, 6}
	v0 := func(p *problem, a *agreement) {
		o := october(*a)
		o.agreements = underEveryPolicy(plain("Asia/Shanghai", "always"))
		hours := plain("Asia/Shanghai", "office")
		hours.number = "office"
		o.agreements = append(o.agreements, hours)
		*p = *o
	}
	return []vector{
		{name: "0 October 2026 in Shanghai", change: v0, want: map[string]string{
			"default":      "agreed_s 44400m, down_s 330m, availability 0.99256756…, outages_started 3, outages_restored 3, mtbf_s 244h50m, mtbsi_s 246h40m, down_per_outage_s 1h50m, mttr_s 120m",
			"planned-down": "agreed_s 44640m, down_s 510m, availability 0.98857526…",
			"planned-up":   "agreed_s 44640m, down_s 330m, availability 0.99260752…",
			"office":       "agreed_s 8640m, down_s 120m, availability 0.98611111…",
		}},
		{name: "1 no facts at all", want: map[string]string{
			"default": "availability null, coverage 0, unknown_s 1440m", "unknown-up": "availability 1, coverage 0", "unknown-down": "availability 0, coverage 0"}},
		{name: "2 created mid-period", facts: [][]fact{sees("UTC", "a", "2026-06-10 12:00 up", "2026-06-10 18:00 down", "2026-06-10 19:00 up")},
			change: func(p *problem, _ *agreement) { p.services[0].from = instant(clockTime("UTC", "2026-06-10 12:00")) },
			want:   map[string]string{"default": "agreed_s 720m, down_s 60m", "existence-up": "agreed_s 1440m, down_s 60m"}},
		{name: "2 component created mid-period, down before", facts: [][]fact{sees("UTC", "a", "2026-06-10 10:00 down", "2026-06-10 13:00 up")},
			change: func(p *problem, _ *agreement) { p.components[0].from = instant(clockTime("UTC", "2026-06-10 12:00")) },
			want:   map[string]string{"default": "agreed_s 720m, down_s 60m", "existence-up": "agreed_s 1440m, down_s 60m"}},
		{name: "3 removed mid-period", facts: [][]fact{sees("UTC", "a", "2026-06-09 up", "2026-06-10 10:00 down", "2026-06-10 11:00 up", "2026-06-10 13:00 down")},
			change: func(p *problem, _ *agreement) { p.components[0].until = instant(clockTime("UTC", "2026-06-10 12:00")) },
			want:   map[string]string{"default": "agreed_s 720m, down_s 60m", "existence-up": "agreed_s 1440m, down_s 60m"}},
		{name: "4 down before the period, no fact inside", facts: [][]fact{sees("UTC", "a", "2026-06-08 up", "2026-06-09 22:00 down")},
			want: map[string]string{"default": "agreed_s 1440m, down_s 1440m, outages_started 0, outages_restored 0"}},
		{name: "5 overlapping and touching exclusions", facts: [][]fact{sees("UTC", "a", "2026-06-09 up", "2026-06-10 08:00 down", "2026-06-10 13:00 up")},
			change: func(p *problem, _ *agreement) {
				p.windowOf("C1", "2026-06-10 09:00", "2026-06-10 10:00", "2026-06-01", shop, nil)
				p.windowOf("C2", "2026-06-10 09:30", "2026-06-10 11:00", "2026-06-01", shop, nil)
				p.adjustments = []adjustment{{id: "ADJ", components: []string{"a"}, from: clockTime("UTC", "2026-06-10 10:30"), to: clockTime("UTC", "2026-06-10 12:00"), approved: clockTime("UTC", "2026-06-10 12:00")}}
			},
			want: map[string]string{"default": "agreed_s 1260m, down_s 120m", "planned-down": "agreed_s 1350m, down_s 210m", "planned-up": "agreed_s 1350m, down_s 120m"}},
		{name: "6 exclusion over the whole period", facts: [][]fact{sees("UTC", "a", "2026-06-09 down")},
			change: func(p *problem, _ *agreement) { p.windowOf("C1", "2026-06-10", "2026-06-11", "2026-06-01", shop, nil) },
			want:   map[string]string{"default": "agreed_s 0, availability null", "planned-down": "down_s 1440m", "planned-up": "up_s 1440m, availability 1"}},
		{name: "7 a window during time without data", facts: [][]fact{sees("UTC", "a", "2026-06-10 00:00 up", "2026-06-10 06:00 down", "2026-06-10 10:00 up")},
			change: func(p *problem, _ *agreement) {
				p.components[0].hold = 6 * hour
				p.windowOf("C1", "2026-06-10 18:00", "2026-06-10 20:00", "2026-06-01", shop, nil)
			},
			want: map[string]string{"default": "availability 0.75, unknown_s 360m", "planned-down": "availability 0.75, unknown_s 480m", "unknown-down": "availability 0.54545…"}},
		{name: "8 Mon-Fri 08-18, Q2 2025", change: func(p *problem, a *agreement) { p.calendarOf(a, "2025-04-01", "2025-07-01", office) }, want: map[string]string{"default": "agreed_s 650h"}},
		{name: "8 Mon-Fri 08-18, March 2025", change: func(p *problem, a *agreement) { p.calendarOf(a, "2025-03-01", "2025-04-01", office) }, want: map[string]string{"default": "agreed_s 210h"}},
		{name: "8 Mon-Fri 08-18, October 2025", change: func(p *problem, a *agreement) { p.calendarOf(a, "2025-10-01", "2025-11-01", office) }, want: map[string]string{"default": "agreed_s 230h"}},
		{name: "9 24x7 in Paris, March 2025", change: func(p *problem, a *agreement) {
			p.calendarOf(a, "2025-03-01", "2025-04-01", calendarVersion{week: week(everyDay, span{0, 1440})})
		}, want: map[string]string{"default": "agreed_s 743h, up_s 743h"}},
		{name: "9 24x7 in Paris, October 2025", change: func(p *problem, a *agreement) {
			p.calendarOf(a, "2025-10-01", "2025-11-01", calendarVersion{week: week(everyDay, span{0, 1440})})
		}, want: map[string]string{"default": "agreed_s 745h, up_s 745h"}},
		{name: "10 holiday on a service day", change: func(p *problem, a *agreement) {
			v := office
			v.closed = []dayRange{{"2025-03-05", "2025-03-06"}}
			v.open = map[string][]span{"2025-03-06": {{540, 600}}, "2025-03-08": {{1320, 120}}, "2025-03-10": {}}
			p.calendarOf(a, "2025-03-01", "2025-04-01", v)
		}, want: map[string]string{"default": "agreed_s 185h"}},
		{name: "11 calendar changed on the 15th", change: func(p *problem, a *agreement) {
			v := office
			v.from = "2025-03-15"
			p.calendarOf(a, "2025-03-01", "2025-04-01", calendarVersion{week: week(everyDay, span{0, 1440})}, v)
		}, want: map[string]string{"default": "agreed_s 446h"}},
		{name: "12 outage over the month's edge: June", facts: [][]fact{sees("UTC", "a", "2026-05-01 up", "2026-06-30 23:00 down", "2026-07-01 01:00 up")},
			change: func(p *problem, _ *agreement) { june(p) },
			want:   map[string]string{"default": "down_s 60m, outages_started 1, outages_restored 0, mttr_s null"}},
		{name: "12 outage over the month's edge: July", facts: [][]fact{sees("UTC", "a", "2026-05-01 up", "2026-06-30 23:00 down", "2026-07-01 01:00 up")},
			change: func(p *problem, _ *agreement) { p.from, p.to = onDate("2026-07-01"), onDate("2026-07-02") },
			want:   map[string]string{"default": "down_s 60m, outages_started 0, outages_restored 1, mttr_s 2h"}},
		blips("13 blips counted", none, none, "down_s 119s, outages_started 3, outages_restored 3"),
		blips("13 blips ignored and merged", 30*second, 31*second, "down_s 90s, outages_started 1, outages_restored 1"),
		blips("13 a gap as long as the limit is not merged", 30*second, 30*second, "down_s 90s, outages_started 2, outages_restored 2, mttr_s 45s"),
		{name: "13 a blip beside unknown stays, beside degraded goes", punctual: true, facts: [][]fact{
			pings("a", "2026-06-10 00:00", "2026-06-10 06:00", 20*second, up), sees("UTC", "a", "2026-06-10 06:00 down"),
			pings("a", "2026-06-10 18:00", "2026-06-10 20:00", 20*second, degraded), sees("UTC", "a", "2026-06-10 20:00 down"),
			pings("a", "2026-06-10 20:00:20", "2026-06-11 00:00", 20*second, up)},
			change: func(p *problem, a *agreement) { p.components[0].hold, a.ignore = 20*second, 30*second },
			want: map[string]string{"default": "up_s 600m, degraded_s 120m, down_s 20s, unknown_s 43180s, outages_started 1, outages_restored 1",
				"degraded-down": "down_s 40s", "unknown-down": "availability 0.5"}},
		twoOfThree("14 two of three, one unknown: up", "up", "up", "up_s 1440m"),
		twoOfThree("14 two of three, one unknown: down", "down", "down", "down_s 1440m"),
		twoOfThree("14 two of three, one unknown: unknown", "up", "down", "unknown_s 1440m"),
		{name: "15 interval changed from 1 to 5 min", punctual: true,
			facts: [][]fact{pings("a", "2026-06-01", "2026-06-21", minute, up), pings("a", "2026-06-21", "2026-07-01", 5*minute, down)},
			change: func(p *problem, _ *agreement) {
				june(p)
				p.components[0].interval = 5 * minute
			},
			want: map[string]string{"default": "availability 0.66666…, up_s 480h, down_s 240h"}},
		overrun("16 window overrun by 30 min", func(*problem, *agreement) {}, "agreed_s 1320m, down_s 30m"),
		overrun("16 window beyond the cap", func(_ *problem, a *agreement) { a.cap, a.capPer = 90*minute, "month" }, "agreed_s 1350m, down_s 60m"),
		overrun("16 cap used up before the period", func(p *problem, a *agreement) {
			a.cap, a.capPer = 90*minute, "month"
			p.windowOf("C0", "2026-06-05 00:00", "2026-06-05 01:00", "2026-06-01", shop, nil)
		}, "agreed_s 1410m, down_s 120m"),
		overrun("16 window approved a millisecond too late", func(_ *problem, a *agreement) { a.notice = day + 1 }, "agreed_s 1440m, down_s 150m"),
		{name: "17 agent silent 3 h, then backfill", punctual: true, facts: [][]fact{pings("a", "2026-06-10 00:00", "2026-06-10 09:00", minute, up),
			pings("a", "2026-06-10 12:00", "2026-06-11 00:00", minute, up), lateBy("2026-06-11 01:00", pings("a", "2026-06-10 09:00", "2026-06-10 12:00", minute, up))},
			change: func(p *problem, _ *agreement) { p.components[0].interval = minute },
			asks: []ask{{at: clockTime("UTC", "2026-06-11 00:30"), want: map[string]string{"default": "unknown_s 10710s, availability 1", "unknown-down": "availability 0.87604…"}},
				{at: clockTime("UTC", "2026-06-11 02:00"), want: map[string]string{"default": "unknown_s 0, up_s 1440m"}}},
			want: map[string]string{"default": "unknown_s 0, up_s 1440m"}},
		{name: "18 collector away 1 h", punctual: true, facts: [][]fact{pings("a", "2026-06-10 00:00", "2026-06-10 12:00", minute, up),
			lateBy("2026-06-10 13:00", pings("a", "2026-06-10 12:00", "2026-06-10 13:00", minute, up)), pings("a", "2026-06-10 13:00", "2026-06-11 00:00", minute, up)},
			change: func(p *problem, _ *agreement) { p.components[0].hold = 90 * second },
			asks: []ask{{at: clockTime("UTC", "2026-06-10 12:30"), want: map[string]string{"default": "agreed_s 750m, unknown_s 1770s, down_s 0"}},
				{at: clockTime("UTC", "2026-06-10 13:30"), want: map[string]string{"default": "agreed_s 810m, unknown_s 0, down_s 0"}}},
			want: map[string]string{"default": "unknown_s 0, up_s 1440m"}},
		{name: "19 two outages of 1 h in 720 h", facts: [][]fact{sees("UTC", "a", "2026-05-20 up", "2026-06-10 01:00 down", "2026-06-10 02:00 up", "2026-06-20 01:00 down", "2026-06-20 02:00 up")},
			change: func(p *problem, _ *agreement) { june(p) },
			want:   map[string]string{"default": "mtbf_s 359h, mtbsi_s 360h, down_per_outage_s 1h"}},
		{name: "20 no outage in 720 h", facts: [][]fact{sees("UTC", "a", "2026-05-20 up")}, change: func(p *problem, _ *agreement) { june(p) },
			want: map[string]string{"default": "mtbf_s null, mtbf_upper_s null, mtbf_lower_s 86523…"}}, // 240.34 h
		{name: "21 outage open at report time", facts: [][]fact{sees("UTC", "a", "2026-06-09 up", "2026-06-10 22:00 down")},
			want: map[string]string{"default": "down_s 120m, outages_started 1, outages_restored 0, mttr_s null, longest_s 2h"}},
		{name: "22 budget after 10 clean days of 30", punctual: true, facts: [][]fact{sees("UTC", "a", "2026-05-20 up")}, change: func(p *problem, _ *agreement) { june(p) },
			asks: []ask{{at: clockTime("UTC", "2026-06-11"), want: map[string]string{"default": "budget_s 2592, budget_elapsed_s 864, burn_rate 0"}}}},
		{name: "22 ten days' budget used up", punctual: true, facts: [][]fact{sees("UTC", "a", "2026-05-20 up", "2026-06-05 down", "2026-06-05 00:14:24 up")},
			change: func(p *problem, _ *agreement) { june(p) },
			asks:   []ask{{at: clockTime("UTC", "2026-06-11"), want: map[string]string{"default": "budget_s 1728, budget_elapsed_s 0, burn_rate 1"}}}},
		{name: "23 the handbook example", facts: [][]fact{sees("UTC", "a", "2026-01-01 up", "2026-02-01 00:00 down", "2026-02-01 06:00 up", "2026-03-01 00:00 down", "2026-03-01 14:00 up")},
			change: func(p *problem, _ *agreement) {
				p.from, p.to = instant(clockTime("UTC", "2026-01-01")), instant(clockTime("UTC", "2026-07-29 04:00"))
			},
			want: map[string]string{"default": "agreed_s 5020h, mtbsi_s 2510h, mtbf_s 2500h, down_per_outage_s 10h, availability 0.996…"}},
		{name: "24 one of 2-of-3 web servers", of: []string{"a", "b", "c"}, facts: [][]fact{sees("UTC", "a", "2026-06-09 up"), sees("UTC", "b", "2026-06-09 up"),
			sees("UTC", "c", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 03:00 up")},
			change: func(p *problem, _ *agreement) {
				p.services[0].needs = group("at_least", 2, "a", "b", "c")
				p.windowOf("C1", "2026-06-10 02:00", "2026-06-10 04:00", "2026-06-01", nil, []string{"c"})
			},
			want: map[string]string{"default": "agreed_s 1440m, degraded_s 60m, down_s 0", "degraded-down": "agreed_s 1380m, degraded_s 0, down_s 0", "degraded-quarter": "agreed_s 1380m"}},
		{name: "24 the single database; an unused half hour uses no cap", of: []string{"db"}, facts: [][]fact{sees("UTC", "db", "2026-06-09 up", "2026-06-10 02:30 down", "2026-06-10 04:30 up")},
			change: func(p *problem, a *agreement) {
				a.cap, a.capPer = 100*minute, "month"
				p.windowOf("C1", "2026-06-10 02:00", "2026-06-10 04:00", "2026-06-01", nil, []string{"db"})
			},
			want: map[string]string{"default": "agreed_s 1350m, down_s 30m", "planned-down": "down_s 120m", "planned-up": "agreed_s 1440m, down_s 30m"}},
		otherFails("24 the other fails too: down", nil, "agreed_s 1380m, down_s 120m"),
		otherFails("24 windows at once", []string{"b"}, "agreed_s 1320m, down_s 60m"),
		neededService("24 a needed service", true, "agreed_s 1380m, down_s 0"),
		neededService("24 a needed service, unknown", false, "agreed_s 1440m, unknown_s 1440m"),
		{name: "24 a blip is not planned", facts: [][]fact{sees("UTC", "a", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 02:00:20 up")},
			change: func(p *problem, a *agreement) {
				a.ignore = 30 * second
				p.windowOf("C1", "2026-06-10 01:00", "2026-06-10 04:00", "2026-06-01", nil, []string{"a"})
			},
			want: map[string]string{"default": "agreed_s 1440m, up_s 1440m"}},
		lowCoverage("25 A_high below unacceptable", "2026-06-10 07:00", "unacceptable"),
		lowCoverage("25 A_high between", "2026-06-10 08:00", "below_target"),
		lowCoverage("25 A_high above the target", "2026-06-10 10:00", "insufficient_data"),
		lowCoverage("25 A_high on the target", "2026-06-10 09:36", "insufficient_data"),
		{name: "several observers", facts: [][]fact{sees("UTC", "a@east", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 05:00 up"),
			sees("UTC", "a@west", "2026-06-09 up", "2026-06-10 03:00 down", "2026-06-10 04:00 up"), sees("UTC", "a@north", "2026-06-09 up")},
			want: map[string]string{"default": "down_s 60m, degraded_s 120m", "degraded-down": "availability 0.875"}},
	}
}

func blips(name string, ignore, merge int64, want string) vector {
	return vector{name: name, facts: [][]fact{sees("UTC", "a", "2026-06-09 up", "2026-06-10 01:00 down", "2026-06-10 01:00:29 up",
		"2026-06-10 02:00 down", "2026-06-10 02:00:30 up", "2026-06-10 02:01 down", "2026-06-10 02:02 up")},
		change: func(_ *problem, a *agreement) { a.ignore, a.merge = ignore, merge }, want: map[string]string{"default": want}}
}

func twoOfThree(name, a, b, want string) vector {
	return vector{name: name, of: []string{"a", "b", "c"}, facts: [][]fact{sees("UTC", "a", "2026-06-09 "+a), sees("UTC", "b", "2026-06-09 "+b)},
		change: func(p *problem, _ *agreement) { p.services[0].needs = group("at_least", 2, "a", "b", "c") }, want: map[string]string{"default": want}}
}

func overrun(name string, change func(*problem, *agreement), want string) vector {
	return vector{name: name, facts: [][]fact{sees("UTC", "a", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 04:30 up")},
		change: func(p *problem, a *agreement) {
			p.windowOf("C1", "2026-06-10 02:00", "2026-06-10 04:00", "2026-06-09 02:00", shop, nil)
			change(p, a)
		}, want: map[string]string{"default": want}}
}

func otherFails(name string, too []string, want string) vector {
	return vector{name: name, of: []string{"a", "b"}, facts: [][]fact{sees("UTC", "a", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 04:00 up"),
		sees("UTC", "b", "2026-06-09 up", "2026-06-10 03:00 down", "2026-06-10 05:00 up")},
		change: func(p *problem, _ *agreement) {
			p.windowOf("C1", "2026-06-10 02:00", "2026-06-10 04:00", "2026-06-01", nil, []string{"a"})
			if too != nil {
				p.windowOf("C2", "2026-06-10 03:00", "2026-06-10 04:00", "2026-06-01", nil, too)
			}
		}, want: map[string]string{"default": want}}
}

func neededService(name string, known bool, want string) vector {
	v := vector{name: name, of: []string{"a", "b"}, want: map[string]string{"default": want}, change: func(p *problem, _ *agreement) {
		p.services = []service{{name: "store", customer: "acme", needs: allOf("a", "b")}, {name: "shop", customer: "acme", needs: allOf("store")}}
		p.windowOf("C1", "2026-06-10 01:00", "2026-06-10 04:00", "2026-06-01", []string{"store"}, nil)
	}}
	if known {
		v.facts = [][]fact{sees("UTC", "a", "2026-06-09 up", "2026-06-10 02:00 down", "2026-06-10 03:00 up"), sees("UTC", "b", "2026-06-09 up")}
	}
	return v
}

// lowCoverage knows twelve hours, up and then down from an instant; the target
// is 90 %, below 80 % is unacceptable.
func lowCoverage(name, since, state string) vector {
	return vector{name: name, facts: [][]fact{pings("a", "2026-06-10 00:00", since, 12*minute, up), pings("a", since, "2026-06-10 12:00", 12*minute, down)},
		change: func(p *problem, a *agreement) {
			p.components[0].hold = 12 * minute
			a.indicators = []indicator{{name: "availability", target: "90%", unacceptable: "80%"}, {name: "mttr", target: "2h"}, {name: "outages", target: "0"}}
		},
		want: map[string]string{"default": "indicators.0.state " + state + ", indicators.1.state insufficient_data, indicators.2.state insufficient_data"}}
}

// lateBy has facts received at an instant only.
func lateBy(received string, facts []fact) []fact {
	for i := range facts {
		facts[i].received = clockTime("UTC", received)
	}
	return facts
}

// TestLivingVectors tells every vector of section 8, under every policy value,
// to one living collector: its figures are those by hand and those of evaluate.
func TestLivingVectors(t *testing.T) {
	r := need.Random(t)
	var all []*history
	for _, v := range vectors() {
		all = append(all, v.history())
	}
	run(t, r, 6, all)
}
