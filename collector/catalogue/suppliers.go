package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// supplierEntry is an underpinning contract.
type supplierEntry struct {
	Name          string             `yaml:"name" doc:"The supplier; one with several contracts stands several times."`
	Contract      string             `yaml:"contract" doc:"Number of the underpinning contract, the same when it is renewed."`
	Zone          zone               `yaml:"zone" doc:"IANA time zone of its months and days."`
	Calendar      string             `yaml:"calendar" doc:"When it promises something; always where it is not given."`
	Effective     effectiveEntry     `yaml:"effective" doc:"When it is in force."`
	ReviewBy      availability.Bound `yaml:"review_by" doc:"Until when it is to be reviewed; check warns from then on."`
	Components    []string           `yaml:"components" doc:"The components it is about; each has one supplier at a time."`
	CoverageLimit *settings.Share    `yaml:"coverage_limit" doc:"Share of the time that must be known, 95% where it is not given."`
	Indicators    []indicatorEntry   `yaml:"indicators" doc:"What the supplier promised."`
}

func (c *checker) contract(path string, e supplierEntry) availability.Contract {
	terms := availability.Agreement{Number: e.Contract, Version: 1, Zone: e.Zone.Location, Calendar: e.Calendar,
		From: e.Effective.From, To: e.Effective.To, ReviewBy: e.ReviewBy}
	c.required(path, "name", e.Name != "")
	c.required(path, "contract", e.Contract != "")
	c.required(path, "zone", e.Zone.Location != nil)
	if e.Calendar != "" && e.Calendar != availability.Always {
		c.known(path+".calendar", "calendar", e.Calendar, c.calendars, []string{availability.Always})
	}
	c.order(path+".effective.to", terms.From, terms.To, terms.Zone)
	c.required(path, "components", len(e.Components) > 0)
	for i, name := range e.Components {
		here := at(path+".components", i)
		c.known(here, "component", name, c.components)
		if slices.Contains(e.Components[:i], name) {
			c.fault(here, fmt.Sprintf("%q stands twice", name), "its downtime would count twice; take one of them out")
		}
	}
	if e.CoverageLimit != nil {
		terms.CoverageLimit = e.CoverageLimit.Rat()
	}
	c.required(path, "indicators", len(e.Indicators) > 0)
	for i, each := range e.Indicators {
		terms.Indicators = append(terms.Indicators, c.promise(at(path+".indicators", i), each))
	}
	return availability.Contract{Supplier: e.Name, Components: e.Components, Terms: terms}
}

// promise is an indicator of a contract: what is not computed from the facts
// about components cannot be judged.
func (c *checker) promise(path string, e indicatorEntry) availability.Indicator {
	out := c.indicator(path, e)
	if out.Kind == "" || out.Kind.Computed() || !knownKind(out.Kind) {
		return out
	}
	key := ".kind"
	if e.Kind == "" {
		key = ".name"
	}
	var computed []string
	for _, k := range availability.Kinds() {
		if k.Computed() {
			computed = append(computed, string(k))
		}
	}
	c.fault(path+key, fmt.Sprintf("%q is not computed from the facts about components", out.Kind), "it is one of "+strings.Join(computed, ", "))
	return out
}

// contracts checks contracts against each other, and numbers those of one
// number in the order in which they are written: each is a version of it.
func (c *checker) contracts(all []availability.Contract) {
	for i := range all {
		a, path := &all[i], at("suppliers", i)
		for j := range i {
			b, place := &all[j], c.doc.Place(at("suppliers", j))
			same := a.Terms.Number == b.Terms.Number && a.Terms.Number != ""
			if same && a.Supplier != b.Supplier {
				c.fault(path+".contract", fmt.Sprintf("%s is already the number of a contract with %s, on %s", a.Terms.Number, b.Supplier, place), "give each supplier's contract its own number")
				continue
			}
			if same {
				a.Terms.Version++
			}
			if a.Terms.Zone == nil || b.Terms.Zone == nil || !overlap(&a.Terms, &b.Terms) {
				continue
			}
			if same {
				c.fault(path+".effective", fmt.Sprintf("%s is in force together with the contract of the same number on %s", a.Terms.Number, place), "let one end where the other begins")
				continue
			}
			for k, name := range a.Components {
				if slices.Contains(b.Components, name) {
					c.fault(at(path+".components", k), fmt.Sprintf("%q is under contract %s with %s at the same time, on %s", name, b.Terms.Number, b.Supplier, place),
						"let one contract end where the other begins, or take it out of one")
				}
			}
		}
	}
}
