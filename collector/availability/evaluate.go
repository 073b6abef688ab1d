package availability

import (
	"fmt"
	"time"
)

// Input is everything figures depend on.
type Input struct {
	Catalogue  *Catalogue
	Streaks    map[string][]Streak // by component, in any order
	From, To   Bound               // of the period; dates are local to each agreement
	AsOf       int64               // ms; what is known is what was known then
	FactBefore FactBefore          // may be nil: Outage.Earliest is then exact only where streaks know it
	Service    string              // only agreements about this service; "": all
}

// evaluation keeps what several agreement versions share.
type evaluation struct {
	in       Input
	observed map[string]*observed
	models   map[string]*model
	views    map[viewID]*view

	components map[string]int // by name, in the catalogue
	services   map[string]int
	chi        quantiles
	kept       fractions
	zones      map[string]*time.Location // of each service's agreement in force; nil: not looked up
}

// Evaluate computes the figures of the period: one entry for each agreement
// version in force in it, in the order of the catalogue, each for its part.
func Evaluate(in Input) ([]Figures, error) {
	e := newEvaluation(in)
	all := make([]Figures, 0, e.versions())
	err := e.each(func(v *view, p period) error {
		f, err := e.figures(v, p)
		all = append(all, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// versions is at most how many agreement versions each visits.
func (e *evaluation) versions() int {
	if e.in.Service == "" {
		return len(e.in.Catalogue.Agreements)
	}
	n := 0
	for i := range e.in.Catalogue.Agreements {
		if e.in.Catalogue.Agreements[i].Service == e.in.Service {
			n++
		}
	}
	return n
}

// each visits the agreement versions in force in the period, in the order of
// the catalogue, each with its part of the period.
func (e *evaluation) each(visit func(*view, period) error) error {
	in := e.in
	for i := range in.Catalogue.Agreements {
		a := &in.Catalogue.Agreements[i]
		if in.Service != "" && a.Service != in.Service {
			continue
		}
		whole := Span{in.From.In(a.Zone, -far), in.To.In(a.Zone, far)}
		if whole.Length() == 0 {
			return fmt.Errorf("the period is empty: it begins at %s and ends before %s", Instant{whole.From, a.Zone}, Instant{whole.To, a.Zone})
		}
		force := a.inForce()
		part := whole.within(force.From, force.To)
		if part.Length() == 0 {
			continue
		}
		v, err := e.view(a)
		if err == nil {
			err = visit(v, period{part.From, part.To, min(in.AsOf, part.To)})
		}
		if err != nil {
			return fmt.Errorf("agreement %s version %d: %w", a.Number, a.Version, err)
		}
	}
	return nil
}

func newEvaluation(in Input) *evaluation {
	e := &evaluation{in: in, observed: map[string]*observed{}, models: map[string]*model{}, views: map[viewID]*view{},
		components: map[string]int{}, services: map[string]int{}, chi: quantiles{}, kept: fractions{}}
	for i := len(in.Catalogue.Components) - 1; i >= 0; i-- { // the first of a name counts
		e.components[in.Catalogue.Components[i].Name] = i
	}
	for i := len(in.Catalogue.Services) - 1; i >= 0; i-- {
		e.services[in.Catalogue.Services[i].Name] = i
	}
	return e
}

// observe is the component as observed, worked out once.
func (e *evaluation) observe(component string) *observed {
	if o, ok := e.observed[component]; ok {
		return o
	}
	var c Component
	if i, ok := e.components[component]; ok {
		c = e.in.Catalogue.Components[i]
	}
	o := observe(c, e.in.Streaks[component], e.in.AsOf)
	e.observed[component] = o
	return o
}

// model is the catalogue in one zone, made once.
func (e *evaluation) model(zone *time.Location) *model {
	m, ok := e.models[zone.String()]
	if !ok {
		m = newModel(e, zone)
		e.models[zone.String()] = m
	}
	return m
}

// viewID tells views apart.
type viewID struct {
	agreement *Agreement
	function  string
}

func (e *evaluation) view(a *Agreement) (*view, error) { return e.viewOf(a, "") }

// viewOf is the view of one function, of the whole service where it has none
// of that name.
func (e *evaluation) viewOf(a *Agreement, function string) (*view, error) {
	id := viewID{a, function}
	if v, ok := e.views[id]; ok {
		return v, nil
	}
	v, err := newView(e.model(a.Zone), a, function)
	if err != nil {
		return nil, err
	}
	e.views[id] = v
	return v, nil
}

// countable is the time since begin in which down counts for an outage of the
// version: in the period by its own cuts, before the period by those of the
// version then in force.
func (e *evaluation) countable(v *view, own cuts, begin int64, p period) (Set, error) {
	counts := own.countable()
	if begin >= p.from {
		return counts, nil
	}
	for i := range e.in.Catalogue.Agreements {
		a := &e.in.Catalogue.Agreements[i]
		if a.Number != v.agreement.Number {
			continue
		}
		force := a.inForce()
		before := Span{begin, min(p.from, p.end)}.within(force.From, force.To)
		if before.Length() == 0 {
			continue
		}
		other, err := e.viewOf(a, v.function)
		if err != nil {
			return nil, err
		}
		c, err := other.cut(before.From, before.To)
		if err != nil {
			return nil, err
		}
		counts = counts.Union(c.countable())
	}
	return counts, nil
}
