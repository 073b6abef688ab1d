package source

import (
	"bytes"
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// network is what each interface received and sent, and whether it is up. The
// host's ends of containers' interfaces are left out: they come and go.
type network struct {
	dev    file
	sys    string
	states map[string]*file // operstate of each interface
}

// maxInterfaces bounds how many interfaces are kept open and reported.
const maxInterfaces = 256

func newNetwork(r Roots) *network {
	return &network{dev: file{path: r.net("dev")}, sys: r.Sys, states: map[string]*file{}}
}

func (n *network) collect(_ context.Context, out *sample.Set) error {
	text, err := n.dev.read()
	if err != nil {
		return err
	}
	devices, err := parseNetDev(text, out)
	if err != nil {
		return err
	}
	present := make(map[string]bool, len(devices))
	for _, device := range devices {
		present[device] = true
		if n.states[device] == nil {
			n.states[device] = &file{path: n.sys + "/class/net/" + device + "/operstate", buf: make([]byte, 32)}
		}
		state, err := n.states[device].read()
		if err != nil {
			continue // gone since, or a kernel without it
		}
		up := 0.0
		if string(bytes.TrimSpace(state)) == "up" {
			up = 1
		}
		out.Add("node_network_up", up, "device", device)
	}
	for device, f := range n.states {
		if !present[device] {
			f.close()
			delete(n.states, device)
		}
	}
	if len(devices) == 0 {
		return ErrNothing
	}
	return nil
}

// netColumns are the columns of /proc/net/dev behind the interface's name.
func netColumns() [16]string {
	return [...]string{
		"node_network_receive_bytes_total",
		"node_network_receive_packets_total",
		"node_network_receive_errs_total",
		"node_network_receive_drop_total",
		"node_network_receive_fifo_total",
		"node_network_receive_frame_total",
		"node_network_receive_compressed_total",
		"node_network_receive_multicast_total",
		"node_network_transmit_bytes_total",
		"node_network_transmit_packets_total",
		"node_network_transmit_errs_total",
		"node_network_transmit_drop_total",
		"node_network_transmit_fifo_total",
		"node_network_transmit_colls_total",
		"node_network_transmit_carrier_total",
		"node_network_transmit_compressed_total",
	}
}

// parseNetDev reads "  eth0: 4856 26 0 …" behind two lines of headings and
// returns the interfaces it added.
func parseNetDev(text []byte, out *sample.Set) ([]string, error) {
	columns := netColumns()
	var devices []string
	for first := range lines(text) {
		at := bytes.LastIndexByte(first, ':') // an alias has one in its name
		if at < 0 {
			continue
		}
		name := bytes.TrimSpace(first[:at])
		if len(name) == 0 || bytes.HasPrefix(name, []byte("veth")) || len(devices) == maxInterfaces {
			continue
		}
		var v [16]uint64
		n, err := numbers(first[at+1:], v[:])
		if err != nil || n < len(v) {
			return nil, fmt.Errorf("net/dev: %s has %d of 16 numbers: %w", shorten(name), n, errOrShort(err))
		}
		device := out.Intern(name)
		for i, metric := range columns {
			out.Add(metric, float64(v[i]), "device", device)
		}
		devices = append(devices, device)
	}
	return devices, nil
}

func errOrShort(err error) error {
	if err == nil {
		return fmt.Errorf("the line is too short")
	}
	return err
}
