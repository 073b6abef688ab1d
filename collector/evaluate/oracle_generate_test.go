package evaluate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// maker draws a problem from a seed: the same seed, the same problem.
type maker struct {
	*rand.Rand
	p           *problem
	zone        string
	lo, hi      int64 // about the period
	base        int64 // what it is drawn around
	edgeOfMonth bool  // base is the beginning of a month
	zs          zones
	services    []string
	month       time.Time // the month all lies about; zero: any
}

// generate draws a whole problem. Small periods have fine grids, so that a
// walk stays cheap; most lie where something happens in the zone.
func generate(seed uint64, zs zones) *problem { return generateAbout(seed, zs, time.Time{}) }

// generateAbout is generate about the beginning of a month, so that many
// problems can happen at the same time.
func generateAbout(seed uint64, zs zones, month time.Time) *problem {
	m := &maker{month: month, Rand: rand.New(rand.NewPCG(seed, 1876)), p: &problem{seed: seed}, zs: zs}
	size := pick(m, []struct{ step, steps int64 }{{250, 800}, {second, 1500}, {10 * second, 1500}, {minute, 1600}, {15 * minute, 400}, {15 * minute, 2976}})
	m.p.step = size.step
	m.zone = m.anyZone()
	steps := 20 + m.Int64N(size.steps)
	m.base = m.moment()
	m.lo = m.base - m.Int64N(steps)*size.step
	m.hi = m.lo + steps*size.step
	m.p.from, m.p.to = m.edge(m.lo), m.edge(m.hi)
	from, to := m.p.from.in(zs.load(m.zone)), m.p.to.in(zs.load(m.zone))
	if from >= to || m.p.from.set != m.p.to.set { // dates in several zones must stay in order
		m.p.from, m.p.to = instant(m.lo), instant(m.hi)
	} else {
		m.lo, m.hi = from, to
	}
	m.p.asOf = m.knownAt()
	for range m.IntN(3) {
		m.calendar()
	}
	m.tree()
	for range 1 + m.IntN(3) {
		m.agreement()
	}
	for range m.IntN(5) {
		m.window()
	}
	for range m.IntN(4) {
		m.adjustment()
	}
	for _, c := range m.p.components {
		m.history(c)
	}
	m.spoil()
	return m.p
}

func zoneNames() []string {
	return []string{"Europe/Paris", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca",
		"Pacific/Apia", "America/St_Johns", "Asia/Kathmandu", "Europe/Dublin", "UTC", "Asia/Tehran", "Pacific/Chatham"}
}

// anyZone leaves out St John's where the grid is coarse: its clocks changed
// at a minute past midnight.
func (m *maker) anyZone() string {
	for {
		if z := pick(m, zoneNames()); z != "America/St_Johns" || m.p.step <= minute {
			return z
		}
	}
}

func pick[T any](m *maker, from []T) T { return from[m.IntN(len(from))] }

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

// steps is a length of 1 to most steps.
func (m *maker) steps(most int64) int64 { return (1 + m.Int64N(most)) * m.p.step }

func (m *maker) span() int64 { return m.hi - m.lo }

// near is an instant in the period or up to a third of it outside.
func (m *maker) near() int64 {
	all := m.span() / m.p.step * 5 / 3
	return m.lo - m.span()/m.p.step/3*m.p.step + m.Int64N(all)*m.p.step
}

