package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/agent/source"
	"github.com/plimsoll/plimsoll/collector/capacity"
)

// read is the text of a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestNothingForgotten: whoever adds a source, check, threshold default or
// page is told by name which of the places in CONTRIBUTING.md is missing.
func TestNothingForgotten(t *testing.T) {
	operations, semantics := read(t, "docs/operations.md"), read(t, "docs/semantics.md")
	golden := read(t, "agent/source/testdata/usual.golden")
	for _, name := range source.Names() {
		if !strings.Contains(operations, "\n| `"+name+"` |") {
			t.Errorf("the source %s has no row in docs/operations.md", name)
		}
		if !strings.Contains(golden, "# "+name+":") {
			t.Errorf("the source %s is in no golden fixture (agent/source/testdata/usual.golden)", name)
		}
	}
	for _, name := range check.Kinds() {
		if !strings.Contains(operations, "\n| `"+name+"` |") {
			t.Errorf("the check %s has no row in docs/operations.md", name)
		}
		if _, err := os.Stat(filepath.Join(root, "agent/check", name+".go")); err != nil {
			t.Errorf("the check %s has no file of its own: %v", name, err)
		}
		if !strings.Contains(read(t, "configs/agent.yaml"), name+":") {
			t.Errorf("the check %s is not shown in configs/agent.yaml", name)
		}
	}
	for _, r := range capacity.Defaults() {
		if !strings.Contains(semantics, "\n| `"+r.Name+"` |") {
			t.Errorf("the threshold default %s has no row in docs/semantics.md", r.Name)
		}
	}
	routes, tests := read(t, "collector/web/routes.go"), ""
	files, err := filepath.Glob(filepath.Join(root, "collector/web/*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests += string(text)
	}
	pages, err := filepath.Glob(filepath.Join(root, "collector/web/templates/*.html"))
	if err != nil || len(pages) < 8 {
		t.Fatalf("found only the templates %v: %v", pages, err)
	}
	for _, page := range pages {
		name := strings.TrimSuffix(filepath.Base(page), ".html")
		if name == "base" || name == "parts" || name == "error" {
			continue // not pages of their own
		}
		route := regexp.MustCompile(`"GET (/[^"{]*)[^"]*", [a-zA-Z(]*s\.page\("` + name + `"`).FindStringSubmatch(routes)
		if route == nil {
			t.Errorf("the page %s has no route in collector/web/routes.go", name)
			continue
		}
		if path := route[1]; name != "overview" && !strings.Contains(tests, path) {
			t.Errorf("no test in collector/web asks for the page %s", path)
		}
	}
	for _, model := range []string{"agent/source/loadavg.go", "agent/check/tcp.go", "collector/capacity/defaults.go"} {
		if !strings.Contains(read(t, "CONTRIBUTING.md"), model) {
			t.Errorf("CONTRIBUTING.md does not name the model %s", model)
		}
	}
}
