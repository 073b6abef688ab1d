//go:build !linux

package source

import (
	"context"
	"runtime"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/agent/source/portable"
)

// all has the sources of Linux by the same names and in the same order, so
// that one configuration serves both.
func all(_ Roots, now func() time.Time) []Source {
	load := portable.Load
	if runtime.GOOS == "windows" {
		load = nothing
	}
	return []Source{
		{"cpu", portable.CPU},
		{"memory", portable.Memory},
		{"swap", nothing},
		{"load", load},
		{"filesystem", newFilesystem(Roots{}).collect},
		{"disk", some(portable.Disk)},
		{"network", some(portable.Network)},
		{"connections", nothing},
		{"descriptors", nothing},
		{"processes", nothing},
		{"pressure", nothing},
		{"temperature", nothing},
		{"systemd", nothing},
		{"top", nothing},
		{"uptime", func(ctx context.Context, out *sample.Set) error { return uptimeOf(ctx, now(), out) }},
		{"uname", portable.Uname},
	}
}

// nothing is a source that only Linux has.
func nothing(context.Context, *sample.Set) error { return ErrNothing }

// some makes a source of one that says how many it found.
func some(collect func(context.Context, *sample.Set) (int, error)) func(context.Context, *sample.Set) error {
	return func(ctx context.Context, out *sample.Set) error {
		if n, err := collect(ctx, out); err != nil || n > 0 {
			return err
		}
		return ErrNothing
	}
}

func uptimeOf(ctx context.Context, now time.Time, out *sample.Set) error {
	boot, err := portable.BootTime(ctx)
	if err != nil {
		return err
	}
	out.Add("node_boot_time_seconds", float64(boot.Unix()))
	out.Add("node_time_seconds", float64(now.UnixNano())/1e9)
	return nil
}

// BootTime is when this host was started, by its own clock; the zero time
// where that is not known.
func BootTime(Roots) time.Time {
	boot, err := portable.BootTime(context.Background())
	if err != nil {
		return time.Time{}
	}
	return boot
}
