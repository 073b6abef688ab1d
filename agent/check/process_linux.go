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

	"golang.org/x/sys/unix"
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

// matches tells whether a process has the name. One that ended meanwhile has
// not. The short name alone is asked of each: the kernel works ten times
// longer for the file that has the state too.
func (p *process) matches(pid string) (bool, error) {
	var buf [512]byte
	text, err := readStart(p.proc+"/"+pid+"/comm", buf[:])
	if err != nil {
		return false, err
	}
	if string(bytes.TrimSuffix(text, []byte{'\n'})) != p.name[:min(len(p.name), shortName)] {
		return false, nil
	}
	if text, err = readStart(p.proc+"/"+pid+"/stat", buf[:]); err != nil {
		return false, err
	}
	if state, ok := stateOf(text); !ok || state == 'Z' || state == 'X' {
		return false, nil
	}
	if len(p.name) <= shortName {
		return true, nil
	}
	if text, err = readStart(p.proc+"/"+pid+"/cmdline", buf[:]); err != nil {
		return false, err
	}
	program, _, _ := strings.Cut(string(text), "\x00")
	return path.Base(program) == p.name, nil
}

// readStart reads as much of a file as fits into buf. It goes past os.File,
// which costs as many system calls again to see whether it could wait for a
// file of /proc.
func readStart(name string, buf []byte) ([]byte, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	n, err := unix.Read(fd, buf)
	if closeErr := unix.Close(fd); err == nil {
		err = closeErr
	}
	return buf[:max(n, 0)], err
}

// stateOf reads the state in the text of /proc/PID/stat: 12 (name) S …; the
// name may have parentheses and spaces in it.
func stateOf(text []byte) (state byte, ok bool) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 || end+2 >= len(text) {
		return 0, false
	}
	return text[end+2], true
}
