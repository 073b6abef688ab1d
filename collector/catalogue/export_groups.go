package catalogue

import (
	"fmt"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// nobody is the component that stands in an exported tree for a group without
// members. It exists never.
const nobody = "no member"

// spellOut turns groups in the file's own form into the members they have:
// what evaluate reads knows nothing of hosts.
func (c *Catalogue) spellOut(root *yaml.Node) {
	kept := root.Content[:0:0]
	components, services := sequence(), sequence()
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch key, value := root.Content[i], root.Content[i+1]; key.Value {
		case "groups", "checks": // evaluate makes no checks
		case "services":
			for j, entry := range value.Content {
				for k := 0; k+1 < len(entry.Content); k += 2 {
					switch entry.Content[k].Value {
					case "needs":
						entry.Content[k+1] = needNode(c.Availability.Services[j].Needs)
					case "functions":
						spellFunctions(entry.Content[k+1], c.Availability.Services[j].Functions)
					}
				}
			}
			kept = append(kept, key, value)
		default:
			kept = append(kept, key, value)
		}
	}
	root.Content = kept
	for _, each := range c.Availability.Components[len(c.template.agreed.Components):] {
		component := mapping("name", each.Name, "interval", milliseconds(each.Interval), "hold", milliseconds(each.Hold),
			"from", instant(each.From), "until", instant(each.Until))
		if len(each.Paces) > 0 {
			paces := sequence()
			for _, p := range each.Paces {
				paces.Content = append(paces.Content, mapping("from", instant(availability.At(p.From)), "interval", milliseconds(p.Interval), "hold", milliseconds(p.Hold)))
			}
			extend(component, "paces", paces)
		}
		components.Content = append(components.Content, component)
	}
	components.Content = append(components.Content, mapping("name", nobody, "from", "1970-01-01T00:00:00Z", "until", "1970-01-01T00:00:00.001Z"))
	for _, each := range c.Availability.Services[len(c.template.agreed.Services):] {
		stay := mapping("name", each.Name, "from", instant(each.From), "until", instant(each.Until))
		stay.Content = append(stay.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "needs"}, needNode(each.Needs))
		services.Content = append(services.Content, stay)
	}
	extend(root, "components", components)
	extend(root, "services", services)
}

// spellFunctions writes the trees of functions, where they have their own.
func spellFunctions(list *yaml.Node, functions []availability.Function) {
	for i, entry := range list.Content {
		for k := 0; k+1 < len(entry.Content); k += 2 {
			if entry.Content[k].Value == "needs" && i < len(functions) && functions[i].Needs != nil {
				entry.Content[k+1] = needNode(*functions[i].Needs)
			}
		}
	}
}

// milliseconds writes a time, and nothing for none.
func milliseconds(ms int64) string {
	if ms <= 0 {
		return ""
	}
	return strconv.FormatInt(ms, 10) + "ms"
}

func sequence() *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode} }

func needNode(n availability.Need) *yaml.Node {
	name := n.Name
	if name == "" && len(n.Of) == 0 {
		name = nobody
	}
	if name != "" {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Style: yaml.DoubleQuotedStyle}
	}
	of := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, child := range n.Of {
		of.Content = append(of.Content, needNode(child))
	}
	word := func(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }
	return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{word("at_least"), word(fmt.Sprint(n.AtLeast)), word("of"), of}}
}
