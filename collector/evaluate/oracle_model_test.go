package evaluate_test

import "math/big"

// The oracle is a second, deliberately slow reading of the contract of
// evaluate. It shares no code with the implementation: it walks a grid of
// instants one by one and asks of each what the facts, the calendar, the
// windows and the corrections say there.
//
//	problem ──render──▶ catalogue.yaml, facts.csv ──evaluate──▶ JSON
//	   │                                                          │
//	   └──walk every instant──▶ states, cuts, outages ──▶ figures ═╪═ equal?
//
// Every generated instant is a multiple of the problem's step, so that
// nothing changes between two instants of the grid and the walk is exact.

type state int8

// The states of a component or service at one instant; absent is one that
// does not exist then.
const (
	absent state = iota
	unknown
	up
	degraded
	down
)

func (s state) String() string {
	return [...]string{"absent", "unknown", "up", "degraded", "down"}[s]
}

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// when is an instant or a local date; the zero value is neither: no bound.
type when struct {
	date string // 2026-11-01, local to the agreement
	at   int64  // ms since 1970
	set  bool   // at is given
}

func instant(ms int64) when   { return when{at: ms, set: true} }
func onDate(text string) when { return when{date: text} }
func (w when) open() bool     { return w.date == "" && !w.set }
func (w when) in(z *zone) int64 {
	if w.set {
		return w.at
	}
	return z.dateStart(w.date)
}

// none stands for a number of milliseconds that was not given.
const none = int64(-1)

type fact struct {
	component, observer string
	at                  int64
	state               state
	received            int64 // none: at
	hold                int64 // none: the component's
}

func (f fact) receivedAt() int64 {
	if f.received == none {
		return f.at
	}
	return f.received
}

type span struct{ start, end int } // minutes of the day, end up to 1440

type dayRange struct{ first, last string } // dates, both included

type calendarVersion struct {
	from   string    // local date; empty: from ever
	week   [7][]span // Sunday first
	closed []dayRange
	open   map[string][]span
}

type calendar struct {
	name, zone string // zone empty: the agreement's
	versions   []calendarVersion
}

type component struct {
	name           string
	interval, hold int64  // none: not given
	paces          []pace // in time order
	need           int    // 0: more than half
	from, until    when
}

// pace is another interval and hold from an instant on.
type pace struct{ from, interval, hold int64 }

// node is a name, or "at least so many of": all_of and any_of are ways to
// write that.
type node struct {
	name string
	form string // all_of, any_of, at_least
	k    int
	of   []node
}

type service struct {
	name, customer string
	needs          node
	from, until    when
	users          int64 // 0: not given
	functions      []function
}

// function of a service; own: it has needs of its own.
type function struct {
	name   string
	weight string // as written; empty: 1
	users  int64  // 0: not given
	needs  node
	own    bool
	short  bool // the function is written as its name alone
}

type indicator struct {
	name, kind           string // kind empty: the name
	target, unacceptable string // as written; unacceptable may be empty
}

type agreement struct {
	number                      string
	version                     int
	service, zone, calendar     string
	from, to                    when
	planned, unknown, existence string // policies; empty: the default
	degraded                    string // up, down or a share
	notice, cap, ignore, merge  int64  // none: not given
	capPer                      string
	coverageLimit               string // empty: 95%
	indicators                  []indicator
}

func (a agreement) plannedPolicy() string   { return orElse(a.planned, "exclude") }
func (a agreement) unknownPolicy() string   { return orElse(a.unknown, "exclude") }
func (a agreement) existencePolicy() string { return orElse(a.existence, "exclude") }

// degradedShare is the share of a degraded second that is down.
func (a agreement) degradedShare() *big.Rat {
	switch a.degraded {
	case "", "up":
		return new(big.Rat)
	case "down":
		return big.NewRat(1, 1)
	}
	return share(a.degraded)
}

// countsDown tells which states count as down: W moves seconds only.
func (a agreement) countsDown(s state) bool {
	return s == down || s == degraded && a.degraded == "down"
}

func (a agreement) countsUp(s state) bool {
	return s == up || s == degraded && a.degraded != "down"
}

type window struct {
	change               string
	components, services []string
	from, to             int64
	approved             int64 // none: not approved
}

type adjustment struct {
	id                   string
	components, services []string
	from, to             int64
	effect               string // empty: exclude
	approved             int64  // none: not approved
}

// problem is one call of evaluate.
type problem struct {
	seed        uint64
	step        int64
	calendars   []calendar
	components  []component
	services    []service
	agreements  []agreement
	windows     []window
	adjustments []adjustment
	facts       []fact
	from, to    when
	asOf        int64
}

func (p *problem) component(name string) *component {
	for i := range p.components {
		if p.components[i].name == name {
			return &p.components[i]
		}
	}
	return nil
}

func (p *problem) service(name string) *service {
	for i := range p.services {
		if p.services[i].name == name {
			return &p.services[i]
		}
	}
	return nil
}

// reach is every name a tree contains, through the services it needs too.
func (p *problem) reach(needs node) map[string]bool {
	found := map[string]bool{}
	var visit func(n node)
	visit = func(n node) {
		if n.name != "" {
			found[n.name] = true
			if s := p.service(n.name); s != nil {
				visit(s.needs)
			}
		}
		for _, child := range n.of {
			visit(child)
		}
	}
	visit(needs)
	return found
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// share reads "99.9%" or "0.999" exactly.
func share(text string) *big.Rat {
	percent := text[len(text)-1] == '%'
	if percent {
		text = text[:len(text)-1]
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("not a share: " + text)
	}
	if percent {
		r.Quo(r, big.NewRat(100, 1))
	}
	return r
}
