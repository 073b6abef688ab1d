//go:build !linux

package agent

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// clocks reads the wall clock; the other two count since the agent started,
// which still measures a round trip and a step of the wall clock.
func clocks(now time.Time, started time.Time) wire.Clocks {
	since := time.Since(started).Milliseconds()
	return wire.Clocks{Wall: now.UnixMilli(), Boot: since, Mono: since}
}
