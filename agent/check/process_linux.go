package check

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// shortName is how much of a program's name the kernel keeps, in bytes.
const shortName = 15

// maxProcesses bounds the processes one test looks at; the kernel's own bound
// is about four million.
const maxProcesses = 4 << 20

// find counts the processes of that name under the root: those whose short
// name is it or, where the name is longer, whose command line begins with it.
// A zombie does not run.
func (p *process) find(ctx context.Context) (found, error) {
	dir, err := os.Open(p.proc)
	if err != nil {
		return found{}, err
	}
	defer func() { _ = dir.Close() }() // only read from
	var got found
	if _, err := os.Stat(filepath.Join(p.proc, "1")); err != nil {
		got.hidden = true // there is always a first process
	}
	for seen := 0; seen < maxProcesses; {
		names, err := dir.Readdirnames(512)
		for _, pid := range names {
			if pid[0] < '1' || pid[0] > '9' {
				continue
			}
			seen++
			is, err := p.matches(pid)
			if errors.Is(err, fs.ErrPermission) {
				got.hidden = true
			}
			if is {
				got.running++
			}
		}
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return found{}, err
		}
	}
	return got, errors.New("too many processes")
}

// matches tells whether a process has the name. One that ended meanwhile has not.
func (p *process) matches(pid string) (bool, error) {
	var buf [512]byte
	text, err := readStart(filepath.Join(p.proc, pid, "stat"), buf[:])
	if err != nil {
		return false, err
	}
	name, state, ok := nameAndState(text)
	if !ok || state == 'Z' || state == 'X' || name != p.name[:min(len(p.name), shortName)] {
		return false, nil
	}
	if len(p.name) <= shortName {
		return true, nil
	}
	text, err = readStart(filepath.Join(p.proc, pid, "cmdline"), buf[:])
	if err != nil {
		return false, err
	}
	program, _, _ := strings.Cut(string(text), "\x00")
	return path.Base(program) == p.name, nil
}

// readStart reads as much of a file as fits into buf.
func readStart(name string, buf []byte) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	n, err := f.Read(buf)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return buf[:n], err
}

// nameAndState reads the text of /proc/PID/stat: 12 (name) S …; the name may
// have parentheses and spaces in it.
func nameAndState(text []byte) (name string, state byte, ok bool) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open || end+2 >= len(text) {
		return "", 0, false
	}
	return string(text[open+1 : end]), text[end+2], true
}
