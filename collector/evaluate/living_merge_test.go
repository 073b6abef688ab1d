package evaluate_test

import "slices"

// named puts a prefix before every name of the problem, so that many of them
// fit into one catalogue, and a suffix behind every observer, which is a host.
// It leaves out what no agent can say: an observer without a name, and a hold
// of a fact's own.
func (p *problem) named(prefix, suffix string) *problem {
	all := func(names []string) []string {
		out := slices.Clone(names)
		for i := range out {
			out[i] = prefix + out[i]
		}
		return out
	}
	out := *p
	out.calendars = slices.Clone(p.calendars)
	for i := range out.calendars {
		out.calendars[i].name = prefix + out.calendars[i].name
	}
	out.components = slices.Clone(p.components)
	for i := range out.components {
		out.components[i].name = prefix + out.components[i].name
	}
	out.services = slices.Clone(p.services)
	for i := range out.services {
		out.services[i].name, out.services[i].needs = prefix+out.services[i].name, out.services[i].needs.named(prefix)
		out.services[i].functions = slices.Clone(p.services[i].functions)
		for k := range out.services[i].functions {
			f := &out.services[i].functions[k]
			f.needs = f.needs.named(prefix)
		}
	}
	out.agreements = slices.Clone(p.agreements)
	for i := range out.agreements {
		a := &out.agreements[i]
		a.number, a.service = prefix+a.number, prefix+a.service
		if a.calendar != "always" {
			a.calendar = prefix + a.calendar
		}
	}
	out.windows = slices.Clone(p.windows)
	for i := range out.windows {
		w := &out.windows[i]
		w.change, w.components, w.services = prefix+w.change, all(w.components), all(w.services)
	}
	out.adjustments = slices.Clone(p.adjustments)
	for i := range out.adjustments {
		a := &out.adjustments[i]
		a.id, a.components, a.services = prefix+a.id, all(a.components), all(a.services)
	}
	out.facts = slices.Clone(p.facts)
	for i := range out.facts {
		f := &out.facts[i]
		f.component, f.observer, f.hold = prefix+f.component, orElse(f.observer, "home")+suffix, none
	}
	return &out
}

func (n node) named(prefix string) node {
	out := n
	if out.name != "" {
		out.name = prefix + out.name
	}
	out.of = slices.Clone(n.of)
	for i := range out.of {
		out.of[i] = out.of[i].named(prefix)
	}
	return out
}

// together is the catalogue of all of them.
func together(all []*problem) *problem {
	out := &problem{}
	for _, p := range all {
		out.calendars = append(out.calendars, p.calendars...)
		out.components = append(out.components, p.components...)
		out.services = append(out.services, p.services...)
		out.agreements = append(out.agreements, p.agreements...)
		out.windows = append(out.windows, p.windows...)
		out.adjustments = append(out.adjustments, p.adjustments...)
	}
	return out
}
