package check

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"os"
	"strconv"
)

// silentGateway names this host's own gateway towards the target of a failed
// connection when the gateway does not answer either: then nothing is known
// of the target. It is empty when the gateway answers, when the target needs
// none, and where that cannot be told (IPv6, systems other than Linux).
func silentGateway(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) {
		return ""
	}
	switch to := op.Addr.(type) {
	case *net.TCPAddr:
		return silentGatewayTo(to.AddrPort().Addr())
	case *net.UDPAddr:
		return silentGatewayTo(to.AddrPort().Addr())
	}
	return ""
}

// silentGatewayTo is silentGateway for the address of the target.
func silentGatewayTo(to netip.Addr) string {
	routes, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return ""
	}
	neighbours, err := os.ReadFile("/proc/net/arp")
	if err != nil {
		return ""
	}
	gateway, ok := gatewayTo(to.Unmap(), routes)
	if !ok || !unresolved(gateway, neighbours) {
		return ""
	}
	return fmt.Sprintf("the gateway of this host, %s, does not answer; look at this host's own network", gateway)
}

const routeUp, routeGateway = 1, 2 // flags of /proc/net/route

// gatewayTo finds the gateway of the best route to an IPv4 address in the text
// of /proc/net/route; ok is false when there is no route or none is needed.
//
//	Iface  Destination  Gateway   Flags  RefCnt  Use  Metric  Mask      …
//	eth0   00000000     0100A8C0  0003   0       0    100     00000000
func gatewayTo(to netip.Addr, routes []byte) (gateway netip.Addr, ok bool) {
	if !to.Is4() {
		return gateway, false
	}
	best, bestMetric := -1, uint64(0)
	for _, row := range bytes.Split(routes, []byte{'\n'}) {
		f := bytes.Fields(row)
		if len(f) < 8 {
			continue
		}
		destination, err1 := hexAddr(f[1])
		hop, err2 := hexAddr(f[2])
		mask, err3 := hexAddr(f[7])
		flags, err4 := strconv.ParseUint(string(f[3]), 16, 16)
		metric, err5 := strconv.ParseUint(string(f[6]), 10, 32)
		if errors.Join(err1, err2, err3, err4, err5) != nil || flags&routeUp == 0 {
			continue // the heading, or a route that is down
		}
		length := bits.OnesCount32(asUint(mask))
		if asUint(to)&asUint(mask) != asUint(destination) || length < best || length == best && metric >= bestMetric {
			continue
		}
		best, bestMetric = length, metric
		gateway, ok = hop, flags&routeGateway != 0
	}
	return gateway, ok
}

// hexAddr reads an IPv4 address as the kernel prints it: little-endian hex.
func hexAddr(text []byte) (netip.Addr, error) {
	var b [4]byte
	if n, err := hex.Decode(b[:], text[:min(len(text), 8)]); err != nil || n != 4 {
		return netip.Addr{}, fmt.Errorf("%q is not an address", text)
	}
	return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}), nil
}

func asUint(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// unresolved tells whether the text of /proc/net/arp has the address as one
// that was asked for and did not answer.
//
//	IP address    HW type  Flags  HW address         Mask  Device
//	192.168.0.1   0x1      0x0    00:00:00:00:00:00  *     eth0
func unresolved(a netip.Addr, neighbours []byte) bool {
	for _, row := range bytes.Split(neighbours, []byte{'\n'}) {
		if f := bytes.Fields(row); len(f) >= 3 && string(f[0]) == a.String() {
			return string(f[2]) == "0x0"
		}
	}
	return false
}
