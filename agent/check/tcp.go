package check

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

// tcp tests whether a port takes connections.
type tcp struct {
	target string
	dialer net.Dialer
}

func newTCP(spec Spec) (*tcp, error) {
	host, port, err := net.SplitHostPort(spec.TCP)
	if err != nil {
		return nil, fmt.Errorf("%q is not host:port", spec.TCP)
	}
	if host == "" {
		return nil, fmt.Errorf("%q names no host", spec.TCP)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, fmt.Errorf("%q is not a port between 1 and 65535", port)
	}
	return &tcp{target: spec.TCP, dialer: dialer()}, nil
}

// probe connects and hangs up. The service sees a connection without a word.
func (t *tcp) probe(ctx context.Context) Result {
	conn, err := t.dialer.DialContext(ctx, "tcp", t.target)
	if err != nil {
		state, reason := judge(err)
		return Result{State: state, Reason: reason}
	}
	// Connected is all that was asked; how the connection ends says nothing.
	_ = conn.Close()
	return Result{State: Up}
}
