package simulate

import (
	"fmt"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// startup is how long after its kernel a host's agent measures, ms.
const startup = 15_000

// caughtUp is how long after it went on a paused machine has its wall clock set, ms.
const caughtUp = 30_000

// uptime is how long before the plan each host was started, ms.
const uptime = 40 * 24 * 3_600_000

// stampEvery is how often an agent says on disk that it is alive, ms.
const stampEvery = 5_000

// life is what happens to one host, by kind.
type life struct {
	plan   *Plan
	host   *Host
	blocks []Event // nothing gets from the agent to the collector
	ends   []Event // of the agent's process
	boots  []Event // of the kernel
	sleeps []Event // the process does not run, and goes on
	steps  []Event
	lost   []Event
	clones []Event
	checks []Check // that the host makes
	faults map[string][]Event
}

func (p *Plan) life(host *Host) *life {
	l := &life{plan: p, host: host,
		blocks: p.of(host.Name, CollectorAway, PathCut, NetworkOut),
		ends:   p.of(host.Name, AgentStop, AgentCrash, Reboot, Crash),
		boots:  p.of(host.Name, Reboot, Crash),
		sleeps: p.of(host.Name, Suspend, Pause, AgentStall),
		steps:  p.of(host.Name, ClockStep),
		lost:   p.of(host.Name, DataLoss),
		clones: p.of(host.Name, Clone),
		faults: map[string][]Event{},
	}
	for _, c := range p.Checks {
		for _, o := range c.Observers {
			if o == host.Name {
				l.checks = append(l.checks, c)
				l.faults[c.Component] = p.against(&c, host.Name)
			}
		}
	}
	return l
}

// against is what makes the check fail as the observer sees it.
func (p *Plan) against(c *Check, observer string) []Event {
	var all []Event
	for i := range p.Events {
		e := p.Events[i]
		switch {
		case e.Kind == Fault && e.Component == c.Component:
		case c.On != "" && e.Host == c.On && (e.Kind == Reboot || e.Kind == Crash || e.Kind == Pause || e.Kind == Suspend):
			e.Reason = "i/o timeout"
		case c.On != "" && c.On != observer && e.Kind == NetworkOut && (e.Host == c.On || e.Host == observer):
			e.Reason = "no route to host"
		default:
			continue
		}
		all = append(all, e)
	}
	return all
}

// running tells whether the agent's process measures at t.
func (l *life) running(t int64) bool {
	if at(l.sleeps, t) != nil {
		return false
	}
	for i := range l.ends {
		if e := &l.ends[i]; e.From <= t && t < l.back(e) {
			return false
		}
	}
	return true
}

// back is when the agent measures again after its end.
func (l *life) back(e *Event) int64 {
	if e.Kind == Reboot || e.Kind == Crash {
		return e.To + startup
	}
	return e.To
}

// booted is when the kernel that runs at t was started, and how many were before it.
func (l *life) booted(t int64) (begin int64, n int) {
	begin = l.plan.From - uptime
	for i := range l.boots {
		if l.boots[i].To <= t {
			begin, n = l.boots[i].To, n+1
		}
	}
	return begin, n
}

// run is the number of the agent's process at t.
func (l *life) run(t int64) (n int) {
	for i := range l.ends {
		if l.back(&l.ends[i]) <= t {
			n++
		}
	}
	return n
}

func (l *life) runID(n int) string {
	return fmt.Sprintf("%016x", uint64(1<<53*mix(l.plan.Seed, text(l.host.Name), 1, uint64(n))))
}

func (l *life) bootID(n int) string {
	return fmt.Sprintf("%016x", uint64(1<<53*mix(l.plan.Seed, text(l.host.Name), 2, uint64(n))))
}

// clocks are the three of the host at t.
func (l *life) clocks(t int64) wire.Clocks {
	begin, _ := l.booted(t)
	c := wire.Clocks{Wall: t, Boot: t - begin}
	for i := range l.sleeps {
		e := &l.sleeps[i]
		over := min(t, e.To) - max(begin, e.From)
		if over <= 0 {
			continue
		}
		switch e.Kind {
		case Pause:
			c.Boot -= over
			if t < e.To+caughtUp {
				c.Wall -= over
			}
		case Suspend:
			c.Mono -= over
		}
	}
	c.Mono += c.Boot
	if e := at(l.steps, t); e != nil {
		c.Wall += e.By
	}
	return c
}

// out is when something that is ready at t gets to the collector.
func (l *life) out(t int64) int64 {
	for again := true; again; {
		again = false
		if e := at(l.blocks, t); e != nil {
			t, again = e.To+2_000, true
		}
		for !l.running(t) && t < l.plan.To {
			t, again = l.wakes(t), true
		}
	}
	return t
}

// wakes is when the process that does not run at t runs.
func (l *life) wakes(t int64) int64 {
	if e := at(l.sleeps, t); e != nil {
		return e.To
	}
	for i := range l.ends {
		if e := &l.ends[i]; e.From <= t && t < l.back(e) {
			return l.back(e)
		}
	}
	return t + 1
}
