package source

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

func (f *filesystem) mountLister() func(context.Context) ([]mount, error) { return f.readMounts }

func readUsage(path string) (usage, error) {
	var s unix.Statfs_t
	var err error
	for range 3 {
		if err = unix.Statfs(path, &s); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return usage{}, fmt.Errorf("statfs %s: %w", path, err)
	}
	unit := uint64(s.Frsize)
	if unit == 0 {
		unit = uint64(s.Bsize)
	}
	return usage{
		size:      s.Blocks * unit,
		free:      s.Bfree * unit,
		avail:     s.Bavail * unit,
		files:     s.Files,
		filesFree: s.Ffree,
	}, nil
}
