package catalogue

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// groupEntry is a group as it is written: the hosts whose labels match.
type groupEntry struct {
	Match    map[string]settings.Several[string] `yaml:"match" doc:"Labels that a host must have, each with one of the values."`
	Except   map[string]settings.Several[string] `yaml:"except" doc:"Labels that a host must not have."`
	Interval *settings.Duration                  `yaml:"interval" doc:"How often each host is measured."`
	Hold     *settings.Duration                  `yaml:"hold" doc:"How long a fact of a host holds."`
}

// defaultInterval is how often agents measure and test when nothing is said.
const defaultInterval = settings.Duration(15 * time.Second)

// Tenure is a time in which a host had these labels. The collector's ledger
// knows them: a host has one from its enrolment to its removal, and a new one
// whenever it enrols again with other labels.
type Tenure struct {
	Host        string            // the name it is listed under, its component
	Labels      map[string]string // with customer and instance
	From, Until int64             // Unix ms; Until 0: it lasts
}

// hostMark stands for the name of a group's host in a check.
const hostMark = "{{host}}"

// groupMark begins the name of a leaf that stands for a group's members; no
// name in a file has a NUL.
const groupMark = "\x00"

// everyMember is at_least of all_of: as many as there are.
const everyMember = math.MaxInt32

// template is a catalogue before its groups have members.
type template struct {
	agreed *availability.Catalogue // leaves with groupMark
	groups map[string]groupEntry
	checks []groupCheck
	plain  []Check
}

// groupCheck is a check that each host of a group has.
type groupCheck struct {
	group string
	entry checkEntry
}

// HasGroups tells whether members have to be looked for.
func (c *Catalogue) HasGroups() bool { return len(c.template.groups) > 0 }

// Expand is the catalogue with the members its groups had and have: plain
// components that exist from a host's enrolment to its removal, and one check
// for each. A host that joins is no part of the time before, so figures of
// that time stay what they are. What had to be left out is said in notes.
//
// The order of tenures makes no difference.
func (c *Catalogue) Expand(tenures []Tenure) (expanded *Catalogue, notes []string) {
	e := &expansion{from: c.template, taken: map[string]bool{}, made: map[string]*made{}, members: map[string][]availability.Need{}}
	agreed := *c.template.agreed
	for i := range agreed.Components {
		e.taken[agreed.Components[i].Name] = true
	}
	for i := range agreed.Services {
		e.taken[agreed.Services[i].Name] = true
	}
	byHost := map[string][]Tenure{}
	for _, t := range tenures {
		byHost[t.Host] = append(byHost[t.Host], t)
	}
	for _, name := range sortedKeys(c.template.groups) {
		e.group(name, byHost)
	}
	e.assign()
	agreed.Components = slices.Clone(agreed.Components)
	for _, name := range sortedKeys(e.made) {
		agreed.Components = append(agreed.Components, e.made[name].component(name))
	}
	services := make([]availability.Service, 0, len(agreed.Services))
	for _, s := range agreed.Services {
		s.Needs = e.need(s.Needs)
		s.Functions = slices.Clone(s.Functions)
		for i := range s.Functions {
			if f := &s.Functions[i]; f.Needs != nil {
				needs := e.need(*f.Needs)
				f.Needs = &needs
			}
		}
		services = append(services, s)
	}
	agreed.Services = slices.Concat(services, e.stays)
	out := *c
	out.Availability, out.Checks = &agreed, append(slices.Clone(c.template.plain), e.checks...)
	return &out, e.notes
}

// expansion is one run of Expand.
type expansion struct {
	from    template
	taken   map[string]bool                // names of the file
	made    map[string]*made               // components, by name
	members map[string][]availability.Need // by group, or by the component of a group's check
	stays   []availability.Service
	checks  []Check
	notes   []string
}

// made is a component of the expansion.
type made struct {
	exists availability.Span
	paced  []pacedStay
}

// pacedStay is a time in a set, and the pace of its members.
type pacedStay struct {
	availability.Span
	interval, hold int64 // ms; hold 0: not given
}

