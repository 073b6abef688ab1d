package portable

import (
	"context"
	"fmt"
	"time"

	"github.com/shirou/gopsutil/v4/host"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// BootTime is when this host was started, by its own clock, to the second.
func BootTime(ctx context.Context) (time.Time, error) {
	seconds, err := host.BootTimeWithContext(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("time of the boot: %w", err)
	}
	return time.Unix(int64(seconds), 0), nil
}

// Uname adds the name and version of the system.
func Uname(ctx context.Context, out *sample.Set) error {
	info, err := host.InfoWithContext(ctx)
	if err != nil {
		return fmt.Errorf("name of the system: %w", err)
	}
	sysname := info.OS
	switch sysname {
	case "linux":
		sysname = "Linux"
	case "darwin":
		sysname = "Darwin"
	case "freebsd":
		sysname = "FreeBSD"
	case "windows":
		sysname = "Windows"
	}
	out.Add("node_uname_info", 1, "domainname", "(none)", "machine", info.KernelArch, "nodename", info.Hostname,
		"release", info.KernelVersion, "sysname", sysname, "version", info.PlatformVersion)
	return nil
}
