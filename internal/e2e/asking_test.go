package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