// component is the component with the pace of the sets it was in, each for its
// own time: what a host joins today moves nothing of the time before. In
// several sets at once it is heard as rarely as any of them says, and what it
// said last holds as long. Between two stays the pace stays.
func (m *made) component(name string) availability.Component {
	out := availability.Component{Name: name}
	out.From, out.Until = bounds(m.exists)
	var turns []int64
	for _, s := range m.paced {
		turns = append(turns, s.From, s.To)
	}
	slices.Sort(turns)
	paces := []availability.Pace{}
	for _, at := range slices.Compact(turns) {
		pace, some := availability.Pace{From: at}, false
		var hold int64
		for _, s := range m.paced {
			if s.From > at || at >= s.To {
				continue
			}
			some = true
			pace.Interval, hold = max(pace.Interval, s.interval), max(hold, availability.Pace{Interval: s.interval, Hold: s.hold}.Lasts(0))
		}
		if hold != (availability.Pace{Interval: pace.Interval}).Lasts(0) {
			pace.Hold = hold
		}
		if n := len(paces); some && (n == 0 || paces[n-1].Interval != pace.Interval || paces[n-1].Hold != pace.Hold) {
			paces = append(paces, pace)
		}
	}
	out.Interval, out.Hold = paces[0].Interval, paces[0].Hold
	if len(paces) > 1 {
		out.Paces = paces[1:]
	}
	return out
}

func (e *expansion) group(name string, byHost map[string][]Tenure) {
	entry := e.from.groups[name]
	interval, hold := defaultInterval, int64(0)
	if entry.Interval != nil {
		interval = *entry.Interval
	}
	if entry.Hold != nil {
		hold = entry.Hold.Milliseconds()
	}
	for _, host := range sortedKeys(byHost) {
		var matching []availability.Span
		for _, t := range byHost[host] {
			if entry.matches(t.Labels) {
				matching = append(matching, t.span())
			}
		}
		stays := joined(matching)
		if len(stays) == 0 {
			continue
		}
		e.member(name, host, interval, hold, e.existence(byHost[host]), stays)
		for _, check := range e.from.checks {
			if check.group != name {
				continue
			}
			every := check.entry.Interval
			if every == 0 {
				every = defaultInterval
			}
			e.member(check.entry.Component, host+"/"+check.entry.Component, every, 0, hull(stays), stays)
			if stays[len(stays)-1].To == forever {
				e.check(check.entry, host)
			}
		}
	}
}

// existence is from when to when a host is in any group. Before, it is no
// component: what was heard of it then is no part of any outage.
func (e *expansion) existence(tenures []Tenure) availability.Span {
	var spans []availability.Span
	for _, t := range tenures {
		for _, g := range e.from.groups {
			if g.matches(t.Labels) {
				spans = append(spans, t.span())
				break
			}
		}
	}
	return hull(joined(spans))
}

// forever is the end of a stay that lasts.
const forever = math.MaxInt64

func (t Tenure) span() availability.Span {
	if t.Until == 0 {
		return availability.Span{From: t.From, To: forever}
	}
	return availability.Span{From: t.From, To: t.Until}
}

func (g groupEntry) matches(labels map[string]string) bool {
	for name, values := range g.Match {
		if !slices.Contains(values, labels[name]) {
			return false
		}
	}
	for name, values := range g.Except {
		if slices.Contains(values, labels[name]) {
			return false
		}
	}
	return true
}

// joined puts spans in order, one for those that touch.
func joined(spans []availability.Span) []availability.Span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b availability.Span) int {
		switch {
		case a.From < b.From:
			return -1
		case a.From > b.From:
			return 1
		}
		return 0
	})
	var out []availability.Span
	for _, s := range spans {
		switch {
		case s.To <= s.From:
		case len(out) > 0 && s.From <= out[len(out)-1].To:
			out[len(out)-1].To = max(out[len(out)-1].To, s.To)
		default:
			out = append(out, s)
		}
	}
	return out
}

func hull(spans []availability.Span) availability.Span {
	return availability.Span{From: spans[0].From, To: spans[len(spans)-1].To}
}

func bounds(s availability.Span) (from, until availability.Bound) {
	if from = availability.At(s.From); s.To != forever {
		until = availability.At(s.To)
	}
	return from, until
}

// member adds a component to the set of that name. A member that was in the
// set for another time than it exists, because it came back or has other
// labels now, has a node of its own for each stay.
func (e *expansion) member(set, name string, interval settings.Duration, hold int64, exists availability.Span, stays []availability.Span) {
	declared := e.taken[name]
	if !declared {
		c := e.made[name]
		if c == nil {
			c = &made{exists: exists}
			e.made[name] = c
		}
		for _, stay := range stays {
			c.paced = append(c.paced, pacedStay{stay, interval.Milliseconds(), hold})
		}
	}
	if !declared && len(stays) == 1 && stays[0] == exists {
		e.members[set] = append(e.members[set], availability.Need{Name: name})
		return
	}
	for _, stay := range stays {
		s := availability.Service{Name: fmt.Sprintf("%s: %s since %s", set, name, time.UnixMilli(stay.From).UTC().Format("2006-01-02T15:04:05.000Z")), Needs: availability.Need{Name: name}}
		s.From, s.Until = bounds(stay)
		e.stays = append(e.stays, s)
		e.members[set] = append(e.members[set], availability.Need{Name: s.Name})
	}
}

