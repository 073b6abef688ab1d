package check

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// process tests whether as many processes of a program run as should.
type process struct {
	name  string
	count Count
	proc  string // root of the process file system
}

func newProcess(spec Spec) (prober, error) {
	if strings.Contains(spec.Process, "/") {
		return nil, fmt.Errorf("%q is a path; give the program's name alone, as ps shows it", spec.Process)
	}
	proc := spec.Roots.Proc
	if proc == "" {
		proc = "/proc"
	}
	return &process{name: spec.Process, count: spec.Count, proc: proc}, nil
}

// found is what a look at the processes gave.
type found struct {
	running int
	hidden  bool // not all processes could be looked at
}

// probe counts the processes of that name.
func (p *process) probe(ctx context.Context) Result {
	got, err := p.find(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		return unknown("the agent is stopping")
	case err != nil:
		return unknown("processes cannot be counted: %v; see whether roots.proc is right and the agent may read it", err)
	case got.running < p.count.Min && got.hidden:
		return unknown("%d of %s are seen, but this host hides processes from the agent; mount /proc without hidepid, or let the agent's group through with gid=", got.running, p.name)
	case got.running < p.count.Min:
		return down("%d of %s run, fewer than %d", got.running, p.name, p.count.Min)
	case p.count.Max > 0 && got.running > p.count.Max:
		return degraded("%d of %s run, more than %d", got.running, p.name, p.count.Max)
	}
	return Result{State: Up}
}
