package crashfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
)

// ErrCrashed is what every operation returns after the crash.
var ErrCrashed = errors.New("crashed")

// ErrShortWrite as the fault of FailAt makes a write stop half-way with EIO.
var ErrShortWrite = errors.New("short write")

// FS is a file system in memory. It implements journal.FS.
type FS struct {
	// Capacity is how many bytes all files together may have; 0: no bound.
	Capacity int64

	mu      sync.Mutex
	ops     int
	crashAt int // 0: never
	failAt  int
	every   bool // each operation from failAt on fails
	fault   error
	crashed bool

	dirs    map[string]bool
	names   map[string]*inode // as programs see them
	durable map[string]*inode // as the disk has them
	pending []nameOp          // from durable to names, in order
}

// inode is a file's content: as programs see it, as the disk surely has it, and
// what lies in between.
type inode struct {
	data    []byte
	disk    []byte
	pending []change
	lost    []change // a failed Sync dropped them
}

// change is a write at off, or a truncation to off when data is nil.
type change struct {
	off  int64
	data []byte
}

// nameOp sets the names of one call: a rename sets two.
type nameOp struct {
	dir string
	set map[string]*inode // nil: removed
}

// New returns an empty file system.
func New() *FS {
	return &FS{dirs: map[string]bool{}, names: map[string]*inode{}, durable: map[string]*inode{}}
}

// CrashAt makes the n-th operation from now (1 is the next) and all after it
// fail with ErrCrashed; a write that is the n-th happens half.
func (f *FS) CrashAt(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashAt = f.ops + n
}

// FailAt makes the n-th operation from now fail with err; with every, all
// after it too. n = 0 ends it.
func (f *FS) FailAt(n int, every bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failAt, f.every, f.fault = 0, every, err
	if n > 0 {
		f.failAt = f.ops + n
	}
}

// Ops is how many operations were begun.
func (f *FS) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ops
}

// Crashed tells whether the operation of CrashAt was reached.
func (f *FS) Crashed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.crashed
}

// op counts an operation and returns its fault. mu is held.
func (f *FS) op() error {
	f.ops++
	if f.crashed || f.crashAt > 0 && f.ops >= f.crashAt {
		f.crashed = true
		return ErrCrashed
	}
	if f.failAt > 0 && (f.ops == f.failAt || f.every && f.ops > f.failAt) {
		return f.fault
	}
	return nil
}

// fail is op for calls that cannot be half done.
func (f *FS) fail(op, name string) error {
	err := f.op()
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrShortWrite) {
		err = syscall.EIO
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

func (f *FS) used() int64 {
	var n int64
	for _, ino := range f.names {
		n += int64(len(ino.data))
	}
	return n
}

// OpenFile opens a file as os.OpenFile does.
func (f *FS) OpenFile(name string, flag int, _ fs.FileMode) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail("open", name); err != nil {
		return nil, err
	}
	ino := f.names[name]
	switch {
	case ino == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case ino != nil && flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case ino == nil && !f.dirs[filepath.Dir(name)]:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case ino == nil:
		ino = &inode{}
		f.rename(filepath.Dir(name), map[string]*inode{name: ino})
	}
	if flag&os.O_TRUNC != 0 {
		ino.truncate(0)
	}
	return &file{fs: f, ino: ino, name: name, write: flag&(os.O_WRONLY|os.O_RDWR) != 0}, nil
}

// rename applies a change of names. mu is held.
func (f *FS) rename(dir string, set map[string]*inode) {
	apply(f.names, set)
	f.pending = append(f.pending, nameOp{dir, set})
}

func apply(names, set map[string]*inode) {
	for name, ino := range set {
		if ino == nil {
			delete(names, name)
		} else {
			names[name] = ino
		}
	}
}

// Rename replaces to by from.
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail("rename", from); err != nil {
		return err
	}
	ino := f.names[from]
	if ino == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	f.rename(filepath.Dir(to), map[string]*inode{from: nil, to: ino})
	return nil
}

// Remove deletes a file.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail("remove", name); err != nil {
		return err
	}
	if f.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	f.rename(filepath.Dir(name), map[string]*inode{name: nil})
	return nil
}

// MkdirAll makes a directory, durable at once.
func (f *FS) MkdirAll(name string, _ fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail("mkdir", name); err != nil {
		return err
	}
	for ; !f.dirs[name]; name = filepath.Dir(name) {
		f.dirs[name] = true
	}
	return nil
}

