package check

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// script tests by a program of the agent's own file: exit status 0 is up, any
// other is down, and the first line it writes is the reason.
type script struct {
	argv    []string
	timeout time.Duration
}

func newScript(spec Spec) (prober, error) {
	if !filepath.IsAbs(spec.Script[0]) && !strings.HasPrefix(spec.Script[0], "/") {
		return nil, fmt.Errorf("%q is not an absolute path: a script is never looked for in a PATH", spec.Script[0])
	}
	for _, arg := range spec.Script {
		if strings.ContainsRune(arg, 0) {
			return nil, fmt.Errorf("%q has a NUL in it", arg)
		}
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
