package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// memory is how the host's memory and swap are used.
type memory struct {
	meminfo file
	names   map[string]string // field of meminfo ─▶ metric
}

func newMemory(r Roots) *memory {
	return &memory{meminfo: file{path: r.Proc + "/meminfo"}, names: map[string]string{}}
}

func (m *memory) collect(_ context.Context, out *sample.Set) error {
	text, err := m.meminfo.read()
	if err != nil {
		return err
	}
	return m.parse(text, out)
}

// parse reads lines like "MemTotal: 16318480 kB" and "HugePages_Total: 0".
func (m *memory) parse(text []byte, out *sample.Set) error {
	found := 0
	for first := range lines(text) {
		field, value, ok := bytes.Cut(first, []byte{':'})
		if !ok || len(field) == 0 {
			continue
		}
		digits, unit := word(value)
		n, err := number(digits)
		if err != nil {
			return fmt.Errorf("meminfo: %s: %w", shorten(field), err)
		}
		unit, _ = word(unit)
		scale := 1.0
		if string(unit) == "kB" {
			scale = 1024
		}
		out.Add(m.name(field, scale > 1), float64(n)*scale)
		found++
	}
	if found == 0 {
		return errors.New("meminfo: nothing in it")
	}
	return nil
}

// maxFields bounds the names remembered; a kernel has about sixty.
const maxFields = 512

// name is the metric of a field: "Active(anon)" is node_memory_Active_anon_bytes.
func (m *memory) name(field []byte, bytesUnit bool) string {
	if name, ok := m.names[string(field)]; ok {
		return name
	}
	name := []byte("node_memory_")
	for _, c := range field {
		switch {
		case c == '(':
			name = append(name, '_')
		case c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			name = append(name, c)
		}
	}
	if bytesUnit {
		name = append(name, "_bytes"...)
	}
	if len(m.names) >= maxFields {
		clear(m.names)
	}
	m.names[string(field)] = string(name)
	return string(name)
}
