package settings

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// Text is one file of several that are read as one.
type Text struct {
	File string
	Data []byte
}

// DecodeFiles reads several files as one, as Decode reads one: lists of the
// same key are joined in the order of the files, mappings too, and a key below
// them that stands in two files is a fault that names both places. Anchors and
// aliases are refused, for one text of all could give them another meaning.
// name is what the whole is called.
func DecodeFiles(name string, texts []Text, into any, notYet map[string]string) (*Document, Faults) {
	if len(texts) == 1 {
		return Decode(texts[0].File, texts[0].Data, into, notYet)
	}
	doc := &Document{File: name, places: map[string]place{}, many: true}
	d := &decoder{doc: doc, notYet: notYet, files: map[*yaml.Node]string{}}
	whole := &yaml.Node{Kind: yaml.MappingNode}
	for _, text := range texts {
		root, faults := parse(text.File, text.Data)
		d.faults = append(d.faults, faults...)
		if root == nil {
			continue
		}
		if root.Kind != yaml.MappingNode {
			d.faults = append(d.faults, Fault{File: text.File, Line: root.Line, Message: "is not a mapping", Remedy: "begin with a key, like services:"})
			continue
		}
		d.withoutAliases(root, text.File)
		d.join(whole, root, text.File)
	}
	Cursor{d: d, node: whole, file: name}.Into(into)
	if len(whole.Content) > 0 {
		var b bytes.Buffer
		out := yaml.NewEncoder(&b)
		out.SetIndent(2)
		if err := errors.Join(out.Encode(whole), out.Close()); err != nil {
			d.faults = append(d.faults, Fault{File: name, Message: "cannot be written as one text: " + err.Error()})
		}
		doc.Source = b.Bytes()
	}
	return doc, d.faults.Sorted()
}

// join adds the keys of a file to the whole.
func (d *decoder) join(whole, root *yaml.Node, file string) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		d.files[value] = file
		step := 1
		if value.Kind == yaml.MappingNode {
			step = 2
		}
		for j := step - 1; j < len(value.Content); j += step {
			d.files[value.Content[j]] = file
		}
		there := under(whole, key.Value)
		switch {
		case there == nil:
			whole.Content = append(whole.Content, key, value)
		case there.Kind == value.Kind && (value.Kind == yaml.SequenceNode || value.Kind == yaml.MappingNode):
			there.Style = 0
			there.Content = append(there.Content, value.Content...)
		default:
			d.faults = append(d.faults, Fault{File: file, Line: key.Line, Path: key.Value,
				Message: fmt.Sprintf("stands in %s too and cannot be joined with it", filepath.Base(d.files[there])), Remedy: "write it in one file"})
		}
	}
}

// withoutAliases refuses the first anchor or alias of a file.
func (d *decoder) withoutAliases(n *yaml.Node, file string) bool {
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		d.faults = append(d.faults, Fault{File: file, Line: n.Line, Message: "anchors and aliases are not read where several files are one", Remedy: "write the value out"})
		return false
	}
	for _, child := range n.Content {
		if !d.withoutAliases(child, file) {
			return false
		}
	}
	return true
}

// under is the value of the key in a mapping; nil: none.
func under(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}
