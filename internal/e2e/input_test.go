package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/need"
)

// TestBadInput: each fault is one clear sentence with its remedy, all at
// once, with the right exit status.
func TestBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	busyFile := write("file", "") // where a directory would have to be
	for _, c := range []struct {
		name   string
		args   []string
		status int
		want   []string
	}{
		{"collector: unknown keys, all at once", []string{"plimsoll-collector", "run", "--config", write("c.yaml", "listn: 127.0.0.1:1\nretension: 5d\n")},
			2, []string{"c.yaml:1: listn", "listen", "c.yaml:2: retension", "retention"}},
		{"collector: not yet", []string{"plimsoll-collector", "run", "--config", write("n.yaml", "external_url: https://a.example\n")},
			2, []string{"n.yaml:1", "external_url", "not yet"}},
		{"agent: unknown keys, all at once", []string{"plimsoll-agent", "run", "--config", write("a.yaml", "intervall: 15s\nchecks: [{component: a, htp: 'http://x'}]\n")},
			2, []string{"a.yaml:1", "interval", "a.yaml:2", "http"}},
		{"catalogue: faults with lines", []string{"plimsoll-collector", "check", "--catalogue",
			write("k.yaml", "components: [{name: a}]\nservices:\n  - {name: s, needs: {all_of: [a, b]}}\nagreementz: []\n")},
			2, []string{"k.yaml:3", "k.yaml:4", "agreements"}},
		{"evaluate: bad lines", []string{"plimsoll-collector", "evaluate", "--catalogue", write("good.yaml", "components: [{name: a}]\nservices: [{name: s, needs: {all_of: [a]}}]\n"),
			"--facts", write("f.csv", "time,component,state\nyesterday,a,up\n2026-10-01T00:00:00Z,a,sideways\n"), "--from", "2026-10-01", "--to", "2026-11-01"},
			2, []string{"f.csv:2", "yesterday", "f.csv:3", "sideways"}},
		{"beyond loopback", []string{"plimsoll-collector", "run", "--config", write("never.yaml", "login: never\n"), "--data", filepath.Join(dir, "d1"), "--listen", "0.0.0.0:0", "--listen-agents", "127.0.0.1:0"},
			1, []string{"login: never", "127.0.0.1"}},
		{"port in use", []string{"plimsoll-collector", "run", "--data", filepath.Join(dir, "d2"), "--listen", busy.Addr().String(), "--listen-agents", "127.0.0.1:0"},
			1, []string{"in use", "--listen"}},
		{"no such port", []string{"plimsoll-collector", "run", "--data", filepath.Join(dir, "d3"), "--listen", "127.0.0.1:99999"},
			2, []string{"--listen", `"99999" is not 0 to 65535`, "127.0.0.1:1876"}},
		{"no such port in the configuration", []string{"plimsoll-collector", "run", "--config", write("p.yaml", "listen_agents: :99999\n")},
			2, []string{"p.yaml:1: listen_agents", `"99999" is not 0 to 65535`}},
		{"an empty address is not the default", []string{"plimsoll-collector", "quickstart", "--data", filepath.Join(dir, "d3"), "--listen", ""},
			2, []string{`--listen: "" is not host:port`, "leave the flag out for the default"}},
		{"an empty address of agents", []string{"plimsoll-collector", "run", "--data", filepath.Join(dir, "d3"), "--listen-agents="},
			2, []string{`--listen-agents: "" is not host:port`}},
		{"a data directory that cannot be written, before any port", []string{"plimsoll-collector", "quickstart", "--data", filepath.Join(busyFile, "d"), "--listen", busy.Addr().String(), "--listen-sample", busy.Addr().String()},
			1, []string{"the data directory " + filepath.Join(busyFile, "d") + " cannot be written", "--data"}},
		{"a time that is over", []string{"plimsoll-collector", "enrol", "create", "--ttl", "-5h"},
			2, []string{`--ttl: "-5h" is not a time from now on; write it like 24h`}},
		{"as of a word", []string{"plimsoll-collector", "report", "--customer", "a", "--period", "2026-11", "--as-of", "noon"},
			2, []string{`--as-of: "noon" is not an instant or a date; write it like 2026-10-01 or 2026-10-01T08:00:00+08:00`}},
		{"a collector without a scheme", []string{"plimsoll-collector", "enrol", "create", "--collector", "127.0.0.1:1"},
			1, []string{"http://127.0.0.1:1/", "--collector"}},
		{"check: no catalogue", []string{"plimsoll-collector", "check", "--catalogue", filepath.Join(dir, "none.yaml")},
			2, []string{"plimsoll-collector: read the catalogue", "none.yaml"}},
		{"check: not a catalogue", []string{"plimsoll-collector", "check", "--catalogue", write("binary.yaml", "\x00\x01: [")},
			2, []string{"binary.yaml"}},
		{"run: no catalogue", []string{"plimsoll-collector", "run", "--data", filepath.Join(dir, "d4"), "--listen", "127.0.0.1:0", "--listen-agents", "127.0.0.1:0",
			"--config", write("k2.yaml", "catalogue: "+filepath.Join(dir, "none.yaml")+"\n")},
			2, []string{"none.yaml", "catalogue"}},
		{"run: a catalogue with a fault", []string{"plimsoll-collector", "run", "--data", filepath.Join(dir, "d5"), "--listen", "127.0.0.1:0", "--listen-agents", "127.0.0.1:0",
			"--config", write("k3.yaml", "catalogue: "+write("bad.yaml", "services: [\n")+"\n")},
			2, []string{"bad.yaml"}},
		{"evaluate: a period that ends before it begins", []string{"plimsoll-collector", "evaluate", "--facts", write("e.csv", "time,component,state\n"), "--catalogue", filepath.Join(dir, "good.yaml"), "--from", "2026-12-01", "--to", "2026-11-01"},
			2, []string{"plimsoll-collector evaluate: --from 2026-12-01 is not before --to 2026-11-01"}},
		{"unknown command", []string{"plimsoll-collector", "quikstart"}, 2, []string{"quikstart"}},
	} {
		stdout, stderr, status := runOnce(t, c.args[0], c.args[1:]...)
		if status != c.status {
			t.Errorf("%s: exit status %d, want %d", c.name, status, c.status)
		}
		if c.status == 2 && stdout != "" && !strings.HasPrefix(stdout, "Usage") {
			t.Errorf("%s: wrote to standard output: %s", c.name, tail(stdout, 3))
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: the message lacks %q:\n%s", c.name, want, tail(stderr, 8))
			}
		}
	}
}

