package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// ticks is how many units of /proc/stat make a second: USER_HZ, 100 on every
// Linux whatever the kernel's own clock.
const ticks = 100

// maxStepBack is how far, in ticks, a counter of the kernel is seen to go
// back without a processor having been taken away: idle and iowait are
// estimates. A smaller value than before within this is held at the old one,
// or a rate over it would show hours of idling in one step.
const maxStepBack = 3 * ticks

const cpuModes = 10

// cpu is the time each processor spent in each mode.
type cpu struct {
	stat file
	seen map[string]*[cpuModes]uint64 // the highest value of each processor and mode
}

func newCPU(r Roots) *cpu {
	return &cpu{stat: file{path: r.Proc + "/stat"}, seen: map[string]*[cpuModes]uint64{}}
}

func (c *cpu) collect(_ context.Context, out *sample.Set) error {
	text, err := c.stat.read()
	if err != nil {
		return err
	}
	return c.parse(text, out)
}

// parse reads the lines "cpu0 user nice system idle iowait irq softirq steal
// guest guest_nice" in hundredths of a second; old kernels lack the last ones.
func (c *cpu) parse(text []byte, out *sample.Set) error {
	modes := [...]string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}
	found := 0
	for first := range lines(text) {
		if !bytes.HasPrefix(first, []byte("cpu")) {
			break
		}
		name, values := word(first)
		if len(name) == len("cpu") {
			continue // the sum of all
		}
		var now [cpuModes]uint64
		n, err := numbers(values, now[:])
		if err != nil || n < 4 {
			return fmt.Errorf("stat: %s has %d values: %w", shorten(name), n, errors.Join(err))
		}
		id := out.Intern(name[len("cpu"):])
		kept := c.hold(id, now)
		for i, mode := range modes {
			if i < n {
				out.Add("node_cpu_seconds_total", float64(kept[i])/ticks, "cpu", id, "mode", mode)
			}
		}
		if n == cpuModes {
			out.Add("node_cpu_guest_seconds_total", float64(kept[8])/ticks, "cpu", id, "mode", "user")
			out.Add("node_cpu_guest_seconds_total", float64(kept[9])/ticks, "cpu", id, "mode", "nice")
		}
		found++
	}
	if found == 0 {
		return errors.New("stat: no processor in it")
	}
	return nil
}

// hold keeps each counter from stepping back a little; a large step is a
// processor that was taken out and put back, and counts as it is.
func (c *cpu) hold(id string, now [cpuModes]uint64) *[cpuModes]uint64 {
	kept := c.seen[id]
	if kept == nil {
		kept = &now
		c.seen[id] = kept
		return kept
	}
	for i, v := range now {
		if v > kept[i] || kept[i]-v > maxStepBack {
			kept[i] = v
		}
	}
	return kept
}
