// Package need lets a test say which real program, privilege or server it
// needs. Where that is missing the test is skipped by name; where the run
// promised to have everything (PLIMSOLL_REQUIRE=1, set by .ci/run) it fails
// instead, so that a skip can never pass for a success.
package need

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of name, or skips the test with the reason and
// the Debian package that brings it.
func Program(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, fmt.Sprintf("no %s on this machine (Debian package %s)", name, debianPackage))
	}
	return path
}

// Root skips the test unless it runs as root, saying what for.
func Root(t testing.TB, what string) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "needs root: "+what)
	}
}

// Missing skips the test with reason, or fails it under PLIMSOLL_REQUIRE=1.
// The reason is also appended to the file PLIMSOLL_SKIPS names, which
// `make test` prints as its last lines.
func Missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("PLIMSOLL_REQUIRE") == "1" {
		t.Fatalf("this run promised to have everything, but: %s", reason)
	}
	if name := os.Getenv("PLIMSOLL_SKIPS"); name != "" {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatalf("open the list of skips: %v", err)
		}
		_, werr := fmt.Fprintf(f, "skipped %s: %s\n", t.Name(), reason)
		if err := f.Close(); werr != nil || err != nil {
			t.Fatalf("write the list of skips: %v %v", werr, err)
		}
	}
	t.Skip(reason)
}
