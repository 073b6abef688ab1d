package check

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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

// TestFileAgainAtOnce: a look that came back holds up no other.
func TestFileAgainAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := New(Spec{File: path, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20_000 {
		if r := c.Probe(t.Context()); r.State != Up {
			t.Fatalf("look %d: got %s %q", n, r.State, r.Reason)
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
