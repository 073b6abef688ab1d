package collector

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
)

// advertised is the address other hosts deliver to.
func (c *Collector) advertised() string { return reachable(c.AgentsAddr()) }

// reachable is a bound address as others write it: with this host's name where
// every address is bound.
func reachable(bound string) string {
	addr, err := netip.ParseAddrPort(bound)
	if err != nil || !addr.Addr().IsUnspecified() {
		return bound
	}
	name, err := os.Hostname()
	if err != nil {
		return bound
	}
	return net.JoinHostPort(name, strconv.Itoa(int(addr.Port())))
}

// listen binds addr or says in one sentence what to do about it.
func listen(addr, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	return nil, portError(addr, flag, err)
}

// portError is a failed bind in one sentence with its remedy.
func portError(addr, flag string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: %w; stop what uses it, or name another address with %s", addr, err, flag)
	}
	return fmt.Errorf("listen on %s: %w; name another address with %s", addr, err, flag)
}
