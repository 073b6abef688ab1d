package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// swap is the traffic between memory and disk: pages swapped, paged and
// faulted, and processes killed because memory ran out. How much swap there
// is and how much is free belongs to memory.
type swap struct{ vmstat file }

func newSwap(r Roots) *swap {
	return &swap{vmstat: file{path: r.Proc + "/vmstat"}}
}

func (s *swap) collect(_ context.Context, out *sample.Set) error {
	text, err := s.vmstat.read()
	if err != nil {
		return orNothing(err)
	}
	return parseVmstat(text, out)
}

// vmstatMetric is the metric of a counter of /proc/vmstat, in pages or
// events; empty for those that are left out.
func vmstatMetric(counter []byte) string {
	switch string(counter) {
	case "pswpin":
		return "node_vmstat_pswpin"
	case "pswpout":
		return "node_vmstat_pswpout"
	case "pgpgin": // KiB, whatever its name says
		return "node_vmstat_pgpgin"
	case "pgpgout":
		return "node_vmstat_pgpgout"
	case "pgfault":
		return "node_vmstat_pgfault"
	case "pgmajfault":
		return "node_vmstat_pgmajfault"
	case "oom_kill": // since Linux 4.13
		return "node_vmstat_oom_kill"
	}
	return ""
}

// parseVmstat reads lines "pswpin 4711".
func parseVmstat(text []byte, out *sample.Set) error {
	found := 0
	for first := range lines(text) {
		counter, first := word(first)
		metric := vmstatMetric(counter)
		if metric == "" {
			continue
		}
		digits, _ := word(first)
		n, err := number(digits)
		if err != nil {
			return fmt.Errorf("vmstat: %s: %w", shorten(counter), err)
		}
		out.Add(metric, float64(n))
		found++
	}
	if found == 0 {
		return errors.New("vmstat: nothing known in it")
	}
	return nil
}
