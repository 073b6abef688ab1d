package evaluate_test

import (
	"fmt"
	"slices"
)

// agreement draws one agreement, in one version or in several that follow
// each other with or without a gap.
func (m *maker) agreement() {
	first := agreement{number: fmt.Sprintf("SLA-%d", len(m.p.agreements)), version: 1,
		service: m.p.services[len(m.p.services)-1].name, zone: m.zone}
	if m.chance(30) {
		first.service, first.zone = pick(m, m.p.services).name, m.anyZone()
	}
	first.planned = pick(m, []string{"", "exclude", "down", "up"})
	first.existence = pick(m, []string{"", "exclude", "up"})
	if m.chance(60) {
		m.p.agreements = append(m.p.agreements, m.terms(first))
		return
	}
	edges := []int64{m.near(), m.near(), m.near(), m.near()}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	for i := 0; i+1 < len(edges); i++ {
		v := m.terms(first)
		v.version = i + 1
		if m.chance(50) {
			v.planned = pick(m, []string{"", "exclude", "down", "up"})
			v.existence = pick(m, []string{"", "exclude", "up"})
		}
		if m.chance(15) {
			v.zone = m.anyZone()
		}
		v.from = m.dated(v.zone, edges[i], edges[i], edges[i+1]-m.p.step)
		if v.to = m.dated(v.zone, edges[i+1], v.from.in(m.zs.load(v.zone))+m.p.step, edges[i+1]); m.chance(50) {
			v.to = instant(edges[i+1])
		}
		if i == 0 && m.chance(40) {
			v.from = when{}
		}
		if i+2 == len(edges) && m.chance(40) {
			v.to = when{}
		}
		if m.chance(80) {
			m.p.agreements = append(m.p.agreements, v)
		}
	}
	if len(m.p.agreements) > 1 && m.chance(20) {
		slices.Reverse(m.p.agreements)
	}
}

// dated is an instant, or sometimes a local date near it that begins within
// the limits, both included.
func (m *maker) dated(zone string, ms, lo, hi int64) when {
	for _, near := range []int64{ms, ms + day} {
		d := m.date(near)
		if begins := d.in(m.zs.load(zone)); begins >= lo && begins <= hi && m.chance(30) {
			return d
		}
	}
	return instant(ms)
}

// terms fills in everything of a version but its validity.
func (m *maker) terms(a agreement) agreement {
	a.calendar = "always"
	if len(m.p.calendars) > 0 && m.chance(60) {
		a.calendar = pick(m, m.p.calendars).name
	}
	a.unknown = pick(m, []string{"", "exclude", "up", "down"})
	a.degraded = pick(m, []string{"", "up", "down", "0.25", "50%", "0", "1"})
	a.notice, a.cap, a.ignore, a.merge = none, none, none, none
	if m.chance(50) {
		a.notice = m.Int64N(3) * m.steps(20)
	}
	if m.chance(50) || m.edgeOfMonth {
		a.cap, a.capPer = m.steps(m.span()/m.p.step/4+1), pick(m, []string{"month", "quarter", "year"})
	}
	if m.chance(50) {
		a.ignore = m.steps(6)
	}
	if m.chance(50) {
		a.merge = m.steps(12)
	}
	if m.chance(60) {
		a.coverageLimit = pick(m, []string{"0", "50%", "0.9", "100%"})
	}
	length := func() string { return duration(m.steps(m.span()/m.p.step/5 + 2)) }
	shares := []string{"99.9%", "0.75", "50%", "0.5", "100%", "0", "90%"}
	all := []indicator{
		{name: "availability", target: pick(m, shares), unacceptable: pick(m, append(shares, ""))},
		{name: "repair time", kind: "mttr", target: length(), unacceptable: length()},
		{name: "mtbf", target: length()},
		{name: "between incidents", kind: "mtbsi", target: length(), unacceptable: length()},
		{name: "outages", target: fmt.Sprint(m.IntN(4)), unacceptable: fmt.Sprint(2 + m.IntN(4))},
		{name: "longest", kind: "longest_outage", target: length(), unacceptable: length()},
		{name: "second availability", kind: "availability", target: pick(m, shares)},
		{name: "satisfaction", kind: "manual"},
	}
	m.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	a.indicators = all[:1+m.IntN(len(all))]
	for i := range a.indicators {
		a.indicators[i] = inOrder(a.indicators[i])
	}
	return a
}

// inOrder makes the unacceptable value no better than the target.
func inOrder(ind indicator) indicator {
	if ind.unacceptable == "" {
		return ind
	}
	kind := orElse(ind.kind, ind.name)
	_, higher, _ := (&figures{}).actual(kind)
	order := limitOf(kind, ind.target).Cmp(limitOf(kind, ind.unacceptable))
	switch {
	case order == 0:
		ind.unacceptable = ""
	case higher == (order < 0):
		ind.target, ind.unacceptable = ind.unacceptable, ind.target
	}
	return ind
}

