package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"
)

// maxProcesses bounds how many processes are walked over: at about 10 µs each
// this is a tenth of a second, once a minute.
const maxProcesses = 10_000

// kernelThread is the flag PF_KTHREAD of a process.
const kernelThread = 0x00200000

// kernelName is what all threads of the kernel are counted under: they have
// names without end (kworker/u8:3-events_unbound).
const kernelName = "[kernel]"

// process is what is known of one process.
type process struct {
	pid     int
	name    string // at most 15 bytes, by the process's own choice; never its arguments
	state   byte
	threads int
	ticks   uint64 // of processor time used since it began
	began   uint64 // ticks after the boot; with the pid it names the process for ever
	rss     uint64 // pages in memory, shared ones too
}

// table is the list of the host's processes, read at most once a minute
// however many sources want it.
type table struct {
	proc string
	most int // processes
	now  func() time.Time
	when minute
	at   time.Time // of list
	list []process
	err  error
	buf  []byte
	path []byte
	kept map[string]string // names, so that they are not made anew each time
}

func newTable(r Roots, now func() time.Time) *table {
	return &table{proc: r.Proc, most: maxProcesses, now: now, buf: make([]byte, 1024), kept: map[string]string{}}
}

// read returns the processes and when they were read. The list is valid until
// it is read anew. A failure too is tried again after a minute only.
func (t *table) read(ctx context.Context) ([]process, time.Time, error) {
	if now := t.now(); t.when.due(now) {
		if t.err = t.walk(ctx); t.err == nil {
			t.at = now
		}
	}
	return t.list, t.at, t.err
}

func (t *table) walk(ctx context.Context) error {
	t.list = t.list[:0]
	dir, err := os.Open(t.proc)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // only read from
	for {
		names, err := dir.Readdirnames(256)
		for _, name := range names {
			pid, err := strconv.Atoi(name)
			if err != nil {
				continue
			}
			if len(t.list) == t.most {
				return fmt.Errorf("more than %d processes; they are not counted", t.most)
			}
			if err := t.add(pid, name); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if len(t.kept) > maxProcesses {
				clear(t.kept)
			}
			if len(t.list) == 0 {
				return ErrNothing
			}
			return nil
		case err != nil:
			return fmt.Errorf("list %s: %w", t.proc, err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// add reads one process; one that has ended meanwhile, or that the agent may
// not see, is left out.
func (t *table) add(pid int, name string) error {
	t.path = append(append(append(append(t.path[:0], t.proc...), '/'), name...), "/stat"...)
	n, err := slurp(string(t.path), t.buf)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errEnded) {
		return nil
	}
	if err != nil {
		return err
	}
	p, err := t.parse(t.buf[:n])
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	p.pid = pid
	t.list = append(t.list, p)
	return nil
}

// The fields of /proc/PID/stat behind the name, counted from the state.
const (
	fieldFlags   = 6
	fieldUser    = 11
	fieldSystem  = 12
	fieldThreads = 17
	fieldBegan   = 19
	fieldRSS     = 21
)

// parse reads "4711 (name) S 1 4711 …", proc_pid_stat(5). The name may hold
// anything, brackets and blanks too.
func (t *table) parse(text []byte) (process, error) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return process{}, fmt.Errorf("stat: no name in %q", shorten(text))
	}
	name, rest := text[open+1:end], text[end+1:]
	var fields [fieldRSS + 1][]byte
	for i := range fields {
		if fields[i], rest = word(rest); len(fields[i]) == 0 {
			return process{}, fmt.Errorf("stat: %d of %d fields", i, len(fields))
		}
	}
	var flags, user, system, threads uint64
	p := process{state: fields[0][0]}
	for _, f := range [...]struct {
		at   int
		into *uint64
	}{
		{fieldFlags, &flags}, {fieldUser, &user}, {fieldSystem, &system}, {fieldThreads, &threads}, {fieldBegan, &p.began}, {fieldRSS, &p.rss},
	} {
		var err error
		if *f.into, err = number(fields[f.at]); err != nil {
			return process{}, fmt.Errorf("stat: field %d: %w", f.at+3, err)
		}
	}
	p.ticks, p.threads = user+system, int(threads)
	if flags&kernelThread != 0 {
		name = []byte(kernelName)
	}
	p.name = t.clean(name)
	return p, nil
}

// clean is a process's name as a label: what cannot be printed becomes "_".
func (t *table) clean(name []byte) string {
	if kept, ok := t.kept[string(name)]; ok {
		return kept
	}
	text := []byte(string(name[:min(len(name), 63)]))
	for i, c := range text {
		if c < ' ' || c > '~' {
			text[i] = '_'
		}
	}
	t.kept[string(name)] = string(text)
	return string(text)
}
