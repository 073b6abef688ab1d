package silence

import "github.com/plimsoll/plimsoll/collector/availability"

// Span is a stretch of time, Unix ms, To excluded.
type Span struct{ From, To int64 }

// Evidence is what others know about the time a host was not heard.
type Evidence struct {
	Away  []Span                // this collector took nothing
	Peers []availability.Streak // what other hosts saw of this one
}

// mostly is the share of a late stretch that its cause has to cover.
const mostly = 0.5

// Explain gives a late stretch its cause. The host was up in any case: it
// measured.
func Explain(s Silence, e Evidence) Silence {
	if s.Cause != Late {
		return s
	}
	length := max(1, s.To-s.From)
	away := int64(0)
	for _, a := range e.Away {
		away += max(0, min(a.To, s.To+1)-max(a.From, s.From))
	}
	if float64(away) >= mostly*float64(length) {
		s.Cause = CollectorAway
		return s
	}
	reached, failed := int64(0), int64(0)
	for i := range e.Peers {
		k := &e.Peers[i]
		over := min(k.Last, s.To) - max(k.First, s.From)
		switch {
		case over < 0:
		case k.State == availability.Down:
			failed += over + 1
		default:
			reached += over + 1
		}
	}
	switch {
	case reached == 0 && failed == 0:
	case failed > reached:
		s.Cause = NetworkOut
	default:
		s.Cause = PathCut
	}
	return s
}
