package portable

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v4/load"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// Load adds the number of tasks that run or wait, averaged over 1, 5 and 15
// minutes. Windows has no such number: do not call it there.
func Load(ctx context.Context, out *sample.Set) error {
	l, err := load.AvgWithContext(ctx)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	out.Add("node_load1", l.Load1)
	out.Add("node_load5", l.Load5)
	out.Add("node_load15", l.Load15)
	return nil
}
