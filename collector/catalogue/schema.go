package catalogue

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// Schema is the JSON Schema of the catalogue, made from the very types that
// read it and their doc and enum tags: editors complete keys by it, say what
// they mean and mark what is no key or no value. What it accepts may still
// have faults: names, order and sums are found by Parse alone.
func Schema() ([]byte, error) {
	whole := schemaOf(reflect.TypeFor[catalogueFile]())
	whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	whole["title"] = "Plimsoll catalogue"
	whole["$defs"] = map[string]any{"need": map[string]any{"anyOf": []any{
		map[string]any{"type": "string"}, node("all_of"), node("any_of"), node("of", "at_least")}}}
	text, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(text, '\n'), nil
}

// node is one form of a node of a tree: the first key has its children, or
// the name of a group.
func node(keys ...string) map[string]any {
	properties := map[string]any{keys[0]: map[string]any{"anyOf": []any{
		map[string]any{"type": "string", "description": "A group, or the component of a check for a group."},
		map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"$ref": "#/$defs/need"}}}}}
	for _, key := range keys[1:] {
		properties[key] = map[string]any{"type": "integer", "minimum": 1}
	}
	return map[string]any{"type": "object", "properties": properties, "required": keys, "additionalProperties": false}
}

// Forms of single values; a number in YAML matches every pattern.
const (
	durationForm = `^(0|([0-9]+(d|h|m|s|ms))+)$`
	dateForm     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}`
	spanForm     = `^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$`
	capForm      = `^[0-9a-z]+ */ *(month|quarter|year)$`
)

// single is a single value; form, a regular expression, may be empty.
func single(form string) map[string]any {
	out := map[string]any{"type": []string{"string", "number", "boolean"}}
	if form != "" {
		out["type"], out["pattern"] = []string{"string", "integer"}, form
	}
	return out
}

// own is the schema of types that read themselves; nil: it is not one.
func own(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[needEntry]():
		return map[string]any{"$ref": "#/$defs/need"}
	case reflect.TypeFor[allEntry]():
		need := map[string]any{"$ref": "#/$defs/need"}
		return map[string]any{"anyOf": []any{need, map[string]any{"type": "array", "minItems": 1, "items": need}}}
	case reflect.TypeFor[functionEntry]():
		return map[string]any{"anyOf": []any{map[string]any{"type": []string{"string", "number"}}, schemaOf(reflect.TypeFor[functionForm]())}}
	case reflect.TypeFor[calendarEntry]():
		one := schemaOf(reflect.TypeFor[calendarVersion]())
		return map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "minItems": 1, "items": one}}}
	case reflect.TypeFor[ownFile]():
		return map[string]any{"not": map[string]any{}, "description": "Never assigned to a host: put it into the agent's own file."}
	case reflect.TypeFor[settings.Several[int]](), reflect.TypeFor[settings.Several[string]]():
		one := schemaOf(t.Elem())
		return map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "items": one}}}
	case reflect.TypeFor[settings.Duration]():
		return single(durationForm)
	case reflect.TypeFor[date](), reflect.TypeFor[dateRange](), reflect.TypeFor[availability.Bound]():
		return single(dateForm)
	case reflect.TypeFor[daySpan]():
		return single(spanForm)
	case reflect.TypeFor[capEntry]():
		return single(capForm)
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return single("")
	}
	return nil
}

func schemaOf(t reflect.Type) map[string]any {
	if t.Kind() == reflect.Pointer {
		return schemaOf(t.Elem())
	}
	if form := own(t); form != nil {
		return form
	}
	switch t.Kind() {
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		properties := map[string]any{}
		for i := range t.NumField() {
			field := t.Field(i)
			if name := field.Tag.Get("yaml"); name != "" && name != "-" {
				properties[name] = described(schemaOf(field.Type), field.Tag)
			}
		}
		return map[string]any{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	}
	return map[string]any{"type": []string{"string", "number"}} // a name may be a number
}

// described adds what the tags of a field say.
func described(schema map[string]any, tag reflect.StructTag) map[string]any {
	if doc := tag.Get("doc"); doc != "" {
		schema["description"] = doc
	}
	if values := tag.Get("enum"); values != "" {
		schema["enum"] = strings.Split(values, ",")
	}
	return schema
}
