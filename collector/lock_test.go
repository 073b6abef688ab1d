package collector

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestHoldData: the directory is held once, its holder is named with its page,
// and one that cannot be written is named.
func TestHoldData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	hold, err := HoldData(dir)
	if err != nil || !hold.Made {
		t.Fatalf("a directory that is not there yet: made %v, %v", hold.Made, err)
	}
	me := strconv.Itoa(os.Getpid())
	for _, page := range []string{"", "http://127.0.0.1:1876"} {
		if err := hold.say(page); err != nil {
			t.Fatal(err)
		}
		var held *HeldError
		if _, err := HoldData(dir); !errors.As(err, &held) || *held != (HeldError{dir, me, page}) {
			t.Errorf("held with the page %q: %v", page, err)
		}
	}
	if err := errors.Join(hold.Release(), hold.Release()); err != nil {
		t.Error(err)
	}
	again, err := HoldData(dir)
	if err != nil || again.Made {
		t.Fatalf("released: made %v, %v", again.Made, err)
	}
	t.Cleanup(func() { _ = again.Release() })

	file := filepath.Join(dir, "LOCK")
	if _, err := HoldData(filepath.Join(file, "below")); err == nil || !strings.Contains(err.Error(), "the data directory "+file+"/below cannot be written") || !strings.Contains(err.Error(), "--data") {
		t.Errorf("below a file: %v", err)
	}
}

// TestCheckAddress: each address that nothing can listen on is named before
// anything is opened.
func TestCheckAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:1876":  "",
		":1877":           "",
		"[::1]:0":         "",
		"localhost:65535": "",
		"127.0.0.1:http":  "",
		"":                `"" is not host:port`,
		"1876":            `"1876" is not host:port`,
		"127.0.0.1:":      `"127.0.0.1:" is not host:port`,
		"::1:1876":        `"::1:1876" is not host:port`,
		"127.0.0.1:99999": `"99999" is not 0 to 65535`,
		"127.0.0.1:-1":    `"-1" is not 0 to 65535`,
	} {
		err := CheckAddress(addr)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", addr, err, want)
		}
	}
}