// check adds the check of one host.
func (e *expansion) check(entry checkEntry, host string) {
	entry.Component = host + "/" + entry.Component
	from := make([]string, len(entry.From))
	for i, each := range entry.From {
		from[i] = strings.ReplaceAll(each, hostMark, host)
	}
	for _, field := range []*string{&entry.HTTP, &entry.TCP, &entry.TLS, &entry.DNS, &entry.ICMP, &entry.ServerName} {
		*field = strings.ReplaceAll(*field, hostMark, host)
	}
	e.checks = append(e.checks, Check{From: from, AssignedCheck: entry.wire(defaultInterval)})
}

// assign leaves out what hosts would refuse: more checks than a host makes.
func (e *expansion) assign() {
	count, over := map[string]int{}, map[string]int{}
	for _, c := range e.from.plain {
		for _, host := range c.From {
			count[host]++
		}
	}
	for i := range e.checks {
		e.checks[i].From = slices.DeleteFunc(e.checks[i].From, func(host string) bool {
			if count[host]++; count[host] <= maxChecksOfHost {
				return false
			}
			over[host]++
			return true
		})
	}
	for _, host := range sortedKeys(over) {
		e.notes = append(e.notes, fmt.Sprintf("%s makes %d checks at most, %d of groups are not made; let several hosts share them", host, maxChecksOfHost, over[host]))
	}
}

// need puts the members of groups into a tree.
func (e *expansion) need(n availability.Need) availability.Need {
	if len(n.Of) == 0 {
		return n
	}
	out := availability.Need{AtLeast: n.AtLeast}
	for _, child := range n.Of {
		if name, ok := strings.CutPrefix(child.Name, groupMark); ok {
			out.Of = append(out.Of, e.members[name]...)
			continue
		}
		out.Of = append(out.Of, e.need(child))
	}
	out.AtLeast = min(out.AtLeast, len(out.Of))
	return out
}

// checkGroups checks the groups by themselves.
func (c *checker) checkGroups(groups map[string]groupEntry) {
	for _, name := range sortedKeys(groups) {
		path, g := "groups."+name, groups[name]
		c.required(path, "match", len(g.Match) > 0)
		for _, part := range []struct {
			key    string
			labels map[string]settings.Several[string]
		}{{"match", g.Match}, {"except", g.Except}} {
			for _, label := range sortedKeys(part.labels) {
				if slices.Contains(part.labels[label], "") || len(part.labels[label]) == 0 {
					c.fault(path+"."+part.key+"."+label, "is empty", "name the values a host may have")
				}
			}
		}
		interval := defaultInterval
		if g.Interval != nil {
			if interval = *g.Interval; interval == 0 {
				c.fault(path+".interval", "must be above 0", "")
			}
		}
		if g.Hold != nil && 2*g.Hold.Milliseconds() < 3*interval.Milliseconds() {
			c.fault(path+".hold", fmt.Sprintf("%s is below 1.5 x the interval of %s", g.Hold, interval), "facts that came in time would not hold to the next one")
		}
	}
}

// sets are the names that stand for several components: groups, and the
// checks that groups have.
func (c *checker) sets(f *catalogueFile) []string {
	names := sortedKeys(f.Groups)
	for _, e := range f.Checks {
		if e.For != "" && e.Component != "" {
			names = append(names, e.Component)
		}
	}
	return names
}

// uniqueSets checks that a set has a name of its own.
func (c *checker) uniqueSets(f *catalogueFile) {
	seen := map[string]bool{}
	for _, name := range slices.Concat(c.components, c.services) {
		seen[name] = true
	}
	for _, name := range sortedKeys(f.Groups) {
		if seen[name] {
			c.fault("groups."+name, fmt.Sprintf("%q is already the name of a component or service", name), "components, services and groups share one name space")
		}
		seen[name] = true
	}
	for i, e := range f.Checks {
		if e.For == "" || e.Component == "" {
			continue
		}
		if seen[e.Component] {
			c.fault(at("checks", i)+".component", fmt.Sprintf("%q is already the name of a component, service or group", e.Component), "the check of a group has a component for each host, of a name that is new")
		}
		seen[e.Component] = true
	}
}

// forGroup is the entry as it is for a host of some name, to be checked.
func (e checkEntry) forGroup() checkEntry {
	for _, field := range []*string{&e.HTTP, &e.TCP, &e.TLS, &e.DNS, &e.ICMP, &e.ServerName} {
		*field = strings.ReplaceAll(*field, hostMark, "host")
	}
	e.From = slices.Clone(e.From)
	return e
}