// SyncDir makes the names in a directory durable.
func (f *FS) SyncDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail("fsync", name); err != nil {
		return err
	}
	f.pending = slices.DeleteFunc(f.pending, func(op nameOp) bool {
		if op.dir == name {
			apply(f.durable, op.set)
		}
		return op.dir == name
	})
	return nil
}

// FreeSpace is what Capacity leaves; it is not counted as an operation.
func (f *FS) FreeSpace(string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Capacity == 0 {
		return 1 << 40, nil
	}
	return max(0, f.Capacity-f.used()), nil
}

// ReadDir lists the files and directories of a directory by name.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail("readdir", name); err != nil {
		return nil, err
	}
	if !f.dirs[name] {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var list []fs.DirEntry
	for p, ino := range f.names {
		if filepath.Dir(p) == name {
			list = append(list, fs.FileInfoToDirEntry(info{filepath.Base(p), int64(len(ino.data)), false}))
		}
	}
	for p := range f.dirs {
		if filepath.Dir(p) == name && p != name {
			list = append(list, fs.FileInfoToDirEntry(info{filepath.Base(p), 0, true}))
		}
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int {
		if a.Name() < b.Name() {
			return -1
		}
		return 1
	})
	return list, nil
}

// Stat describes a file.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail("stat", name); err != nil {
		return nil, err
	}
	ino := f.names[name]
	if ino == nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return info{filepath.Base(name), int64(len(ino.data)), false}, nil
}

// Contents returns a copy of a file's bytes, nil when there is none. Not an
// operation: for tests that look at or damage files (see SetContents).
func (f *FS) Contents(name string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ino := f.names[name]; ino != nil {
		return slices.Clone(ino.data)
	}
	return nil
}

// SetContents replaces a file's bytes, durably, as rot would.
func (f *FS) SetContents(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ino := &inode{data: slices.Clone(data), disk: slices.Clone(data)}
	f.names[name], f.durable[name] = ino, ino
}

// Names returns the paths of all files, sorted.
func (f *FS) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []string
	for p := range f.names {
		list = append(list, p)
	}
	slices.Sort(list)
	return list
}

// info is a file's description.
type info struct {
	name string
	size int64
	dir  bool
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) IsDir() bool        { return i.dir }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}

// file is an open file.
type file struct {
	fs    *FS
	ino   *inode
	name  string
	off   int64
	write bool
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.off)
	f.off += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.fail("read", f.name); err != nil {
		return 0, err
	}
	if off >= int64(len(f.ino.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.ino.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Write(p []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if !f.write {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: fs.ErrPermission}
	}
	before := f.fs.crashed
	n, err := len(p), f.fs.op()
	switch {
	case errors.Is(err, ErrCrashed) && !before:
		n /= 2
	case errors.Is(err, ErrShortWrite):
		n, err = n/2, syscall.EIO
	case err != nil:
		n = 0
	case f.fs.Capacity > 0:
		grow := max(0, f.off+int64(n)-int64(len(f.ino.data)))
		if over := f.fs.used() + grow - f.fs.Capacity; over > 0 {
			n, err = max(0, n-int(over)), syscall.ENOSPC
		}
	}
	f.ino.change(change{f.off, append([]byte{}, p[:n]...)})
	f.off += int64(n)
	if err != nil {
		return n, &fs.PathError{Op: "write", Path: f.name, Err: err}
	}
	return n, nil
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += f.off
	case io.SeekEnd:
		offset += int64(len(f.ino.data))
	}
	f.off = offset
	return offset, nil
}

func (f *file) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.fail("truncate", f.name); err != nil {
		return err
	}
	f.ino.truncate(size)
	return nil
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.fail("fsync", f.name); err != nil {
		if !f.fs.crashed {
			f.ino.lost = append(f.ino.lost, f.ino.pending...)
			f.ino.pending = nil
		}
		return err
	}
	for _, c := range f.ino.pending {
		f.ino.disk = c.apply(f.ino.disk)
		f.ino.lost = slices.DeleteFunc(f.ino.lost, c.covers)
	}
	f.ino.pending = nil
	return nil
}

// Close never fails: what it would report, Sync has reported.
func (f *file) Close() error { return nil }
