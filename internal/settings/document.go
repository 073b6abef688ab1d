package settings

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Document is a decoded file, or several read as one: where each path stands.
type Document struct {
	File   string // the one file, or the folder of several
	Source []byte // the text; of several files the one text they make
	places map[string]place
	many   bool
}

// place is where something stands.
type place struct {
	file string
	line int
}

// Has tells whether the path, such as "services[0].needs", was written in
// the file.
func (d *Document) Has(path string) bool {
	_, ok := d.places[path]
	return ok
}

// Line is the line of the path; of a path that is not written, the line of
// the nearest thing around it that is; 0 when there is none.
func (d *Document) Line(path string) int { return d.nearest(path).line }

// Place is where the path stands, in words: "line 12", and of several files
// "line 12 of acme.yaml".
func (d *Document) Place(path string) string {
	at := d.nearest(path)
	if d.many {
		return fmt.Sprintf("line %d of %s", at.line, filepath.Base(at.file))
	}
	return fmt.Sprintf("line %d", at.line)
}

func (d *Document) nearest(path string) place {
	for {
		if at, ok := d.places[path]; ok {
			return at
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return place{file: d.File}
		}
		path = path[:cut]
	}
}

// Fault is a fault at the path, with its line.
func (d *Document) Fault(path, message, remedy string) Fault {
	at := d.nearest(path)
	return Fault{File: at.file, Line: at.line, Path: path, Message: message, Remedy: remedy}
}

// parse reads the one YAML document of the file; nil without a fault is a
// file with nothing in it.
func parse(file string, data []byte) (*yaml.Node, Faults) {
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var root, second yaml.Node
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, Faults{syntaxFault(file, err)}
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, Faults{{File: file, Line: second.Line, Message: "a second document begins here", Remedy: "keep one document in a file"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, Faults{syntaxFault(file, err)}
	}
	if len(root.Content) != 1 {
		return nil, nil
	}
	return root.Content[0], nil
}

func syntaxFault(file string, err error) Fault {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line, text = n, text[len(m[0]):]
		}
	}
	return Fault{File: file, Line: line, Message: fmt.Sprintf("not YAML: %s", text)}
}
