package check

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
		"1/stat":    "1 (systemd) S 0 1 1",
		"7/stat":    "7 (shop) S 1 7 7",
		"8/stat":    "8 (shop) Z 1 8 8",    // has ended, and nobody looked
		"9/stat":    "9 (a) S (b) R 1 9 9", // a name with a state in it
		"10/stat":   "10 (shop",            // cut
		"self/stat": "7 (shop) S 1 7 7",    // not a number
		"uptime":    "1 1",
	})
	hidden := tree(map[string]string{"7/stat": "7 (shop) S 1 7 7"}) // mounted with hidepid=2: no first process
	rows := []struct {
		name, root, program string
		min                 int
		state               State
		reason              string // a part of it
	}{
		{"zombies do not run", usual, "shop", 2, Down, "1 of shop run, fewer than 2"},
		{"a name with parentheses", usual, "a) S (b", 1, Up, ""},
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

func TestFile(t *testing.T) {
	root := t.TempDir()
	now := time.Now()
	write := func(name string, size int, age time.Duration) {
		path := filepath.Join(root, "backup", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	write("db-1.gz", 5000, 49*time.Hour)
	write("db-2.gz", 10, 25*time.Hour)
	write("web.gz", 5000, time.Hour)
	write("next.gz", 5000, -3*time.Hour)
	if err := os.Symlink("nowhere", filepath.Join(root, "backup", "dangling.gz")); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		file   string
		want   Fresh
		state  State
		reason string // a part of it
	}{
		{"/backup/web.gz", Fresh{}, Up, ""},
		{"/backup/web.gz", Fresh{MaxAge: 26 * time.Hour, MinSize: 5000}, Up, ""},
		{"/backup/web.gz", Fresh{MinSize: 5001}, Down, "web.gz has 5000 bytes, fewer than 5001"},
		{"/backup/web.gz", Fresh{MaxAge: 30 * time.Minute}, Down, "web.gz was last written 1h0m"},
		{"/backup/db-*.gz", Fresh{MaxAge: 26 * time.Hour}, Up, ""},                                             // the youngest counts
		{"/backup/db-*.gz", Fresh{MaxAge: 26 * time.Hour, MinSize: 4096}, Down, "db-2.gz has 10 bytes, fewer"}, // also when an older one is larger
		{"/backup/db-*.gz", Fresh{MaxAge: 24 * time.Hour}, Down, "db-2.gz was last written 25h0m"},
		{"/backup/no.gz", Fresh{}, Down, "/backup/no.gz does not exist"},
		{"/backup/no-*.gz", Fresh{}, Down, "/backup/no-*.gz does not exist"},
		{"/backup/dangling.gz", Fresh{}, Down, "/backup/dangling.gz does not exist"},
		{"/none/db-*.gz", Fresh{}, Down, "/none/db-*.gz does not exist"},
		{"/backup/web.gz/db", Fresh{}, Unknown, "cannot be looked at"},
		{"/backup/next.gz", Fresh{}, Degraded, "next.gz is dated 3h0m"},
	}
	for _, row := range rows {
		r := probeOnce(t, Spec{File: row.file, Fresh: row.want, Roots: Roots{RootFS: root}})
		if r.State != row.state || !strings.Contains(r.Reason, row.reason) || row.reason == "" && r.Reason != "" {
			t.Errorf("%s %+v: got %s %q, want %s %q", row.file, row.want, r.State, r.Reason, row.state, row.reason)
		}
	}
}

// TestFileStuck: while one look hangs in the kernel, no second one is begun
// and nothing is said of the file.
func TestFileStuck(t *testing.T) {
	made, err := newFile(Spec{File: "/backup/db"})
	if err != nil {
		t.Fatal(err)
	}
	d := made.(*dated)
	d.stuck <- struct{}{} // a look that has not come back
	if r := d.probe(t.Context()); r.State != Unknown || r.Reason != "the file system of /backup/db does not answer; look at its mount" {
		t.Errorf("got %s %q", r.State, r.Reason)
	}
}

func TestUnitState(t *testing.T) {
	// As systemctl show prints it.
	rows := []struct {
		text, reason string
		state        State
	}{
		{"Result=success\nLoadState=loaded\nActiveState=active\nSubState=running\n", "", Up},
		{"Result=success\nLoadState=loaded\nActiveState=active\nSubState=exited\n", "", Up},
		{"Result=success\nLoadState=loaded\nActiveState=reloading\nSubState=reload\n", "", Up},
		{"Result=success\nLoadState=loaded\nActiveState=activating\nSubState=start-pre\n", "the unit shop.service is starting (start-pre)", Degraded},
		{"Result=exit-code\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\n", "the unit shop.service is activating (auto-restart, result exit-code)", Down},
		{"Result=oom-kill\nLoadState=loaded\nActiveState=failed\nSubState=failed\n", "the unit shop.service is failed (failed, result oom-kill)", Down},
		{"Result=success\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n", "the unit shop.service is inactive (dead)", Down},
		{"Result=success\nLoadState=masked\nActiveState=inactive\nSubState=dead\n", "the unit shop.service is inactive (dead)", Down},
		{"Result=success\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n", "systemd knows no unit shop.service; correct its name, or install it", Unknown},
		{"", `systemd says nothing of the unit shop.service; see "systemctl status shop.service"`, Unknown},
	}
	for _, row := range rows {
		if r := unitState("shop.service", row.text); r.State != row.state || r.Reason != row.reason {
			t.Errorf("%q: got %s %q, want %s %q", row.text, r.State, r.Reason, row.state, row.reason)
		}
	}
}

// TestUnit asks the real systemctl: where systemd runs it knows the unit, and
// where it does not, nothing is known.
func TestUnit(t *testing.T) {
	need.Program(t, "systemctl", "systemd")
	r := probeOnce(t, Spec{Unit: "no-such-unit-of-plimsoll"})
	knows, cannot := "systemd knows no unit no-such-unit-of-plimsoll.service", "systemd cannot be asked ("
	if r.State != Unknown || !strings.HasPrefix(r.Reason, knows) && !strings.HasPrefix(r.Reason, cannot) {
		t.Errorf("got %s %q, want unknown %q or %q", r.State, r.Reason, knows, cannot)
	}
}

// TestNoSystemctl: a host without systemd is told what to do instead.
func TestNoSystemctl(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if r := probeOnce(t, Spec{Unit: "shop"}); r.State != Unknown || r.Reason != "there is no systemctl on this host; test the process or a port instead" {
		t.Errorf("got %s %q", r.State, r.Reason)
	}
}
