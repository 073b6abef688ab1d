package api

import (
	"context"
	"math"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
)

// HostUsage is one instance of a resource on a host.
type HostUsage struct {
	Resource string            `json:"resource"`
	Labels   map[string]string `json:"labels"`
	Used     float64           `json:"used"`
	Limit    float64           `json:"limit"`
	Unit     string            `json:"unit"`
	Share    *float64          `json:"share" doc:"used / limit, null without a limit"`
	Level    string            `json:"level" enum:"clear,warning,critical" doc:"which threshold the share passes at this instant"`

	Exception *ExceptionBody `json:"exception,omitempty" doc:"why its thresholds are not those of all"`
}

// ExceptionBody is an exception of the catalogue that holds for an instance.
type ExceptionBody struct {
	Reason  string     `json:"reason"`
	Ignored bool       `json:"ignored" doc:"it has no threshold at all"`
	Until   *time.Time `json:"until,omitempty" doc:"when it ends, excluded"`
}

func exceptionOf(e *capacity.Exception) *ExceptionBody {
	if e == nil {
		return nil
	}
	out := &ExceptionBody{Reason: e.Reason, Ignored: e.Ignore}
	if e.Until != 0 {
		until := time.UnixMilli(e.Until).UTC()
		out.Until = &until
	}
	return out
}

// HostBody is one host.
type HostBody struct {
	Host       string             `json:"host" doc:"stable id"`
	Instance   string             `json:"instance"`
	Customer   string             `json:"customer"`
	OS         string             `json:"os"`
	Version    string             `json:"version" doc:"of its agent"`
	Sender     string             `json:"sender" doc:"the foreign sender that brings it; empty for an enrolled host"`
	State      availability.State `json:"state"`
	Since      *time.Time         `json:"since"`
	EnrolledAt *time.Time         `json:"enrolled_at"`
	LastSeen   *time.Time         `json:"last_seen"`
	Usage      []HostUsage        `json:"usage"`
	Labels     map[string]string  `json:"labels" doc:"of the token it enrolled with"`
	Quarantine string             `json:"quarantine" doc:"why nothing of it is taken; empty when it is not in quarantine"`
}

// HostsBody lists hosts.
type HostsBody struct {
	AsOf  time.Time  `json:"as_of"`
	Hosts []HostBody `json:"hosts"`
}

// Hosts answers with the enrolled hosts and how full they are.
func (a *API) Hosts(ctx context.Context, in *AsOf) (*struct{ Body HostsBody }, error) {
	asOf, err := a.asOf(*in)
	if err != nil {
		return nil, err
	}
	hosts, err := a.o.Store.Hosts(ctx)
	if err != nil {
		return nil, a.answer(err, "hosts")
	}
	states, err := a.o.Figures.States(ctx, asOf)
	if err != nil {
		return nil, a.answer(err, "hosts")
	}
	usages, err := a.o.Figures.Usages(ctx, asOf)
	if err != nil {
		return nil, a.answer(err, "hosts")
	}
	hostStates := states.Hosts()
	body := HostsBody{AsOf: asOf, Hosts: []HostBody{}}
	for i := range hosts {
		h := &hosts[i]
		if h.RemovedAt != 0 || h.EnrolledAt > asOf.UnixMilli() {
			continue
		}
		st := hostStates.Host(h)
		out := HostBody{h.ID, h.Instance, h.Customer, h.OS, h.Version, h.Sender, st.State, instant(st.Since), instant(h.EnrolledAt), instant(h.LastSeen), []HostUsage{}, h.Labels, h.Quarantine}
		for _, u := range usages {
			if u.Labels["instance"] != h.Instance {
				continue
			}
			usage := HostUsage{Resource: u.Resource.Name, Labels: u.Labels, Used: u.Used, Limit: u.Limit, Unit: u.Resource.Unit, Level: u.Level().String(), Exception: exceptionOf(u.Exception)}
			if share := u.Share(); !math.IsNaN(share) {
				usage.Share = &share
			}
			out.Usage = append(out.Usage, usage)
		}
		body.Hosts = append(body.Hosts, out)
	}
	return &struct{ Body HostsBody }{body}, nil
}
