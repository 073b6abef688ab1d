package check

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// unit tests whether a systemd unit is active. It asks by systemctl: that
// costs a process for a few milliseconds, but neither a D-Bus library in each
// agent nor a connection that breaks when systemd is upgraded.
type unit struct {
	name    string
	timeout time.Duration
	program string // systemctl, looked for in the agent's PATH
}

func newUnit(spec Spec) (prober, error) {
	name := spec.Unit
	if strings.HasPrefix(name, "-") || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@") != "" || len(name) > 255 {
		return nil, fmt.Errorf("%q is not the name of a unit", name)
	}
	if !strings.Contains(name, ".") {
		name += ".service"
	}
	return &unit{name: name, timeout: spec.Timeout, program: "systemctl"}, nil
}

// probe asks systemd once.
func (u *unit) probe(ctx context.Context) Result {
	program, err := exec.LookPath(u.program)
	if err != nil {
		return unknown("there is no %s on this host; test the process or a port instead", u.program)
	}
	e, err := runProgram(ctx, []string{program, "show", "--no-pager", "--property=LoadState,ActiveState,SubState,Result", "--", u.name})
	switch {
	case err != nil:
		return notStarted(program, err)
	case e.late:
		return unknown("systemd did not answer within %s; look at this host's systemd and D-Bus", u.timeout)
	case e.code != 0:
		return unknown("systemd cannot be asked (%s); run the agent where systemd runs, or test the process or a port instead", firstLine(e.out))
	}
	return unitState(u.name, e.out)
}

// unitState judges the properties systemctl printed, one KEY=VALUE a line.
func unitState(name, text string) Result {
	p := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			p[key] = value
		}
	}
	active, sub := p["ActiveState"], p["SubState"]
	switch {
	case p["LoadState"] == "" || active == "":
		return unknown("systemd says nothing of the unit %s; see \"systemctl status %s\"", name, name)
	case p["LoadState"] == "not-found":
		return unknown("systemd knows no unit %s; correct its name, or install it", name)
	}
	switch active {
	case "active", "reloading", "refreshing":
		return Result{State: Up}
	case "activating":
		if sub != "auto-restart" {
			return degraded("the unit %s is starting (%s)", name, sub)
		}
	}
	why := ""
	if r := p["Result"]; r != "" && r != "success" {
		why = ", result " + r
	}
	return down("the unit %s is %s (%s%s)", name, active, sub, why)
}
