package check

import (
	"context"
	"time"
)

// script tests by a program of the agent's own file: exit status 0 is up, any
// other is down, and the first line it writes is the reason.
type script struct {
	argv    []string
	timeout time.Duration
}

func newScript(spec Spec) (prober, error) {
	if err := programFault(spec.Script); err != nil {
		return nil, err
	}
	return &script{argv: spec.Script, timeout: spec.Timeout}, nil
}

// probe runs the program once.
func (s *script) probe(ctx context.Context) Result {
	e, err := runProgram(ctx, s.argv)
	switch {
	case err != nil:
		return notStarted(s.argv[0], err)
	case e.code == 0 && !e.late:
		return Result{State: Up}
	case e.signal != "" && !e.late:
		return unknown("%s was ended by a signal (%s); look for who sent it, often the kernel when memory ran out", s.argv[0], e.signal)
	}
	return down("%s", e.exitReason(s.argv[0], s.timeout))
}
