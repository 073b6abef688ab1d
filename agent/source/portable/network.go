package portable

import (
	"context"
	"fmt"
	stdnet "net"

	"github.com/shirou/gopsutil/v4/net"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// Network adds what each interface received and sent and whether it is up,
// and tells how many interfaces there are.
func Network(ctx context.Context, out *sample.Set) (interfaces int, err error) {
	counters, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return 0, fmt.Errorf("counters of the interfaces: %w", err)
	}
	running := map[string]bool{}
	present, err := stdnet.Interfaces()
	if err != nil {
		return 0, fmt.Errorf("list the interfaces: %w", err)
	}
	for _, i := range present {
		running[i.Name] = i.Flags&stdnet.FlagUp != 0 && i.Flags&stdnet.FlagRunning != 0
	}
	counters = counters[:min(len(counters), maxDevices)]
	for _, c := range counters {
		put := func(name string, v uint64) { out.Add(name, float64(v), "device", c.Name) }
		put("node_network_receive_bytes_total", c.BytesRecv)
		put("node_network_receive_packets_total", c.PacketsRecv)
		put("node_network_receive_errs_total", c.Errin)
		put("node_network_receive_drop_total", c.Dropin)
		put("node_network_transmit_bytes_total", c.BytesSent)
		put("node_network_transmit_packets_total", c.PacketsSent)
		put("node_network_transmit_errs_total", c.Errout)
		put("node_network_transmit_drop_total", c.Dropout)
		up := uint64(0)
		if running[c.Name] {
			up = 1
		}
		put("node_network_up", up)
	}
	return len(counters), nil
}
