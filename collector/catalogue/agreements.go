package catalogue

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

func (c *checker) agreement(path string, e agreementEntry) availability.Agreement {
	out := availability.Agreement{Number: e.Number, Version: 1, Service: e.Service, Zone: e.Zone.Location, Calendar: e.Calendar,
		From: e.Effective.From, To: e.Effective.To, ReviewBy: e.ReviewBy, StaffGrade: e.StaffGrade,
		Notice: e.Planned.Notice.Milliseconds(), IgnoreBlips: e.Blips.Ignore.Milliseconds(), MergeBlips: e.Blips.Merge.Milliseconds()}
	c.required(path, "number", e.Number != "")
	if c.required(path, "service", e.Service != "") {
		c.known(path+".service", "service", e.Service, c.services)
	}
	c.required(path, "zone", e.Zone.Location != nil)
	if e.Version != nil {
		if out.Version = *e.Version; out.Version < 1 {
			c.fault(path+".version", "must be at least 1", "")
		}
	}
	if e.Calendar != "" && e.Calendar != availability.Always {
		c.known(path+".calendar", "calendar", e.Calendar, c.calendars, []string{availability.Always})
	}
	c.order(path+".effective.to", out.From, out.To, out.Zone)
	out.Policies = c.policies(path+".policies", e.Policies)
	if e.Planned.Cap != nil {
		out.Cap = &e.Planned.Cap.Cap
	}
	if e.CoverageLimit != nil {
		out.CoverageLimit = e.CoverageLimit.Rat()
	}
	for i, each := range e.Indicators {
		out.Indicators = append(out.Indicators, c.indicator(at(path+".indicators", i), each))
	}
	c.apart(path+".indicators", out.Indicators)
	return out
}

func (c *checker) policies(path string, e policiesEntry) availability.Policies {
	both := []availability.Treatment{availability.Exclude, availability.AsUp, availability.AsDown}
	return availability.Policies{
		Planned:         c.treatment(path+".planned", e.Planned, both),
		Unknown:         c.treatment(path+".unknown", e.Unknown, both),
		BeforeExistence: c.treatment(path+".before_existence", e.BeforeExistence, both[:2]),
		Degraded:        c.degraded(path+".degraded", string(e.Degraded)),
	}
}

func (c *checker) treatment(path, word string, allowed []availability.Treatment) availability.Treatment {
	names := []string{}
	for _, t := range allowed {
		if word == t.String() {
			return t
		}
		names = append(names, t.String())
	}
	if word != "" || c.doc.Has(path) {
		c.fault(path, fmt.Sprintf("%q is not a policy here", word), "it is "+strings.Join(names[:len(names)-1], ", ")+" or "+names[len(names)-1])
	}
	return availability.Exclude
}

func (c *checker) degraded(path, word string) availability.DegradedPolicy {
	switch word {
	case "down":
		return availability.DegradedPolicy{Down: true}
	case "up":
		return availability.DegradedPolicy{}
	case "":
		if !c.doc.Has(path) {
			return availability.DegradedPolicy{}
		}
	}
	share, err := settings.ParseShare(word)
	if err != nil {
		c.fault(path, fmt.Sprintf("%q is not a policy here", word), "it is up, down or the share of its seconds that is down, like 0.5")
	}
	return availability.DegradedPolicy{Share: share.Rat()}
}

func (c *checker) indicator(path string, e indicatorEntry) availability.Indicator {
	c.required(path, "name", e.Name != "")
	out := availability.Indicator{Name: e.Name, Kind: availability.Kind(e.Kind), Description: e.Description, Period: e.Period, Output: e.Output}
	key := ".kind"
	if e.Kind == "" {
		out.Kind, key = availability.Kind(e.Name), ".name"
	}
	if !knownKind(out.Kind) {
		if out.Kind != "" {
			c.unknownKind(path+key, string(out.Kind), key == ".name")
		}
		return out
	}
	c.period(path+".period", e.Period)
	c.source(path, e, &out)
	if e.Target != "" || out.Kind.Computed() && c.required(path, "target", false) {
		out.Target = c.value(path+".target", out.Kind, string(e.Target))
	}
	if e.Unacceptable != "" {
		out.Unacceptable = c.value(path+".unacceptable", out.Kind, string(e.Unacceptable))
	}
	c.crossed(path, e, &out)
	return out
}

func knownKind(kind availability.Kind) bool {
	for _, k := range availability.Kinds() {
		if k == kind {
			return true
		}
	}
	return false
}

func (c *checker) unknownKind(path, kind string, isName bool) {
	var names []string
	for _, k := range availability.Kinds() {
		names = append(names, string(k))
	}
	remedy := settings.DidYouMean(kind, names)
	switch {
	case isName && remedy != "":
		remedy += " else say its kind"
	case isName:
		remedy = "say its kind: " + strings.Join(names, ", ")
	case remedy == "":
		remedy = "it is one of " + strings.Join(names, ", ")
	}
	c.fault(path, fmt.Sprintf("%q is no kind of indicator", kind), remedy)
}

func (c *checker) period(path, word string) {
	switch word {
	case "", "day", "week", "month", "quarter", "half-year", "year":
		return
	}
	c.fault(path, fmt.Sprintf("%q is not a period", word), "it is day, week, month, quarter, half-year or year")
}

// value reads a target by what the kind measures: a share, a time (in
// seconds) or a number of outages.
func (c *checker) value(path string, kind availability.Kind, word string) *big.Rat {
	switch {
	case kind.IsShare():
		share, err := settings.ParseShare(word)
		c.faultOf(path, err)
		return share.Rat()
	case kind.IsTime():
		d, err := settings.ParseDuration(word)
		c.faultOf(path, err)
		return big.NewRat(d.Milliseconds(), 1000)
	}
	what, digits := "a number of outages", word
	if kind != availability.KindOutages {
		what, digits = "a number", strings.TrimPrefix(word, "-")
	}
	n, ok := number(digits)
	if !ok {
		c.fault(path, fmt.Sprintf("%q is not %s", word, what), "")
		return nil
	}
	if digits != word {
		n.Neg(n)
	}
	return n
}

// faultOf reports an error whose text is "message; remedy".
func (c *checker) faultOf(path string, err error) {
	if err != nil {
		message, remedy, _ := strings.Cut(err.Error(), "; ")
		c.fault(path, message, remedy)
	}
}

// versions checks that the versions of one number are about one service, are
// numbered apart and are never in force together.
func (c *checker) versions(all []availability.Agreement) {
	for i, a := range all {
		for j, b := range all[:i] {
			if a.Number != b.Number || a.Number == "" {
				continue
			}
			path, line := at("agreements", i), c.doc.Place(at("agreements", j))
			if a.Service != b.Service {
				c.fault(path+".service", fmt.Sprintf("is not the service of the other version of %s, on %s", a.Number, line),
					"give the agreement about another service its own number")
			}
			if a.Version == b.Version {
				c.fault(path+".version", fmt.Sprintf("%s version %d stands twice, first on %s", a.Number, a.Version, line), "")
			} else if a.Zone != nil && b.Zone != nil && overlap(&all[i], &all[j]) {
				c.fault(path+".effective", fmt.Sprintf("version %d of %s is in force together with version %d on %s", a.Version, a.Number, b.Version, line),
					"let one end where the other begins")
			}
		}
	}
}

func overlap(a, b *availability.Agreement) bool {
	s, t := a.InForce(), b.InForce()
	return s.From < t.To && t.From < s.To
}
