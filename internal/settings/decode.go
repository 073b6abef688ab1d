package settings

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A file that expands beyond these is refused: aliases can make a short text
// stand for an endless one.
const (
	maxNodes = 2_000_000
	maxDepth = 100
)

// Decode reads the YAML text into the struct that into points to. Fields are
// named by their `yaml` tags; a field whose key is absent keeps its value, so
// defaults are set before. Scalars are read by encoding.TextUnmarshaler where
// the field has it, and a type that is a Reader reads itself.
//
// notYet names keys that the specifications have and nothing acts on: path
// patterns such as "services[].checks" or "calendars.*.source" ("[]" is any
// index, "*" any key) and the sentence to say. They are refused, as "not yet".
//
// The document is never nil. When there are faults, into is filled as far as
// it could be.
func Decode(file string, data []byte, into any, notYet map[string]string) (*Document, Faults) {
	doc := &Document{File: file, Source: data, places: map[string]place{}}
	root, faults := parse(file, data)
	if root == nil {
		return doc, faults
	}
	d := &decoder{doc: doc, notYet: notYet}
	Cursor{d: d, node: root, file: file}.Into(into)
	return doc, d.faults.Sorted()
}

type decoder struct {
	doc    *Document
	notYet map[string]string
	faults Faults
	files  map[*yaml.Node]string // where a node of another file begins
	nodes  int
	full   bool
}

// child is the cursor at a node below c.
func (c Cursor) child(node *yaml.Node, path string) Cursor {
	file := c.file
	if other, ok := c.d.files[node]; ok {
		file = other
	}
	return Cursor{d: c.d, node: node, path: path, file: file, depth: c.depth + 1}
}

// Cursor is a place in the file that is being read.
type Cursor struct {
	d     *decoder
	node  *yaml.Node
	path  string
	file  string
	depth int
}

// Reader is a type that reads itself, because its form depends on what is
// written (a name or a mapping, one or several). It reports what is wrong by
// c.Fault and goes on where it can.
type Reader interface {
	ReadYAML(c Cursor)
}

// Kind is what stands at the cursor.
type Kind int

// What can stand at a cursor.
const (
	Nothing Kind = iota // null or nothing written
	Scalar
	List
	Mapping
)

func (k Kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "a mapping"}[k]
}

// Kind tells what stands at the cursor.
func (c Cursor) Kind() Kind {
	n := resolve(c.node)
	switch n.Kind {
	case yaml.SequenceNode:
		return List
	case yaml.MappingNode:
		return Mapping
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return Nothing
		}
		return Scalar
	}
	return Nothing
}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// Path is where the cursor is: "services[0].needs".
func (c Cursor) Path() string { return c.path }

// Text is the scalar at the cursor as it is written, "" for anything else.
func (c Cursor) Text() string {
	if c.Kind() != Scalar {
		return ""
	}
	return resolve(c.node).Value
}

// Fault reports something wrong at the cursor.
func (c Cursor) Fault(message, remedy string) {
	c.d.faults = append(c.d.faults, Fault{File: c.d.doc.File, Line: c.node.Line, Path: c.path, Message: message, Remedy: remedy})
}

// Entry is one key of a mapping with its value.
type Entry struct {
	Key   string
	Value Cursor
}

// Entries are the keys of the mapping at the cursor in their written order; a
// key that is not a single value, or that stands twice, is a fault and left out.
func (c Cursor) Entries() []Entry {
	n := resolve(c.node)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	var entries []Entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := resolve(n.Content[i])
		if key.Kind != yaml.ScalarNode {
			c.Fault("a key must be a single value", "")
			continue
		}
		path := key.Value
		if c.path != "" {
			path = c.path + "." + key.Value
		}
		at := c.child(n.Content[i+1], path)
		if key.Tag == "!!merge" {
			c.Fault("merge keys (<<) are not read", "write the keys out")
			continue
		}
		if seen[key.Value] {
			c.d.faults = append(c.d.faults, Fault{File: at.file, Line: key.Line, Path: path,
				Message: "stands twice, first on " + c.d.doc.Place(path), Remedy: "keep one of them"})
			continue
		}
		seen[key.Value] = true
		c.d.doc.places[path] = place{at.file, key.Line}
		entries = append(entries, Entry{key.Value, at})
	}
	return entries
}

// Items are the elements of the list at the cursor.
func (c Cursor) Items() []Cursor {
	n := resolve(c.node)
	if n.Kind != yaml.SequenceNode {
		return nil
	}
	items := make([]Cursor, len(n.Content))
	for i, item := range n.Content {
		path := c.path + "[" + strconv.Itoa(i) + "]"
		items[i] = c.child(item, path)
		c.d.doc.places[path] = place{items[i].file, item.Line}
	}
	return items
}

// UnknownKey reports the key of an entry that is none of the known ones: as
// "not yet" where the caller of Decode said so, else with the nearest.
func (c Cursor) UnknownKey(key string, known []string) {
	at := c.d.doc.places[c.path]
	fault := Fault{File: at.file, Line: at.line, Path: c.path}
	if sentence, ok := c.d.sentence(c.path); ok {
		fault.Message, fault.Remedy = "not yet: "+sentence, "remove the key"
	} else {
		fault.Message = "unknown key"
		fault.Remedy = DidYouMean(key, known)
		if fault.Remedy == "" {
			sorted := append([]string(nil), known...)
			sort.Strings(sorted)
			fault.Remedy = "known here: " + strings.Join(sorted, ", ")
		}
	}
	c.d.faults = append(c.d.faults, fault)
}

