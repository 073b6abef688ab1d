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
	Holidays    map[string]holidaysEntry `yaml:"holidays"`
	Calendars   map[string]calendarEntry `yaml:"calendars"`
	Groups      map[string]groupEntry    `yaml:"groups"`
	Components  []componentEntry         `yaml:"components"`
	Services    []serviceEntry           `yaml:"services"`
	Agreements  []agreementEntry         `yaml:"agreements"`
	Maintenance []windowEntry            `yaml:"maintenance"`
	Adjustments []adjustmentEntry        `yaml:"adjustments"`
	Resources   []resourceEntry          `yaml:"resources"`
	Checks      []checkEntry             `yaml:"checks"`
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
	From   *date                `yaml:"from"`
	Zone   *zone                `yaml:"zone"`
	Week   map[string][]daySpan `yaml:"week"`
	Closed []dateRange          `yaml:"closed"`
	Open   map[string][]daySpan `yaml:"open"`
	// Holidays are years of holidays and make-up days, by name.
	Holidays []string `yaml:"holidays"`
}

type componentEntry struct {
	Name     string             `yaml:"name"`
	Interval *settings.Duration `yaml:"interval"`
	Hold     *settings.Duration `yaml:"hold"`
	Need     *int               `yaml:"need"`
	From     availability.Bound `yaml:"from"`
	Until    availability.Bound `yaml:"until"`
	Takeover *settings.Duration `yaml:"takeover"`
	Series   string             `yaml:"series"`
}

type serviceEntry struct {
	Name      string             `yaml:"name"`
	Customer  string             `yaml:"customer"`
	Functions []string           `yaml:"functions"`
	Needs     needEntry          `yaml:"needs"`
	From      availability.Bound `yaml:"from"`
	Until     availability.Bound `yaml:"until"`
}

type agreementEntry struct {
	Number        string             `yaml:"number"`
	Version       *int               `yaml:"version"`
	Service       string             `yaml:"service"`
	Zone          zone               `yaml:"zone"`
	Calendar      string             `yaml:"calendar"`
	Effective     effectiveEntry     `yaml:"effective"`
	ReviewBy      availability.Bound `yaml:"review_by"`
	StaffGrade    string             `yaml:"staff_grade"`
	Policies      policiesEntry      `yaml:"policies"`
	Planned       plannedEntry       `yaml:"planned"`
	Blips         blipsEntry         `yaml:"blips"`
	CoverageLimit *settings.Share    `yaml:"coverage_limit"`
	Indicators    []indicatorEntry   `yaml:"indicators"`
}

type effectiveEntry struct {
	From availability.Bound `yaml:"from"`
	To   availability.Bound `yaml:"to"`
}

type policiesEntry struct {
	Planned         string `yaml:"planned"`
	Unknown         string `yaml:"unknown"`
	Degraded        text   `yaml:"degraded"`
	BeforeExistence string `yaml:"before_existence"`
}

type plannedEntry struct {
	Notice settings.Duration `yaml:"notice"`
	Cap    *capEntry         `yaml:"cap"`
}

type blipsEntry struct {
	Ignore settings.Duration `yaml:"ignore"`
	Merge  settings.Duration `yaml:"merge"`
}

type indicatorEntry struct {
	Name         string `yaml:"name"`
	Kind         string `yaml:"kind"`
	Description  string `yaml:"description"`
	Target       text   `yaml:"target"`
	Unacceptable text   `yaml:"unacceptable"`
	Period       string `yaml:"period"`
	Output       string `yaml:"output"`
}

type windowEntry struct {
	Change     string             `yaml:"change"`
	Services   []string           `yaml:"services"`
	Components []string           `yaml:"components"`
	From       availability.Bound `yaml:"from"`
	To         availability.Bound `yaml:"to"`
	ApprovedAt availability.Bound `yaml:"approved_at"`
	Cancelled  availability.Bound `yaml:"cancelled_at"`
}

type adjustmentEntry struct {
	ID          string             `yaml:"id"`
	Services    []string           `yaml:"services"`
	Components  []string           `yaml:"components"`
	From        availability.Bound `yaml:"from"`
	To          availability.Bound `yaml:"to"`
	Effect      string             `yaml:"effect"`
	Reason      string             `yaml:"reason"`
	Evidence    string             `yaml:"evidence"`
	RequestedBy string             `yaml:"requested_by"`
	ApprovedBy  string             `yaml:"approved_by"`
	ApprovedAt  availability.Bound `yaml:"approved_at"`
}

type resourceEntry struct {
	Name     string            `yaml:"name"`
	Kind     string            `yaml:"kind"`
	Unit     string            `yaml:"unit"`
	Per      []string          `yaml:"per"`
	Used     string            `yaml:"used"`
	Limit    string            `yaml:"limit"`
	Warning  settings.Share    `yaml:"warning"`
	Critical settings.Share    `yaml:"critical"`
	Clear    settings.Share    `yaml:"clear"`
	For      settings.Duration `yaml:"for"`
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

// ReadYAML reads a name, or {all_of: [...]}, {any_of: [...]} or
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
	var children []needEntry
	if of.Kind() == settings.Scalar {
		e.members(c, kind, of, atLeast)
		return
	}
	of.Into(&children)
	for _, child := range children {
		e.Of = append(e.Of, child.Need)
		e.refs = append(e.refs, child.refs...)
	}
	if len(children) == 0 {
		if of.Kind() == settings.List {
			of.Fault("names nothing", "")
		}
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
