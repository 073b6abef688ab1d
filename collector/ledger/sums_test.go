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
