package evaluate_test

import (
	"cmp"
	"slices"
)

// grid is the walked range: instants lo, lo+step, ... before hi.
type grid struct{ lo, hi, step int64 }

func (g grid) len() int           { return int((g.hi - g.lo) / g.step) }
func (g grid) at(i int) int64     { return g.lo + int64(i)*g.step }
func (g grid) index(at int64) int { return int((at - g.lo) / g.step) }

// standing is, per observer, the known facts of a component in time order:
// of several at one instant the first received, of those the worst.
func (p *problem) standing(component string) map[string][]fact {
	byObserver := map[string][]fact{}
	for _, f := range p.facts {
		if f.component == component && f.at < p.asOf && f.receivedAt() <= p.asOf {
			byObserver[f.observer] = append(byObserver[f.observer], f)
		}
	}
	for observer, facts := range byObserver {
		slices.SortFunc(facts, func(a, b fact) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.receivedAt(), b.receivedAt()), cmp.Compare(b.state, a.state))
		})
		byObserver[observer] = slices.CompactFunc(facts, func(a, b fact) bool { return a.at == b.at })
	}
	return byObserver
}

// holdOf is how long a fact holds at most; none: without limit.
func (c component) holdOf(f fact) int64 {
	if f.hold != none {
		return f.hold
	}
	hold, interval := c.hold, c.interval
	for _, p := range c.paces {
		if f.at >= p.from {
			hold, interval = p.hold, p.interval
		}
	}
	switch {
	case hold != none:
		return hold
	case interval != none:
		return interval * 5 / 2
	}
	return none
}

// observed is what one observer says at an instant, and whether only a
// bridge between two downs says it.
func (c component) observed(facts []fact, at int64) (s state, bridged bool) {
	last := -1
	for i, f := range facts {
		if f.at <= at {
			last = i
		}
	}
	if last < 0 {
		return unknown, false
	}
	f := facts[last]
	if h := c.holdOf(f); h == none || at < f.at+h {
		return f.state, false
	}
	if f.state == down && last+1 < len(facts) && facts[last+1].state == down {
		return down, true
	}
	return unknown, false
}

// agree makes one state of what the observers say.
func (c component) agree(said []state) state {
	known, downs, worse := 0, 0, 0
	for _, s := range said {
		if s != unknown {
			known++
		}
		if s == down {
			downs++
		}
		if s == down || s == degraded {
			worse++
		}
	}
	isDown := 2*downs > known
	if c.need > 0 {
		isDown = downs >= c.need
	}
	switch {
	case known == 0:
		return unknown
	case isDown:
		return down
	case worse > 0:
		return degraded
	}
	return up
}

// seen is what the facts alone say about a component on the grid.
type seen struct {
	states  []state
	bridged []bool // at least one observer is in a bridged gap
	facts   map[string][]fact
}

func (p *problem) watch(c component, g grid) seen {
	result := seen{facts: p.standing(c.name)}
	for i := range g.len() {
		var said []state
		bridge := false
		for _, facts := range result.facts {
			s, b := c.observed(facts, g.at(i))
			said = append(said, s)
			bridge = bridge || b
		}
		result.states = append(result.states, c.agree(said))
		result.bridged = append(result.bridged, bridge)
	}
	return result
}

// world answers what a name's state is at an instant, as one agreement's
// zone reads the dates of existence.
type world struct {
	p     *problem
	g     grid
	known int // index of as_of: nothing is known from there on
	zone  *zone
	seen  map[string]seen
	at    int // the instant asked about
	work  map[string]bool
}

func within(from, until when, z *zone, at int64) bool {
	return (from.open() || at >= from.in(z)) && (until.open() || at < until.in(z))
}

// corrected is the state approved corrections give a name, absent for none.
func (w *world) corrected(name string) state {
	result, latest := absent, none
	for _, a := range w.p.adjustments {
		if a.effect != "up" && a.effect != "down" || !a.covers(w.g.at(w.at), w.p.asOf) {
			continue
		}
		if !slices.Contains(a.components, name) && !slices.Contains(a.services, name) {
			continue
		}
		if a.approved >= latest {
			latest = a.approved
			result = up
			if a.effect == "down" {
				result = down
			}
		}
	}
	return result
}

// covers tells whether an adjustment is approved as of an instant and holds at another.
func (a adjustment) covers(at, asOf int64) bool {
	return a.approved != none && a.approved <= asOf && a.from <= at && at < a.to
}

// state is the state of a child: absent outside its existence.
func (w *world) state(name string) state {
	if c := w.p.component(name); c != nil {
		switch {
		case !within(c.from, c.until, w.zone, w.g.at(w.at)):
			return absent
		case w.work[name]:
			return up
		}
		if fixed := w.corrected(name); fixed != absent {
			return fixed
		}
		return w.seen[name].states[w.at]
	}
	s := w.p.service(name)
	if !within(s.from, s.until, w.zone, w.g.at(w.at)) {
		return absent
	}
	return w.tree(s)
}

// tree is the state of a service as its tree and corrections give it, its
// own existence aside.
func (w *world) tree(s *service) state {
	result := w.node(s.needs)
	if result == absent {
		return absent
	}
	if w.work[s.name] {
		return up
	}
	if fixed := w.corrected(s.name); fixed != absent {
		return fixed
	}
	return result
}

func (w *world) node(n node) state {
	if n.name != "" {
		return w.state(n.name)
	}
	left, ups, unknowns, worse := 0, 0, 0, 0
	for _, child := range n.of {
		switch s := w.node(child); s {
		case absent:
			continue
		case up:
			ups++
		case degraded:
			ups++
			worse++
		case down:
			worse++
		case unknown:
			unknowns++
		}
		left++
	}
	k := n.k
	switch n.form {
	case "all_of":
		k = len(n.of)
	case "any_of":
		k = 1
	}
	k = min(k, left)
	switch {
	case left == 0:
		return absent
	case ups >= k && worse > 0:
		return degraded
	case ups >= k:
		return up
	case ups+unknowns < k:
		return down
	}
	return unknown
}

// exists tells whether anything of a node exists, which dates alone decide.
func (w *world) exists(n node) bool {
	if n.name == "" {
		return slices.ContainsFunc(n.of, w.exists)
	}
	at := w.g.at(w.at)
	if c := w.p.component(n.name); c != nil {
		return within(c.from, c.until, w.zone, at)
	}
	s := w.p.service(n.name)
	return within(s.from, s.until, w.zone, at) && w.exists(s.needs)
}

// part tells whether a name is a part of the service at the instant: it exists,
// and so do all services on some way down to it.
func (w *world) part(s *service, name string) bool {
	var below func(n node) bool
	below = func(n node) bool {
		if n.name == "" {
			return slices.ContainsFunc(n.of, below)
		}
		if !w.exists(n) {
			return false
		}
		needed := w.p.service(n.name)
		return n.name == name || needed != nil && below(needed.needs)
	}
	return below(s.needs)
}
