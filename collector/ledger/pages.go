package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// SQLite has no sums of its pages: a bit that turns inside a number leaves a
// sound database with another number in it. The ledger therefore keeps a sum at
// the end of every page, in bytes that SQLite leaves alone when it is asked to:
//
//	page ─ 4080 bytes of SQLite's ─ 8 bytes, 0 ─ 8 bytes, XXH64 of all before, seeded with the page's number
//
// The seed makes a page that landed in another's place, and one full of zeros,
// as wrong as a changed bit. Sums are written and compared where SQLite reads
// and writes its file; the write-ahead log has sums of its own.
const (
	pageSize = 4096
	// reserved is not 8: the driver has sums of its own for that, which take a
	// page of zeros, and one in another's place, for sound.
	reserved = 16
	sumSize  = 8
	// applicationID marks a ledger with sums, beside the reserved bytes: no
	// single damage makes it look like one that was written before there were any.
	applicationID = 0x506c696d // "Plim"
	headerSize    = 100
)

// form tells by the first bytes of the file what is in it.
type form int

const (
	empty  form = iota // to be made
	summed             // a ledger with sums, or something damaged
	plain              // a ledger written before there were sums
)

func formOf(header []byte) form {
	switch {
	case len(header) == 0:
		return empty
	case len(header) >= headerSize && header[20] == 0 && binary.BigEndian.Uint32(header[68:]) == 0:
		return plain
	}
	return summed
}

// formOfFile is the form of the file at path; one that is not there is empty.
func formOfFile(path string) (form, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, err
	}
	header, err := io.ReadAll(io.LimitReader(f, headerSize))
	return formOf(header), errors.Join(err, f.Close())
}

// pages is the file system through which SQLite reaches the ledger.
type pages struct {
	vfs.VFS
	found func(page int64) // is told each page that does not fit its sum, once

	mu      sync.Mutex
	damaged map[int64]bool
}

func newPages(found func(page int64)) *pages {
	return &pages{VFS: vfs.Find(""), found: found, damaged: map[int64]bool{}}
}

// Open implements vfs.VFS, for files without a name.
func (p *pages) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return vfsutil.WrapOpen(p.VFS, name, flags)
}

// OpenFilename implements vfs.VFSFilename: of a database the main file is
// summed, and all of its files are closed to others. The write-ahead log and
// copies hold password hashes like the main file, and the driver would make
// each of them as the umask has it.
func (p *pages) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if path := name.String(); path != "" && flags&vfs.OPEN_CREATE != 0 {
		closing := []string{path}
		if flags&vfs.OPEN_MAIN_DB != 0 {
			closing = append(closing, path+"-shm") // the driver opens that one without asking here
		}
		for _, path := range closing {
			if err := ownerOnly(path); err != nil {
				return nil, flags, fmt.Errorf("close %s to others: %w", path, err)
			}
		}
	}
	file, flags, err := vfsutil.WrapOpenFilename(p.VFS, name, flags)
	if err != nil || flags&vfs.OPEN_MAIN_DB == 0 {
		return file, flags, err
	}
	header := make([]byte, headerSize)
	n, err := file.ReadAt(header, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, flags, errors.Join(err, file.Close())
	}
	if formOf(header[:n]) == plain {
		return file, flags, nil
	}
	return &summedFile{File: file, pages: p}, flags, nil
}

// ownerOnly makes the file, or closes one that is there, to all but its owner:
// it holds password hashes.
func ownerOnly(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// refuse counts a page, numbered from 1, and gives SQLite the error for it.
func (p *pages) refuse(page int64) error {
	p.mu.Lock()
	known := p.damaged[page]
	p.damaged[page] = true
	p.mu.Unlock()
	if !known {
		p.found(page)
	}
	return sqlite3.IOERR_DATA
}

// count of the pages that were found not to fit their sums.
func (p *pages) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.damaged)
}

// summedFile is the main file of a database whose pages have sums.
type summedFile struct {
	vfs.File
	pages *pages
}

func sumOf(page []byte, number int64) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(uint64(number))
	_, _ = d.Write(page[:len(page)-sumSize]) // never fails
	return d.Sum64()
}

// ReadAt refuses what does not fit its sum. Of the header alone, which SQLite
// looks at before it knows how large a page is, nothing can be said; it is read
// again with the whole of page 1 before it is believed.
func (f *summedFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(p, off)
	number := off/pageSize + 1
	switch {
	case off+int64(len(p)) <= headerSize:
		return n, err
	case n == 0 && errors.Is(err, io.EOF): // beyond the end: SQLite knows how many pages there are
		return n, err
	case n != pageSize || len(p) != pageSize || off%pageSize != 0,
		binary.BigEndian.Uint64(p[pageSize-sumSize:]) != sumOf(p, number):
		return 0, f.pages.refuse(number)
	}
	return n, err
}

// WriteAt gives a page its sum.
func (f *summedFile) WriteAt(p []byte, off int64) (int, error) {
	if len(p) != pageSize || off%pageSize != 0 || off == 0 && p[20] != reserved {
		return 0, sqlite3.IOERR_WRITE // would write the sum over something
	}
	clear(p[pageSize-reserved : pageSize-sumSize])
	binary.BigEndian.PutUint64(p[pageSize-sumSize:], sumOf(p, off/pageSize+1))
	return f.File.WriteAt(p, off)
}

// DeviceCharacteristics does not let SQLite read parts of pages.
func (f *summedFile) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return f.File.DeviceCharacteristics() &^ vfs.IOCAP_SUBPAGE_READ
}

// What follows hands on what the file beneath can do besides.

func (f *summedFile) Unwrap() vfs.File               { return f.File }
func (f *summedFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f *summedFile) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }
func (f *summedFile) PersistWAL() bool               { return vfsutil.WrapPersistWAL(f.File) }
func (f *summedFile) SetPersistWAL(keep bool)        { vfsutil.WrapSetPersistWAL(f.File, keep) }
func (f *summedFile) PowersafeOverwrite() bool       { return vfsutil.WrapPowersafeOverwrite(f.File) }
func (f *summedFile) SetPowersafeOverwrite(safe bool) {
	vfsutil.WrapSetPowersafeOverwrite(f.File, safe)
}
func (f *summedFile) SizeHint(size int64) error       { return vfsutil.WrapSizeHint(f.File, size) }
func (f *summedFile) HasMoved() (bool, error)         { return vfsutil.WrapHasMoved(f.File) }
func (f *summedFile) Overwrite() error                { return vfsutil.WrapOverwrite(f.File) }
func (f *summedFile) SyncSuper(super string) error    { return vfsutil.WrapSyncSuper(f.File, super) }
func (f *summedFile) CommitPhaseTwo() error           { return vfsutil.WrapCommitPhaseTwo(f.File) }
func (f *summedFile) BusyHandler(handler func() bool) { vfsutil.WrapBusyHandler(f.File, handler) }
