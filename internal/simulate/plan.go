package simulate

import (
	"cmp"
	"slices"
)

// Kind is what happens to a fleet.
type Kind string

// The kinds of event. Host is empty for CollectorAway and Fault.
const (
	CollectorAway Kind = "collector_away" // nothing is taken; agents keep theirs
	PathCut       Kind = "path_cut"       // between a host and the collector; peers reach the host
	NetworkOut    Kind = "network_out"    // of the host: nobody reaches it, it reaches nobody
	AgentStop     Kind = "agent_stop"     // with its marker
	AgentCrash    Kind = "agent_crash"    // killed, or out of memory
	AgentStall    Kind = "agent_stall"    // the process is stopped and goes on later
	Reboot        Kind = "reboot"         // asked for; To is when the kernel starts
	Crash         Kind = "crash"          // of the host; To is when the kernel starts
	Suspend       Kind = "suspend"
	Pause         Kind = "pause"      // of the virtual machine: all its clocks stand still
	ClockStep     Kind = "clock_step" // the wall clock is By ms wrong from From to To
	DataLoss      Kind = "data_loss"  // what was measured in it was lost in the agent's buffer
	Clone         Kind = "clone"      // a second agent delivers under the same identity
	Fault         Kind = "fault"      // of Component: State, for Reason
)

// Event is one thing that happens in [From, To), Unix ms.
type Event struct {
	Kind      Kind
	Host      string // its name
	Component string // of a Fault
	From, To  int64
	By        int64   // of a ClockStep, ms
	State     float64 // of a Fault: 0 down, 0.5 degraded
	Reason    string  // in the words of who noticed
}

// Host is one host with an agent.
type Host struct {
	Name, ID, Customer string
	Phase              int64 // of its collections within the interval, ms
}

// Check is one test of a component by several hosts. A component with On is
// down while that host is.
type Check struct {
	Component string
	Target    string // as an agent names it: http http://…/
	Kind      string // http, tcp, icmp …
	On        string // name of the host it runs on; empty: elsewhere
	Observers []string
}

// Plan is a whole history. Every must be positive.
type Plan struct {
	Seed     uint64
	From, To int64 // Unix ms
	Every    int64 // between two collections, ms
	// Bundle is how many collections travel in one record; 0: one. Real agents
	// send each by itself; months of them are quicker in bundles.
	// Those made at or after Live do not.
	Bundle int
	Live   int64
	Hosts  []Host
	Checks []Check
	Events []Event
	// Load adds what a host measures besides its checks, at an instant and with
	// a kernel that was started at booted; nil: nothing.
	Load func(add Add, host *Host, at, booted int64)
}

// Add takes a sample: labels are pairs of name and value, names ascending.
type Add func(name string, value float64, labels ...string)

// of are the events of those kinds that concern the host, in order of time.
func (p *Plan) of(host string, kinds ...Kind) []Event {
	var found []Event
	for i := range p.Events {
		if e := p.Events[i]; slices.Contains(kinds, e.Kind) && (e.Host == host || e.Kind == CollectorAway) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b Event) int { return cmp.Compare(a.From, b.From) })
	return found
}

// at is the event of the list that holds at the instant, nil for none.
func at(events []Event, t int64) *Event {
	for i := range events {
		if events[i].From <= t && t < events[i].To {
			return &events[i]
		}
	}
	return nil
}

// mix is a number from 0 (included) to 1 (excluded) that depends on its arguments alone.
func mix(seed uint64, parts ...uint64) float64 {
	x := seed ^ 0x9e3779b97f4a7c15
	for _, p := range parts {
		x ^= p
		x ^= x >> 30
		x *= 0xbf58476d1ce4e5b9
		x ^= x >> 27
		x *= 0x94d049bb133111eb
		x ^= x >> 31
	}
	return float64(x>>11) / (1 << 53)
}

// text makes a number of a text, for mix.
func text(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
