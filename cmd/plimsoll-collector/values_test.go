package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCalled: the printed line calls this very program wherever it is typed.
func TestCalled(t *testing.T) {
	dir := t.TempDir()
	mine, other := filepath.Join(dir, "plimsoll-collector"), filepath.Join(dir, "other")
	for _, name := range []string{mine, other} {
		if err := os.WriteFile(name, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ name, executable, inPath, want string }{
		{"in PATH", mine, mine, "plimsoll-collector"},
		{"another one is in PATH", mine, other, mine},
		{"none is in PATH", mine, "", mine},
		{"by go run", "/tmp/go-build12/b001/exe/plimsoll-collector", "", "go run ./cmd/plimsoll-collector"},
		{"by go run, from its cache", "/var/cache/go/0a/" + strings.Repeat("0a", 32) + "-d/plimsoll-collector", "", "go run ./cmd/plimsoll-collector"},
		{"in a folder with a blank", "/opt/my tools/plimsoll-collector", "", "'/opt/my tools/plimsoll-collector'"},
	} {
		if got := called(row.executable, row.inPath); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}

func TestUnderstood(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"help", "--help"},
		{"help enrol create", "enrol create --help"},
		{"enrol create --ttl -5h --uses 2", "enrol create --ttl=-5h --uses 2"},
		{"enrol create --uses=2 -5", "enrol create --uses=2 -5"},
		{"host revoke help", "host revoke help"},
	} {
		if got := understood(strings.Fields(row.args)); !slices.Equal(got, strings.Fields(row.want)) {
			t.Errorf("%s: got %q, want %s", row.args, got, row.want)
		}
	}
}

func TestWithScheme(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:1876":  "http://127.0.0.1:1876",
		"https://c.example:1876": "https://c.example:1876",
		"127.0.0.1:2376":         "http://127.0.0.1:2376",
		"localhost:2376/":        "http://localhost:2376/",
		"localhost":              "http://localhost",
		"[::1]:2376":             "http://[::1]:2376",
		"10.0.0.7:1876":          "https://10.0.0.7:1876",
		"c.example":              "https://c.example",
	} {
		if got := withScheme(base); got != want {
			t.Errorf("%s: got %s, want %s", base, got, want)
		}
	}
}

func TestAsOf(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", ""},
		{"2027-01-01", "2027-01-01T00:00:00Z"},
		{"2026-11-25T12:00:00+08:00", "2026-11-25T04:00:00Z"},
		{"2026-11-25T12:00:00.250Z", "2026-11-25T12:00:00.25Z"},
		{"1764072000000", "2025-11-25T12:00:00Z"},
	} {
		if got, err := asOf(row.text).rfc3339(); err != nil || got != row.want {
			t.Errorf("%q: got %q, %v; want %q", row.text, got, err, row.want)
		}
	}
	if err := asOf("noon").Validate(); err == nil || !strings.Contains(err.Error(), `"noon" is not an instant or a date; write it like`) {
		t.Errorf("noon: %v", err)
	}
}
