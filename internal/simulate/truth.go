package simulate

import (
	"cmp"
	"slices"
)

// Stretch is a part of the truth: something was not as usual, and why.
type Stretch struct {
	From, To int64 // Unix ms
	Down     bool  // it did not run; else it did, whatever was heard of it
	Kind     Kind
	Reason   string
}

// HostTruth is what really happened to a host, in order of time. Whatever is
// in no stretch it ran, was measured and was heard.
func (p *Plan) HostTruth(host string) []Stretch {
	var all []Stretch
	for i := range p.Events {
		e := &p.Events[i]
		if e.Kind == Fault || e.Host != host && e.Kind != CollectorAway {
			continue
		}
		all = append(all, Stretch{From: max(e.From, p.From), To: min(e.To, p.To), Kind: e.Kind, Reason: e.Reason,
			Down: e.Kind == Reboot || e.Kind == Crash || e.Kind == Pause})
	}
	return sorted(all)
}

// ComponentTruth is when a component really did not work, in order of time.
func (p *Plan) ComponentTruth(component string) []Stretch {
	on := ""
	for i := range p.Checks {
		if p.Checks[i].Component == component {
			on = p.Checks[i].On
		}
	}
	var all []Stretch
	for i := range p.Events {
		e := &p.Events[i]
		down := e.Kind == Fault && e.Component == component && e.State == 0 ||
			on != "" && e.Host == on && (e.Kind == Reboot || e.Kind == Crash || e.Kind == Pause || e.Kind == Suspend)
		if down {
			all = append(all, Stretch{From: max(e.From, p.From), To: min(e.To, p.To), Kind: e.Kind, Reason: e.Reason, Down: true})
		}
	}
	return sorted(all)
}

func sorted(all []Stretch) []Stretch {
	slices.SortStableFunc(all, func(a, b Stretch) int { return cmp.Compare(a.From, b.From) })
	return slices.DeleteFunc(all, func(s Stretch) bool { return s.From >= s.To })
}
