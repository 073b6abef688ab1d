package availability

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// value is what a node of a tree is at an instant: a State, or one of these.
type value uint8

const (
	absent   value = 100 + iota // outside its existence: left out of its node
	computed                    // a service: as its own tree says
	released                    // a correction ends
)

// thing is a component or service in the tree of the service evaluated.
type thing struct {
	name string
	seen *observed // components
	need *node     // services
}

// node is a Need with its names resolved to indices of things.
type node struct {
	leaf    int // -1: not a leaf
	atLeast int
	of      []*node
}

// event changes what one thing is from an instant on.
type event struct {
	at    int64
	thing int
	layer layer
	value value
}

// layer is where a value comes from. A thing that does not exist is absent;
// else a forced value counts before a correction, and that before the facts.
type layer uint8

const (
	facts layer = iota
	correction
	existence
	forced
	layers
)

// tree is a service with everything it needs, needed things before what needs
// them, the service itself last, and all that happens to them in time order.
type tree struct {
	things []thing
	index  map[string]int
	events []event
}

// model is the catalogue and what was observed, with dates local to one zone.
type model struct {
	catalogue   *Catalogue
	observed    func(component string) *observed
	corrections map[string][]Segment // by name, State is Up or Down, disjoint
	zone        *time.Location
	asOf        int64

	components, services map[string]int // by name, in the catalogue
}

func newModel(e *evaluation, zone *time.Location) *model {
	m := &model{catalogue: e.in.Catalogue, observed: e.observe, zone: zone, asOf: e.in.AsOf, corrections: map[string][]Segment{},
		components: e.components, services: e.services}
	m.correct()
	return m
}

// tree builds the tree of the service, or that of one of its functions: needs
// in place of the service's own; nil: its own.
func (m *model) tree(service string, needs *Need) (*tree, error) {
	if i, ok := m.services[service]; ok && needs == nil {
		needs = &m.catalogue.Services[i].Needs
	}
	t := &tree{index: map[string]int{}}
	if err := m.grow(t, service, nil, needs); err != nil {
		return nil, err
	}
	sortEvents(t.events)
	return t, nil
}

// sortEvents puts events in time order; those of one instant keep theirs.
func sortEvents(events []event) {
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
}

// grow adds the named thing, after all it needs; above are the services that
// lead to it. top is the tree of the service evaluated, nil for what stands
// below it.
func (m *model) grow(t *tree, name string, above []string, top *Need) error {
	if _, done := t.index[name]; done {
		return nil
	}
	if slices.Contains(above, name) {
		return fmt.Errorf("service %q needs itself", name)
	}
	var from, until Bound
	each := thing{name: name}
	if i, ok := m.components[name]; ok {
		c := &m.catalogue.Components[i]
		from, until = c.From, c.Until
		each.seen = m.observed(name)
	} else if i, ok := m.services[name]; ok {
		s := &m.catalogue.Services[i]
		needs := top
		if top == nil { // the evaluated service's own existence is a cut, not a state
			from, until, needs = s.From, s.Until, &s.Needs
		}
		need, err := m.resolve(t, *needs, append(above, name))
		if err != nil {
			return err
		}
		each.need = need
	} else {
		return fmt.Errorf("no component or service %q", name)
	}
	i := len(t.things)
	t.things = append(t.things, each)
	t.index[name] = i
	if each.seen != nil {
		t.events = slices.Grow(t.events, len(each.seen.timeline)+1)
		for _, seg := range each.seen.timeline {
			t.events = append(t.events, event{seg.From, i, facts, value(seg.State)})
		}
		t.events = append(t.events, event{m.asOf, i, facts, value(Unknown)})
	}
	for _, c := range m.corrections[name] {
		t.events = append(t.events, event{c.From, i, correction, value(c.State)}, event{c.To, i, correction, released})
	}
	t.exist(i, span(from, until, m.zone))
	return nil
}

// exist leaves the thing out before and after the span.
func (t *tree) exist(i int, span Span) {
	if span.Length() == 0 || span.From > -far {
		t.events = append(t.events, event{-far, i, existence, absent})
	}
	if span.Length() == 0 {
		return
	}
	if span.From > -far {
		t.events = append(t.events, event{span.From, i, existence, released})
	}
	if span.To < far {
		t.events = append(t.events, event{span.To, i, existence, absent})
	}
}

