package availability

import "fmt"

// State is what is known of a component or service at an instant.
type State uint8

// The states, from knowing nothing to the worst.
const (
	Unknown State = iota
	Up
	Degraded
	Down
)

// String is the state as facts and figures write it.
func (s State) String() string {
	switch s {
	case Unknown:
		return "unknown"
	case Up:
		return "up"
	case Degraded:
		return "degraded"
	case Down:
		return "down"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// MarshalText writes the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the state's name, "unknown" included.
func (s *State) UnmarshalText(text []byte) error {
	for each := Unknown; each <= Down; each++ {
		if string(text) == each.String() {
			*s = each
			return nil
		}
	}
	return fmt.Errorf("%q is not a state; it is up, degraded, down or unknown", text)
}

// ParseState reads the state of a fact: up, degraded or down. Nobody observes
// "unknown": it is the absence of a fact.
func ParseState(text string) (State, error) {
	switch text {
	case "up":
		return Up, nil
	case "degraded":
		return Degraded, nil
	case "down":
		return Down, nil
	}
	return Unknown, fmt.Errorf("%q is not a state; it is up, degraded or down", text)
}

// Fact is an immutable observation.
type Fact struct {
	Component string
	Observer  string
	At        int64 // ms
	State     State // Up, Degraded or Down
	Received  int64 // ms; of several facts for one instant the first received stands
	Hold      int64 // ms the fact holds at most; 0: as the component says; NoHold: not at all
}

// NoHold is a hold of zero: the fact holds for no time. (A Hold of 0 is one
// that is not given.)
const NoHold = -1

// Streak is consecutive facts of one observer and component with one state
// and no gap in which they would stop to hold: what is kept of facts for ever.
type Streak struct {
	Component string
	Observer  string
	State     State
	First     int64 // ms, the first fact
	Last      int64 // ms, the last fact
	Count     int64 // facts seen in it
	MaxGap    int64 // ms, no two consecutive facts of it are further apart
	Hold      int64 // as in Fact, the same for all facts of the streak
}

// far is farther away than any instant a fact can have, and far from
// overflowing when holds are added to it.
const (
	far     int64 = 1 << 60
	forever       = far
)

// Lasts is how long, in ms, a fact with this own hold is taken to hold at this
// pace when no later fact follows.
func (p Pace) Lasts(own int64) int64 {
	for _, h := range [...]int64{own, p.Hold} {
		switch {
		case h == NoHold:
			return 0
		case h > 0:
			return h
		}
	}
	if p.Interval > 0 {
		return p.Interval * 5 / 2
	}
	return forever
}

// StreakGap is the largest gap in ms between a fact at the instant and the
// next one of the same streak: 1.5 times the interval then, 90 s where none is
// declared, and never more than the fact holds. own is its own hold, as in Fact.
func (c *Component) StreakGap(own, at int64) int64 {
	pace := c.PaceAt(at)
	gap := int64(90_000)
	if pace.Interval > 0 {
		gap = pace.Interval * 3 / 2
	}
	return min(gap, pace.Lasts(own))
}

// Lasts is how long, in ms, a fact of the component at the instant with this
// own hold holds when no later fact follows.
func (c *Component) Lasts(own, at int64) int64 { return c.PaceAt(at).Lasts(own) }
