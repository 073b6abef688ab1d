package portable

import (
	"context"
	"fmt"
	"slices"

	"github.com/shirou/gopsutil/v4/disk"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// maxDevices bounds the disks and the interfaces that are reported.
const maxDevices = 256

// Disk adds what each disk read and wrote, and tells how many disks there are.
func Disk(ctx context.Context, out *sample.Set) (disks int, err error) {
	counters, err := disk.IOCountersWithContext(ctx)
	if err != nil {
		return 0, fmt.Errorf("counters of the disks: %w", err)
	}
	names := make([]string, 0, len(counters))
	for name := range counters {
		names = append(names, name)
	}
	slices.Sort(names)
	names = names[:min(len(names), maxDevices)]
	for _, name := range names {
		c := counters[name]
		out.Add("node_disk_reads_completed_total", float64(c.ReadCount), "device", name)
		out.Add("node_disk_read_bytes_total", float64(c.ReadBytes), "device", name)
		out.Add("node_disk_read_time_seconds_total", float64(c.ReadTime)/1000, "device", name)
		out.Add("node_disk_writes_completed_total", float64(c.WriteCount), "device", name)
		out.Add("node_disk_written_bytes_total", float64(c.WriteBytes), "device", name)
		out.Add("node_disk_write_time_seconds_total", float64(c.WriteTime)/1000, "device", name)
	}
	return len(names), nil
}
