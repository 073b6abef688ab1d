package source

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/agent/source/portable"
)

// tableRow is a row of docs/sources.md: series, source, Linux, Windows, macOS, FreeBSD.
var tableRow = regexp.MustCompile("(?m)^\\| `(node_[A-Za-z0-9_]+)`[^|]* \\| (?:`([a-z]+)`)? ?\\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$")

// TestTheTableIsTrue: of Linux each series the table has is produced from the
// fixture tree by the source it names, and none it has not; a series the other
// systems have is one of those the portable code produces.
func TestTheTableIsTrue(t *testing.T) {
	doc, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/usual.golden")
	if err != nil {
		t.Fatal(err)
	}
	produced := map[string]string{} // series ─▶ source
	source := ""
	for _, l := range strings.Split(string(golden), "\n") {
		if rest, ok := strings.CutPrefix(l, "# "); ok {
			source, _, _ = strings.Cut(rest, ":")
			continue
		}
		name, _, _ := strings.Cut(l, " ")
		name, _, _ = strings.Cut(name, "{")
		produced[name] = source
	}
	elsewhere := portableNames(t)
	rows := tableRow.FindAllStringSubmatch(string(doc), -1)
	if len(rows) < 130 {
		t.Fatalf("only %d rows: has the pattern rotted?", len(rows))
	}
	listed := map[string]bool{}
	for _, row := range rows {
		name, source, linux := row[1], row[2], row[3]
		listed[name] = true
		switch made, ok := produced[name]; {
		case (linux == "yes" || linux == "each minute") && !ok:
			t.Errorf("%s: the table has it and no source produces it", name)
		case (linux == "yes" || linux == "each minute") && made != source:
			t.Errorf("%s: the table says it is of %s, it is of %s", name, source, made)
		case linux == "no" && ok:
			t.Errorf("%s: the table says there is none, %s produces it", name, made)
		}
		for i, system := range []string{"Windows", "macOS", "FreeBSD"} {
			if cell := row[4+i]; cell != "no" && cell != "the same" && !elsewhere[name] {
				t.Errorf("%s: the table says %q of %s, and the portable code has no such series", name, cell, system)
			} else if cell == "no" && elsewhere[name] && !strings.HasPrefix(name, "node_load") {
				t.Errorf("%s: the table says no of %s, and the portable code has it", name, system)
			}
		}
	}
	for name, source := range produced {
		if strings.HasPrefix(name, "node_pressure_") || strings.HasPrefix(name, "node_processes_") || strings.HasPrefix(name, "node_systemd_") || strings.HasPrefix(name, "node_hwmon_") {
			if !listed[name] {
				t.Errorf("%s of %s is not in the table", name, source)
			}
		}
	}
}

// portableNames are the names the code of the other systems produces.
func portableNames(t *testing.T) map[string]bool {
	t.Helper()
	var set sample.Set
	ctx := t.Context()
	_, diskErr := portable.Disk(ctx, &set)
	_, networkErr := portable.Network(ctx, &set)
	for _, err := range []error{portable.CPU(ctx, &set), portable.Memory(ctx, &set), portable.Load(ctx, &set), portable.Uname(ctx, &set), diskErr, networkErr} {
		if err != nil {
			t.Fatal(err)
		}
	}
	names := map[string]bool{"node_boot_time_seconds": true, "node_time_seconds": true} // added in all_other.go
	for _, s := range set.Samples() {
		names[s.Name] = true
	}
	add(&set, mount{}, answer{}, true) // the filesystems, which all systems share
	add(&set, mount{}, answer{}, false)
	for _, s := range set.Samples() {
		names[s.Name] = true
	}
	return names
}
