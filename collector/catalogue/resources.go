package catalogue

import (
	"fmt"
	"sort"
)

// checkResources checks the declared resources.
func (c *checker) checkResources(entries []resourceEntry) {
	seen := map[string]string{}
	for i, e := range entries {
		path := at("resources", i)
		c.required(path, "name", e.Name != "")
		if first, twice := seen[e.Name]; twice && e.Name != "" {
			c.fault(path+".name", fmt.Sprintf("%q is already the name of %s on %s", e.Name, first, c.doc.Place(first)), "")
		} else if !twice {
			seen[e.Name] = path
		}
		switch e.Kind {
		case "", "business", "service", "technical", "financial":
		default:
			c.fault(path+".kind", fmt.Sprintf("%q is no kind of resource", e.Kind), "it is business, service, technical or financial")
		}
		c.required(path, "per", len(e.Per) > 0)
		c.required(path, "used", e.Used != "")
		c.required(path, "limit", e.Limit != "")
		c.expression(path+".used", e.Used)
		c.expression(path+".limit", e.Limit)
		c.thresholds(path, e)
	}
}

func (c *checker) thresholds(path string, e resourceEntry) {
	warning, critical, clear := e.Warning.Rat(), e.Critical.Rat(), e.Clear.Rat()
	if !c.doc.Has(path + ".warning") {
		c.missing(path, "warning", "")
		return
	}
	if warning.Sign() == 0 {
		c.fault(path+".warning", "must be above 0", "")
	}
	if c.doc.Has(path+".critical") && critical.Cmp(warning) < 0 {
		c.fault(path+".critical", fmt.Sprintf("%s is below the warning at %s", e.Critical, e.Warning), "")
	}
	if c.doc.Has(path+".clear") && clear.Cmp(warning) > 0 {
		c.fault(path+".clear", fmt.Sprintf("%s is above the warning at %s", e.Clear, e.Warning), "a breach ends below where it began")
	}
}

// resources are the entries as the capacity arithmetic takes them.
func (c *checker) resources(entries []resourceEntry) []Resource {
	out := []Resource{}
	for _, e := range entries {
		out = append(out, Resource{Name: e.Name, Kind: e.Kind, Unit: e.Unit, Per: e.Per, Used: e.Used, Limit: e.Limit,
			Warning: e.Warning.Float64(), Critical: e.Critical.Float64(), Clear: e.Clear.Float64(), For: e.For.Std()})
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
