package catalogue

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// checker builds the catalogue of the file and collects its faults.
type checker struct {
	doc     *settings.Document
	faults  settings.Faults
	refused map[string]bool // paths that already have a fault
	doubts  settings.Faults // what is probably not meant, but can be

	components, services, calendars, groups []string
	resourceNames                           []string // shipped ones, too
	years                                   map[string]holidaysEntry
}

// fault reports what is wrong at the path, once for each path.
func (c *checker) fault(path, message, remedy string) {
	if c.refused[path] {
		return
	}
	c.refused[path] = true
	c.faults = append(c.faults, c.doc.Fault(path, message, remedy))
}

// missing reports a key that should stand at the path.
func (c *checker) missing(path, key, remedy string) {
	if c.refused[path+"."+key] {
		return
	}
	c.refused[path+"."+key] = true
	c.faults = append(c.faults, c.doc.Fault(path, key+" is missing", remedy))
}

// build makes the catalogue. Names are collected first, so that everything
// may name what stands further down.
func (c *checker) build(f *catalogueFile) *availability.Catalogue {
	for _, e := range f.Components {
		c.components = append(c.components, e.Name)
	}
	for _, e := range f.Services {
		c.services = append(c.services, e.Name)
	}
	c.resourceNames = namesOfResources(f)
	c.groups = c.sets(f)
	out := &availability.Catalogue{Calendars: map[string]*availability.Calendar{}}
	c.years = c.holidays(f.Holidays)
	for _, name := range sortedKeys(f.Calendars) {
		c.calendars = append(c.calendars, name)
		out.Calendars[name] = c.calendar("calendars."+name, name, f.Calendars[name])
	}
	for i, e := range f.Components {
		out.Components = append(out.Components, c.component(at("components", i), e))
	}
	for i, e := range f.Services {
		out.Services = append(out.Services, c.service(at("services", i), e))
	}
	c.checkGroups(f.Groups)
	c.uniqueSets(f)
	if c.uniqueNames() {
		c.rings(out)
	}
	for i, e := range f.Agreements {
		out.Agreements = append(out.Agreements, c.agreement(at("agreements", i), e))
	}
	c.versions(out.Agreements)
	for i, e := range f.Suppliers {
		out.Contracts = append(out.Contracts, c.contract(at("suppliers", i), e))
	}
	c.contracts(out.Contracts)
	for i, e := range f.Maintenance {
		out.Windows = append(out.Windows, c.window(at("maintenance", i), e))
	}
	for i, e := range f.Adjustments {
		out.Adjustments = append(out.Adjustments, c.adjustment(at("adjustments", i), e))
	}
	c.uniqueIDs(out.Adjustments)
	c.checkResources(f.Resources)
	return out
}

