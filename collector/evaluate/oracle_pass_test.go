package evaluate_test

import (
	"math/big"
	"slices"
)

// pass is one agreement version's view of every instant of the grid, as if
// it were in force all along.
type pass struct {
	w        *world
	a        agreement
	s        *service
	reach    map[string]bool // what its tree contains
	exists   []bool          // the service and something of its tree
	facts    []state         // tree, corrections, ignored blips: what outages are made of; absent from as_of on
	state    []state         // the same with before_existence: up, which moves seconds only
	inside   []bool          // the calendar
	planned  []bool          // within the cap
	adjusted []bool          // an approved exclusion
}

// pass is the view of the service, or of one of its functions where that has
// needs of its own: the same service with these.
func (p *problem) pass(a agreement, fn string, g grid, seenBy map[string]seen, zs zones) *pass {
	s := *p.service(a.service)
	for _, f := range s.functions {
		if f.name == fn && f.own {
			s.needs = f.needs
		}
	}
	w := &world{p: p, g: g, known: g.index(p.asOf), zone: zs.load(a.zone), seen: seenBy}
	r := &pass{w: w, a: a, s: &s, reach: p.reach(s.needs)}
	inside := p.agreedTime(a, zs)
	for i := range g.len() {
		w.at = i
		at := g.at(i)
		r.exists = append(r.exists, within(r.s.from, r.s.until, w.zone, at) && w.exists(r.s.needs))
		r.inside = append(r.inside, inside.inside(at))
		r.adjusted = append(r.adjusted, r.excluded(at))
		now := absent
		if i < w.known {
			now = w.tree(r.s)
		}
		r.facts = append(r.facts, now)
	}
	r.ignoreBlips()
	r.existenceUp()
	r.plan(zs)
	return r
}

// excluded tells whether an approved exclusion names a service or anything
// that is a part of it at that instant.
func (r *pass) excluded(at int64) bool {
	touched := func(name string) bool { return name == r.s.name || r.w.part(r.s, name) }
	for _, a := range r.w.p.adjustments {
		if (a.effect == "" || a.effect == "exclude") && a.covers(at, r.w.p.asOf) &&
			(slices.ContainsFunc(a.components, touched) || slices.ContainsFunc(a.services, touched)) {
			return true
		}
	}
	return false
}

// ignoreBlips turns short downs between two ups into up.
func (r *pass) ignoreBlips() {
	before := slices.Clone(r.facts)
	for from := 0; from < r.w.known; from++ {
		if !r.a.countsDown(before[from]) || from > 0 && r.a.countsDown(before[from-1]) {
			continue
		}
		to := from
		for to < r.w.known && r.a.countsDown(before[to]) {
			to++
		}
		short := int64(to-from)*r.w.g.step < r.a.ignore
		beside := from > 0 && r.a.countsUp(before[from-1]) && to < r.w.known && r.a.countsUp(before[to])
		for i := from; short && beside && i < to; i++ {
			r.facts[i] = up
		}
	}
}

// existenceUp makes what does not exist up where the policy says so.
func (r *pass) existenceUp() {
	r.state = slices.Clone(r.facts)
	for i := range r.w.known {
		if !r.exists[i] && r.a.existencePolicy() == "up" {
			r.state[i] = up
		}
	}
}

// left tells what cuts 1 and 2 leave.
func (r *pass) left(i int) bool {
	return r.inside[i] && (r.exists[i] || r.a.existencePolicy() == "up")
}

// plan marks planned time within the cap, in time order.
func (r *pass) plan(zs zones) {
	z := zs.load(r.a.zone)
	used, key := int64(0), ""
	for i := range r.w.g.len() {
		at := r.w.g.at(i)
		if !r.a.from.open() && at < r.a.from.in(z) {
			r.planned = append(r.planned, false)
			continue
		}
		if r.a.cap != none {
			if now := capKey(z.localDate(at), r.a.capPer); now > key {
				key, used = now, 0
			}
		}
		isPlanned := r.left(i) && r.isPlanned(i) && (r.a.cap == none || used < r.a.cap)
		if isPlanned {
			used += r.w.g.step
		}
		r.planned = append(r.planned, isPlanned)
	}
}

func (r *pass) isPlanned(i int) bool {
	at := r.w.g.at(i)
	work := map[string]bool{}
	for _, m := range r.w.p.windows {
		if m.approved == none || m.approved > r.w.p.asOf || m.approved+max(r.a.notice, 0) > m.from || at < m.from || at >= m.to {
			continue
		}
		if slices.Contains(m.services, r.a.service) {
			return true
		}
		for _, name := range slices.Concat(m.components, m.services) {
			if r.reach[name] {
				work[name] = true
			}
		}
	}
	if len(work) == 0 || i >= r.w.known {
		return false
	}
	r.w.at, r.w.work = i, work
	would := r.w.tree(r.s)
	r.w.work = nil
	return r.downShare(r.state[i]).Cmp(r.downShare(would)) > 0
}

// downShare is the share of a second in a state that is down.
func (r *pass) downShare(s state) *big.Rat {
	switch s {
	case down:
		return big.NewRat(1, 1)
	case degraded:
		return r.a.degradedShare()
	}
	return new(big.Rat)
}

// remaining tells what all four cuts leave.
func (r *pass) remaining(i int) bool {
	return r.left(i) && (!r.planned[i] || r.a.plannedPolicy() != "exclude") && !r.adjusted[i]
}

// madeUp tells which instants a policy makes up whatever happened.
func (r *pass) madeUp(i int) bool {
	return !r.exists[i] && r.a.existencePolicy() == "up" || r.planned[i] && r.a.plannedPolicy() == "up"
}

// outage is a span of grid indices; to is -1 while its end is not known.
type outage struct{ from, to int }

// outages are the merged outages of the known timeline.
func (r *pass) outages() []outage {
	var all []outage
	open := false
	for i := range r.w.known {
		switch s := r.facts[i]; {
		case r.a.countsDown(s) && !open:
			open = true
			last := len(all) - 1
			if last >= 0 && int64(i-all[last].to)*r.w.g.step < r.a.merge {
				all[last].to = -1
				continue
			}
			all = append(all, outage{from: i, to: -1})
		case r.a.countsUp(s) && open:
			open = false
			all[len(all)-1].to = i
		}
	}
	return all
}
