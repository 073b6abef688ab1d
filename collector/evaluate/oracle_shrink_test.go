package evaluate_test

import "slices"

// shrink leaves out whatever a difference does not need, so that a person
// can work it out by hand.
func (p *problem) shrink(dir string, zs zones) *problem {
	differs := func(q *problem) (yes bool) {
		defer func() {
			if recover() != nil {
				yes = false // what was left out is needed by name
			}
		}()
		lines, err := q.check(dir, zs)
		return err == nil && len(lines) > 0
	}
	if !differs(p) {
		return p
	}
	for again := true; again; {
		again = false
		for _, smaller := range p.smaller() {
			if differs(smaller) {
				p, again = smaller, true
				break
			}
		}
	}
	return p
}

// smaller are copies of a problem with one thing less, the large first.
func (p *problem) smaller() []*problem {
	var all []*problem
	add := func(change func(q *problem)) {
		q := *p
		change(&q)
		all = append(all, &q)
	}
	for size := len(p.facts) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(p.facts); i += size {
			add(func(q *problem) { q.facts = slices.Delete(slices.Clone(p.facts), i, i+size) })
		}
	}
	for i := range p.windows {
		add(func(q *problem) { q.windows = slices.Delete(slices.Clone(p.windows), i, i+1) })
	}
	for i := range p.adjustments {
		add(func(q *problem) { q.adjustments = slices.Delete(slices.Clone(p.adjustments), i, i+1) })
	}
	for i := range p.agreements {
		add(func(q *problem) { q.agreements = slices.Delete(slices.Clone(p.agreements), i, i+1) })
		for _, change := range simplerTerms() {
			before, after := p.agreements[i], p.agreements[i]
			change(&after)
			if !equalTerms(before, after) {
				add(func(q *problem) {
					q.agreements = slices.Clone(p.agreements)
					q.agreements[i] = after
				})
			}
		}
	}
	for i := range p.services {
		add(func(q *problem) { q.services = slices.Delete(slices.Clone(p.services), i, i+1) })
		for _, needs := range p.services[i].needs.smaller() {
			add(func(q *problem) {
				q.services = slices.Clone(p.services)
				q.services[i].needs = needs
			})
		}
	}
	for i := range p.components {
		add(func(q *problem) { q.components = slices.Delete(slices.Clone(p.components), i, i+1) })
		for j := range p.components[i].paces {
			add(func(q *problem) {
				q.components = slices.Clone(p.components)
				q.components[i].paces = slices.Delete(slices.Clone(p.components[i].paces), j, j+1)
			})
		}
	}
	return all
}

// smaller are the trees with one child less, or with a child in its place.
func (n node) smaller() []node {
	var all []node
	for i, child := range n.of {
		all = append(all, child)
		if len(n.of) > 1 {
			fewer := n
			fewer.of = slices.Delete(slices.Clone(n.of), i, i+1)
			fewer.k = min(n.k, len(fewer.of))
			all = append(all, fewer)
		}
		for _, s := range child.smaller() {
			other := n
			other.of = slices.Clone(n.of)
			other.of[i] = s
			all = append(all, other)
		}
	}
	return all
}

func simplerTerms() []func(*agreement) {
	return []func(*agreement){
		func(a *agreement) { a.calendar = "always" },
		func(a *agreement) { a.from, a.to = when{}, when{} },
		func(a *agreement) { a.planned = "" },
		func(a *agreement) { a.unknown = "" },
		func(a *agreement) { a.existence = "" },
		func(a *agreement) { a.degraded = "" },
		func(a *agreement) { a.notice = none },
		func(a *agreement) { a.cap = none },
		func(a *agreement) { a.ignore = none },
		func(a *agreement) { a.merge = none },
		func(a *agreement) { a.coverageLimit = "" },
		func(a *agreement) { a.indicators = a.indicators[:1] },
	}
}

func equalTerms(a, b agreement) bool {
	sameIndicators := len(a.indicators) == len(b.indicators)
	a.indicators, b.indicators = nil, nil
	return sameIndicators && a.terms() == b.terms()
}

// terms are the parts of an agreement that simplerTerms touches, comparable.
func (a agreement) terms() [8]any {
	return [8]any{a.calendar, [2]when{a.from, a.to}, [4]string{a.planned, a.unknown, a.existence, a.degraded}, a.notice, a.cap, a.ignore, a.merge, a.coverageLimit}
}
