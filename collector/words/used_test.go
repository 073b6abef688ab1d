package words

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryTextIsUsedAndEveryUseHasOne looks through pages and report.
func TestEveryTextIsUsedAndEveryUseHasOne(t *testing.T) {
	shelf, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	// Keys whose end comes from data.
	computed := regexp.MustCompile(`^(state|verdict|name|problem\.state|policy\.(planned|unknown|degraded|before_existence|cap)|level|silence|month|day|range|error|change\.(type|state)|period\.state|correction\.state|effect|category|step|repeat|sight\.(verdict|per)|wrong\.component|role|password\.weak)\.`)
	quoted := regexp.MustCompile(`"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*)"`)
	call := regexp.MustCompile(`(?:\bT\(|\{\{t |\(t )"([^"]+)"[^+.]`)
	all := ""
	for _, dir := range []string{".."} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".html" || strings.Contains(path, "testdata") {
				return err
			}
			text, err := os.ReadFile(path)
			all += string(text)
			for _, m := range call.FindAllStringSubmatch(string(text), -1) {
				if !strings.HasSuffix(m[1], ".") && !shelf["en"].Has(m[1]) {
					t.Errorf("%s asks for %q, for which there is no text", path, m[1])
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	named := map[string]bool{}
	for _, m := range quoted.FindAllStringSubmatch(all, -1) {
		named[m[1]] = true
	}
	for key := range shelf["en"].text {
		if !named[key] && !computed.MatchString(key) {
			t.Errorf("nobody shows the text %s", key)
		}
	}
}
