package zone

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

func TestVersion(t *testing.T) {
	for name, row := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"Debian":            {fstest.MapFS{"tzdata.zi": {Data: []byte("# version 2026b\n# This zic input\n")}}, "2026b"},
		"BSD":               {fstest.MapFS{"+VERSION": {Data: []byte("2025c\n")}}, "2025c"},
		"neither":           {fstest.MapFS{}, ""},
		"not a version":     {fstest.MapFS{"+VERSION": {Data: []byte("../../etc\n")}}, ""},
		"a line of garbage": {fstest.MapFS{"tzdata.zi": {Data: []byte("# version \x1b[31m\n")}}, ""},
	} {
		if got := version(row.files); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

func TestFind(t *testing.T) {
	system, own := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(system, "Europe", "Paris"): "", filepath.Join(system, "tzdata.zi"): "# version 2025b\n",
		filepath.Join(own, "+VERSION"): "2027a",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		got  Data
		want string
		days int
	}{
		"ZONEINFO wins; of 2027a only the year is known": {find(own, []string{system}, "go1.26.8"), "2027a (" + own + ")", 31},
		"ZONEINFO that is not there":                     {find(own+"x", []string{system}, "go1.26.8"), "2025b (" + system + ")", 681},
		"no zone files: the program's own":               {find("", []string{own}, "go1.26.8"), "2025c (embedded)", 418},
		"a Go this program does not know":                {find("", nil, "go1.99.1"), "of unknown version (embedded)", -1},
		"1.2 is not 1.26":                                {find("", nil, "go1.2"), "of unknown version (embedded)", -1},
	} {
		age, known := row.got.Age(now)
		days := -1
		if known {
			days = int(age / (24 * time.Hour))
		}
		if row.got.String() != row.want || days != row.days {
			t.Errorf("%s: %s, %d days; want %s, %d", name, row.got, days, row.want, row.days)
		}
	}
}

// TestFingerprint: a zone's name does not matter, its clock does.
func TestFingerprint(t *testing.T) {
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	of := func(zone *time.Location) string { return Fingerprint(zone, from, to) }
	load := func(name string) *time.Location {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return loc
	}
	paris := of(load("Europe/Paris"))
	if paris != of(load("Europe/Berlin")) {
		t.Error("Paris and Berlin have one clock in 2026, but two fingerprints")
	}
	if paris == of(load("Europe/London")) || paris == of(load("Africa/Lagos")) {
		t.Error("another clock, but the same fingerprint")
	}
}

// TestEmbeddedAgainstSystem names the zones whose clock is another one in the
// data inside the program than in the host's.
func TestEmbeddedAgainstSystem(t *testing.T) {
	system := find("", systemDirs(), "")
	if system.Source == Embedded {
		need.Missing(t, "this host has no zone files to compare with (package tzdata)")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	inside := readZip(t, filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	from, to := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC)
	var differ []string
	compared := 0
	for name, data := range inside {
		theirs, err := os.ReadFile(filepath.Join(system.Source, filepath.FromSlash(name)))
		if err != nil {
			continue // the host leaves old names out
		}
		compared++
		if Fingerprint(parse(t, name, data), from, to) != Fingerprint(parse(t, name, theirs), from, to) {
			differ = append(differ, name)
		}
	}
	slices.Sort(differ)
	embedded := find("", nil, runtime.Version())
	t.Logf("%d zones from 1970 to 2037, embedded %s against %s: %d differ: %s", compared, embedded.Version, system, len(differ), strings.Join(differ, " "))
	if compared < 300 {
		t.Errorf("only %d zones were compared", compared)
	}
	if embedded.Version == "" {
		t.Errorf("%s is not in the table of Go's zone data: add it", runtime.Version())
	}
	if embedded.Version == system.Version && len(differ) > 0 {
		t.Errorf("one version, but other clocks: %v", differ)
	}
}

func parse(t *testing.T, name string, data []byte) *time.Location {
	t.Helper()
	loc, err := time.LoadLocationFromTZData(name, data)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", name, err))
	}
	return loc
}

func readZip(t *testing.T, path string) map[string][]byte {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	all := map[string][]byte{}
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		_ = in.Close()
	}
	return all
}
