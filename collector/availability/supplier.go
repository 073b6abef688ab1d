package availability

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Serviceability is how the components of an underpinning contract did in a
// period, each by itself and all together.
type Serviceability struct {
	Supplier   string
	Contract   string
	Together   Figures   // of the sums over the components, never of their ratios
	Components []Figures // by the order of the contract; Service is the component's name
}

// Serviceabilities computes the figures of the contracts in force in the
// period, in the order of the catalogue. A component is evaluated as a service
// that needs it and nothing else, under the contract as its agreement: the
// same cuts and the same arithmetic.
func Serviceabilities(in Input) ([]Serviceability, error) {
	under, of := in.Catalogue.underpinned()
	in.Catalogue, in.Service = under, ""
	e := newEvaluation(in)
	var out []Serviceability
	var total sums
	var last *Contract
	err := e.each(func(v *view, p period) error {
		s, err := e.sums(v, p)
		if err != nil {
			return err
		}
		owner := of[v.agreement]
		if owner.contract != last {
			last, total = owner.contract, sums{}
			out = append(out, Serviceability{Supplier: last.Supplier, Contract: last.Terms.Number})
		}
		each := &out[len(out)-1]
		own := e.figuresOf(&last.Terms, p, s)
		own.Service, own.Pieces = owner.component, s.pieces
		each.Components = append(each.Components, own)
		total = total.plus(s)
		each.Together = e.figuresOf(&last.Terms, p, total)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// party is whose terms an agreement made of a contract holds.
type party struct {
	contract  *Contract
	component string
}

// alone is the name of the service that needs the component and nothing else.
// A name of the catalogue has no NUL in it.
func alone(component string) string { return "\x00" + component }

// underpinned is the catalogue with the contracts in the place of the
// agreements: one agreement for each component, about a service made for it.
func (c *Catalogue) underpinned() (*Catalogue, map[*Agreement]party) {
	under := *c
	under.Services, under.Agreements = slices.Clone(c.Services), nil
	made := map[string]bool{}
	var parties []party
	for i := range c.Contracts {
		contract := &c.Contracts[i]
		for _, name := range contract.Components {
			if !made[name] {
				made[name] = true
				under.Services = append(under.Services, Service{Name: alone(name), Needs: Need{Name: name}})
			}
			a := contract.Terms
			a.Service = alone(name)
			// An outage that began under the contract before this one counts by
			// that one's cuts: both are versions of one number, for each component.
			a.Number += ", " + name
			under.Agreements = append(under.Agreements, a)
			parties = append(parties, party{contract, name})
		}
	}
	of := map[*Agreement]party{}
	for i, p := range parties {
		of[&under.Agreements[i]] = p
	}
	return &under, of
}

// plus adds up what two components come to.
func (s sums) plus(o sums) sums {
	if s.seen.up.none() { // nothing yet
		s.seen, s.assumed, s.without = nothing(), nothing(), nothing()
	}
	for i := range s.tally.cut {
		s.tally.cut[i] += o.tally.cut[i]
	}
	for i := range s.tally.state {
		s.tally.state[i] += o.tally.state[i]
	}
	s.agreed += o.agreed
	s.seen, s.assumed, s.without = s.seen.plus(o.seen), s.assumed.plus(o.assumed), s.without.plus(o.without)
	s.outages = slices.Concat(s.outages, o.outages)
	slices.SortStableFunc(s.outages, func(a, b counted) int { return cmp.Compare(a.From, b.From) })
	s.pieces = nil
	return s
}

func nothing() amounts { return amounts{whole(0), whole(0), whole(0)} }

func (a amounts) plus(b amounts) amounts {
	return amounts{a.up.plus(b.up), a.down.plus(b.down), a.unknown.plus(b.unknown)}
}

// Attribution is what of a service's downtime a supplier's components had a
// part in. Sums are those of the outages.
type Attribution struct {
	Supplier    string  `json:"supplier"`
	Service     string  `json:"service"`
	Customer    string  `json:"customer"`
	Agreement   string  `json:"agreement"`
	Version     int     `json:"version"`
	From        Instant `json:"from"`
	To          Instant `json:"to"`
	DownS       float64 `json:"down_s"`       // of the service's outages in the period
	AttributedS float64 `json:"attributed_s"` // of that, while a component of the supplier was down
	AloneS      float64 `json:"alone_s"`      // of that, in which the service would have been up had they been

	Outages []AttributedOutage `json:"outages"` // all of the service that count in the period
}

// AttributedOutage is an outage of a service as its figures have it, with what
// of its counted time in the period is a supplier's.
type AttributedOutage struct {
	Outage
	AttributedS float64  `json:"attributed_s"`
	AloneS      float64  `json:"alone_s"`
	Supplied    []string `json:"supplied"` // of Components, those of the supplier that were down in it under contract
}

// Attributions tells for each supplier and agreement version in force in the
// period what of the service's downtime is the supplier's, by the service's own
// agreement. Services that reach none of the supplier's components are left out.
func Attributions(in Input) ([]Attribution, error) {
	e := newEvaluation(in)
	var out []Attribution
	suppliers := in.Catalogue.Suppliers()
	err := e.each(func(v *view, p period) error {
		var s sums
		for _, supplier := range suppliers {
			held := in.Catalogue.held(v, supplier)
			if len(held) == 0 {
				continue
			}
			if s.pieces == nil {
				var err error
				if s, err = e.sums(v, p); err != nil {
					return err
				}
			}
			a, err := e.attribute(v, p, s, held)
			if err != nil {
				return err
			}
			a.Supplier = supplier
			out = append(out, a)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("attribute downtime to suppliers: %w", err)
	}
	rank := func(a Attribution) int { return slices.Index(suppliers, a.Supplier) }
	slices.SortStableFunc(out, func(a, b Attribution) int { return cmp.Compare(rank(a), rank(b)) })
	return out, nil
}

// Suppliers are the names of those with a contract, in the order of their first.
func (c *Catalogue) Suppliers() []string {
	var names []string
	for i := range c.Contracts {
		if name := c.Contracts[i].Supplier; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Zones are those of the agreements and contracts, each as often as it is written.
func (c *Catalogue) Zones() []*time.Location {
	var zones []*time.Location
	for i := range c.Agreements {
		zones = append(zones, c.Agreements[i].Zone)
	}
	for i := range c.Contracts {
		zones = append(zones, c.Contracts[i].Terms.Zone)
	}
	return zones
}

// Terms are those of the contract with that number and version; nil: there is none.
func (c *Catalogue) Terms(number string, version int) *Agreement {
	for i := range c.Contracts {
		if terms := &c.Contracts[i].Terms; terms.Number == number && terms.Version == version {
			return terms
		}
	}
	return nil
}

// held is, by thing of the tree, when the supplier was under contract for it.
func (c *Catalogue) held(v *view, supplier string) map[int][]Span {
	held := map[int][]Span{}
	for i := range c.Contracts {
		contract := &c.Contracts[i]
		if contract.Supplier != supplier {
			continue
		}
		for _, name := range contract.Components {
			if thing, ok := v.tree.index[name]; ok {
				held[thing] = append(held[thing], contract.Terms.inForce())
			}
		}
	}
	return held
}

// attribute splits the outages of the period.
func (e *evaluation) attribute(v *view, p period, s sums, held map[int][]Span) (Attribution, error) {
	f := e.figuresOf(v.agreement, p, s)
	out := Attribution{Service: v.agreement.Service, Customer: v.service.Customer, Agreement: f.Agreement, Version: f.Version,
		From: f.From, To: f.To, Outages: []AttributedOutage{}}
	c, err := v.cut(p.from, p.to)
	if err != nil {
		return out, err
	}
	down := v.seen.Within(p.from, p.end).where(v.agreement.Policies.isDown).Intersect(c.countable())
	theirs := map[int]Set{} // when each is down under contract
	var either Set
	for thing, spans := range held {
		theirs[thing] = v.componentsDown()[thing].Intersect(NewSet(spans...))
		either = either.Union(theirs[thing])
	}
	attributed, explained := down.Intersect(either), v.taken(held, down)
	var total, part, only int64
	for _, o := range f.Outages {
		end := p.end
		if o.To != nil {
			end = min(end, o.To.MS)
		}
		each := AttributedOutage{Outage: o, Supplied: []string{}}
		total += down.LengthWithin(o.From.MS, end)
		mine, sole := attributed.LengthWithin(o.From.MS, end), explained.LengthWithin(o.From.MS, end)
		part, only = part+mine, only+sole
		each.AttributedS, each.AloneS = msSeconds(mine), msSeconds(sole)
		for thing := range v.tree.things { // in order, so that equal input gives equal output
			if theirs[thing].Meets(o.From.MS, end) {
				each.Supplied = append(each.Supplied, v.tree.things[thing].name)
			}
		}
		slices.Sort(each.Supplied)
		out.Outages = append(out.Outages, each)
	}
	out.DownS, out.AttributedS, out.AloneS = msSeconds(total), msSeconds(part), msSeconds(only)
	return out, nil
}
