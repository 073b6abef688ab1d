package check

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"
)

// maxOutput is how much is kept of what a program writes, in bytes; the rest
// is read and dropped, so that the program does not wait for a reader.
const maxOutput = 4 << 10

// lingering is how long a program's end may wait for the children that still
// hold its output.
const lingering = 100 * time.Millisecond

// ended is how a program ended.
type ended struct {
	code   int  // exit status; -1 when a signal ended it
	late   bool // it was ended at the deadline
	signal string
	out    string // the beginning of what it wrote, errors only where there was nothing else
	cut    bool   // it wrote more than that
}

// runProgram runs a program without a shell, with little more than a PATH in
// its environment, in a process group of its own: nothing of the group is
// left when it returns, whether the program ended by itself or the deadline
// ended it. An error is a program that did not start.
func runProgram(ctx context.Context, argv []string) (ended, error) {
	var out, errs head
	cmd := exec.Command(argv[0], argv[1:]...) // of the agent's own file alone
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "LC_ALL=C.UTF-8"}
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = lingering
	late, err := runGroup(ctx, cmd)
	if cmd.ProcessState == nil {
		return ended{}, err
	}
	e := ended{code: cmd.ProcessState.ExitCode(), late: late, signal: signalOf(cmd.ProcessState), out: string(out.text), cut: out.cut}
	if strings.TrimSpace(e.out) == "" {
		e.out, e.cut = string(errs.text), errs.cut
	}
	return e, nil
}

// firstLine is the first line with something on it, as a reason may be.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(bounded(line)); line != "" {
			return line
		}
	}
	return ""
}

// notStarted says why a program did not start, and what to do.
func notStarted(name string, err error) Result {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unknown("%s was not started in time", name)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		return unknown("there is no program %s, or not the interpreter its first line names; install it, or correct the path", name)
	case errors.Is(err, fs.ErrPermission):
		return unknown("%s may not be executed by the agent; make it executable for the agent's user", name)
	case ownFault(err) != "":
		return unknown("%s was not started: %s", name, ownFault(err))
	}
	return unknown("%s was not started: %s; see whether it is a program for this system", name, reasonOf(err))
}

// head keeps the beginning of what is written to it.
type head struct {
	text []byte
	cut  bool // there was more
}

// Write never fails: what is too much is dropped.
func (h *head) Write(p []byte) (int, error) {
	room := maxOutput - len(h.text)
	h.cut = h.cut || len(p) > room
	if room > 0 {
		h.text = append(h.text, p[:min(len(p), room)]...)
	}
	return len(p), nil
}

// exitReason says how a program that is not content ended.
func (e ended) exitReason(name string, timeout time.Duration) string {
	line := firstLine(e.out)
	switch {
	case e.late:
		return fmt.Sprintf("%s did not end within %s", name, timeout)
	case line != "":
		return line
	}
	return fmt.Sprintf("%s ended with status %d", name, e.code)
}
