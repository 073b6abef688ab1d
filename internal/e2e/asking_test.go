package e2e

import (
	"bytes"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestAskingBadly: what is asked of a running collector in a way that cannot
// be answered is refused in one sentence that says how to write it.
func TestAskingBadly(t *testing.T) {
	t.Parallel()
	q := startTrial(t)
	q.ready()
	for _, c := range []struct {
		name string
		args []string
		want []string // of the message; exit status 1
	}{
		{"facts of a period that ends before it begins", []string{"export", "facts", "--from", "2026-12-01", "--to", "2026-11-01"}, []string{"from 2026-12-01 is not before to 2026-11-01"}},
		{"facts of nothing", []string{"export", "facts", "--from", "2026-12-01", "--to", "2026-12-01"}, []string{"is not before"}},
		{"facts from a word", []string{"export", "facts", "--from", "yesterday", "--to", "2026-12-01"}, []string{`"yesterday"`, "2026-10-01"}},
	} {
		stdout, stderr, status := runOnce(t, "plimsoll-collector", append(c.args, "--collector", q.base)...)
		if status != 1 || stdout != "" {
			t.Errorf("%s: exit status %d, want 1; standard output %q, want none", c.name, status, tail(stdout, 3))
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: the message lacks %q:\n%s", c.name, want, tail(stderr, 8))
			}
		}
	}
}

// TestAddAServer follows the page from a fresh quickstart: at first only this
// host can deliver, and both the page and the token say so; started again with
// the page's own line, the next line lets a host in.
func TestAddAServer(t *testing.T) {
	t.Parallel()
	q := startTrial(t)
	q.ready()
	copied := regexp.MustCompile(`<code class="copy">([^<]*)</code>`)
	lines := func(page string) (all []string) {
		for _, m := range copied.FindAllStringSubmatch(q.mustGet(page), -1) {
			all = append(all, html.UnescapeString(m[1]))
		}
		return all
	}
	find := func(page, part string) string {
		t.Helper()
		for _, line := range lines(page) {
			if strings.Contains(line, part) {
				return line
			}
		}
		t.Fatalf("%s has no line with %q: %q", page, part, lines(page))
		return ""
	}
	shell := func(line string) (stdout, stderr string) {
		t.Helper()
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = t.TempDir() // where a newcomer may be
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, errs.String())
		}
		return out.String(), errs.String()
	}

	if report := find("/reports", " report "); !strings.Contains(report, "--collector "+q.base) {
		t.Errorf("the line of the report does not name this collector: %s", report)
	} else if out, _ := shell(report); !strings.Contains(out, ".html") {
		t.Errorf("%s: %s", report, out)
	}
	for _, line := range lines("/") {
		if strings.Contains(line, "enrol create") {
			t.Errorf("offers what cannot work yet: %s", line)
		}
	}
	_, stderr, status := runOnce(t, "plimsoll-collector", "enrol", "create", "--collector", q.base, "--customer", "nobody")
	for _, want := range []string{"only this host can deliver to 127.0.0.1:", "--listen-agents :", `no service of the catalogue is of customer "nobody": it names quickstart`} {
		if status != 0 || !strings.Contains(stderr, want) {
			t.Errorf("enrol create: status %d, lacks %q: %s", status, want, stderr)
		}
	}

	again := find("/", "--listen-agents :")
	q.stop()
	cmd := exec.Command("sh", "-c", "exec "+again)
	q.process = launch(t, cmd)
	q.ready()
	out, warned := shell(find("/", "enrol create"))
	if warned != "" || strings.Contains(out, "127.0.0.1") {
		t.Errorf("with the port open to others: %s%s", warned, out)
	}
	enrol := regexp.MustCompile(`(?m)^plimsoll-agent enrol --collector \S+:(\d+) --token (\S+)$`).FindStringSubmatch(out)
	if enrol == nil {
		t.Fatalf("no line for the new host: %s", out)
	}
	_, stderr, status = runOnce(t, "plimsoll-agent", "enrol", "--collector", "127.0.0.1:"+enrol[1], "--token", enrol[2], "--hostname", "second", "--data", t.TempDir())
	if status != 0 {
		t.Errorf("enrol: status %d: %s", status, stderr)
	}
	waitFor(t, "this host up", 60*time.Second, func() bool { return q.services("")["this-host"].State == "up" })
}

// TestDataIsClosedToOthers: nothing in the data directory can be entered by
// other users of the host.
func TestDataIsClosedToOthers(t *testing.T) {
	t.Parallel()
	q := startTrial(t)
	q.ready()
	entries, err := os.ReadDir(q.data)
	if err != nil {
		t.Fatal(err)
	}
	folders := 0
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(q.data, e.Name()))
		if err != nil {
			continue // a temporary file of the ledger
		}
		if info.IsDir() {
			folders++
		}
		if info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s has the mode %v", e.Name(), info.Mode())
		}
	}
	if folders < 4 {
		t.Errorf("found %d folders only", folders)
	}
}