// moment is where the period lies: at the start of a month, quarter or
// year, at a change of the zone's clock, or anywhere.
func (m *maker) moment() int64 {
	if m.zone == "Pacific/Apia" && m.month.IsZero() && m.chance(30) {
		return time.Date(2011, time.December, 30, 10, 0, 0, 0, time.UTC).UnixMilli() // a whole day is skipped
	}
	year, month := 1985+m.IntN(52), time.Month(1+m.IntN(12))
	if m.chance(50) {
		year = 2024 + m.IntN(3)
	}
	if m.chance(20) {
		month = pick(m, []time.Month{time.January, time.April})
	}
	if !m.month.IsZero() {
		year, month = m.month.Year(), m.month.Month()
	}
	z := m.zs.load(m.zone)
	first := z.dateStart(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	switch m.IntN(3) {
	case 0:
		m.edgeOfMonth = first%(15*minute) == 0
		return first - first%(15*minute)
	case 1:
		if _, next := z.local(first).ZoneBounds(); !next.IsZero() && next.UnixMilli()%(15*minute) == 0 {
			return next.UnixMilli()
		}
	}
	return first - first%(15*minute) + m.Int64N(4*24*28)*15*minute
}

// edge is an instant, or a date near it where dates lie on the grid and
// the period is long enough.
func (m *maker) edge(ms int64) when {
	if m.chance(50) && m.p.step >= minute && m.span() >= 2*day {
		return m.date(ms)
	}
	return instant(ms)
}

// date is the local date of an instant, unless its beginning in any zone
// is off the grid.
func (m *maker) date(ms int64) when {
	w := onDate(m.zs.load(m.zone).localDate(ms))
	for _, name := range zoneNames() {
		if w.in(m.zs.load(name))%m.p.step != 0 {
			return instant(ms)
		}
	}
	return w
}

func (m *maker) knownAt() int64 {
	switch m.IntN(10) {
	case 0, 1, 2:
		return m.lo + m.Int64N(m.span()/m.p.step)*m.p.step
	case 3:
		return m.hi
	case 4:
		return m.lo - m.p.step*m.Int64N(20)
	}
	return m.hi + m.Int64N(m.span()/m.p.step/2+1)*m.p.step
}

// clock is a minute of the day, on a quarter of an hour where the grid is
// coarse, near the period's own where it is short.
func (m *maker) clock() int {
	at := m.IntN(1440)
	if m.span() < 6*hour && m.chance(80) {
		local := m.zs.load(m.zone).local(m.lo + m.Int64N(m.span()))
		at = local.Hour()*60 + local.Minute()
	}
	if m.p.step > minute || m.chance(40) {
		at -= at % 15
	}
	return at
}

func (m *maker) spans() []span {
	spans := []span{}
	for range m.IntN(4) {
		s := span{m.clock(), m.clock()}
		switch m.IntN(8) {
		case 0:
			s = span{0, 1440}
		case 1:
			s.end = 1440
		case 2:
			s.start = 0
		case 3:
			s.start, s.end = max(s.start, s.end), min(s.start, s.end)
		}
		spans = append(spans, s)
	}
	return spans
}

// days are local dates around the period.
func (m *maker) aDate() string { return m.zs.load(m.zone).localDate(m.near()) }

func (m *maker) calendar() {
	c := calendar{name: fmt.Sprintf("cal%d", len(m.p.calendars))}
	if m.chance(30) {
		c.zone = m.anyZone()
	}
	dates := []string{""}
	for range m.IntN(3) {
		if d := m.aDate(); !slices.Contains(dates, d) {
			dates = append(dates, d)
		}
	}
	slices.Sort(dates)
	if len(dates) > 1 && m.chance(30) {
		dates = dates[1:] // nothing holds before the first
	}
	for _, from := range dates {
		v := calendarVersion{from: from, open: map[string][]span{}}
		usual := m.spans()
		for i := range v.week {
			v.week[i] = usual
			if m.chance(30) {
				v.week[i] = m.spans()
			}
		}
		for range m.IntN(3) {
			first := m.aDate()
			v.closed = append(v.closed, dayRange{first, addDays(first, m.IntN(3))})
		}
		for range m.IntN(3) {
			v.open[m.aDate()] = m.spans()
		}
		c.versions = append(c.versions, v)
	}
	m.p.calendars = append(m.p.calendars, c)
}

// bounds are the beginning and end of something's existence, seldom given.
func (m *maker) bounds() (from, until when) {
	a, b := m.near(), m.near()
	if a == b {
		return
	}
	if m.chance(15) {
		from = m.bound(min(a, b))
	}
	if m.chance(15) {
		until = m.bound(max(a, b))
	}
	if !from.open() && !until.open() && from.set != until.set {
		until = when{}
	}
	if from.date != "" && until.date != "" && from.date >= until.date {
		until = when{}
	}
	return from, until
}

func (m *maker) bound(ms int64) when {
	if m.chance(30) {
		return m.date(ms)
	}
	return instant(ms)
}

// pace is an interval and a hold, each perhaps not given.
func (m *maker) pace() (interval, hold int64) {
	interval, hold = none, none
	if m.chance(40) {
		interval = 2 * m.steps(10)
	}
	if m.chance(30) {
		hold = max(m.steps(30), interval*3/2)
	}
	return interval, hold
}

func (m *maker) tree() {
	for i := range 1 + m.IntN(5) {
		c := component{name: fmt.Sprintf("c%d", i), interval: none, hold: none}
		c.interval, c.hold = m.pace()
		if m.chance(25) {
			for at := m.near(); len(c.paces) < 3 && at < m.hi; at += m.steps(200) {
				p := pace{from: at}
				if p.interval, p.hold = m.pace(); p.interval == none && p.hold == none {
					p.interval = 2 * m.steps(10)
				}
				c.paces = append(c.paces, p)
			}
		}
		if m.chance(25) {
			c.need = 1 + m.IntN(3)
		}
		c.from, c.until = m.bounds()
		m.p.components = append(m.p.components, c)
	}
	for i := range 1 + m.IntN(3) {
		s := service{name: fmt.Sprintf("s%d", i), customer: "acme", needs: m.node(2)}
		s.from, s.until = m.bounds()
		m.functions(&s)
		m.p.services = append(m.p.services, s)
		m.services = append(m.services, s.name)
	}
}

// functions gives a service users and functions, often neither.
func (m *maker) functions(s *service) {
	if m.chance(40) {
		s.users = int64(1 + m.IntN(5000))
	}
	if !m.chance(40) {
		return
	}
	for i := range 1 + m.IntN(3) {
		f := function{name: fmt.Sprintf("f%d", i), short: m.chance(20)}
		if !f.short {
			f.weight = pick(m, []string{"", "1", "3", "0.25", "7.5"})
			if m.chance(40) {
				f.users = int64(1 + m.IntN(5000))
			}
			if f.own = m.chance(70); f.own {
				f.needs = m.node(2)
			}
		}
		s.functions = append(s.functions, f)
	}
}

// leaf is a component, or a service made before.
func (m *maker) leaf() node {
	if len(m.services) > 0 && m.chance(30) {
		return node{name: pick(m, m.services)}
	}
	return node{name: pick(m, m.p.components).name}
}

func (m *maker) node(depth int) node {
	if depth == 0 || m.chance(20) {
		return m.leaf()
	}
	n := node{form: pick(m, []string{"all_of", "any_of", "at_least"})}
	taken := map[string]bool{}
	for range 1 + m.IntN(4) {
		child := m.node(depth - 1)
		if child.name != "" && taken[child.name] {
			continue
		}
		taken[child.name] = true
		n.of = append(n.of, child)
	}
	n.k = 1 + m.IntN(len(n.of))
	return n
}
