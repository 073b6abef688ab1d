package availability

// view is the service of one agreement version as the version sees it: dates
// in its zone, states by its policies, over all that is known.
type view struct {
	agreement *Agreement
	function  string // of the service, with its own tree; "": the service itself
	service   Service
	model     *model
	tree      *tree
	seen      Timeline // after ignored blips, [-far, asOf)
	gone      Set      // the service or all of its tree does not exist
	stops     []stop
	downs     []Set // when each component counts as down, once asked for
	part      []Set // when each thing is a part of the service, once asked for
}

func newView(m *model, a *Agreement, function string) (*view, error) {
	var service Service
	if i, ok := m.services[a.Service]; ok {
		service = m.catalogue.Services[i]
	}
	var needs *Need
	if fn, ok := service.function(function); ok {
		needs = fn.Needs
	}
	t, err := m.tree(a.Service, needs)
	if err != nil {
		return nil, err
	}
	line, gone := t.top(m.asOf)
	exists := NewSet(span(service.From, service.Until, a.Zone))
	v := &view{agreement: a, function: function, service: service, model: m, tree: t}
	v.gone = gone.Union(NewSet(Span{-far, far}).Minus(exists))
	v.seen = a.Policies.ignoreBlips(line, a.IgnoreBlips)
	v.stops = a.Policies.stops(v.seen, a.MergeBlips)
	return v, nil
}

// cuts is what the four cuts make of a period. The sets are within it.
type cuts struct {
	agreed    Set // inside the calendar
	base      Set // of that, what cut 2 (existence) left
	planned   Set // of that, cut 3 took
	adjusted  Set // of the rest, cut 4 took
	remaining Set // what is left
	upExist   Set // of remaining, made up by before_existence: up
	upPlanned Set // of remaining, made up by planned: up, where known
	windows   []cause
	adjusts   []cause
}

// cut works out the cuts of [from, to).
func (v *view) cut(from, to int64) (cuts, error) {
	var c cuts
	a := v.agreement
	start := v.capStart(from)
	agreed, err := v.model.catalogue.agreedTime(a.Calendar, a.Zone, start, to)
	if err != nil {
		return c, err
	}
	base := agreed
	if a.Policies.BeforeExistence == Exclude {
		base = agreed.Minus(v.gone)
	}
	planned, windows := v.planned(base, start, to)
	c.agreed, c.base, c.windows = agreed.Within(from, to), base.Within(from, to), windows
	planned = planned.Within(from, to)
	c.remaining = c.base
	if a.Policies.Planned == Exclude {
		c.planned = planned
		c.remaining = c.base.Minus(planned)
	}
	adjusted, adjusts := v.adjusted()
	c.adjusted, c.adjusts = c.remaining.Intersect(adjusted), adjusts
	c.remaining = c.remaining.Minus(adjusted)
	if a.Policies.BeforeExistence == AsUp {
		c.upExist = c.remaining.Intersect(v.gone)
	}
	if a.Policies.Planned == AsUp {
		c.upPlanned = c.remaining.Intersect(planned).Minus(c.upExist)
	}
	return c, nil
}

// countable is the time in which down counts for an outage.
func (c cuts) countable() Set { return c.remaining.Minus(c.upExist).Minus(c.upPlanned) }

// overlay is the timeline's segments inside the set.
func (t Timeline) overlay(s Set) []Segment {
	var out []Segment
	if len(s) == 0 {
		return nil
	}
	for i, j := t.search(s[0].From), 0; i < len(t) && j < len(s); {
		if both := t[i].within(s[j].From, s[j].To); both.Length() > 0 {
			out = append(out, Segment{both, t[i].State})
		}
		if t[i].To < s[j].To {
			i++
		} else {
			j++
		}
	}
	return out
}

// states is what the service counts as in the elapsed part of the set, before
// the policies for degraded and unknown time.
func (v *view) states(set, upExist, upPlanned Set) []Segment {
	out := v.seen.overlay(set.Minus(upExist).Minus(upPlanned))
	for _, s := range set.Intersect(upExist) {
		out = append(out, Segment{s, Up})
	}
	for _, seg := range v.seen.overlay(set.Intersect(upPlanned)) {
		if seg.State != Unknown {
			seg.State = Up
		}
		out = append(out, seg)
	}
	return out
}
