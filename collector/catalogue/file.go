package catalogue

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// catalogueFile is the file as it is written.
type catalogueFile struct {
	Holidays    map[string]holidaysEntry `yaml:"holidays" doc:"Years of holidays and make-up workdays by name; cn-2026 comes with the program."`
	Calendars   map[string]calendarEntry `yaml:"calendars" doc:"When service is agreed, by name: one mapping, or a list of versions. always is built in."`
	Groups      map[string]groupEntry    `yaml:"groups" doc:"Hosts by their labels, by name."`
	Components  []componentEntry         `yaml:"components" doc:"What is up or down: a host, or what checks test."`
	Services    []serviceEntry           `yaml:"services" doc:"What customers are promised: a tree of components and other services."`
	Agreements  []agreementEntry         `yaml:"agreements" doc:"Versions of service level agreements."`
	Suppliers   []supplierEntry          `yaml:"suppliers" doc:"Underpinning contracts: what suppliers promised about components."`
	Maintenance []windowEntry            `yaml:"maintenance" doc:"Planned work, bound to a change."`
	Adjustments []adjustmentEntry        `yaml:"adjustments" doc:"Corrections of what was measured, with who asked and who approved."`
	Resources   []resourceEntry          `yaml:"resources" doc:"What can run out, with its limit and thresholds."`
	Exceptions  []exceptionEntry         `yaml:"exceptions" doc:"Other thresholds for some instances of resources."`
	Checks      []checkEntry             `yaml:"checks" doc:"Availability tests, assigned to hosts."`
}

// calendarEntry is a calendar: one mapping, or a list of versions.
type calendarEntry struct {
	versions []calendarVersion
	list     bool
}

// ReadYAML reads one version or a list of them.
func (e *calendarEntry) ReadYAML(c settings.Cursor) {
	if c.Kind() == settings.List {
		e.list = true
		c.Into(&e.versions)
		return
	}
	var only calendarVersion
	c.Into(&only)
	e.versions = []calendarVersion{only}
}

type calendarVersion struct {
	From   *date                `yaml:"from" doc:"First day of this version; only the first may do without."`
	Zone   *zone                `yaml:"zone" doc:"IANA time zone; the agreement's where it is not given."`
	Week   map[string][]daySpan `yaml:"week" doc:"Hours by day or range of days: mon-fri: [\"08:00-12:00\", \"14:00-18:00\"]."`
	Closed []dateRange          `yaml:"closed" doc:"Days off: 2026-10-01, or 2026-10-01/2026-10-07 with both days."`
	Open   map[string][]daySpan `yaml:"open" doc:"Hours of single days, which stand before closed and week."`
	// Holidays are years of holidays and make-up days, by name.
	Holidays []string `yaml:"holidays" doc:"Years of holidays by name, like cn-2026."`
}

type componentEntry struct {
	Name     string             `yaml:"name" doc:"Name; components and services share one name space."`
	Interval *settings.Duration `yaml:"interval" doc:"How often it is measured, like 15s."`
	Hold     *settings.Duration `yaml:"hold" doc:"How long a fact holds, at least 1.5 x interval; 2.5 x interval where it is not given."`
	Paces    []paceEntry        `yaml:"paces" doc:"Other intervals and holds, each from an instant on."`
	Need     *int               `yaml:"need" doc:"How many observers must say down; more than half where it is not given."`
	From     availability.Bound `yaml:"from" doc:"Since when it exists."`
	Until    availability.Bound `yaml:"until" doc:"Until when it existed."`
	Takeover *settings.Duration `yaml:"takeover" doc:"How long a standby needs until it is in the failed one's place."`
	Series   string             `yaml:"series" doc:"Series of 0 and 1 that is its state, by metric and labels."`
}

// paceEntry is how often a component is measured from an instant on.
type paceEntry struct {
	From     availability.Bound `yaml:"from" doc:"Since when, an instant like 2026-11-01T08:00:00+08:00."`
	Interval *settings.Duration `yaml:"interval" doc:"How often it is measured since then, like 15s."`
	Hold     *settings.Duration `yaml:"hold" doc:"How long a fact holds since then, at least 1.5 x interval; 2.5 x interval where it is not given."`
}

type serviceEntry struct {
	Name      string             `yaml:"name" doc:"Name; components and services share one name space."`
	Customer  string             `yaml:"customer" doc:"Whom it is for."`
	Users     *int               `yaml:"users" doc:"How many people use it: lost user time and availability by users are computed from it."`
	Functions []functionEntry    `yaml:"functions" doc:"Vital functions of the business that stand on it: a name, or {name, weight, users, needs}."`
	Needs     needEntry          `yaml:"needs" doc:"What it stands on: a name, or {all_of: [...]}, {any_of: [...]}, {at_least: k, of: [...]}."`
	From      availability.Bound `yaml:"from" doc:"Since when it exists."`
	Until     availability.Bound `yaml:"until" doc:"Until when it existed."`
}

