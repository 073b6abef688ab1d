package figures

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// StateSince is a state and since when it has held, in Unix milliseconds; 0
// where nothing was ever known before.
type StateSince struct {
	State availability.State
	Since int64
}

// States are those of all services and components at one instant.
type States struct {
	Services, Components map[string]StateSince
}

// lines are the timelines of everything, from the first fact on.
type lines struct {
	services, components map[string]availability.Timeline
}

// sparse is assumed of a component that sends facts but is not in the
// catalogue: one fact a minute, so each holds two and a half.
const sparse = 60_000

// States tells how every service and component stood at the instant: as its
// tree gives it, with corrections, without the agreements' policies and blips.
func (e *Engine) States(ctx context.Context, at time.Time) (States, error) {
	all, err := e.lines(ctx, at)
	if err != nil {
		return States{}, err
	}
	out := States{Services: map[string]StateSince{}, Components: map[string]StateSince{}}
	for name, line := range all.services {
		out.Services[name] = stateAt(line, at.UnixMilli())
	}
	for name, line := range all.components {
		out.Components[name] = stateAt(line, at.UnixMilli())
	}
	return out, nil
}

// stateAt is the state just before at: the newest that is known then.
func stateAt(line availability.Timeline, at int64) StateSince {
	state, since := line.At(at - 1)
	if since <= 0 {
		since = 0
	}
	return StateSince{state, since}
}

// ServiceTimeline is how the service stood through [from, to), as known at asOf.
func (e *Engine) ServiceTimeline(ctx context.Context, service string, from, to, asOf time.Time) (availability.Timeline, error) {
	all, err := e.lines(ctx, asOf)
	if err != nil {
		return nil, err
	}
	return all.services[service].Within(from.UnixMilli(), to.UnixMilli()), nil
}

// ComponentTimeline is how the component stood through [from, to), as known at asOf.
func (e *Engine) ComponentTimeline(ctx context.Context, component string, from, to, asOf time.Time) (availability.Timeline, error) {
	all, err := e.lines(ctx, asOf)
	if err != nil {
		return nil, err
	}
	return all.components[component].Within(from.UnixMilli(), to.UnixMilli()), nil
}

func (e *Engine) lines(ctx context.Context, asOf time.Time) (*lines, error) {
	s, err := e.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines == nil {
		if s.lines, err = timelines(s.agreed, s.streaks, s.asOf); err != nil {
			return nil, err
		}
	}
	return s.lines, nil
}

// timelines are those of the catalogue's services and of all components that
// are in the catalogue or ever sent a fact.
func timelines(c *availability.Catalogue, streaks map[string][]availability.Streak, asOf int64) (*lines, error) {
	services, err := availability.ServiceTimelines(availability.Input{Catalogue: c, Streaks: streaks, AsOf: asOf})
	if err != nil {
		return nil, err
	}
	all := &lines{services: services, components: map[string]availability.Timeline{}}
	known := map[string]bool{}
	for _, each := range c.Components {
		known[each.Name] = true
		all.components[each.Name] = availability.ComponentTimeline(each, streaks[each.Name], asOf)
	}
	for name := range streaks {
		if !known[name] {
			all.components[name] = availability.ComponentTimeline(availability.Component{Name: name, Interval: sparse}, streaks[name], asOf)
		}
	}
	return all, nil
}

// Combine is the state of a node that needs atLeast of its children, as the
// trees of availability have it.
func Combine(atLeast int, children []availability.State) availability.State {
	up, unknown, hurt := 0, 0, false
	for _, s := range children {
		switch s {
		case availability.Up:
			up++
		case availability.Degraded:
			up++
			hurt = true
		case availability.Unknown:
			unknown++
		case availability.Down:
			hurt = true
		}
	}
	switch {
	case up >= atLeast && hurt:
		return availability.Degraded
	case up >= atLeast:
		return availability.Up
	case up+unknown < atLeast:
		return availability.Down
	}
	return availability.Unknown
}
