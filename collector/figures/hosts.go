package figures

import (
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

// HostStates are the states of hosts, by name.
type HostStates struct {
	states  States
	targets map[string][]string // of foreign senders: components by what may be their instance
}

// Hosts makes the states of hosts of those of components.
func (s States) Hosts() HostStates {
	h := HostStates{states: s, targets: map[string][]string{}}
	for name := range s.Components {
		target := strings.TrimPrefix(name, batch.ProbePrefix)
		for i, c := range []byte(target) { // a job may have slashes, and so may an instance
			if c == '/' {
				h.targets[target[i+1:]] = append(h.targets[target[i+1:]], name)
			}
		}
	}
	return h
}

// Targets are the components a foreign sender's host is seen by.
func (h HostStates) Targets(instance string) []string { return h.targets[instance] }

// Host is the state of a host.
func (h HostStates) Host(host *ledger.Host) StateSince {
	return h.states.Components[h.Component(host)]
}

// Component is the component that tells a host's state. An enrolled host
// speaks for itself. One of a foreign sender is what its probes found, or where
// they tell nothing how its jobs could scrape it; of several the worst.
func (h HostStates) Component(host *ledger.Host) string {
	if host.Sender == "" {
		return host.Instance
	}
	var best string
	most := -1
	for _, name := range h.targets[host.Instance] {
		weight := gravity(h.states.Components[name].State)
		if strings.HasPrefix(name, batch.ProbePrefix) && weight > 0 {
			weight += 10
		}
		if weight > most || weight == most && name < best {
			best, most = name, weight
		}
	}
	return best
}

// gravity orders states by how much they matter.
func gravity(s availability.State) int {
	switch s {
	case availability.Up:
		return 1
	case availability.Degraded:
		return 2
	case availability.Down:
		return 3
	}
	return 0
}
