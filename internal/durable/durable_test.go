package durable

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/plimsoll/plimsoll/internal/need"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.yaml")
	for i, row := range []struct {
		name string
		left string // by a run that was killed
		text string
		mode fs.FileMode
	}{
		{"new", "", "one\n", 0o640},
		{"replaced", "", "two\n", 0o640},
		{"what a kill left is longer, and open to all", "half of something much longer", "three\n", 0o600},
		{"empty", "", "", 0o600},
	} {
		if row.left != "" {
			if err := os.WriteFile(filepath.Join(dir, ".settings.yaml.tmp"), []byte(row.left), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := WriteFile(path, []byte(row.text), row.mode); err != nil {
			t.Fatalf("row %d, %s: %v", i, row.name, err)
		}
		got, err := os.ReadFile(path)
		info, serr := os.Stat(path)
		if err != nil || serr != nil || string(got) != row.text || info.Mode().Perm() != row.mode {
			t.Errorf("%s: got %q %v %v, want %q %v", row.name, got, info.Mode(), err, row.text, row.mode)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%s: left behind: %v %v", row.name, entries, err)
		}
	}
	if err := WriteFile(filepath.Join(dir, "nowhere", "a"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such directory: %v", err)
	}
}

// TestPowerCut: right after WriteFile the power goes. The content is there,
// whole; a plain write and rename, which looks the same, leaves an empty file.
func TestPowerCut(t *testing.T) {
	disk := need.NewDisk(t, 16)
	kept, plain := filepath.Join(disk.Path, "kept"), filepath.Join(disk.Path, "plain")
	text := bytes.Repeat([]byte("a line of somebody's own\n"), 100)
	if err := WriteFile(kept, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(kept, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(plain+".new", text, 0o600), os.Rename(plain+".new", plain)); err != nil {
		t.Fatal(err)
	}
	disk.Cut(t)
	disk.PowerOn(t)
	if got, err := os.ReadFile(kept); err != nil || !bytes.Equal(got, text) {
		t.Errorf("after the power cut: %d bytes, %v, want all %d", len(got), err, len(text))
	}
	if got, err := os.ReadFile(plain); err == nil && bytes.Equal(got, text) {
		t.Error("what was not fsynced survived as well: this cut shows nothing")
	}
}