// functionEntry is a function: its name alone, or with what sets it apart.
type functionEntry struct {
	Name   string   `yaml:"name" doc:"Name of the function, once in its service."`
	Weight *weight  `yaml:"weight" doc:"How much it counts beside the others of its service; 1 where it is not given."`
	Users  *int     `yaml:"users" doc:"How many people use it; those of the service where it is not given."`
	Needs  allEntry `yaml:"needs" doc:"What it stands on, as needs of a service, or a list of all that it needs; the same as its service where it is not given."`
}

// functionForm is the entry without its reader.
type functionForm functionEntry

// ReadYAML reads a name, or a mapping.
func (e *functionEntry) ReadYAML(c settings.Cursor) {
	if c.Kind() == settings.Mapping {
		var form functionForm
		c.Into(&form)
		*e = functionEntry(form)
	} else {
		c.Into(&e.Name)
	}
}

// allEntry is a tree that may be written as the list of all that is needed.
type allEntry struct{ needEntry }

// ReadYAML reads a tree, or a list.
func (e *allEntry) ReadYAML(c settings.Cursor) {
	if c.Kind() != settings.List {
		e.needEntry.ReadYAML(c)
		return
	}
	e.set = true
	e.children(c)
	e.AtLeast = len(e.Of)
}

// weight is a number above 0, as it is written.
type weight struct{ *big.Rat }

// UnmarshalText reads a decimal number.
func (w *weight) UnmarshalText(text []byte) error {
	r, ok := number(string(text))
	if !ok || r.Sign() <= 0 || r.Cmp(big.NewRat(maxWeight, 1)) > 0 {
		return fmt.Errorf("%q is no weight; it is a number above 0 and at most %d, like 3 or 0.5", text, maxWeight)
	}
	w.Rat = r
	return nil
}

// Bounds of weights and users.
const (
	maxWeight = 1_000_000
	maxUsers  = 10_000_000_000
)

type agreementEntry struct {
	Number        string             `yaml:"number" doc:"Number of the agreement, the same in all its versions."`
	Version       *int               `yaml:"version" doc:"Version, from 1."`
	Service       string             `yaml:"service" doc:"The service it is about."`
	Zone          zone               `yaml:"zone" doc:"IANA time zone of its months and days."`
	Calendar      string             `yaml:"calendar" doc:"When service is agreed; always where it is not given."`
	Effective     effectiveEntry     `yaml:"effective" doc:"When this version is in force."`
	ReviewBy      availability.Bound `yaml:"review_by" doc:"Until when it is to be reviewed; check warns from then on."`
	StaffGrade    string             `yaml:"staff_grade" doc:"Grade of the staff that the agreement asks for."`
	Policies      policiesEntry      `yaml:"policies" doc:"How time is counted."`
	Planned       plannedEntry       `yaml:"planned" doc:"What planned work must keep to not to count."`
	Blips         blipsEntry         `yaml:"blips" doc:"Outages too short to count, or to count apart."`
	CoverageLimit *settings.Share    `yaml:"coverage_limit" doc:"Share of the time that must be known, 95% where it is not given."`
	Indicators    []indicatorEntry   `yaml:"indicators" doc:"What is promised."`
}

type effectiveEntry struct {
	From availability.Bound `yaml:"from" doc:"First instant in force."`
	To   availability.Bound `yaml:"to" doc:"First instant no longer in force."`
}

type policiesEntry struct {
	Planned         string `yaml:"planned" enum:"exclude,up,down" doc:"Planned time: leaves the sum, or counts as up or as measured."`
	Unknown         string `yaml:"unknown" enum:"exclude,up,down" doc:"Time without data."`
	Degraded        text   `yaml:"degraded" doc:"up, down, or the share of its seconds that is down, like 0.5."`
	BeforeExistence string `yaml:"before_existence" enum:"exclude,up" doc:"Time in which the service did not exist."`
}

type plannedEntry struct {
	Notice settings.Duration `yaml:"notice" doc:"How long before its start a window must be approved."`
	Cap    *capEntry         `yaml:"cap" doc:"How much planned time there may be: 8h/month, with month, quarter or year."`
}

type blipsEntry struct {
	Ignore settings.Duration `yaml:"ignore" doc:"Outages shorter than this are up."`
	Merge  settings.Duration `yaml:"merge" doc:"Outages with a shorter gap between them count as one."`
}

