package catalogue

import (
	"bytes"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// schema compiles the schema as an editor does.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("catalogue.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// plainYAML is YAML as an editor's schema sees it: dates are texts.
func plainYAML(t *testing.T, text string) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	var texts func(n *yaml.Node)
	texts = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!timestamp" {
			n.Tag = "!!str"
		}
		for _, child := range n.Content {
			texts(child)
		}
	}
	texts(&doc)
	var value any
	if err := doc.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestSchemaAccepts: every catalogue that is shipped, and one with every key.
func TestSchemaAccepts(t *testing.T) {
	compiled := schema(t)
	names, err := filepath.Glob("../../configs/catalogues/*.yaml")
	if err != nil || len(names) < 4 {
		t.Fatalf("%d catalogues, %v", len(names), err)
	}
	for _, name := range append(names, "../../configs/catalogue.yaml", "testdata/every-key.yaml", "holidays/cn-2026.yaml") {
		if err := compiled.Validate(plainYAML(t, string(read(t, name)))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := compiled.Validate(plainYAML(t, grouped)); err != nil {
		t.Errorf("groups: %v", err)
	}
}

// TestSchemaRefuses: what an editor marks, the reader refuses too.
func TestSchemaRefuses(t *testing.T) {
	compiled := schema(t)
	for _, row := range []struct{ text, where string }{
		{"servises: []", "servises"},
		{"components: [{name: a, intervall: 15s}]", "intervall"},
		{"components: [{name: a, interval: soon}]", "interval"},
		{"components: {name: a}", "components"},
		{"services: [{name: s, needs: {some_of: [a]}}]", "needs"},
		{"services: [{name: s, needs: {at_least: 2}}]", "needs"},
		{"groups: {web: {matches: {role: web}}}", "matches"},
		{"checks: [{component: a, from: [p], script: /bin/true}]", "script"},
		{"checks: [{component: a, from: [p], dns: x, type: B}]", "type"},
		{"calendars: {o: {week: {mon: [\"8-12\"]}}}", "calendars"},
		{"holidays: {x: {year: soon}}", "year"},
		{"agreements: [{number: S, service: s, zone: UTC, policies: {planned: ignore}}]", "planned"},
		{"agreements: [{number: S, service: s, zone: UTC, planned: {cap: 8h/week}}]", "cap"},
	} {
		err := compiled.Validate(plainYAML(t, row.text))
		if err == nil || !strings.Contains(err.Error(), row.where) {
			t.Errorf("%s: the schema says %v", row.text, err)
		}
		if _, faults := Parse("c.yaml", []byte(row.text)); len(faults) == 0 {
			t.Errorf("%s: the reader has no fault", row.text)
		}
	}
}

// TestEveryKeyIsDescribed: an editor has a sentence for each key.
func TestEveryKeyIsDescribed(t *testing.T) {
	var walk func(of reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
			of = of.Elem()
		}
		if of == reflect.TypeFor[calendarEntry]() {
			of = reflect.TypeFor[calendarVersion]()
		}
		if of.Kind() != reflect.Struct || own(of) != nil {
			return
		}
		for i := range of.NumField() {
			f := of.Field(i)
			if key := f.Tag.Get("yaml"); key != "" && f.Tag.Get("doc") == "" && f.Type != reflect.TypeFor[ownFile]() {
				t.Errorf("%s.%s has no doc", of.Name(), key)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[catalogueFile]())
}
