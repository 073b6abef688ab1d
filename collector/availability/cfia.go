package availability

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Impact is what the failure of one component alone does to a service.
type Impact struct {
	Component string  `json:"component"`
	Effect    string  `json:"effect"`     // X: the service stops; A: redundancy is used up; B: the same after a delay; "": none
	DelayS    float64 `json:"delay_s"`    // B: until what stands by has taken over
	Birnbaum  float64 `json:"importance"` // how much likelier the service is up when the component is, 0..1
	DownS     float64 `json:"down_s"`     // its observed downtime in the period
	KnownS    float64 `json:"known_s"`
}

// The effects of a failure. Backup is where the service stops until a
// component that stands by, by the catalogue's takeover, is in the failed
// one's place.
const (
	Stops     = "X"
	Redundant = "A"
	Backup    = "B"
	NoEffect  = ""
)

// enumerable is up to how many components all combinations are looked at;
// beyond, samples are drawn.
const (
	enumerable = 14
	draws      = 20_000
)

// Impacts is the component failure impact analysis of the service as it is at
// in.AsOf: each component is set down alone and the tree evaluated. in.From and
// in.To are the period of the observed downtime. Components are in the tree's order.
func Impacts(in Input, service string) ([]Impact, error) {
	e := newEvaluation(in)
	zone := in.Catalogue.zoneOf(service, in.AsOf)
	m := newModel(e, zone)
	t, err := m.tree(service, nil)
	if err != nil {
		return nil, fmt.Errorf("analyse %s: %w", service, err)
	}
	s := t.structure(in.Catalogue, in.AsOf-1)
	from, to := in.From.In(zone, -far), min(in.AsOf, in.To.In(zone, far))
	out := []Impact{}
	p := make([]float64, len(s.parts))
	for k, i := range s.parts {
		effect, delay := s.alone(k)
		each := Impact{Component: t.things[i].name, Effect: effect, DelayS: msSeconds(delay)}
		down, known := t.things[i].seen.downtime(from, to)
		each.DownS, each.KnownS = msSeconds(down), msSeconds(known)
		p[k] = 1
		if known > 0 {
			p[k] = 1 - float64(down)/float64(known)
		}
		out = append(out, each)
	}
	for k := range out {
		out[k].Birnbaum = s.importance(k, p)
	}
	return out, nil
}

// downtime is how long the component was down, and known, in ms.
func (o *observed) downtime(from, to int64) (down, known int64) {
	for _, seg := range o.timeline.Within(from, to) {
		if seg.State == Down {
			down += seg.Length()
		}
		if seg.State != Unknown {
			known += seg.Length()
		}
	}
	return down, known
}

// structure is a tree as a function of its components alone.
type structure struct {
	tree  *tree
	gone  []bool // by thing: it is no part of the service
	parts []int  // the components that are
	// takeover of each part, ms; 0: it works all the time
	takeover []int64
}

func (t *tree) structure(catalogue *Catalogue, at int64) *structure {
	s := &structure{tree: t, gone: make([]bool, len(t.things))}
	for i, part := range t.parts() {
		s.gone[i] = !part.Has(at)
	}
	for i := range t.things {
		if t.things[i].seen != nil && !s.gone[i] {
			s.parts = append(s.parts, i)
			c, _ := catalogue.Component(t.things[i].name)
			s.takeover = append(s.takeover, c.Takeover)
		}
	}
	return s
}

// top is what the service is when the parts are as up says.
func (s *structure) top(up func(part int) bool) value {
	values := make([]value, len(s.tree.things))
	part := 0
	for i := range s.tree.things {
		each := &s.tree.things[i]
		switch {
		case s.gone[i]:
			values[i] = absent
		case each.seen == nil:
			values[i] = each.need.eval(values)
		default:
			values[i] = value(Down)
			if up(part) {
				values[i] = value(Up)
			}
			part++
		}
	}
	return values[len(values)-1]
}

// alone is what the failure of a part does when all others are sound, and for
// Backup the delay in ms: until so many of those that stand by have taken
// over, the quickest first, that the service is up.
func (s *structure) alone(k int) (effect string, delay int64) {
	// What stands by is not there yet when the part fails; after is how long it was waited.
	top := func(after int64) value {
		return s.top(func(part int) bool { return part != k && s.takeover[part] <= after })
	}
	switch s.top(func(part int) bool { return part != k }) {
	case value(Down):
		return Stops, 0
	case value(Degraded):
		effect = Redundant
	}
	if top(0) != value(Down) || s.takeover[k] > 0 {
		return effect, 0 // or it stood by itself: nothing had to take over
	}
	delays := slices.Clone(s.takeover)
	slices.Sort(delays)
	for _, delay = range delays {
		if top(delay) != value(Down) {
			break
		}
	}
	return Backup, delay
}

// importance is Birnbaum's: the probability that the service is up when the
// part is, less that when it is not, the others failing independently.
func (s *structure) importance(k int, p []float64) float64 {
	n := len(s.parts)
	works := func(up func(int) bool) float64 {
		if v := s.top(up); v == value(Down) || v == absent {
			return 0
		}
		return 1
	}
	gain := func(up func(int) bool) float64 {
		with := works(func(i int) bool { return i == k || up(i) })
		return with - works(func(i int) bool { return i != k && up(i) })
	}
	sum := 0.0
	if n > enumerable {
		source := rand.New(rand.NewPCG(1, uint64(k)))
		up := make([]bool, n)
		for range draws {
			for i := range up {
				up[i] = source.Float64() < p[i]
			}
			sum += gain(func(i int) bool { return up[i] })
		}
		return sum / draws
	}
	for mask := range 1 << n {
		if mask>>k&1 == 1 {
			continue // its own state is set both ways
		}
		weight := 1.0
		for i := range n {
			switch {
			case i == k:
			case mask>>i&1 == 1:
				weight *= p[i]
			default:
				weight *= 1 - p[i]
			}
		}
		if weight > 0 {
			sum += weight * gain(func(i int) bool { return mask>>i&1 == 1 })
		}
	}
	return math.Min(1, sum)
}