type indicatorEntry struct {
	Name         string          `yaml:"name" doc:"Name; also the kind where that is not given."`
	Kind         string          `yaml:"kind" doc:"What is measured."`
	Description  string          `yaml:"description" doc:"In the customer's words."`
	Target       text            `yaml:"target" doc:"The value promised: 99.9%, 4h or a number of outages."`
	Unacceptable text            `yaml:"unacceptable" doc:"What is worse than this is unacceptable, not only below target."`
	Period       string          `yaml:"period" enum:"day,week,month,quarter,half-year,year" doc:"How often it is reported."`
	Output       string          `yaml:"output" doc:"Where it is reported."`
	Quantile     *settings.Share `yaml:"quantile" doc:"Of latency and capacity: the share of the values that may be at most the one judged; 95% of latency and 100%, the largest, of capacity where it is not given."`
	Resource     string          `yaml:"resource" doc:"Of capacity: which resource, shipped or of this catalogue."`
	Query        string          `yaml:"query" doc:"Of promql: the expression whose one value counts."`
	Better       string          `yaml:"better" enum:"higher,lower" doc:"Of promql and manual: which values are good; higher where it is not given for manual."`
}

type windowEntry struct {
	Change     string             `yaml:"change" doc:"Number of the change."`
	Services   []string           `yaml:"services" doc:"Services that may be down."`
	Components []string           `yaml:"components" doc:"Components that may be down."`
	From       availability.Bound `yaml:"from" doc:"Beginning."`
	To         availability.Bound `yaml:"to" doc:"End."`
	ApprovedAt availability.Bound `yaml:"approved_at" doc:"When the change was approved."`
	Cancelled  availability.Bound `yaml:"cancelled_at" doc:"When it was called off."`
}

type adjustmentEntry struct {
	ID          string             `yaml:"id" doc:"Number of the adjustment."`
	Services    []string           `yaml:"services" doc:"Services it is about."`
	Components  []string           `yaml:"components" doc:"Components it is about."`
	From        availability.Bound `yaml:"from" doc:"Beginning."`
	To          availability.Bound `yaml:"to" doc:"End."`
	Effect      string             `yaml:"effect" enum:"exclude,up,down" doc:"exclude (where it is not given) leaves the time out; up and down correct the state."`
	Reason      string             `yaml:"reason" doc:"Why."`
	Evidence    string             `yaml:"evidence" doc:"Where that can be seen."`
	RequestedBy string             `yaml:"requested_by" doc:"Who asked."`
	ApprovedBy  string             `yaml:"approved_by" doc:"Who approved; somebody else."`
	ApprovedAt  availability.Bound `yaml:"approved_at" doc:"When it was approved."`
}

type resourceEntry struct {
	Name     string            `yaml:"name" doc:"Name."`
	Kind     string            `yaml:"kind" enum:"business,service,technical,financial" doc:"What capacity it is part of."`
	Unit     string            `yaml:"unit" doc:"Unit of used and limit."`
	Per      []string          `yaml:"per" doc:"Labels that tell one from another."`
	Used     string            `yaml:"used" doc:"PromQL expression of what is used."`
	Limit    string            `yaml:"limit" doc:"PromQL expression of what there is."`
	Warning  settings.Share    `yaml:"warning" doc:"Share of the limit from which it is warned."`
	Critical settings.Share    `yaml:"critical" doc:"Share of the limit from which it is critical."`
	Clear    settings.Share    `yaml:"clear" doc:"Share of the limit below which it is over."`
	For      settings.Duration `yaml:"for" doc:"How long it must last."`
}

// text is any single value as it is written, numbers included.
type text string

// UnmarshalText takes the value as it is.
func (t *text) UnmarshalText(b []byte) error {
	*t = text(b)
	return nil
}

type date struct{ availability.Date }

// UnmarshalText reads 2026-10-01.
func (d *date) UnmarshalText(b []byte) (err error) {
	d.Date, err = availability.ParseDate(string(b))
	return err
}

// dateRange is a day, or "first/last" with both days included.
type dateRange struct{ availability.DateRange }

// UnmarshalText reads 2026-10-01 or 2026-10-01/2026-10-07.
func (r *dateRange) UnmarshalText(b []byte) (err error) {
	first, last, ranged := strings.Cut(string(b), "/")
	if r.First, err = availability.ParseDate(first); err != nil {
		return err
	}
	r.Last = r.First
	if ranged {
		r.Last, err = availability.ParseDate(last)
	}
	if err == nil && r.Last < r.First {
		err = fmt.Errorf("%q ends before it begins", string(b))
	}
	return err
}

type daySpan struct{ availability.DaySpan }

