package check

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Exit statuses of a monitoring plugin; any other is none of its words.
const (
	pluginOK       = 0
	pluginWarning  = 1
	pluginCritical = 2
	pluginUnknown  = 3
)

// plugin tests by a program of the agent's own file that speaks as Nagios'
// plugins do: its exit status is the state, the first line before a bar the
// reason, and what stands behind bars are performance data.
type plugin struct {
	argv    []string
	timeout time.Duration
}

func newPlugin(spec Spec) (prober, error) {
	if err := programFault(spec.Plugin); err != nil {
		return nil, err
	}
	return &plugin{argv: spec.Plugin, timeout: spec.Timeout}, nil
}

// programFault says what is wrong with a program and its arguments.
func programFault(argv []string) error {
	if !filepath.IsAbs(argv[0]) && !strings.HasPrefix(argv[0], "/") {
		return fmt.Errorf("%q is not an absolute path: a program is never looked for in a PATH", argv[0])
	}
	for _, arg := range argv {
		if strings.ContainsRune(arg, 0) {
			return fmt.Errorf("%q has a NUL in it", arg)
		}
	}
	return nil
}

// probe runs the program once.
func (p *plugin) probe(ctx context.Context) Result {
	e, err := runProgram(ctx, p.argv)
	switch {
	case err != nil:
		return notStarted(p.argv[0], err)
	case e.late:
		return down("%s did not end within %s", p.argv[0], p.timeout)
	case e.signal != "":
		return unknown("%s was ended by a signal (%s); look for who sent it, often the kernel when memory ran out", p.argv[0], e.signal)
	}
	text, data, atEnd := splitOutput(e.out)
	reason := firstLine(text)
	if reason == "" {
		reason = fmt.Sprintf("%s ended with status %d", p.argv[0], e.code)
	}
	var r Result
	switch e.code {
	case pluginOK:
		r = Result{State: Up}
	case pluginWarning:
		r = degraded("%s", reason)
	case pluginCritical:
		r = down("%s", reason)
	case pluginUnknown:
		r = unknown("%s", reason)
	default:
		r = unknown("%s ended with status %d, which is none of a plugin's (0 to 3): %s", p.argv[0], e.code, firstLine(text))
	}
	if r.State != Unknown { // it measured nothing; bars are of its usage text
		r.Performance, r.Unread = readPerformance(data, e.cut && atEnd)
	}
	return r
}