// sentence finds the pattern that matches the path.
func (d *decoder) sentence(path string) (string, bool) {
	for pattern, sentence := range d.notYet {
		if matches(pattern, path) {
			return sentence, true
		}
	}
	return "", false
}

func matches(pattern, path string) bool {
	p, q := strings.Split(pattern, "."), strings.Split(path, ".")
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		part := q[i]
		if cut := strings.IndexByte(part, '['); cut >= 0 && strings.HasSuffix(p[i], "[]") {
			part = part[:cut] + "[]"
		}
		if p[i] != "*" && p[i] != part {
			return false
		}
	}
	return true
}

// Into decodes what stands at the cursor into what into points to.
func (c Cursor) Into(into any) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		c.Fault(fmt.Sprintf("cannot be read into %T", into), "")
		return
	}
	c.decode(v.Elem())
}

func (c Cursor) decode(v reflect.Value) {
	if c.d.nodes++; c.d.nodes > maxNodes || c.depth > maxDepth {
		if !c.d.full {
			c.d.full = true
			c.Fault("nested too deep or expanded too far", "")
		}
		return
	}
	if v.CanAddr() {
		switch target := v.Addr().Interface().(type) {
		case Reader:
			target.ReadYAML(c)
			return
		case encoding.TextUnmarshaler:
			c.text(target)
			return
		}
	}
	if v.Kind() == reflect.Pointer {
		if c.Kind() == Nothing {
			return
		}
		fresh, before := reflect.New(v.Type().Elem()), len(c.d.faults)
		c.child(c.node, c.path).decode(fresh.Elem())
		if len(c.d.faults) == before || v.Type().Elem().Kind() == reflect.Struct {
			v.Set(fresh) // a scalar that is refused stays absent
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		c.intoStruct(v)
	case reflect.Map:
		c.intoMap(v)
	case reflect.Slice:
		c.intoSlice(v)
	default:
		c.scalar(v)
	}
}

func (c Cursor) text(target encoding.TextUnmarshaler) {
	if c.Kind() != Scalar {
		c.Expected("a single value")
		return
	}
	if err := target.UnmarshalText([]byte(c.Text())); err != nil {
		message, remedy, _ := strings.Cut(err.Error(), "; ")
		c.Fault(message, remedy)
	}
}

// Expected reports that something else stands at the cursor than is wanted.
func (c Cursor) Expected(wanted string) {
	if c.Kind() == Nothing {
		c.Fault("has no value: expected "+wanted, "")
		return
	}
	found := c.Kind().String()
	if c.Kind() == Scalar {
		found = strconv.Quote(shorten(c.Text()))
	}
	c.Fault(fmt.Sprintf("expected %s, found %s", wanted, found), "")
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

func (c Cursor) intoStruct(v reflect.Value) {
	if c.Kind() == Nothing {
		return
	}
	if c.Kind() != Mapping {
		c.Expected("a mapping")
		return
	}
	fields, known := map[string]reflect.Value{}, []string{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name == "-" || !field.IsExported() {
			continue
		}
		if name == "" {
			name = strings.ToLower(field.Name)
		}
		fields[name] = v.Field(i)
		known = append(known, name)
	}
	for _, e := range c.Entries() {
		if field, ok := fields[e.Key]; ok {
			e.Value.decode(field)
		} else {
			e.Value.UnknownKey(e.Key, known)
		}
	}
}

func (c Cursor) intoMap(v reflect.Value) {
	if c.Kind() == Nothing {
		return
	}
	if c.Kind() != Mapping || v.Type().Key().Kind() != reflect.String {
		c.Expected("a mapping")
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, e := range c.Entries() {
		value := reflect.New(v.Type().Elem()).Elem()
		e.Value.decode(value)
		v.SetMapIndex(reflect.ValueOf(e.Key).Convert(v.Type().Key()), value)
	}
}

func (c Cursor) intoSlice(v reflect.Value) {
	if c.Kind() == Nothing {
		return
	}
	if c.Kind() != List {
		c.Expected("a list")
		return
	}
	items := c.Items()
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		item.decode(out.Index(i))
	}
	v.Set(out)
}

func (c Cursor) scalar(v reflect.Value) {
	wanted := map[reflect.Kind]string{reflect.String: "text", reflect.Bool: "true or false"}[v.Kind()]
	if wanted == "" {
		wanted = "a number"
		if v.CanInt() || v.CanUint() {
			wanted = "a whole number"
		}
	}
	tag := resolve(c.node).ShortTag()
	if c.Kind() != Scalar || v.Kind() == reflect.String && tag == "!!bool" {
		c.Expected(wanted)
		return
	}
	text, ok := c.Text(), false
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
		ok = true
	case v.Kind() == reflect.Bool:
		v.SetBool(text == "true")
		ok = tag == "!!bool" && (text == "true" || text == "false")
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, 64)
		if ok = err == nil && !v.OverflowInt(n) && tag == "!!int"; ok {
			v.SetInt(n)
		}
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, 64)
		if ok = err == nil && !v.OverflowUint(n) && tag == "!!int"; ok {
			v.SetUint(n)
		}
	case v.CanFloat():
		n, err := strconv.ParseFloat(text, 64)
		if ok = err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) && (tag == "!!int" || tag == "!!float"); ok {
			v.SetFloat(n)
		}
	}
	if !ok {
		c.Expected(wanted)
	}
}
