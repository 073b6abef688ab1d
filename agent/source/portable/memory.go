package portable

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v4/mem"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// Memory adds how the memory and the swap (on Windows the page files) are
// used, in bytes.
func Memory(ctx context.Context, out *sample.Set) error {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	out.Add("node_memory_MemTotal_bytes", float64(m.Total))
	out.Add("node_memory_MemFree_bytes", float64(m.Free))
	out.Add("node_memory_MemAvailable_bytes", float64(m.Available))
	s, err := mem.SwapMemoryWithContext(ctx)
	if err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	out.Add("node_memory_SwapTotal_bytes", float64(s.Total))
	out.Add("node_memory_SwapFree_bytes", float64(s.Free))
	return nil
}
