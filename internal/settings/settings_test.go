package settings

import (
	"strings"
	"testing"
)

type fixture struct {
	Name   string         `yaml:"name"`
	Every  Duration       `yaml:"every"`
	Target Share          `yaml:"target"`
	Count  int            `yaml:"count"`
	Ratio  float64        `yaml:"ratio"`
	On     bool           `yaml:"on"`
	Tags   []string       `yaml:"tags"`
	Limits map[string]int `yaml:"limits"`
	Child  *fixture       `yaml:"child"`
	Parts  []fixture      `yaml:"parts"`
}

func TestDecode(t *testing.T) {
	var got fixture
	doc, faults := Decode("a.yaml", []byte(strings.Join([]string{
		"name: web", "every: 1d12h", "target: 99.9%", "count: 3", "ratio: 0.5", "on: true",
		"tags: [a, b]", "limits: {cpu: 4}", "child: {name: inner}", "parts:", "  - name: p", "  - {name: q, count: 7}"}, "\n")), &got, nil)
	if len(faults) > 0 {
		t.Fatalf("faults: %v", faults)
	}
	if got.Name != "web" || got.Every.Std().Hours() != 36 || got.Target.String() != "99.9%" || got.Count != 3 || got.Ratio != 0.5 || !got.On ||
		len(got.Tags) != 2 || got.Limits["cpu"] != 4 || got.Child.Name != "inner" || got.Parts[1].Count != 7 {
		t.Errorf("got %+v", got)
	}
	for path, line := range map[string]int{"name": 1, "parts": 10, "parts[1].count": 12, "parts[1].every": 12, "limits.cpu": 8, "nowhere": 0} {
		if got := doc.Line(path); got != line {
			t.Errorf("line of %s: got %d, want %d", path, got, line)
		}
	}
}

func TestFaultsAllAtOnce(t *testing.T) {
	text := `nam: web
every: 90
target: 99.9
count: many
on: yes
tags: a
limits: {cpu: 1, cpu: 2}
child:
  colour: red
  cheks: []
parts: [{cheks: 1}]
name: [1]
ratio:
`
	want := `a.yaml:1: nam: unknown key; did you mean "name"?
a.yaml:2: every: "90" is not a duration: a unit is missing; write it like 1d12h, 2h, 90s, 250ms or 0
a.yaml:3: target: "99.9" is not a share: it is above 1; write 99.9% if per cent is meant
a.yaml:4: count: expected a whole number, found "many"
a.yaml:5: on: expected true or false, found "yes"
a.yaml:6: tags: expected a list, found "a"
a.yaml:7: limits.cpu: stands twice, first on line 7; keep one of them
a.yaml:9: child.colour: unknown key; known here: child, count, every, limits, name, on, parts, ratio, tags, target
a.yaml:10: child.cheks: unknown key; known here: child, count, every, limits, name, on, parts, ratio, tags, target
a.yaml:11: parts[0].cheks: not yet: checks come later; remove the key
a.yaml:12: name: expected text, found a list
a.yaml:13: ratio: has no value: expected a number`
	var got fixture
	_, faults := Decode("a.yaml", []byte(text), &got, map[string]string{"parts[].cheks": "checks come later"})
	if faults.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", faults.Error(), want)
	}
}

func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"a: [1\nb: 2\n":                     "a.yaml:1: not YAML: did not find expected ',' or ']'",
		"name: a\n---\nname: b\n":           "a.yaml:2: a second document begins here; keep one document in a file",
		"- a\n":                             "a.yaml:1: expected a mapping, found a list",
		"<<: {name: a}\n":                   "a.yaml:1: merge keys (<<) are not read; write the keys out",
		"child: &a\n  name: x\n  child: *a": "",
		"":                                  "",
		"# nothing\n":                       "",
	} {
		var got fixture
		_, faults := Decode("a.yaml", []byte(text), &got, nil)
		if strings.Contains(text, "*a") {
			if len(faults) != 1 || !strings.Contains(faults.Error(), "nested too deep") {
				t.Errorf("alias of itself: %v", faults)
			}
			continue
		}
		if faults.Error() != want {
			t.Errorf("%q: got %q, want %q", text, faults.Error(), want)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]string{
		"1d12h": "1d12h", "36h": "1d12h", "90s": "1m30s", "250ms": "250ms", "0": "0", "0s": "0", "1m500ms": "1m500ms",
		"": "refused", "1": "refused", "-1s": "refused", "1.5h": "refused", "1h1d": "refused", "1h1h": "refused", "2w": "refused",
		"h": "refused", "1 h": "refused", "99999999999d": "refused", "106751d": "106751d", "106752d": "refused", "1H": "refused",
	} {
		got := "refused"
		if d, err := ParseDuration(text); err == nil {
			got = d.String()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestShares(t *testing.T) {
	for text, want := range map[string]string{
		"99.9%": "99.9%", "0.999": "99.9%", "1": "100%", "0": "0%", "100%": "100%", "99.95 %": "99.95%", ".5": "50%",
		"99.9": "refused", "100.1%": "refused", "-1%": "refused", "1e-3": "refused", "%": "refused", "": "refused", ".": "refused", "1/2": "refused", "0.9.9": "refused",
	} {
		got := "refused"
		if s, err := ParseShare(text); err == nil {
			got = s.String()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if (Share{}).String() != "0%" {
		t.Errorf("zero share: %s", Share{})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"availability", "mttr", "services", "components", "of"}
	for word, want := range map[string]string{
		"availabilityy": "availability", "mtrt": "mttr", "service": "services", "componentz": "components", "of": "of", "xy": "", "banana": "", "mean": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}

// FuzzDecode: no text makes the reader fall over, and every fault is one line.
func FuzzDecode(f *testing.F) {
	f.Add("name: web\nevery: 1d\nparts: [{name: a}]\n")
	f.Add("child: &a {child: *a}\nlimits: {? [a] : 1}\n")
	f.Fuzz(func(t *testing.T, text string) {
		var got fixture
		_, faults := Decode("f.yaml", []byte(text), &got, nil)
		for _, fault := range faults {
			if strings.Contains(fault.String(), "\n") {
				t.Errorf("a fault of several lines: %q", fault)
			}
		}
	})
}

// FuzzParseDuration: what is read is written back to the same length.
func FuzzParseDuration(f *testing.F) {
	f.Add("1d12h")
	f.Add("250ms")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		if again, err := ParseDuration(d.String()); err != nil || again != d {
			t.Errorf("%q: %s reads back as %s, %v", text, d, again, err)
		}
	})
}
