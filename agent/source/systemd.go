package source

import (
	"context"
	"sort"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

const (
	// maxUnits bounds the services reported one by one, at five series each;
	// those that failed come first.
	maxUnits = 64
	// maxSeenUnits bounds the services remembered as seen running.
	maxSeenUnits = 1024
	// systemdDeadline is how long systemd may take to answer.
	systemdDeadline = 3 * time.Second
)

// unit is a unit of systemd by its name (nginx.service) and its state.
type unit struct{ name, active string }

// manager is what systemd says of itself: "running", "degraded", …
type manager struct {
	state string
	units []unit
}

// systemd is how many units are in each state, and of the services the state
// of each that runs, failed, or ran since the agent was started. It asks once
// a minute: systemd walks through all its units to answer.
type systemd struct {
	read func(ctx context.Context) (manager, error)
	now  func() time.Time
	when minute
	seen map[string]bool // services that were not simply inactive
	err  error           // of the last time it was asked
}

func newSystemd(r Roots, now func() time.Time) *systemd {
	return &systemd{
		read: func(ctx context.Context) (manager, error) { return readUnits(ctx, r.RootFS) },
		now:  now, seen: map[string]bool{},
	}
}

func (s *systemd) collect(ctx context.Context, out *sample.Set) error {
	if !s.when.due(s.now()) {
		return s.err
	}
	ctx, cancel := context.WithTimeout(ctx, systemdDeadline)
	defer cancel()
	m, err := s.read(ctx)
	if s.err = err; err == nil {
		s.add(m, out)
	}
	return err
}

// activeStates are the states of a unit by the names of node_exporter's label.
func activeStates() [5]string {
	return [...]string{"activating", "active", "deactivating", "failed", "inactive"}
}

func (s *systemd) add(m manager, out *sample.Set) {
	states := activeStates()
	running := 0.0
	if m.state == "running" {
		running = 1
	}
	out.Add("node_systemd_system_running", running)
	var counts [len(states)]int
	for _, u := range m.units {
		for i, state := range states {
			if u.active == state {
				counts[i]++
			}
		}
	}
	for i, state := range states {
		out.Add("node_systemd_units", float64(counts[i]), "state", state)
	}
	services, left := s.services(m.units)
	for _, u := range services {
		for _, state := range states {
			is := 0.0
			if u.active == state {
				is = 1
			}
			out.Add("node_systemd_unit_state", is, "name", u.name, "state", state)
		}
	}
	out.Add("plimsoll_systemd_services_left_out", float64(left))
}

// services picks those to report one by one, in the order of their names, and
// counts those beyond the bound.
func (s *systemd) services(units []unit) (picked []unit, left int) {
	for _, u := range units {
		if !strings.HasSuffix(u.name, ".service") {
			continue
		}
		if u.active != "inactive" && len(s.seen) < maxSeenUnits {
			s.seen[u.name] = true
		}
		if u.active != "inactive" || s.seen[u.name] {
			picked = append(picked, u)
		}
	}
	sort.Slice(picked, func(i, j int) bool {
		a, b := picked[i], picked[j]
		if failed := a.active == "failed"; failed != (b.active == "failed") {
			return failed
		}
		return a.name < b.name
	})
	if len(picked) > maxUnits {
		picked, left = picked[:maxUnits], len(picked)-maxUnits
	}
	sort.Slice(picked, func(i, j int) bool { return picked[i].name < picked[j].name })
	return picked, left
}
