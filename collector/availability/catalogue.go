package availability

import (
	"math/big"
	"time"
)

// Catalogue is what was agreed: the things that are watched, the services
// made of them, the agreements about them and what changes the count.
type Catalogue struct {
	Calendars   map[string]*Calendar // "always" is built in
	Components  []Component
	Services    []Service
	Agreements  []Agreement
	Windows     []Window
	Adjustments []Adjustment
	Contracts   []Contract
}

// Component is a configuration item that can be up or down.
type Component struct {
	Name     string
	Interval int64 // ms between its checks; 0: not declared
	Hold     int64 // ms a fact holds at most; 0: not declared; NoHold: not at all
	// Paces are other intervals and holds from an instant on, in time order.
	Paces []Pace
	Need  int   // observers that must say down; 0: more than half of those that know
	From  Bound // existence; dates are local to the agreement evaluated
	Until Bound
	// Takeover is how long, in ms, it takes to put it in another's place; 0: it
	// works all the time. No figure depends on it, only the impact analysis.
	Takeover int64
	// Series are facts about it too, where it is set.
	Series *Selector
}

// Pace is how often a component is checked from an instant on, until the next
// pace begins. A fact is of the pace at its own instant, so a new one moves
// nothing of the time before.
type Pace struct {
	From     int64 // ms
	Interval int64 // as Component.Interval
	Hold     int64 // as Component.Hold
}

// PaceAt is the pace at the instant, in ms.
func (c *Component) PaceAt(at int64) Pace {
	pace := Pace{From: -far, Interval: c.Interval, Hold: c.Hold}
	for _, p := range c.Paces {
		if p.From > at {
			break
		}
		pace = p
	}
	return pace
}

// Service is what a customer buys.
type Service struct {
	Name      string
	Customer  string
	Users     int64      // who use it; 0: not known
	Functions []Function // vital business functions
	Needs     Need
	From      Bound
	Until     Bound
}

// Need is a node of a service's tree: the name of a component or service, or
// at least AtLeast of the nodes in Of.
type Need struct {
	Name    string // set: a leaf
	AtLeast int
	Of      []Need
}

// Names lists the names in the tree, in written order, doubles included.
func (n Need) Names() []string {
	if n.Name != "" {
		return []string{n.Name}
	}
	var names []string
	for _, child := range n.Of {
		names = append(names, child.Names()...)
	}
	return names
}

// Agreement is one version of an SLA.
type Agreement struct {
	Number        string
	Version       int
	Service       string
	Zone          *time.Location
	Calendar      string // name, or "" or "always": 24 x 7
	From, To      Bound  // when the version is in force
	ReviewBy      Bound
	StaffGrade    string
	Policies      Policies
	Notice        int64 // ms before its start a window must be approved
	Cap           *Cap  // nil: planned time is not limited
	IgnoreBlips   int64 // ms
	MergeBlips    int64 // ms
	CoverageLimit *big.Rat
	Indicators    []Indicator
}

// Contract is an underpinning contract: what a supplier promised about
// components.
type Contract struct {
	Supplier   string
	Components []string
	Terms      Agreement // its Service is not set: each of the components is judged by it
}

// Treatment is what a policy makes of time it is about.
type Treatment uint8

// The treatments. For planned time AsDown means: counts as measured.
const (
	Exclude Treatment = iota
	AsUp
	AsDown
)

func (t Treatment) String() string { return [...]string{"exclude", "up", "down"}[t] }

// Policies say how doubtful time counts. The zero value is the default.
type Policies struct {
	Planned         Treatment
	Unknown         Treatment
	BeforeExistence Treatment // Exclude or AsUp
	Degraded        DegradedPolicy
}

// DegradedPolicy says how degraded time counts: as up (the zero value), as
// down, or by Share, the part of its seconds that is down.
type DegradedPolicy struct {
	Down  bool
	Share *big.Rat // 0..1; nil: none
}

// String is the policy as the catalogue writes it.
func (d DegradedPolicy) String() string {
	if d.Down {
		return "down"
	}
	if d.Share != nil {
		return d.Share.RatString()
	}
	return "up"
}

// CapPeriod is how often the cap on planned time begins anew.
type CapPeriod uint8

// The periods of a cap, in the agreement's zone.
const (
	Month CapPeriod = iota
	Quarter
	Year
)

func (p CapPeriod) String() string { return [...]string{"month", "quarter", "year"}[p] }

// Cap limits planned time: Length ms in each Per.
type Cap struct {
	Length int64
	Per    CapPeriod
}

// Window is a maintenance window of a change.
type Window struct {
	Change     string
	Services   []string
	Components []string
	From, To   Bound
	ApprovedAt Bound // not set: not approved, the window does not count
	// CancelledAt ends it early, as soon as that is known; not set: it stands.
	CancelledAt Bound
}

