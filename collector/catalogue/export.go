package catalogue

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// With is the catalogue's text with windows and adjustments added that people
// decided: evaluate computes from it what the collector does. What they name
// and the catalogue no longer does has no effect and is left out. Comments and
// order stay; without anything to add the text is the very same. Groups are
// written as the members they have.
func (c *Catalogue) With(windows []availability.Window, adjustments []availability.Adjustment) ([]byte, error) {
	plans, corrections := &yaml.Node{Kind: yaml.SequenceNode}, &yaml.Node{Kind: yaml.SequenceNode}
	for _, w := range windows {
		if services, components := c.know(w.Services, w.Components); len(services)+len(components) > 0 {
			plans.Content = append(plans.Content, mapping("change", w.Change, "services", services, "components", components, "from", instant(w.From), "to", instant(w.To),
				"approved_at", instant(w.ApprovedAt), "cancelled_at", instant(w.CancelledAt)))
		}
	}
	for _, a := range adjustments {
		if services, components := c.know(a.Services, a.Components); len(services)+len(components) > 0 {
			corrections.Content = append(corrections.Content, mapping("id", a.ID, "services", services, "components", components, "from", instant(a.From), "to", instant(a.To),
				"effect", a.Effect.String(), "reason", a.Reason, "evidence", a.Evidence, "requested_by", a.RequestedBy, "approved_by", a.ApprovedBy, "approved_at", instant(a.ApprovedAt)))
		}
	}
	if len(plans.Content)+len(corrections.Content) == 0 && !c.HasGroups() {
		return c.Source, nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(c.Source, &doc); err != nil {
		return nil, fmt.Errorf("read the catalogue's text: %w", err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("the catalogue is no mapping, yet something was decided about what it names")
	}
	if c.HasGroups() {
		c.spellOut(doc.Content[0])
	}
	extend(doc.Content[0], "maintenance", plans)
	extend(doc.Content[0], "adjustments", corrections)
	var b bytes.Buffer
	out := yaml.NewEncoder(&b)
	out.SetIndent(2)
	if err := errors.Join(out.Encode(&doc), out.Close()); err != nil {
		return nil, fmt.Errorf("write the catalogue: %w", err)
	}
	if _, faults := Parse("the catalogue with what was decided", b.Bytes()); len(faults) > 0 {
		return nil, faults
	}
	return b.Bytes(), nil
}

// know keeps the names the catalogue has.
func (c *Catalogue) know(services, components []string) (knownServices, knownComponents []string) {
	for _, name := range services {
		if _, ok := c.Availability.Service(name); ok {
			knownServices = append(knownServices, name)
		}
	}
	for _, name := range components {
		if _, ok := c.Availability.Component(name); ok {
			knownComponents = append(knownComponents, name)
		}
	}
	return knownServices, knownComponents
}

// instant is a bound as the catalogue writes it; empty: not set.
func instant(b availability.Bound) string {
	if !b.IsSet() {
		return ""
	}
	return availability.Instant{MS: b.In(time.UTC, 0), Zone: time.UTC}.String()
}

// mapping is name, value, name, value …; what is empty is left out.
func mapping(pairs ...any) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	text := func(s string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		name := &yaml.Node{Kind: yaml.ScalarNode, Value: pairs[i].(string)}
		switch value := pairs[i+1].(type) {
		case string:
			if value != "" {
				out.Content = append(out.Content, name, text(value))
			}
		case []string:
			list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
			for _, s := range value {
				list.Content = append(list.Content, text(s))
			}
			if len(value) > 0 {
				out.Content = append(out.Content, name, list)
			}
		}
	}
	return out
}

// extend appends to the list under the key, which may not be there yet.
func extend(top *yaml.Node, key string, more *yaml.Node) {
	if len(more.Content) == 0 {
		return
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value != key {
			continue
		}
		if list := top.Content[i+1]; list.Kind == yaml.SequenceNode {
			list.Style = 0
			list.Content = append(list.Content, more.Content...)
		} else {
			top.Content[i+1] = more
		}
		return
	}
	top.Content = append(top.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, more)
}
