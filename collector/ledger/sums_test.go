package ledger

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/vfs"
)

// TestGiveSums opens a ledger that was written before pages had sums: all of it
// is there, the file as it was too, and from then on a turned bit is noticed.
func TestGiveSums(t *testing.T) {
	path, want := filledWithoutSums(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{"", "what a killed attempt left"} {
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		if left != "" {
			if err := os.WriteFile(path+".with-sums", []byte(left), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l, err := Open(Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if dump(t, l) != want {
			t.Error("the ledger has other values now")
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if kept, err := os.ReadFile(path + ".without-sums"); err != nil || string(kept) != string(before) {
			t.Errorf("the file as it was: %v", err)
		}
		if _, err := os.Stat(path + ".with-sums"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("left behind: %v", err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)/2] ^= 1
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Path: path}); !errors.Is(err, ErrDamaged) {
			t.Errorf("a turned bit: %v", err)
		}
	}
}

// filledWithoutSums is the file of a ledger as it was made before there were sums.
func filledWithoutSums(t *testing.T) (path, content string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.db")
	db, err := driver.Open("file:"+path, func(c *sqlite3.Conn) error { return c.Exec("CREATE TABLE first (x); DROP TABLE first") })
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Ping(), db.Close()); err != nil {
		t.Fatal(err)
	}
	l := &Ledger{now: time.Now, log: slog.New(slog.DiscardHandler)}
	vfs.Register(l.vfs(), vfs.Find(""))
	if l.write, err = l.connect(path, 1, ""); err != nil {
		t.Fatal(err)
	}
	if err := l.migrate(path); err != nil {
		t.Fatal(err)
	}
	if l.read, err = l.connect(path, 4, ""); err != nil {
		t.Fatal(err)
	}
	content = fill(t, l)
	if f, err := formOfFile(path); err != nil || f != plain {
		t.Fatalf("form %v %v, want one without sums", f, err)
	}
	return path, content
}

// TestFilesAreClosedToOthers: of a ledger that is being written, of one whose
// files were left open to others by a kill, of the copy before a new schema and
// of the one without sums, no file can be read by anybody but its owner.
func TestFilesAreClosedToOthers(t *testing.T) {
	closed := func(what, path string, want ...string) {
		t.Helper()
		for _, name := range want {
			info, err := os.Stat(path + name)
			if err != nil {
				t.Errorf("%s: %v", what, err)
			} else if mode := info.Mode().Perm(); mode != 0o600 {
				t.Errorf("%s: %s has the mode %v, want -rw-------", what, filepath.Base(path+name), mode)
			}
		}
	}
	path, _ := filledWithoutSums(t)
	for _, name := range []string{"", "-wal", "-shm"} { // as the umask has them
		if err := os.WriteFile(path+"-left"+name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for what, at := range map[string]string{"rewritten with sums": path, "left open by a kill": path + "-left", "new": path + "-new"} {
		l, err := Open(Options{Path: at})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Append(t.Context(), Entry{Action: "test.done", Subject: "S"}); err != nil {
			t.Fatal(err)
		}
		closed(what, at, "", "-wal", "-shm")
		if err := l.keepCopy(t.Context(), at+".schema-1"); err != nil {
			t.Fatal(err)
		}
		closed(what, at, ".schema-1")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	closed("rewritten with sums", path, ".without-sums")
}
