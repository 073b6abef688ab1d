package portable

import (
	"context"
	"fmt"
	"slices"

	"github.com/shirou/gopsutil/v4/disk"
)

// Mount is one mounted filesystem; on Windows a drive letter is both its
// device and its mount point.
type Mount struct {
	Device, Point, Kind string
	ReadOnly            bool
}

// Mounts lists the filesystems on disks; what the system makes up (devfs) is
// left out.
func Mounts(ctx context.Context) ([]Mount, error) {
	partitions, err := disk.PartitionsWithContext(ctx, false)
	if err != nil && len(partitions) == 0 { // one drive of several may be empty
		return nil, fmt.Errorf("list the filesystems: %w", err)
	}
	var mounts []Mount
	for _, p := range partitions {
		mounts = append(mounts, Mount{p.Device, p.Mountpoint, p.Fstype, slices.Contains(p.Opts, "ro")})
	}
	return mounts, nil
}

// Usage is what a filesystem says of itself, in bytes and inodes.
type Usage struct {
	Size, Free, Avail uint64
	Files, FilesFree  uint64
}

// UsageOf asks the filesystem at a mount point; a dead one may never answer.
func UsageOf(point string) (Usage, error) {
	u, err := disk.Usage(point)
	if err != nil {
		return Usage{}, fmt.Errorf("usage of %s: %w", point, err)
	}
	return Usage{Size: u.Total, Free: u.Total - min(u.Used, u.Total), Avail: u.Free, Files: u.InodesTotal, FilesFree: u.InodesFree}, nil
}
