package collector

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Hold is a data directory taken for this process. It ends with the process,
// however that ends.
type Hold struct {
	Dir  string
	Made bool // nothing was kept there before
	file *os.File
}

// HeldError tells that another process holds the data directory.
type HeldError struct {
	Dir     string
	Process string // its id
	Page    string // where its first page is; empty while it is starting
}

// Error names the process and its page.
func (e *HeldError) Error() string {
	page := "it is just starting"
	if e.Page != "" {
		page = "its page is " + e.Page
	}
	return fmt.Sprintf("Plimsoll runs already here: process %s, %s; it holds the data directory %s: stop that one, or name another directory with --data", e.Process, page, e.Dir)
}

// HoldData takes the data directory, making it where it is missing. That
// another process holds it is a *HeldError.
func HoldData(dir string) (*Hold, error) {
	unusable := func(err error) error {
		return fmt.Errorf("the data directory %s cannot be written: %w; make it this user's, or name another with --data", dir, err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, unusable(err)
	}
	name := filepath.Join(dir, "LOCK")
	_, err := os.Stat(name)
	made := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, unusable(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		text, _ := os.ReadFile(name)
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			process, page, _ := strings.Cut(string(text), "\n")
			return nil, &HeldError{Dir: dir, Process: strings.TrimSpace(process), Page: strings.TrimSpace(page)}
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	h := &Hold{Dir: dir, Made: made, file: f}
	if err := h.say(""); err != nil {
		return nil, errors.Join(unusable(err), h.Release())
	}
	return h, nil
}

// say writes this process's id and the address of its page beside the lock,
// for one who tries to take the directory meanwhile.
func (h *Hold) say(page string) error {
	if err := h.file.Truncate(0); err != nil {
		return err
	}
	_, err := h.file.WriteAt(fmt.Appendf(nil, "%d\n%s\n", os.Getpid(), page), 0)
	return err
}

// Release lets go of the directory; a second time it does nothing.
func (h *Hold) Release() error {
	if err := h.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
