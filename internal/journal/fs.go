package journal

import (
	"io"
	"io/fs"
	"os"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// FS is what a journal needs of a file system; paths are as filepath.Join
// makes them. It must be safe for concurrent use. Errors are those of package
// os: a missing file is fs.ErrNotExist, a full disk syscall.ENOSPC.
type FS interface {
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	Stat(name string) (fs.FileInfo, error)
	Rename(from, to string) error
	Remove(name string) error
	MkdirAll(name string, perm fs.FileMode) error
	// SyncDir makes the creations, renames and removals in a directory durable.
	SyncDir(name string) error
	// FreeSpace is what an ordinary process can still write there, in bytes.
	FreeSpace(name string) (int64, error)
}

// File is one open file of an FS. ReadAt may be called beside a Write.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Seeker
	io.Closer
	Truncate(size int64) error
	// Sync returns when everything written is durable. After an error nothing
	// is known of what was written since the last success.
	Sync() error
}

// locker is what the real file system offers beside FS: an exclusive lock that
// ends with the process. It returns ErrLocked when another holds it.
type locker interface {
	Lock(name string) (io.Closer, error)
}

// OS is the file system of this machine.
type OS struct{}

// OpenFile opens a file as os.OpenFile does.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// ReadDir lists a directory by name.
func (OS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// Stat describes a file.
func (OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// Rename replaces to by from.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove deletes a file.
func (OS) Remove(name string) error { return os.Remove(name) }

// SyncDir makes what happened to the entries of a directory durable.
func (OS) SyncDir(name string) error { return durable.SyncDir(name) }

// MkdirAll makes a directory and its parents.
func (OS) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }
