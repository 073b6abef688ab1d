package availability

// isDown tells which states count as down; every other known state counts up.
func (p Policies) isDown(s State) bool {
	return s == Down || s == Degraded && p.Degraded.Down
}

// isUp tells which states count as up.
func (p Policies) isUp(s State) bool {
	return s == Up || s == Degraded && !p.Degraded.Down
}

// ignoreBlips turns into up what counts as down for less than limit ms with
// time that counts as up directly on both sides.
func (p Policies) ignoreBlips(line Timeline, limit int64) Timeline {
	if limit <= 0 {
		return line
	}
	var out Timeline
	for i := 0; i < len(line); {
		j := i
		for j < len(line) && p.isDown(line[j].State) {
			j++
		}
		if j == i {
			out = out.add(line[i].From, line[i].To, line[i].State)
			i++
			continue
		}
		blip := line[j-1].To-line[i].From < limit && i > 0 && p.isUp(line[i-1].State) && j < len(line) && p.isUp(line[j].State)
		for ; i < j; i++ {
			state := line[i].State
			if blip {
				state = Up
			}
			out = out.add(line[i].From, line[i].To, state)
		}
	}
	return out
}

// stop is an outage on a timeline: from the first instant that counts as down
// to the first that counts as up. open: its end is not known.
type stop struct {
	Span
	open bool
}

// stops are the outages of the timeline, those whose gap is shorter than
// merge ms made one. Unknown time neither starts nor ends one.
func (p Policies) stops(line Timeline, merge int64) []stop {
	var out []stop
	running := false
	for _, seg := range line {
		switch {
		case p.isDown(seg.State) && !running:
			running = true
			if n := len(out); n > 0 && seg.From-out[n-1].To < merge {
				break // goes on with the last one
			}
			out = append(out, stop{Span: Span{From: seg.From}})
		case p.isUp(seg.State) && running:
			running = false
			out[len(out)-1].To = seg.From
		}
	}
	if running {
		last := &out[len(out)-1]
		last.open, last.To = true, line[len(line)-1].To
	}
	return out
}

// impact is what an outage says of the components of its tree.
type impact struct {
	components []string // that count as down at some instant of it, while parts of the service, sorted by name
	earliest   int64    // the last fact before it that counts as up, of those down at its start
	hasFact    bool     // whether there is such a fact
	of         Streak   // that has it
	bridged    bool     // an observer of one of components has a bridged gap in it
}

// impacts works out the impact of each of the outages, which are in order.
func (v *view) impacts(stops []stop, exact FactBefore) []impact {
	out := make([]impact, len(stops))
	p := v.agreement.Policies
	for i, down := range v.componentsDown() {
		if down == nil {
			continue
		}
		each := v.tree.things[i]
		for k, o := range stops {
			if !down.Meets(o.From, o.To) {
				continue
			}
			hit := &out[k]
			hit.components = append(hit.components, each.name)
			hit.bridged = hit.bridged || each.seen.bridged.Meets(o.From, o.To)
			if down.Has(o.From) {
				if at, of, ok := each.seen.lastFact(o.From, p.isUp, exact); ok && (!hit.hasFact || at > hit.earliest) {
					hit.earliest, hit.of, hit.hasFact = at, of, true
				}
			}
		}
	}
	return out
}

// componentsDown is when each component of the tree counts as down while it is
// a part of the service, by its index; nil for services.
func (v *view) componentsDown() []Set {
	if v.downs != nil {
		return v.downs
	}
	spans := make([][]Span, len(v.tree.things))
	v.tree.walk(-far, v.model.asOf, nil, func(span Span, values []value) {
		for i := range values {
			if v.tree.things[i].seen == nil || !v.agreement.Policies.isDown(values[i].state()) {
				continue
			}
			if n := len(spans[i]); n > 0 && spans[i][n-1].To == span.From {
				spans[i][n-1].To = span.To
			} else {
				spans[i] = append(spans[i], span)
			}
		}
	})
	comeAndGo := v.tree.comeAndGo()
	v.downs = make([]Set, len(spans))
	for i := range spans {
		if v.tree.things[i].seen != nil {
			v.downs[i] = append(Set{}, spans[i]...)
			if comeAndGo { // else what exists is a part, and what does not is not down
				v.downs[i] = append(Set{}, v.downs[i].Intersect(v.parts()[i])...)
			}
		}
	}
	return v.downs
}