func (m *model) resolve(t *tree, n Need, above []string) (*node, error) {
	if n.Name != "" {
		err := m.grow(t, n.Name, above, nil)
		return &node{leaf: t.index[n.Name]}, err
	}
	out := &node{leaf: -1, atLeast: n.AtLeast}
	for _, child := range n.Of {
		c, err := m.resolve(t, child, above)
		if err != nil {
			return nil, err
		}
		out.of = append(out.of, c)
	}
	return out, nil
}

// eval is three-valued k of n, leaving out what does not exist.
func (n *node) eval(values []value) value {
	if n.leaf >= 0 {
		return values[n.leaf]
	}
	left, up, unknown, impaired := 0, 0, 0, false
	for _, child := range n.of {
		switch v := child.eval(values); v {
		case absent:
			continue
		case value(Up):
			up++
		case value(Degraded):
			up++
			impaired = true
		case value(Down):
			impaired = true
		default:
			unknown++
		}
		left++
	}
	k := min(n.atLeast, left)
	switch {
	case left == 0:
		return absent
	case up >= k && impaired:
		return value(Degraded)
	case up >= k:
		return value(Up)
	case up+unknown < k:
		return value(Down)
	}
	return value(Unknown)
}

// walk visits [from, to) in order, in spans in which nothing happens to any
// thing of the tree; values is what each is, valid during the visit. more are
// further events, in time order.
func (t *tree) walk(from, to int64, more []event, visit func(span Span, values []value)) {
	input := make([][layers]value, len(t.things))
	for i := range input {
		input[i] = [layers]value{facts: value(Unknown), correction: released, existence: released, forced: released}
		if t.things[i].need != nil {
			input[i][facts] = computed
		}
	}
	values := make([]value, len(t.things))
	i, j := 0, 0
	for at := from; at < to; {
		next := to
		for {
			var e event
			switch {
			case i < len(t.events) && (j >= len(more) || t.events[i].at <= more[j].at):
				e = t.events[i]
			case j < len(more):
				e = more[j]
			default:
				e.at = to
			}
			if e.at > at {
				next = min(to, e.at)
				break
			}
			if i < len(t.events) && (j >= len(more) || t.events[i].at <= more[j].at) {
				i++
			} else {
				j++
			}
			input[e.thing][e.layer] = e.value
		}
		t.evaluate(input, values)
		visit(Span{at, next}, values)
		at = next
	}
}

// evaluate works out every thing of the tree from its layers.
func (t *tree) evaluate(input [][layers]value, values []value) {
	for i := range t.things {
		v := input[i][facts]
		if v == computed {
			v = t.things[i].need.eval(values)
		}
		switch {
		case input[i][existence] == absent || v == absent:
			v = absent
		case input[i][forced] != released:
			v = input[i][forced]
		case input[i][correction] != released:
			v = input[i][correction]
		}
		values[i] = v
	}
}

// state is the value as a state; what does not exist is unknown.
func (v value) state() State {
	if v == absent {
		return Unknown
	}
	return State(v)
}

// top is the service's timeline as its tree gives it, and when nothing of the
// tree exists (also after asOf: existence is agreed, not observed).
func (t *tree) top(asOf int64) (Timeline, Set) {
	var line Timeline
	var gone []Span
	last := len(t.things) - 1
	t.walk(-far, far, nil, func(span Span, values []value) {
		if values[last] == absent {
			gone = append(gone, span)
		}
		line = line.add(span.From, min(span.To, asOf), values[last].state())
	})
	return line, NewSet(gone...)
}

// Cycle finds services that need each other in a ring, and names the ring
// from its first service round to it again; nil when there is none.
func (c *Catalogue) Cycle() []string {
	needs := map[string][]string{}
	for _, s := range c.Services {
		needs[s.Name] = s.Names()
	}
	done := map[string]bool{}
	var path []string
	var visit func(name string) []string
	visit = func(name string) []string {
		for i, above := range path {
			if above == name {
				return append(append([]string(nil), path[i:]...), name)
			}
		}
		if done[name] {
			return nil
		}
		path = append(path, name)
		for _, next := range needs[name] {
			if ring := visit(next); ring != nil {
				return ring
			}
		}
		path = path[:len(path)-1]
		done[name] = true
		return nil
	}
	for _, s := range c.Services {
		if ring := visit(s.Name); ring != nil {
			return ring
		}
	}
	return nil
}
