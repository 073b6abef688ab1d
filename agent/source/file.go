package source

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// maxFile bounds what is read from one file, in bytes: /proc/stat of a
// machine with thousands of interrupts stays far below it.
const maxFile = 4 << 20

// file is a small file that is read again and again. It stays open between
// the readings, which for files of /proc and /sys costs a third of opening
// them each time.
type file struct {
	path string
	open *os.File
	buf  []byte
}

// read returns the file's present content, valid until the next call. A file
// that cannot be read through the old handle (a device that came back) is
// opened anew once.
func (f *file) read() ([]byte, error) {
	if f.open != nil {
		if text, err := f.readAt(); err == nil {
			return text, nil
		}
		f.close()
	}
	opened, err := os.Open(f.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && runtime.GOOS != "linux" {
			return nil, ErrNothing
		}
		return nil, err
	}
	f.open = opened
	text, err := f.readAt()
	if err != nil {
		f.close()
	}
	return text, err
}

func (f *file) readAt() ([]byte, error) {
	if f.buf == nil {
		f.buf = make([]byte, 4096)
	}
	n := 0
	for {
		m, err := f.open.ReadAt(f.buf[n:], int64(n))
		n += m
		switch {
		case err == io.EOF:
			return f.buf[:n], nil
		case err != nil:
			return nil, err
		case n == maxFile:
			return nil, errors.New(f.path + " is longer than 4 MiB")
		case n == len(f.buf):
			grown := make([]byte, min(2*len(f.buf), maxFile))
			copy(grown, f.buf)
			f.buf = grown
		}
	}
}

func (f *file) close() {
	if f.open != nil {
		_ = f.open.Close() // only read from
		f.open = nil
	}
}
