package availability

import (
	"fmt"
	"time"
)

// Status is what is known of a component or service at an instant, and since
// when without interruption, in ms.
type Status struct {
	State State
	Since int64
}

// Statuses is what the catalogue's things are at in.AsOf, as trees and
// corrections give it (no policies, no blips). Dates are local to the service's
// agreement in force; without one, and for components, to UTC. A thing that
// does not exist is left out.
func Statuses(in Input) (services, components map[string]Status, err error) {
	e := newEvaluation(in)
	services, components = map[string]Status{}, map[string]Status{}
	at := in.AsOf - 1 // the last instant of which something can be known
	for _, s := range in.Catalogue.Services {
		line, gone, err := e.line(s.Name)
		if err != nil {
			return nil, nil, err
		}
		zone := in.Catalogue.zoneOf(s.Name, in.AsOf)
		if exists := span(s.From, s.Until, zone); gone.Has(at) || at < exists.From || at >= exists.To {
			continue
		}
		state, since := line.At(at)
		services[s.Name] = Status{state, since}
	}
	for _, c := range in.Catalogue.Components {
		if exists := span(c.From, c.Until, time.UTC); at < exists.From || at >= exists.To {
			continue
		}
		state, since := e.observe(c.Name).timeline.At(at)
		components[c.Name] = Status{state, since}
	}
	return services, components, nil
}

// ServiceTimeline is what the service was, as its tree and corrections give
// it, up to in.AsOf. It begins long before any fact: ask for a part by Within.
func ServiceTimeline(in Input, service string) (Timeline, error) {
	line, _, err := newEvaluation(in).line(service)
	return line, err
}

// ServiceTimelines are those of all services of the catalogue, by name.
func ServiceTimelines(in Input) (map[string]Timeline, error) {
	e := newEvaluation(in)
	all := make(map[string]Timeline, len(in.Catalogue.Services))
	for _, s := range in.Catalogue.Services {
		line, _, err := e.line(s.Name)
		if err != nil {
			return nil, fmt.Errorf("compute the timeline of %s: %w", s.Name, err)
		}
		all[s.Name] = line
	}
	return all, nil
}

// ComponentTimeline is what the component was, by its observers, up to asOf.
func ComponentTimeline(c Component, streaks []Streak, asOf int64) Timeline {
	return observe(c, streaks, asOf).timeline
}

func (e *evaluation) line(service string) (Timeline, Set, error) {
	t, err := e.model(e.zoneOf(service)).tree(service, nil)
	if err != nil {
		return nil, nil, err
	}
	line, gone := t.top(e.in.AsOf)
	return line, gone, nil
}

// zoneOf is Catalogue.zoneOf at the instant asked about, of all services looked
// up once.
func (e *evaluation) zoneOf(service string) *time.Location {
	if e.zones == nil {
		e.zones = map[string]*time.Location{}
		for i := range e.in.Catalogue.Agreements {
			a := &e.in.Catalogue.Agreements[i]
			if force := a.inForce(); e.zones[a.Service] == nil && force.From <= e.in.AsOf && e.in.AsOf < force.To {
				e.zones[a.Service] = a.Zone
			}
		}
	}
	if zone, ok := e.zones[service]; ok {
		return zone
	}
	return time.UTC
}

func (c *Catalogue) zoneOf(service string, at int64) *time.Location {
	if a, ok := c.AgreementAt(service, at); ok {
		return a.Zone
	}
	return time.UTC
}

// ComponentOutage is an outage of a component by itself, degraded counting up.
type ComponentOutage struct {
	From     int64 // ms
	To       int64 // ms; where it is Open, how far it is known
	Open     bool
	Earliest int64 // ms, the last fact before it that counts as up
	HasFact  bool  // whether there is such a fact
	Bridged  bool  // an observer of it has a bridged gap in it
}

// ComponentOutages are the component's outages as known at asOf, in order.
func ComponentOutages(c Component, streaks []Streak, asOf int64, exact FactBefore) []ComponentOutage {
	o := observe(c, streaks, asOf)
	var p Policies
	var out []ComponentOutage
	for _, s := range p.stops(o.timeline, 0) {
		at, _, ok := o.lastFact(s.From, p.isUp, exact)
		if !ok {
			at = 0
		}
		out = append(out, ComponentOutage{From: s.From, To: s.To, Open: s.open, Earliest: at, HasFact: ok, Bridged: o.bridged.Meets(s.From, s.To)})
	}
	return out
}