func at(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// required reports a key that is missing; one that is already refused is not
// missing.
func (c *checker) required(path, key string, set bool) bool {
	if !set && !c.doc.Has(path+"."+key) {
		c.missing(path, key, "")
	} else if !set {
		c.fault(path+"."+key, "is empty", "")
	}
	return set
}

// known checks a name against what is declared.
func (c *checker) known(path, what, name string, names ...[]string) {
	var all []string
	for _, list := range names {
		all = append(all, list...)
	}
	for _, each := range all {
		if each == name {
			return
		}
	}
	c.fault(path, fmt.Sprintf("no %s %q", what, name), settings.DidYouMean(name, all))
}

// order checks that a span does not end before it begins. Two dates or two
// instants compare in every zone; a date and an instant in the zone given,
// or not at all without one.
func (c *checker) order(path string, from, to availability.Bound, zone *time.Location) {
	if !from.IsSet() || !to.IsSet() || from.IsInstant() != to.IsInstant() && zone == nil {
		return
	}
	if zone == nil {
		zone = time.UTC
	}
	if to.In(zone, 0) <= from.In(zone, 0) {
		c.fault(path, fmt.Sprintf("ends at %s, not after its beginning at %s", to, from), "let it end after it begins; were the two exchanged?")
	}
}

// uniqueNames checks that components and services have names of their own.
func (c *checker) uniqueNames() bool {
	seen, unique := map[string]string{}, true
	for list, names := range [][]string{c.components, c.services} {
		kind := [...]string{"components", "services"}[list]
		for i, name := range names {
			path := at(kind, i)
			if first, twice := seen[name]; twice && name != "" {
				unique = false
				c.fault(path+".name", fmt.Sprintf("%q is already the name of %s on %s", name, first, c.doc.Place(first)),
					"components and services share one name space")
			} else if !twice {
				seen[name] = path
			}
		}
	}
	return unique
}

func (c *checker) uniqueIDs(all []availability.Adjustment) {
	seen := map[string]string{}
	for i, a := range all {
		path := at("adjustments", i)
		if first, twice := seen[a.ID]; twice && a.ID != "" {
			c.fault(path+".id", fmt.Sprintf("%q is already the id of %s on %s", a.ID, first, c.doc.Place(first)), "")
		} else if !twice {
			seen[a.ID] = path
		}
	}
}

// rings reports services that need each other in a ring.
func (c *checker) rings(out *availability.Catalogue) {
	ring := out.Cycle()
	if ring == nil {
		return
	}
	for i, s := range out.Services {
		if s.Name == ring[0] {
			c.fault(at("services", i)+".needs", "services need each other in a ring: "+strings.Join(ring, " needs "), "take one of them out")
			return
		}
	}
}

func (c *checker) component(path string, e componentEntry) availability.Component {
	c.required(path, "name", e.Name != "")
	out := availability.Component{Name: e.Name, From: e.From, Until: e.Until}
	out.Interval = c.interval(path+".interval", e.Interval)
	if e.Takeover != nil {
		if out.Takeover = e.Takeover.Milliseconds(); out.Takeover == 0 {
			c.fault(path+".takeover", "must be above 0", "leave it out for a component that works all the time")
		}
	}
	out.Hold = c.hold(path+".hold", e.Hold, e.Interval)
	for i, each := range e.Paces {
		out.Paces = append(out.Paces, c.pace(at(path+".paces", i), each, out.Paces))
	}
	if e.Need != nil {
		if out.Need = *e.Need; out.Need < 1 {
			c.fault(path+".need", "must be at least 1", "")
		}
	}
	if c.doc.Has(path + ".series") {
		out.Series = c.selector(path+".series", e.Series)
	}
	c.order(path+".until", e.From, e.Until, nil)
	return out
}

func (c *checker) interval(path string, every *settings.Duration) int64 {
	if every == nil {
		return 0
	}
	if *every == 0 {
		c.fault(path, "must be above 0", "")
	}
	return every.Milliseconds()
}

// hold is a hold as components have it.
func (c *checker) hold(path string, hold, interval *settings.Duration) int64 {
	if hold == nil {
		return 0
	}
	if interval != nil && 2*hold.Milliseconds() < 3*interval.Milliseconds() {
		c.fault(path, fmt.Sprintf("%s is below 1.5 x the interval of %s", hold, interval), "facts that came in time would not hold to the next one")
	}
	if *hold == 0 {
		return availability.NoHold
	}
	return hold.Milliseconds()
}

// pace is one of a component's paces, after those before it.
func (c *checker) pace(path string, e paceEntry, before []availability.Pace) availability.Pace {
	out := availability.Pace{From: e.From.In(time.UTC, 0), Interval: c.interval(path+".interval", e.Interval), Hold: c.hold(path+".hold", e.Hold, e.Interval)}
	if c.required(path, "from", e.From.IsSet()) && !e.From.IsInstant() {
		c.fault(path+".from", fmt.Sprintf("%s is a date, which begins at another instant in each zone", e.From), "write an instant, like "+e.From.String()+"T00:00:00+08:00")
	} else if n := len(before); n > 0 && e.From.IsSet() && out.From <= before[n-1].From {
		c.fault(path+".from", fmt.Sprintf("%s is not after the pace before it", e.From), "put the paces in the order they begin in")
	}
	if e.Interval == nil && e.Hold == nil {
		c.fault(path, "says neither interval nor hold", "write how often it is measured since then, like interval: 60s")
	}
	return out
}

func (c *checker) service(path string, e serviceEntry) availability.Service {
	c.required(path, "name", e.Name != "")
	c.required(path, "needs", e.Needs.set)
	c.names(&e.Needs)
	c.order(path+".until", e.From, e.Until, nil)
	out := availability.Service{Name: e.Name, Customer: e.Customer, Users: c.users(path, e.Users), Needs: e.Needs.Need, From: e.From, Until: e.Until}
	first := map[string]string{}
	for i := range e.Functions {
		f := &e.Functions[i]
		path := at(path+".functions", i)
		if f.Name == "" {
			c.fault(path, "the function has no name", "write a name, or {name: payment, weight: 3}")
		} else if other, twice := first[f.Name]; twice {
			c.fault(path, fmt.Sprintf("%q is already the name of %s on %s", f.Name, other, c.doc.Place(other)), "functions of one service have names of their own")
		} else {
			first[f.Name] = path
		}
		fn := availability.Function{Name: f.Name, Users: c.users(path, f.Users)}
		if f.Weight != nil {
			fn.Weight = f.Weight.Rat
		}
		if f.Needs.set {
			c.names(&f.Needs.needEntry)
			fn.Needs = &f.Needs.Need
		}
		out.Functions = append(out.Functions, fn)
	}
	return out
}

// names checks what a tree names.
func (c *checker) names(needs *needEntry) {
	for _, ref := range needs.refs {
		switch {
		case ref.set:
			c.known(ref.path, "group", ref.name, c.groups)
		case slices.Contains(c.groups, ref.name):
			c.fault(ref.path, fmt.Sprintf("%q is a group", ref.name), fmt.Sprintf("say how many of it are needed: {at_least: 2, of: %[1]s}, {any_of: %[1]s} or {all_of: %[1]s}", ref.name))
		default:
			c.known(ref.path, "component or service", ref.name, c.components, c.services)
		}
	}
}

// users checks a number of users; 0: it is not given.
func (c *checker) users(path string, n *int) int64 {
	if n == nil {
		return 0
	}
	if *n < 1 || *n > maxUsers {
		c.fault(path+".users", fmt.Sprintf("users is %d", *n), fmt.Sprintf("it is from 1 to %d; leave it out where it is not known", maxUsers))
		return 0
	}
	return int64(*n)
}

func (c *checker) window(path string, e windowEntry) availability.Window {
	c.required(path, "change", e.Change != "")
	c.affected(path, e.Services, e.Components, e.From, e.To)
	return availability.Window{Change: e.Change, Services: e.Services, Components: e.Components, From: e.From, To: e.To, ApprovedAt: e.ApprovedAt, CancelledAt: e.Cancelled}
}

func (c *checker) adjustment(path string, e adjustmentEntry) availability.Adjustment {
	c.required(path, "id", e.ID != "")
	c.affected(path, e.Services, e.Components, e.From, e.To)
	out := availability.Adjustment{ID: e.ID, Services: e.Services, Components: e.Components, From: e.From, To: e.To, Reason: e.Reason,
		Evidence: e.Evidence, RequestedBy: e.RequestedBy, ApprovedBy: e.ApprovedBy, ApprovedAt: e.ApprovedAt}
	switch e.Effect {
	case "", "exclude":
	case "up":
		out.Effect = availability.CorrectUp
	case "down":
		out.Effect = availability.CorrectDown
	default:
		c.fault(path+".effect", fmt.Sprintf("%q is not an effect", e.Effect), "it is exclude, up or down")
	}
	return out
}

// affected checks what windows and adjustments have in common.
func (c *checker) affected(path string, services, components []string, from, to availability.Bound) {
	if len(services)+len(components) == 0 {
		c.fault(path, "names no service and no component", "")
	}
	for i, name := range services {
		c.known(at(path+".services", i), "service", name, c.services)
	}
	for i, name := range components {
		c.known(at(path+".components", i), "component", name, c.components)
	}
	c.required(path, "from", from.IsSet())
	c.required(path, "to", to.IsSet())
	c.order(path+".to", from, to, nil)
}
