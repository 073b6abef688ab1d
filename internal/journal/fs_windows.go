package journal

import (
	"errors"
	"io"
	"os"
	"syscall"
	"unsafe"
)

// FreeSpace is what an ordinary process can still write there, in bytes.
func (OS) FreeSpace(name string) (int64, error) {
	p, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	var free uint64
	call := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")
	if ok, _, err := call.Call(uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&free)), 0, 0); ok == 0 {
		return 0, &os.PathError{Op: "free space", Path: name, Err: err}
	}
	return int64(min(free, 1<<62)), nil
}

// errSharing is ERROR_SHARING_VIOLATION, errDiskFull ERROR_DISK_FULL.
const (
	errSharing  = syscall.Errno(32)
	errDiskFull = syscall.Errno(112)
)

// Lock opens a file that nobody else can open until it is closed or the
// process ends.
func (OS) Lock(name string) (io.Closer, error) {
	p, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(p, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}

// noSpace tells whether err means that the disk is full.
func noSpace(err error) bool {
	return errors.Is(err, errDiskFull) || errors.Is(err, syscall.ENOSPC)
}
