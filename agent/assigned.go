package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/internal/settings"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// minAssignedInterval is how often a check from remote may be made at most: an
// agent is no tool to flood somebody with.
const minAssignedInterval = time.Second

// refusedCheck is a check of the collector that is not taken up, and why.
type refusedCheck struct {
	component, name string
	reason          string
}

// remoteChecks is the document of wire.Checks, read like a file of one's own.
type remoteChecks struct {
	Checks []CheckConfig `yaml:"checks"`
}

// readAssigned reads what the collector assigned. Each check is taken or
// refused by itself, so that one of a newer collector does not cost the
// others; an error is a document that is none.
func (c *Config) readAssigned(body []byte) (taken []*check.Check, refused []refusedCheck, err error) {
	if len(body) > wire.MaxChecks || !json.Valid(body) {
		return nil, nil, errors.New("the answer is not a list of checks")
	}
	var remote remoteChecks
	doc, faults := settings.Decode("assigned", body, &remote, nil)
	v := validator{doc: doc}
	for i, k := range remote.Checks {
		key := fmt.Sprintf("checks[%d]", i)
		spec := c.spec(k)
		v.assignedCheck(key, spec) // first: what is never taken is said so
		v.check(key, k, spec)
	}
	why := map[int]string{}
	for _, f := range append(faults, v.faults...) {
		i, ok := indexOf(f.Path)
		if !ok || i >= len(remote.Checks) {
			return nil, nil, fmt.Errorf("the answer is not a list of checks: %s", f.Message)
		}
		if why[i] == "" {
			why[i] = f.Message
			if _, key, ok := strings.Cut(f.Path, "]."); ok {
				why[i] = key + ": " + f.Message
			}
		}
	}
	tested := map[string]string{}
	for _, k := range c.Checks {
		tested[k.Component] = "the agent's own file"
	}
	for i, k := range remote.Checks {
		spec := c.spec(k)
		spec.Guard = c.Assigned.guard()
		reason := why[i]
		if by := tested[k.Component]; reason == "" && by != "" {
			reason = "the component is tested by " + by + " already"
		}
		if reason == "" && len(c.Checks)+len(taken) >= maxChecks {
			reason = fmt.Sprintf("this host makes %d checks already", maxChecks)
		}
		var made *check.Check
		if reason == "" {
			if made, err = check.New(spec); err != nil {
				reason = err.Error()
			}
		}
		if reason != "" {
			refused = append(refused, refusedCheck{k.Component, spec.Name, reason})
			continue
		}
		tested[k.Component] = "another check of the collector"
		taken = append(taken, made)
	}
	return taken, refused, nil
}

// indexOf is the n of a path checks[n] or below it.
func indexOf(path string) (n int, ok bool) {
	_, err := fmt.Sscanf(path, "checks[%d]", &n)
	return n, err == nil && n >= 0
}

// assignedCheck refuses what is never taken from remote: whatever reads or
// runs something of this host, and more tests than a service bears.
func (v *validator) assignedCheck(key string, spec check.Spec) {
	const remedy = "put it into the agent's own file"
	for _, field := range [...]string{"script", "plugin", "heartbeat", "process", "unit", "file", "ca"} {
		if v.doc.Has(key + "." + field) {
			v.fault(key+"."+field, "is never taken from the collector", remedy)
		}
	}
	if spec.Interval < minAssignedInterval {
		v.fault(key+".interval", fmt.Sprintf("%s is shorter than %s", settings.Duration(spec.Interval), settings.Duration(minAssignedInterval)), remedy)
	}
}
