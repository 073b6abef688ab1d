package agent

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/wire"
	"golang.org/x/sys/unix"
)

// clocks reads the three clocks of this host; started is not needed on Linux.
func clocks(now time.Time, _ time.Time) wire.Clocks {
	return wire.Clocks{Wall: now.UnixMilli(), Boot: kernelClock(unix.CLOCK_BOOTTIME), Mono: kernelClock(unix.CLOCK_MONOTONIC)}
}

func kernelClock(id int32) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		return 0 // a sandbox that forbids it: not known
	}
	return t.Nano() / 1e6
}
