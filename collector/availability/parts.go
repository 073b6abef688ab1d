package availability

import "slices"

// parts is, by thing, when it is a part of the service: while it exists and is
// needed by the service itself, or by another part. A host that was moved from
// one group to another is in the tree of both services for good, but a part of
// each only for its own time.
func (t *tree) parts() []Set {
	existing := &tree{things: t.things, index: t.index}
	for _, e := range t.events {
		if e.layer == existence {
			existing.events = append(existing.events, e)
		}
	}
	spans := make([][]Span, len(t.things))
	last := len(t.things) - 1
	part := make([]bool, len(t.things))
	existing.walk(-far, far, nil, func(span Span, values []value) {
		clear(part)
		part[last] = true
		for i := last; i >= 0; i-- { // what needs a thing comes after it
			if !part[i] || i != last && values[i] == absent {
				continue
			}
			if n := len(spans[i]); n > 0 && spans[i][n-1].To == span.From {
				spans[i][n-1].To = span.To
			} else {
				spans[i] = append(spans[i], span)
			}
			t.things[i].need.mark(part)
		}
	})
	out := make([]Set, len(spans))
	for i := range spans {
		out[i] = spans[i]
	}
	return out
}

// comeAndGo tells whether a service below the top exists for a time only.
func (t *tree) comeAndGo() bool {
	return slices.ContainsFunc(t.events, func(e event) bool { return e.layer == existence && t.things[e.thing].need != nil })
}

// mark marks the leaves of the node; nil has none.
func (n *node) mark(leaves []bool) {
	if n == nil {
		return
	}
	if n.leaf >= 0 {
		leaves[n.leaf] = true
	}
	for _, child := range n.of {
		child.mark(leaves)
	}
}

// parts is when each thing of the tree is a part of the service, worked out once.
func (v *view) parts() []Set {
	if v.part == nil {
		v.part = v.tree.parts()
	}
	return v.part
}

// while is the part of the span in which one of the names is a part of the service.
func (v *view) while(names []string, span Span) Set {
	var out Set
	for _, name := range names {
		if i, ok := v.tree.index[name]; ok {
			out = out.Union(v.parts()[i].Within(span.From, span.To))
		}
	}
	return out
}
