package evaluate

import (
	"github.com/plimsoll/plimsoll/collector/availability"
)

// collector makes streaks of the facts of a file, one list for each observer
// of each component, as they come by.
type collector struct {
	asOf    int64
	things  map[string]*watched
	last    *watched // what the line before was about
	skipped int64    // facts of components the catalogue does not name
	strange []string // a few of their names
}

// watched is a component of the catalogue with its observers.
type watched struct {
	component availability.Component
	observers map[string]*observer
	last      *observer
}

// observer is what one observer saw of one component.
type observer struct {
	component  *watched
	name       string
	pending    availability.Fact // the newest, until a later one shows that no better for its instant comes
	any        bool
	streaks    []availability.Streak
	disordered bool                // a fact came after a later one
	facts      []availability.Fact // of a disordered observer, in the second pass
	questions  []*question         // about its streaks, by the instant they ask of
}

func newCollector(c *availability.Catalogue, asOf int64) *collector {
	all := &collector{asOf: asOf, things: map[string]*watched{}}
	for _, each := range c.Components {
		all.things[each.Name] = &watched{component: each, observers: map[string]*observer{}}
	}
	return all
}

// observerOf finds the row's observer; nil for a component that the catalogue
// does not name.
func (c *collector) observerOf(r *row) *observer {
	w := c.last
	if w == nil || string(r.component) != w.component.Name {
		if w = c.things[string(r.component)]; w == nil {
			return nil
		}
		c.last = w
	}
	o := w.last
	if o == nil || string(r.observer) != o.name {
		if o = w.observers[string(r.observer)]; o == nil {
			name := string(r.observer)
			o = &observer{component: w, name: name}
			w.observers[name] = o
		}
		w.last = o
	}
	return o
}

// take takes the row in the first pass.
func (c *collector) take(r *row) {
	if r.at >= c.asOf || r.received > c.asOf { // not known
		if c.things[string(r.component)] == nil {
			c.skip(r)
		}
		return
	}
	o := c.observerOf(r)
	if o == nil {
		c.skip(r)
		return
	}
	if o.disordered {
		return
	}
	fact := o.fact(r)
	switch {
	case !o.any:
		o.pending, o.any = fact, true
	case fact.At > o.pending.At:
		o.settle(o.pending)
		o.pending = fact
	case fact.At < o.pending.At:
		o.disordered, o.streaks = true, nil
	case availability.Stands(fact, o.pending):
		o.pending = fact
	}
}

func (c *collector) skip(r *row) {
	c.skipped++
	if len(c.strange) > 3 {
		return
	}
	for _, name := range c.strange {
		if name == string(r.component) {
			return
		}
	}
	c.strange = append(c.strange, string(r.component))
}

func (o *observer) fact(r *row) availability.Fact {
	return availability.Fact{Component: o.component.component.Name, Observer: o.name, At: r.at, State: r.state, Received: r.received, Hold: r.hold}
}

// settle adds a fact that no other will replace to the streaks. Facts make
// one streak as long as the one before still holds, so nothing is lost.
func (o *observer) settle(f availability.Fact) {
	if n := len(o.streaks); n > 0 && o.streaks[n-1].Extend(f, o.component.component.Lasts(f.Hold, o.streaks[n-1].Last)) {
		return
	}
	o.streaks = append(o.streaks, availability.Begin(f))
}

// disordered tells whether facts must be read again to be sorted.
func (c *collector) disordered() bool {
	for _, w := range c.things {
		for _, o := range w.observers {
			if o.disordered {
				return true
			}
		}
	}
	return false
}

// takeAgain takes the row in the second pass, which keeps the facts of
// disordered observers.
func (c *collector) takeAgain(r *row) {
	if r.at >= c.asOf || r.received > c.asOf {
		return
	}
	if o := c.observerOf(r); o != nil && o.disordered {
		o.facts = append(o.facts, o.fact(r))
	}
}

// streaks are all streaks by component. The collector takes no more rows.
func (c *collector) streaks() map[string][]availability.Streak {
	out := map[string][]availability.Streak{}
	for name, w := range c.things {
		for _, o := range w.observers {
			if o.disordered {
				for _, f := range availability.SortFacts(o.facts) {
					o.settle(f)
				}
				o.facts = nil
			} else if o.any {
				o.settle(o.pending)
			}
			out[name] = append(out[name], o.streaks...)
		}
	}
	return out
}
