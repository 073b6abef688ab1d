package catalogue

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
)

// source reads where an indicator's values come from: the keys that only some
// kinds have.
func (c *checker) source(path string, e indicatorEntry, out *availability.Indicator) {
	kind := out.Kind
	c.onlyOf(path, "quantile", kind, availability.KindLatency, availability.KindCapacity)
	c.onlyOf(path, "resource", kind, availability.KindCapacity)
	c.onlyOf(path, "query", kind, availability.KindPromQL)
	c.onlyOf(path, "better", kind, availability.KindPromQL, availability.KindManual)
	switch kind {
	case availability.KindLatency:
		out.Quantile = big.NewRat(95, 100)
	case availability.KindCapacity:
		out.Quantile, out.Resource = big.NewRat(1, 1), e.Resource
		if c.required(path, "resource", e.Resource != "") {
			c.known(path+".resource", "resource", e.Resource, c.resourceNames)
		}
	case availability.KindPromQL:
		out.Query = e.Query
		c.required(path, "query", e.Query != "")
		c.expression(path+".query", e.Query)
	}
	if e.Quantile != nil {
		if out.Quantile = e.Quantile.Rat(); out.Quantile.Sign() == 0 {
			c.fault(path+".quantile", "must be above 0", "write it like 95%")
		}
	}
	c.better(path, e, out)
}

// better reads which values are good. A person enters what is the better the
// more of it there is, such as satisfaction; of an expression nobody can tell.
func (c *checker) better(path string, e indicatorEntry, out *availability.Indicator) {
	out.Higher = e.Better == "higher" || e.Better == "" && out.Kind == availability.KindManual
	switch {
	case e.Better == "higher" || e.Better == "lower":
	case e.Better != "":
		c.fault(path+".better", fmt.Sprintf("%q says not which values are good", e.Better), "it is higher or lower")
	case out.Kind == availability.KindPromQL && e.Target != "" && !c.doc.Has(path+".better"):
		c.missing(path, "better", "say whether higher or lower values are good")
	case c.doc.Has(path + ".better"):
		c.fault(path+".better", "is empty", "it is higher or lower")
	}
}

// apart refuses two indicators of one name where facts do not give one of them:
// what is entered, and a difference of a closed month, is known by the name.
func (c *checker) apart(path string, all []availability.Indicator) {
	for i := range all {
		for k := range i {
			byFacts := all[i].Kind.Computed() && all[k].Kind.Computed()
			if all[i].Name != "" && all[i].Name == all[k].Name && !byFacts {
				c.fault(at(path, i)+".name", fmt.Sprintf("another indicator of the agreement is named %q", all[i].Name), "give each its own name")
				break
			}
		}
	}
}

// crossed refuses an unacceptable value that meets the target: nothing would
// ever be below the target only.
func (c *checker) crossed(path string, e indicatorEntry, i *availability.Indicator) {
	if i.Target == nil || i.Unacceptable == nil || i.Kind.Computed() {
		return
	}
	if order := i.Unacceptable.Cmp(i.Target); i.Higher && order > 0 || !i.Higher && order < 0 {
		c.fault(path+".unacceptable", fmt.Sprintf("%s is better than the target %s", e.Unacceptable, e.Target), "an unacceptable value is worse than the target")
	}
}

// onlyOf refuses a key that an indicator of the kind has no use for.
func (c *checker) onlyOf(path, key string, kind availability.Kind, kinds ...availability.Kind) {
	var names []string
	for _, k := range kinds {
		if k == kind {
			return
		}
		names = append(names, string(k))
	}
	if c.doc.Has(path + "." + key) {
		c.fault(path+"."+key, fmt.Sprintf("has no meaning for an indicator of kind %s", kind), "it is for "+strings.Join(names, " and "))
	}
}

// namesOfResources are those an indicator may name: shipped or declared.
func namesOfResources(f *catalogueFile) []string {
	var names []string
	for _, r := range capacity.Defaults() {
		names = append(names, r.Name)
	}
	for _, r := range f.Resources {
		names = append(names, r.Name)
	}
	return names
}
