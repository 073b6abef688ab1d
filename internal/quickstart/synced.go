package quickstart

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/plimsoll/plimsoll/internal/durable"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// syncedOnce is the file system for a journal that can be made again: it is
// synced when it is whole, not after each record.
type syncedOnce struct {
	journal.OS
	written map[string]bool
}

type unsyncedFile struct{ journal.File }

func (unsyncedFile) Sync() error { return nil }

// SyncDir is left to syncAll.
func (s *syncedOnce) SyncDir(string) error { return nil }

// OpenFile remembers the file for syncAll.
func (s *syncedOnce) OpenFile(name string, flag int, perm os.FileMode) (journal.File, error) {
	if s.written == nil {
		s.written = map[string]bool{}
	}
	s.written[name] = true
	f, err := s.OS.OpenFile(name, flag, perm)
	return unsyncedFile{f}, err
}

// syncAll makes all that was written durable.
func (s *syncedOnce) syncAll() (err error) {
	dirs := map[string]bool{}
	for name := range s.written {
		f, opened := os.Open(name)
		if errors.Is(opened, os.ErrNotExist) {
			continue // renamed or removed since
		}
		if opened != nil {
			err = errors.Join(err, opened)
			continue
		}
		dirs[filepath.Dir(name)] = true
		err = errors.Join(err, f.Sync(), f.Close())
	}
	for dir := range dirs {
		err = errors.Join(err, durable.SyncDir(dir))
	}
	return err
}

// quiet is the log of what only prepares.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
