package settings

import (
	"fmt"
	"sort"
	"strings"
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	File    string
	Line    int    // counted from 1; 0 when no line is to blame
	Path    string // "services[0].needs"; empty for the file as a whole
	Message string // what is wrong, lower case, no full stop
	Remedy  string // what to do about it; may be empty
}

// String is the fault on one line: "file:line: path: message; remedy".
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	b.WriteString(": ")
	if f.Path != "" {
		b.WriteString(f.Path)
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	if f.Remedy != "" {
		b.WriteString("; ")
		b.WriteString(f.Remedy)
	}
	return strings.Map(oneLine, b.String())
}

func oneLine(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

// Faults is all that is wrong with a file. As an error it is one line for
// each fault, in the order of the lines.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f.Sorted() {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// Sorted returns the faults ordered by file and line, then as they were found.
func (f Faults) Sorted() Faults {
	sorted := append(Faults(nil), f...)
	sort.SliceStable(sorted, func(i, j int) bool {
		if sorted[i].File != sorted[j].File {
			return sorted[i].File < sorted[j].File
		}
		return sorted[i].Line < sorted[j].Line
	})
	return sorted
}

// Err is nil when there are no faults, so that an empty list never becomes
// an error that is not nil.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}
