// Package durable replaces files so that a power cut leaves the old content or
// the new one, whole: written beside, fsynced, renamed, the directory fsynced.
// A rename alone is not enough: the new name may be on the disk before what it
// names, and an empty file is a good configuration.
package durable

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile puts data in the place of what path holds, with that mode. The
// error names path; the old content is in place then. One path has one writer
// at a time.
func WriteFile(path string, data []byte, mode fs.FileMode) (err error) {
	// Always the same name: what kills leave behind does not grow.
	name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
	tmp, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(name)
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if _, err = tmp.Write(data); err == nil {
		if err = tmp.Chmod(mode); err == nil { // one that was left may have another
			err = tmp.Sync()
		}
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err = os.Rename(name, path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}
