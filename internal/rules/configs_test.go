package rules

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/agent"
	"github.com/plimsoll/plimsoll/collector"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// TestShippedConfigurations loads every example strictly: what is shipped is
// the documentation.
func TestShippedConfigurations(t *testing.T) {
	parse := map[string]func(string, []byte) settings.Faults{
		"agent.yaml":     func(name string, text []byte) settings.Faults { _, f := agent.Parse(name, text); return f },
		"collector.yaml": func(name string, text []byte) settings.Faults { _, f := collector.ParseConfig(name, text); return f },
		"catalogue.yaml": func(name string, text []byte) settings.Faults { _, f := catalogue.Parse(name, text); return f },
	}
	files, err := filepath.Glob(filepath.Join(root, "configs", "*.yaml")) // the folder catalogues has a test beside the parser
	if err != nil || len(files) != len(parse) {
		t.Fatalf("found %v, want one file for each of %d formats (%v)", files, len(parse), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range parse[filepath.Base(file)](filepath.Base(file), text) {
			t.Errorf("%s", fault)
		}
	}
}

// TestEveryKeyIsShown: each key a configuration knows is in its example.
func TestEveryKeyIsShown(t *testing.T) {
	for file, config := range map[string]any{"agent.yaml": agent.Config{}, "collector.yaml": collector.Config{}} {
		text, err := os.ReadFile(filepath.Join(root, "configs", file))
		if err != nil {
			t.Fatal(err)
		}
		of := reflect.TypeOf(config)
		for i := range of.NumField() {
			key, _, _ := strings.Cut(of.Field(i).Tag.Get("yaml"), ",")
			if key != "" && key != "-" && !strings.Contains("\n"+string(text), "\n"+key+":") {
				t.Errorf("configs/%s does not show the key %s", file, key)
			}
		}
	}
}
