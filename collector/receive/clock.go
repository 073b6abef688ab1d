package receive

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// keepShifts is how many corrections of a host are remembered; sameShift is
// how near a new one must be to be one of them.
const (
	keepShifts = 4
	sameShift  = 1500 * time.Millisecond
)

// clocks finds out how wrong the clock of a host was when it made a record.
//
//	made   = received - (boot clock at sending - boot clock at collection)
//	shift  = made - wall clock at collection
//
// The boot clock counts on whatever is done to the wall clock, so a record made
// before the wall clock was set and one made after it both come out right.
type clocks struct {
	corrected *prometheus.CounterVec // by instance

	mu    sync.Mutex
	known map[string][]int64 // by host, the newest last
}

// shift is what to add to the times of the record, in ms; 0 when the clock was
// right, or when nothing can be told: a sender that tells no clocks. The
// record is not believed about the time it was received.
func (c *clocks) shift(env *wire.Envelope, sent wire.Clocks) int64 {
	if env.Clocks.Wall == 0 || sent.Wall == 0 {
		return 0
	}
	off := env.ReceivedAt - sent.Wall
	// A record of another boot has a boot clock of its own; the agent then
	// tells none at sending, and the error now is the best guess for then.
	if sent.Boot != 0 && env.Clocks.Boot != 0 && sent.Boot >= env.Clocks.Boot {
		off = env.ReceivedAt - (sent.Boot - env.Clocks.Boot) - env.Clocks.Wall
	}
	shift := c.settle(env.Host, off)
	if shift != 0 {
		c.corrected.WithLabelValues(env.Instance).Inc()
	}
	return shift
}

// settle makes one correction of those that differ only by the way records
// take: times of one host must not tremble, and a record that is sent twice
// must come out the same.
func (c *clocks) settle(host string, off int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.known[host]
	for i, s := range known {
		if d := off - s; d <= sameShift.Milliseconds() && d >= -sameShift.Milliseconds() {
			c.known[host] = append(slices.Delete(known, i, i+1), s)
			return s
		}
	}
	if off >= -wire.MaxClockError.Milliseconds() && off <= wire.MaxClockError.Milliseconds() {
		return 0
	}
	whole := (off + 500*sign(off)) / 1000 * 1000
	if len(known) == keepShifts {
		known = slices.Delete(known, 0, 1)
	}
	c.known[host] = append(known, whole)
	return whole
}

func sign(v int64) int64 {
	if v < 0 {
		return -1
	}
	return 1
}
