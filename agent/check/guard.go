package check

import (
	"fmt"
	"net/netip"
	"syscall"
)

// Guard says where a check may connect to that the collector assigned: a
// collector in wrong hands must not turn its agents against the services that
// trust whoever reaches them (loopback, the metadata of a cloud). It looks at
// the resolved address of each connection, so a name that changes between two
// look-ups, and a redirect, are looked at too. A nil Guard permits everything.
type Guard struct {
	// Allow are the only networks to connect to; empty: any but loopback.
	// What lies in never is not permitted by either.
	Allow []netip.Prefix
}

// DeniedError is an address that a check may not connect to.
type DeniedError struct{ Addr netip.Addr }

func (e *DeniedError) Error() string {
	return fmt.Sprintf("%s is not an address this host lets the collector test; set assigned.allow, or make the check in the agent's own file", e.Addr)
}

// never are networks no assigned check connects to: link-local (169.254.169.254
// among them), multicast, "this host", and the metadata services of clouds
// that lie elsewhere.
func never() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range [...]string{
		"0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
		"100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", // Alibaba, Azure, Oracle
		"::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::/32", // the last: Amazon
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// check is an error when the address may not be connected to.
func (g *Guard) check(addr netip.Addr) error {
	if g == nil {
		return nil
	}
	for _, form := range forms(addr) {
		if !g.permits(form) {
			return &DeniedError{addr}
		}
	}
	return nil
}

func (g *Guard) permits(addr netip.Addr) bool {
	for _, p := range never() {
		if p.Contains(addr) {
			return false
		}
	}
	for _, p := range g.Allow {
		if p.Contains(addr) {
			return true
		}
	}
	return len(g.Allow) == 0 && !addr.IsLoopback()
}

// forms are the address and, where an IPv6 address carries an IPv4 one
// (mapped, compatible, NAT64, 6to4), that one instead or as well.
func forms(addr netip.Addr) []netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return []netip.Addr{addr}
	}
	b := addr.As16()
	embedded := func(at int) netip.Addr { return netip.AddrFrom4([4]byte(b[at : at+4])) }
	all := []netip.Addr{addr}
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(addr), netip.MustParsePrefix("64:ff9b:1::/48").Contains(addr):
		return []netip.Addr{embedded(12)} // NAT64: it is the IPv4 host that is reached
	case netip.MustParsePrefix("2002::/16").Contains(addr):
		return append(all, embedded(2)) // 6to4
	case netip.MustParsePrefix("::/96").Contains(addr) && !addr.IsLoopback() && !addr.IsUnspecified():
		return append(all, embedded(12)) // IPv4-compatible
	}
	return all
}

// control is Guard as net.Dialer takes it.
func (g *Guard) control(_, address string, _ syscall.RawConn) error {
	if g == nil {
		return nil
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address of a connection: %w", err)
	}
	return g.check(to.Addr())
}
