package collector

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/plimsoll/plimsoll/collector/web"
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

// onlyThisHost is why no other host can deliver; empty when others can.
func (c *Collector) onlyThisHost() string {
	if !Loopback(c.AgentsAddr()) {
		return ""
	}
	return fmt.Sprintf("only this host can deliver to %s: to add another server, stop Plimsoll and start it with %q, which lets agents in over TLS; the pages stay where they are",
		c.AgentsAddr(), c.startReachable())
}

// startReachable is the line that starts this collector again with the agents'
// port open to others.
func (c *Collector) startReachable() string {
	port := "1877"
	if addr, err := netip.ParseAddrPort(c.AgentsAddr()); err == nil {
		port = strconv.Itoa(int(addr.Port()))
	}
	args := c.opt.Arguments
	if len(args) == 0 {
		args = []string{"run", "--data", c.opt.Config.Data}
	}
	return startWith(c.opt.Program, args, ":"+port)
}

// startWith is a line that starts program with args, but for the address
// agents deliver to. Paths are made absolute: it may be typed anywhere.
func startWith(program string, args []string, listenAgents string) string {
	line := []string{program}
	for i := 0; i < len(args); i++ {
		flag, value, joined := strings.Cut(args[i], "=")
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		switch flag {
		case "--listen-agents":
		case "--data", "--config":
			if absolute, err := filepath.Abs(value); err == nil {
				value = absolute
			}
			line = append(line, flag, web.ShellWord(value))
		default:
			line = append(line, web.ShellWord(args[i]))
			continue
		}
		if !joined {
			i++
		}
	}
	return strings.Join(append(line, "--listen-agents", listenAgents), " ")
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