// UnmarshalText reads 08:00-12:00.
func (s *daySpan) UnmarshalText(b []byte) (err error) {
	s.DaySpan, err = availability.ParseDaySpan(string(b))
	return err
}

type zone struct{ *time.Location }

// UnmarshalText reads an IANA name.
func (z *zone) UnmarshalText(b []byte) error {
	name := string(b)
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return fmt.Errorf("no time zone %q; use an IANA name like Asia/Shanghai or UTC", name)
	}
	z.Location = loc
	return nil
}

type capEntry struct{ availability.Cap }

// UnmarshalText reads 8h/month.
func (e *capEntry) UnmarshalText(b []byte) error {
	length, per, _ := strings.Cut(string(b), "/")
	d, err := settings.ParseDuration(strings.TrimSpace(length))
	if err != nil {
		return err
	}
	e.Length = d.Milliseconds()
	for _, p := range []availability.CapPeriod{availability.Month, availability.Quarter, availability.Year} {
		if strings.TrimSpace(per) == p.String() {
			e.Per = p
			return nil
		}
	}
	return fmt.Errorf("%q is not a cap; write it like 8h/month, with month, quarter or year", string(b))
}

// needEntry is a node of a tree, with where each name in it is written.
type needEntry struct {
	availability.Need
	set  bool
	refs []reference
}

type reference struct {
	name, path string
	set        bool // it stands where a list would: it is a group
}

// ReadYAML reads a name, {all_of: [...]}, {any_of: [...]} or
// {at_least: k, of: [...]}.
func (e *needEntry) ReadYAML(c settings.Cursor) {
	e.set = true
	switch c.Kind() {
	case settings.Scalar:
		e.Name = c.Text()
		e.refs = []reference{{name: e.Name, path: c.Path()}}
	case settings.Mapping:
		e.readNode(c)
	default:
		c.Expected("a name, or a mapping with all_of, any_of or at_least and of")
	}
}

func (e *needEntry) readNode(c settings.Cursor) {
	var form []string
	var atLeast *int
	var of settings.Cursor
	known := true
	for _, entry := range c.Entries() {
		switch entry.Key {
		case "at_least":
			entry.Value.Into(&atLeast)
		case "all_of", "any_of", "of":
			of = entry.Value
		default:
			entry.Value.UnknownKey(entry.Key, []string{"all_of", "any_of", "at_least", "of"})
			known = false
			continue
		}
		form = append(form, entry.Key)
	}
	kind := strings.Join(form, " ")
	if kind != "all_of" && kind != "any_of" && kind != "at_least of" && kind != "of at_least" {
		if known {
			c.Fault("a node is one of {all_of: [...]}, {any_of: [...]} or {at_least: k, of: [...]}", "")
		}
		return
	}
	if of.Kind() == settings.Scalar {
		e.members(c, kind, of, atLeast)
		return
	}
	if e.children(of); len(e.Of) == 0 {
		return
	}
	switch kind {
	case "all_of":
		e.AtLeast = len(e.Of)
	case "any_of":
		e.AtLeast = 1
	default:
		if atLeast == nil {
			return // refused as no number
		}
		if e.AtLeast = *atLeast; e.AtLeast < 1 || e.AtLeast > len(e.Of) {
			c.Fault(fmt.Sprintf("at_least is %d of %d", *atLeast, len(e.Of)), fmt.Sprintf("it is from 1 to %d", len(e.Of)))
		}
	}
}

// children reads the list of what a node is made of.
func (e *needEntry) children(of settings.Cursor) {
	var children []needEntry
	of.Into(&children)
	for _, child := range children {
		e.Of = append(e.Of, child.Need)
		e.refs = append(e.refs, child.refs...)
	}
	if len(children) == 0 && of.Kind() == settings.List {
		of.Fault("names nothing", "")
	}
}

// members reads a node over the members of a group, however many it has.
func (e *needEntry) members(c settings.Cursor, kind string, of settings.Cursor, atLeast *int) {
	e.Of = []availability.Need{{Name: groupMark + of.Text()}}
	e.refs = []reference{{name: of.Text(), path: of.Path(), set: true}}
	switch {
	case kind == "all_of":
		e.AtLeast = everyMember
	case kind == "any_of":
		e.AtLeast = 1
	case atLeast == nil: // refused as no number
	case *atLeast < 1:
		c.Fault(fmt.Sprintf("at_least is %d", *atLeast), "it is 1 or more")
	default:
		e.AtLeast = *atLeast
	}
}

// number reads a decimal that is not negative, exactly.
func number(s string) (*big.Rat, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	if whole+fraction == "" || len(s) > 40 || strings.Trim(whole+fraction, "0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}