// Effect is what an adjustment does.
type Effect uint8

// The effects of an adjustment.
const (
	CutOut Effect = iota
	CorrectUp
	CorrectDown
)

func (e Effect) String() string { return [...]string{"exclude", "up", "down"}[e] }

// Adjustment is an entry of the correction ledger.
type Adjustment struct {
	ID          string
	Services    []string
	Components  []string
	From, To    Bound
	Effect      Effect
	Reason      string
	Evidence    string
	RequestedBy string
	ApprovedBy  string
	ApprovedAt  Bound // not set: not approved, the adjustment does not count
}

// Kind is what an indicator measures.
type Kind string

// The kinds of indicators. Those after LongestOutage are measured elsewhere.
const (
	KindAvailability  Kind = "availability"
	KindMTTR          Kind = "mttr"
	KindMTBF          Kind = "mtbf"
	KindMTBSI         Kind = "mtbsi"
	KindOutages       Kind = "outages"
	KindLongestOutage Kind = "longest_outage"
	KindLatency       Kind = "latency"
	KindCapacity      Kind = "capacity"
	KindPromQL        Kind = "promql"
	KindManual        Kind = "manual"
)

// Kinds lists the kinds.
func Kinds() []Kind {
	return []Kind{KindAvailability, KindMTTR, KindMTBF, KindMTBSI, KindOutages, KindLongestOutage,
		KindLatency, KindCapacity, KindPromQL, KindManual}
}

// Computed tells whether the kind is computed from facts alone.
func (k Kind) Computed() bool {
	switch k {
	case KindAvailability, KindMTTR, KindMTBF, KindMTBSI, KindOutages, KindLongestOutage:
		return true
	}
	return false
}

// IsTime tells whether values of the kind are times (in s).
func (k Kind) IsTime() bool {
	return k.Computed() && k != KindAvailability && k != KindOutages || k == KindLatency
}

// IsShare tells whether values of the kind are ratios, shown in per cent.
func (k Kind) IsShare() bool { return k == KindAvailability || k == KindCapacity }

// HigherIsBetter tells in which direction the kind's values are good; for
// promql and manual it is the indicator that says so.
func (k Kind) HigherIsBetter() bool {
	return k == KindAvailability || k == KindMTBF || k == KindMTBSI
}

// Indicator is one promise of an agreement.
type Indicator struct {
	Name         string
	Kind         Kind
	Description  string
	Target       *big.Rat // a share (0..1 but for capacity), seconds or a number, by Kind; nil: the kinds that are not computed may do without
	Unacceptable *big.Rat // nil: no such value
	Period       string
	Output       string

	Quantile *big.Rat // of latency and capacity, above 0 up to 1; nil of others
	Resource string   // of capacity: a resource of the catalogue
	Query    string   // of promql
	Higher   bool     // of promql and manual: higher is better
}

// higherIsBetter tells in which direction values are good.
func (i *Indicator) higherIsBetter() bool {
	if i.Kind == KindPromQL || i.Kind == KindManual {
		return i.Higher
	}
	return i.Kind.HigherIsBetter()
}

// Component returns the component of that name.
func (c *Catalogue) Component(name string) (Component, bool) {
	for _, each := range c.Components {
		if each.Name == name {
			return each, true
		}
	}
	return Component{}, false
}

// Service returns the service of that name.
func (c *Catalogue) Service(name string) (Service, bool) {
	for _, each := range c.Services {
		if each.Name == name {
			return each, true
		}
	}
	return Service{}, false
}

// Touches tells whether the service is named, or its tree reaches what is.
func (c *Catalogue) Touches(service string, names []string) bool {
	seen := map[string]bool{}
	var reach func(name string) bool
	reach = func(name string) bool {
		if seen[name] {
			return false
		}
		seen[name] = true
		if contains(names, name) {
			return true
		}
		s, ok := c.Service(name)
		for _, needed := range s.Names() {
			if ok && reach(needed) {
				return true
			}
		}
		return false
	}
	return reach(service)
}

// AgreementAt returns the version about the service in force at t, the first
// in catalogue order.
func (c *Catalogue) AgreementAt(service string, t int64) (*Agreement, bool) {
	for i := range c.Agreements {
		a := &c.Agreements[i]
		if a.Service == service && a.inForce().From <= t && t < a.inForce().To {
			return a, true
		}
	}
	return nil, false
}

// inForce is when the version applies.
func (a *Agreement) inForce() Span {
	return Span{a.From.In(a.Zone, -far), a.To.In(a.Zone, far)}
}

// InForce is when the version applies, in ms; open ends are very far away.
func (a *Agreement) InForce() Span { return a.inForce() }
