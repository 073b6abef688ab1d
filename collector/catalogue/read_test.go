package catalogue

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSeveralFiles: several files are one catalogue, faults name the file each
// stands in, and the one text kept of them is read again as the same.
func TestSeveralFiles(t *testing.T) {
	for _, row := range []struct {
		what   string
		files  map[string]string
		faults []string // none: accepted
	}{
		{"names of another file", map[string]string{"a.yaml": "components: [{name: a}] # ours\n", "b.yaml": "services: [{name: s, needs: a}]\n"}, nil},
		{"lists and mappings are joined", map[string]string{"a.yaml": "components: [{name: a}]\ncalendars: {x: {week: {mon: [\"08:00-12:00\"]}}}\n",
			"b.yaml": "components:\n  - {name: b}\ncalendars: {y: {}}\n"}, nil},
		{"an empty file and others", map[string]string{"a.yaml": "", "b.yaml": "components: [{name: a}]\n", "README.md": "# ours", ".a.yaml.swp": "x"}, nil},
		{"one name in two files", map[string]string{"a.yaml": "components: [{name: a}]\n", "b.yaml": "\nservices: [{name: a, needs: a}]\n"},
			[]string{`b.yaml:2: services[0].name: "a" is already the name of components[0] on line 1 of a.yaml; components and services share one name space`}},
		{"one calendar in two files", map[string]string{"a.yaml": "calendars: {x: {}}\n", "b.yaml": "calendars:\n  x: {}\n"},
			[]string{`b.yaml:2: calendars.x: stands twice, first on line 1 of a.yaml; keep one of them`}},
		{"one group in two files", map[string]string{"a.yaml": "groups: {x: {match: {role: a}}}\n", "b.yaml": "groups:\n  x: {match: {role: b}}\n"},
			[]string{`b.yaml:2: groups.x: stands twice, first on line 1 of a.yaml; keep one of them`}},
		{"faults of both", map[string]string{"a.yaml": "services: [{name: s, needs: t}]\n", "b.yaml": "components: [{nam: b}]\n"},
			[]string{`a.yaml:1: services[0].needs: no component or service "t"`, `b.yaml:1: components[0].nam: unknown key; did you mean "name"?`,
				`b.yaml:1: components[0]: name is missing`}},
		{"a list here, a mapping there", map[string]string{"a.yaml": "components: [{name: a}]\n", "b.yaml": "components: {name: b}\n"},
			[]string{`b.yaml:1: components: stands in a.yaml too and cannot be joined with it; write it in one file`}},
		{"aliases", map[string]string{"a.yaml": "components: [&a {name: a}]\n", "b.yaml": "services: []\n"},
			[]string{`a.yaml:1: anchors and aliases are not read where several files are one; write the value out`}},
	} {
		dir := t.TempDir()
		for name, text := range row.files {
			write(t, filepath.Join(dir, name), []byte(text))
		}
		c, err := Load(dir)
		if len(row.faults) > 0 {
			if err == nil {
				t.Errorf("%s: accepted", row.what)
				continue
			}
			got := strings.Split(strings.ReplaceAll(err.Error(), dir+"/", ""), "\n")
			if !slices.Equal(got, row.faults) {
				t.Errorf("%s:\n got %q\nwant %q", row.what, got, row.faults)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.what, err)
			continue
		}
		if again, faults := Parse("again", c.Source); faults != nil || again.Hash != c.Hash || len(again.Availability.Components) != len(c.Availability.Components) {
			t.Errorf("%s: its text is not read again: %v\n%s", row.what, faults, c.Source)
		}
	}
}

// TestWhatIsRead: which files are the catalogue of a name, in their order.
func TestWhatIsRead(t *testing.T) {
	for _, row := range []struct {
		name  string
		there []string
		read  string // the files, or what is wrong
	}{
		{"c.yaml", []string{"c.yaml", "d.yaml"}, "c.yaml"},
		{"c.yaml", []string{"c.yaml", "c.d/b.yaml", "c.d/a.yaml", "c.d/sub/x.yaml"}, "c.yaml c.d/a.yaml c.d/b.yaml"},
		{"c.yaml", []string{"c.d/a.yaml"}, "c.d/a.yaml"},
		{"c.d", []string{"c.yaml", "c.d/a.yaml"}, "c.d/a.yaml"},
		{"c.yaml", []string{"d.yaml"}, "open c.yaml: no such file or directory"},
		{"c.d", []string{"c.d/README"}, "read c.d/*.yaml: file does not exist"},
		{"c.d", []string{"c.d/a.yaml", "c.d/b.yml"}, "c.d/b.yml is not read, for its name does not end in .yaml; rename it, or move it away"},
	} {
		dir := t.TempDir()
		for _, name := range row.there {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, name), []byte("# "+name))
		}
		var got []string
		texts, err := Read(filepath.Join(dir, row.name))
		for _, text := range texts {
			got = append(got, text.File)
		}
		if err != nil {
			got = []string{err.Error()}
			if absent := errors.Is(err, fs.ErrNotExist); absent == strings.Contains(row.read, "rename") {
				t.Errorf("%s of %v: absent %v, %v", row.name, row.there, absent, err)
			}
		}
		if text := strings.ReplaceAll(strings.Join(got, " "), dir+"/", ""); text != row.read {
			t.Errorf("%s of %v: got %q, want %q", row.name, row.there, text, row.read)
		}
	}
}

// TestOneOfForty: a fault in one of forty files is named there, and only it.
func TestOneOfForty(t *testing.T) {
	dir, files := t.TempDir(), map[string]string{}
	for i := range 40 {
		n := string(rune('a'+i/10)) + string(rune('0'+i%10))
		files[n+".yaml"] = "components: [{name: c-" + n + "}]\nservices:\n  - {name: s-" + n + ", needs: c-" + n + "}\n"
	}
	files["c7.yaml"] = strings.Replace(files["c7.yaml"], "needs: c-c7", "needs: c-x7", 1)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		write(t, filepath.Join(dir, name), []byte(files[name]))
	}
	_, err := Load(dir)
	if want := dir + `/c7.yaml:3: services[27].needs: no component or service "c-x7"; did you mean "c-a7"?`; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