// named are components, services or both.
func (m *maker) named() (components, services []string) {
	for len(components)+len(services) == 0 {
		for _, c := range m.p.components {
			if m.chance(30) {
				components = append(components, c.name)
			}
		}
		for _, s := range m.p.services {
			if m.chance(25) {
				services = append(services, s.name)
			}
		}
	}
	return components, services
}

func (m *maker) window() {
	w := window{change: fmt.Sprintf("CHG-%d", len(m.p.windows)), from: m.near(), approved: none}
	w.components, w.services = m.named()
	if m.chance(60) { // the rarer and harder kind: it names things of the tree only
		w.services = nil
		w.components = []string{pick(m, m.p.components).name}
		if len(m.services) > 1 && m.chance(40) {
			w.services = m.services[:1] // others need it, if any is needed
		}
	}
	w.to = w.from + m.steps(m.span()/m.p.step/3+1)
	if m.edgeOfMonth && m.chance(70) { // it crosses the month's edge, which gives the cap anew
		w.services = []string{m.p.services[len(m.p.services)-1].name}
		w.from = m.base - m.steps(m.span()/m.p.step/4+1)
		w.to = m.base + m.steps(m.span()/m.p.step/4+1)
	}
	if m.chance(85) {
		w.approved = w.from - m.Int64N(60)*m.p.step
	}
	m.p.windows = append(m.p.windows, w)
}

func (m *maker) adjustment() {
	a := adjustment{id: fmt.Sprintf("ADJ-%d", len(m.p.adjustments)), from: m.near(), effect: pick(m, []string{"", "exclude", "up", "down"})}
	a.components, a.services = m.named()
	a.to = a.from + m.steps(m.span()/m.p.step/4+1)
	a.approved = a.to + m.Int64N(40)*m.p.step + int64(len(m.p.adjustments)) // never two at once
	if m.chance(30) {
		a.approved = m.p.asOf - hour + int64(len(m.p.adjustments))
	}
	if m.chance(5) {
		a.approved = none
	}
	m.p.adjustments = append(m.p.adjustments, a)
}

// history draws what the observers of one component saw.
func (m *maker) history(c component) {
	pace := m.steps(30)
	if c.interval != none {
		pace = c.interval
	}
	most, flaps := 60, m.chance(8)
	if flaps {
		most, pace = 300, m.steps(6)
	}
	observers := []string{"", "east", "west", "north"}
	for _, observer := range observers[m.IntN(2) : 1+m.IntN(4)] {
		at := m.near() - m.span()/m.p.step/3*m.p.step
		end := m.hi + m.span()/m.p.step/3*m.p.step
		now := pick(m, []state{up, up, up, degraded, down})
		if flaps {
			at = m.lo
		}
		for n := 0; at < end && n < most; n++ {
			f := fact{component: c.name, observer: observer, at: at, state: now, received: none, hold: none}
			if m.chance(8) {
				f.hold = m.steps(40)
			}
			if m.chance(10) {
				f.received = at + m.Int64N(200)*m.p.step
			}
			m.p.facts = append(m.p.facts, f)
			if m.chance(5) { // a second fact at the same instant
				f.state = pick(m, []state{up, degraded, down})
				f.received = at + m.Int64N(3)*m.p.step
				m.p.facts = append(m.p.facts, f)
			}
			at += m.pause(pace, flaps)
			if flaps && now == up && m.chance(70) {
				now = down
			} else if flaps {
				now = up
			} else if m.chance(35) {
				now = pick(m, []state{up, up, up, degraded, down, down})
			}
		}
	}
}

// pause is the time to an observer's next fact: its pace, a short flap, or
// a gap.
func (m *maker) pause(pace int64, flaps bool) int64 {
	if flaps {
		return m.steps(pace / m.p.step)
	}
	switch m.IntN(10) {
	case 0, 1:
		return m.steps(4)
	case 2:
		return m.steps(m.span()/m.p.step/4 + 1)
	}
	return pace
}

// spoil brings facts out of order, repeats some and adds what the
// catalogue does not name.
func (m *maker) spoil() {
	if m.chance(60) {
		m.Shuffle(len(m.p.facts), func(i, j int) { m.p.facts[i], m.p.facts[j] = m.p.facts[j], m.p.facts[i] })
	}
	if len(m.p.facts) > 0 && m.chance(40) {
		m.p.facts = append(m.p.facts, pick(m, m.p.facts), pick(m, m.p.facts))
	}
	if m.chance(20) {
		m.p.facts = append(m.p.facts, fact{component: "stranger", at: m.near(), state: down, received: none, hold: none})
	}
}
