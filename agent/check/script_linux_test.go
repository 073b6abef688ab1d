package check

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program writes an executable script and returns its path.
func program(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.sh")
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScript(t *testing.T) {
	t.Setenv("PLIMSOLL_SECRET", "canary")
	plain := program(t, "#!/bin/sh\nexit 0\n")
	if err := os.Chmod(plain, 0o600); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name   string
		argv   []string
		state  State
		reason string
	}{
		{"content", []string{program(t, "#!/bin/sh\necho all is well\n")}, Up, ""},
		{"not content", []string{program(t, "#!/bin/sh\necho; echo the queue is full; echo more; exit 2\n")}, Down, "the queue is full"},
		{"tells it as an error", []string{program(t, "#!/bin/sh\necho the queue is full >&2; exit 1\n")}, Down, "the queue is full"},
		{"tells nothing", []string{"/bin/false"}, Down, "/bin/false ended with status 1"},
		{"steers a terminal", []string{program(t, "#!/bin/sh\nprintf 'a\\033[31mb\\r\\n'; exit 1\n")}, Down, "a [31mb"},
		{"arguments are no shell's", []string{program(t, "#!/bin/sh\necho \"$# $1\"; exit 1\n"), "$(id); *", "b c"}, Down, "2 $(id); *"},
		{"its environment", []string{program(t, "#!/bin/sh\n[ -z \"$PLIMSOLL_SECRET$HOME\" ] && [ \"$PWD\" = / ] && [ -n \"$PATH\" ]\n")}, Up, ""},
		{"reads nothing", []string{program(t, "#!/bin/sh\nread line\n[ $? = 1 ]\n")}, Up, ""},
		{"writes without end", []string{"/bin/sh", "-c", "head -c 20000000 /dev/zero; exit 1"}, Down, "/bin/sh ended with status 1"},
		{"one endless line", []string{"/bin/sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; exit 1"}, Down, strings.Repeat("x", maxReason)},
		{"ended by a signal", []string{"/bin/sh", "-c", "kill -9 $$"}, Unknown, "/bin/sh was ended by a signal (killed); look for who sent it, often the kernel when memory ran out"},
		{"no such program", []string{"/no/such/program"}, Unknown, "there is no program /no/such/program, or not the interpreter its first line names; install it, or correct the path"},
		{"no such interpreter", []string{program(t, "#!/no/such/sh\n")}, Unknown, ""},
		{"not executable", []string{plain}, Unknown, plain + " may not be executed by the agent; make it executable for the agent's user"},
		{"a directory", []string{"/"}, Unknown, "/ was not started: is a directory; see whether it is a program for this system"},
		{"not a program", []string{program(t, "\x7fELF?")}, Unknown, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := probeOnce(t, Spec{Script: row.argv})
			if r.State != row.state || row.reason != "" && r.Reason != row.reason || (row.state == Up) != (r.Reason == "") {
				t.Errorf("got %s %q, want %s %q", r.State, r.Reason, row.state, row.reason)
			}
		})
	}
}

// alive tells whether the process whose number the file holds still runs.
func alive(t *testing.T, file string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Second); syscall.Kill(pid, 0) == nil; {
		stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if state, ok := stateOf(stat); ok && state == 'Z' {
			return false // only its number is left, until somebody asks for it
		}
		if time.Now().After(deadline) {
			return true
		}
		<-time.After(time.Millisecond)
	}
	return false
}

// TestScriptLeavesNothing: neither at the deadline nor at its own end does a
// script leave a process of its group behind.
func TestScriptLeavesNothing(t *testing.T) {
	rows := []struct {
		name, text string
		state      State
		reason     string
	}{
		{"hangs", "echo working; sleep 60", Down, "/bin/sh did not end within 300ms"},
		{"hangs and ignores being asked", "trap '' TERM INT HUP; sleep 60", Down, "/bin/sh did not end within 300ms"},
		{"hangs in children of children", "(sh -c 'sleep 60 & sleep 60' & wait)", Down, "/bin/sh did not end within 300ms"},
		{"ends, its child holds the output", "sleep 60 & exit 0", Up, ""},
		{"fails, its child holds the output", "sleep 60 & echo the queue is full; exit 1", Down, "the queue is full"},
		{"floods until the end", "while :; do echo x; done", Down, "/bin/sh did not end within 300ms"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			pid := filepath.Join(t.TempDir(), "pid")
			script := "sleep 61 >/dev/null & echo $! > " + pid + "; " + row.text
			r := probeOnce(t, Spec{Script: []string{"/bin/sh", "-c", script}, Timeout: 300 * time.Millisecond})
			if r.State != row.state || r.Reason != row.reason {
				t.Errorf("got %s %q, want %s %q", r.State, r.Reason, row.state, row.reason)
			}
			if r.Duration > 2*time.Second {
				t.Errorf("took %s, want little more than the timeout", r.Duration)
			}
			if alive(t, pid) {
				t.Error("its child still runs")
			}
		})
	}
}
