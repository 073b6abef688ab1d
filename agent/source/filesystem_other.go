//go:build !linux

package source

import (
	"context"

	"github.com/plimsoll/plimsoll/agent/source/portable"
)

// mountLister lists by the system's own means, in the bounds of Linux.
func (f *filesystem) mountLister() func(context.Context) ([]mount, error) {
	return func(ctx context.Context) ([]mount, error) {
		found, err := portable.Mounts(ctx)
		var mounts []mount
		for _, m := range found[:min(len(found), maxMounts)] {
			mounts = append(mounts, mount{m.Device, m.Point, m.Kind, m.ReadOnly})
		}
		return mounts, err
	}
}

func readUsage(path string) (usage, error) {
	u, err := portable.UsageOf(path)
	return usage{size: u.Size, free: u.Free, avail: u.Avail, files: u.Files, filesFree: u.FilesFree}, err
}
