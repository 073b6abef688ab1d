package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	prom "github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// selector reads the series of a component: a metric and labels that are equal
// to something, as PromQL writes them. Each sample is compared as it comes, so
// nothing can be computed first; nil with a fault.
func (c *checker) selector(path, text string) *availability.Selector {
	const example = `write it like my_app_healthy{job="app"}`
	all, err := parser.NewParser(parser.Options{}).ParseMetricSelector(text)
	if err != nil {
		remedy := example
		if _, other := parser.NewParser(parser.Options{}).ParseExpr(text); other == nil {
			remedy = "it is compared with each sample as it comes, so it can be no expression; " + example + ", and record the expression as a series where it is scraped"
		}
		c.fault(path, fmt.Sprintf("%q does not select a series: %s", text, promQLFault(err)), remedy)
		return nil
	}
	out := &availability.Selector{}
	for _, m := range all {
		switch {
		case m.Type != prom.MatchEqual:
			c.fault(path, fmt.Sprintf("%s is not an equality", m), "one series says whether a component is up: name its labels with =, and let the service need any_of several components")
			return nil
		case m.Name == model.MetricNameLabel && out.Metric != "":
			c.fault(path, fmt.Sprintf("%q names two metrics", text), "name one")
			return nil
		case m.Name == model.MetricNameLabel:
			out.Metric = m.Value
		case out.Pins(m.Name):
			c.fault(path, fmt.Sprintf("label %s twice", m.Name), "name it once")
			return nil
		default:
			out.Labels = append(out.Labels, availability.Label{Name: m.Name, Value: m.Value})
		}
	}
	if out.Metric == "" {
		c.fault(path, fmt.Sprintf("%q names no metric", text), example)
		return nil
	}
	slices.SortFunc(out.Labels, func(a, b availability.Label) int { return strings.Compare(a.Name, b.Name) })
	return out
}
