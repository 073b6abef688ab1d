package catalogue

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// exceptionEntry is other thresholds for some instances of a resource, as it
// is written.
type exceptionEntry struct {
	Resource string             `yaml:"resource" doc:"The resource it is about: filesystem, memory, cpu, or one of resources."`
	For      string             `yaml:"for" doc:"Group of hosts it is about."`
	Match    map[string]string  `yaml:"match" doc:"Labels of the series or of its host, each with a regular expression of its whole value."`
	Ignore   bool               `yaml:"ignore" doc:"There is no threshold at all."`
	Warning  *settings.Share    `yaml:"warning" doc:"Share of the limit from which it is warned instead."`
	Critical *settings.Share    `yaml:"critical" doc:"Share of the limit from which it is critical instead."`
	Clear    *settings.Share    `yaml:"clear" doc:"Share of the limit below which it is over instead."`
	Reason   string             `yaml:"reason" doc:"Why, for pages and reports."`
	Until    availability.Bound `yaml:"until" doc:"When it ends, excluded: an instant, or a date of UTC."`
}

// exceptions checks the exceptions and makes them; resources are those in force.
func (c *checker) exceptions(f catalogueFile) []capacity.Exception {
	resources := map[string]capacity.Resource{}
	for _, r := range append(capacity.Defaults(), c.resources(f.Resources)...) {
		resources[r.Name] = r
	}
	var all []capacity.Exception
	for i, e := range f.Exceptions {
		path := at("exceptions", i)
		out := capacity.Exception{Resource: e.Resource, Match: map[string]*regexp.Regexp{}, Not: map[string]*regexp.Regexp{}, Ignore: e.Ignore, Reason: e.Reason,
			Until: e.Until.In(time.UTC, 0)}
		if c.required(path, "resource", e.Resource != "") {
			c.known(path+".resource", "resource", e.Resource, sortedKeys(resources))
		}
		c.required(path, "reason", strings.TrimSpace(e.Reason) != "")
		switch {
		case len(e.Match) == 0 && c.doc.Has(path+".match"):
			c.required(path, "match", false)
		case e.For == "" && c.doc.Has(path+".for"):
			c.required(path, "for", false)
		case e.For == "" && len(e.Match) == 0:
			c.fault(path, "matches everything", "say which with match or for, or change the thresholds of the resource itself")
		}
		if e.For != "" {
			c.known(path+".for", "group", e.For, sortedKeys(f.Groups))
			group := f.Groups[e.For]
			for name, values := range group.Match {
				out.Match[name] = oneOf(values)
			}
			for name, values := range group.Except {
				out.Not[name] = oneOf(values)
			}
		}
		for _, name := range sortedKeys(e.Match) {
			here := path + ".match." + name
			whole, err := regexp.Compile("^(?:" + e.Match[name] + ")$")
			if err != nil {
				c.fault(here, fmt.Sprintf("%q is not a regular expression: %v", e.Match[name], err), "write a dot of a name as [.]")
				continue
			}
			if out.Match[name] != nil {
				c.fault(here, fmt.Sprintf("the group %s says this label already", e.For), "take it out, or do without for")
			}
			out.Match[name] = whole
		}
		c.exceptedThresholds(path, e, &out, resources[e.Resource])
		all = append(all, out)
	}
	return all
}

// oneOf matches exactly these values.
func oneOf(values []string) *regexp.Regexp {
	quoted := make([]string, 0, len(values))
	for _, v := range values {
		quoted = append(quoted, regexp.QuoteMeta(v))
	}
	return regexp.MustCompile("^(?:" + strings.Join(quoted, "|") + ")$")
}

// exceptedThresholds checks what holds instead: where the exception does not say a
// threshold, that of the resource stands beside its own.
func (c *checker) exceptedThresholds(path string, e exceptionEntry, out *capacity.Exception, r capacity.Resource) {
	set := false
	for _, each := range []struct {
		key string
		s   *settings.Share
		to  *float64
	}{{"warning", e.Warning, &out.Warning}, {"critical", e.Critical, &out.Critical}, {"clear", e.Clear, &out.Clear}} {
		if !c.doc.Has(path + "." + each.key) {
			continue
		}
		set = true
		switch {
		case e.Ignore:
			c.fault(path+"."+each.key, "an exception that ignores has no threshold", "take it out, or take out ignore")
		case each.s != nil && each.s.Rat().Sign() == 0:
			c.fault(path+"."+each.key, "must be above 0", "")
		case each.s != nil:
			*each.to = each.s.Float64()
		}
	}
	if !set && !e.Ignore {
		c.fault(path, "changes nothing", "say warning, critical or clear, or ignore: true")
	}
	if r.Name == "" || e.Ignore || !set {
		return
	}
	is, _ := capacity.For(&r, []capacity.Exception{{Resource: r.Name, Warning: out.Warning, Critical: out.Critical, Clear: out.Clear}}, func(string) string { return "" }, 0)
	share := func(v float64) string { return availability.PercentOf(&v, 1) }
	if is.Critical != 0 && is.Critical < is.Warning {
		c.fault(path, fmt.Sprintf("critical at %s is below the warning at %s", share(is.Critical), share(is.Warning)), "say both")
	}
	if is.Clear > is.Warning {
		c.fault(path+".clear", fmt.Sprintf("%s is above the warning at %s", share(is.Clear), share(is.Warning)), "a breach ends below where it began")
	}
}