// TestHelpIsACommandToo: "help" is what --help is, in both programs.
func TestHelpIsACommandToo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ program, help, same, want string }{
		{"plimsoll-collector", "help", "--help", "quickstart"},
		{"plimsoll-collector", "help enrol create", "enrol create --help", "--ttl"},
		{"plimsoll-agent", "help", "--help", "enrol"},
	} {
		help, _, status := runOnce(t, row.program, strings.Fields(row.help)...)
		same, _, _ := runOnce(t, row.program, strings.Fields(row.same)...)
		if status != 0 || help != same || !strings.Contains(help, row.want) {
			t.Errorf("%s %s: status %d:\n%s", row.program, row.help, status, help)
		}
	}
}

// TestDataDirectoryIsHeldOnce: a second collector on the same data, by the same
// command or another, says who holds it and where its page is, before any port
// is tried.
func TestDataDirectoryIsHeldOnce(t *testing.T) {
	t.Parallel()
	q := startTrial(t)
	q.ready()
	for _, args := range [][]string{
		q.args, // the commonest mistake: the same line in a second window
		{"run", "--data", q.data, "--listen", freeAddr(t), "--listen-agents", freeAddr(t)},
	} {
		stdout, stderr, status := runOnce(t, "plimsoll-collector", args...)
		want := fmt.Sprintf("Plimsoll runs already here: process %d, its page is %s;", q.cmd.Process.Pid, q.base)
		if status != 1 || !strings.Contains(stderr, want) || !strings.Contains(stderr, "--data") || strings.Contains(stdout, "watches this host") {
			t.Errorf("%s: status %d, want 1 and %q:\n%s%s", args[0], status, want, stdout, stderr)
		}
	}
	q.stop()
}

// TestNoSpace: a full disk is one clear sentence with the remedy.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	dir := need.NewDisk(t, 48).Path
	need.Fill(t, dir)
	for _, command := range []string{"run", "quickstart"} {
		args := []string{command, "--data", filepath.Join(dir, "data"), "--listen", freeAddr(t), "--listen-agents", freeAddr(t)}
		if command == "quickstart" {
			args = append(args, "--listen-sample", "127.0.0.1:0")
		}
		_, stderr, status := runOnce(t, "plimsoll-collector", args...)
		if status != 1 || !strings.Contains(stderr, "no space is left on the disk of the data directory: free some") || !strings.Contains(stderr, "--data") {
			t.Errorf("%s: status %d: %s", command, status, stderr)
		}
	}
}
