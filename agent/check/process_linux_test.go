package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/need"
)

// start runs a copy of sleep under the name and returns once it runs.
func start(t *testing.T, name string, n int) {
	t.Helper()
	sleep, err := os.ReadFile(need.Program(t, "sleep", "coreutils"))
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(program, sleep, 0o700); err != nil {
		t.Fatal(err)
	}
	for range n {
		cmd := exec.Command(program, "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
	}
}

func TestProcess(t *testing.T) {
	start(t, "plims-two", 2)
	start(t, "plims-a-rather-long-name", 1)
	start(t, "plims-a-rather-longer-name", 1) // the kernel keeps the same 15 bytes of both
	rows := []struct {
		program string
		count   Count
		state   State
		reason  string
	}{
		{"plims-two", Count{Min: 1}, Up, ""},
		{"plims-two", Count{Min: 2, Max: 2}, Up, ""},
		{"plims-two", Count{Min: 3}, Down, "2 of plims-two run, fewer than 3"},
		{"plims-two", Count{Min: 1, Max: 1}, Degraded, "2 of plims-two run, more than 1"},
		{"plims-none", Count{Min: 1}, Down, "0 of plims-none run, fewer than 1"},
		{"plims-a-rather-long-name", Count{Min: 1, Max: 1}, Up, ""},
		{"plims-a-rather-", Count{Min: 1}, Up, ""}, // what ps shows of both
		{"plims-a-rather-no-name", Count{Min: 1}, Down, "0 of plims-a-rather-no-name run, fewer than 1"},
	}
	for _, row := range rows {
		r := probeOnce(t, Spec{Process: row.program, Count: row.count})
		if r.State != row.state || r.Reason != row.reason {
			t.Errorf("%s %+v: got %s %q, want %s %q", row.program, row.count, r.State, r.Reason, row.state, row.reason)
		}
	}
}

// TestProcessInATree reads a tree as a container sees its host's.
func TestProcessInATree(t *testing.T) {
	tree := func(files map[string]string) string {
		root := t.TempDir()
		for name, text := range files {
			if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return root
	}
	usual := tree(map[string]string{
		"1/comm": "systemd\n", "1/stat": "1 (systemd) S 0 1 1",
		"7/comm": "shop\n", "7/stat": "7 (shop) S 1 7 7",
		"8/comm": "shop\n", "8/stat": "8 (shop) Z 1 8 8", // has ended, and nobody looked
		"9/comm": "a) Z (b\n", "9/stat": "9 (a) Z (b) R 1 9 9", // a name with a state in it
		"10/comm": "shop\n", "10/stat": "10 (shop", // cut
		"11/comm":   "shop\n",                                  // ended meanwhile
		"self/comm": "shop\n", "self/stat": "7 (shop) S 1 7 7", // not a number
		"uptime": "1 1",
	})
	hidden := tree(map[string]string{"7/comm": "shop\n", "7/stat": "7 (shop) S 1 7 7"}) // mounted with hidepid=2: no first process
	rows := []struct {
		name, root, program string
		min                 int
		state               State
		reason              string // a part of it
	}{
		{"zombies do not run", usual, "shop", 2, Down, "1 of shop run, fewer than 2"},
		{"a name with parentheses", usual, "a) Z (b", 1, Up, ""},
		{"hidden, and enough are seen", hidden, "shop", 1, Up, ""},
		{"hidden, and too few are seen", hidden, "shop", 2, Unknown, "hides processes from the agent; mount /proc without hidepid"},
		{"no tree", filepath.Join(usual, "none"), "shop", 1, Unknown, "see whether roots.proc is right"},
	}
	for _, row := range rows {
		r := probeOnce(t, Spec{Process: row.program, Count: Count{Min: row.min}, Roots: Roots{Proc: row.root}})
		if r.State != row.state || !strings.Contains(r.Reason, row.reason) || row.reason == "" && r.Reason != "" {
			t.Errorf("%s: got %s %q, want %s %q", row.name, r.State, r.Reason, row.state, row.reason)
		}
	}
}
