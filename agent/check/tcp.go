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

func newTCP(spec Spec) (prober, error) {
	if _, err := splitTarget(spec.TCP); err != nil {
		return nil, err
	}
	return &tcp{target: spec.TCP, dialer: dialer(spec.Guard)}, nil
}

// splitTarget reads host:port with neither of them empty.
func splitTarget(target string) (host string, err error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return "", fmt.Errorf("%q is not host:port", target)
	}
	if host == "" {
		return "", fmt.Errorf("%q names no host", target)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q is not a port between 1 and 65535", port)
	}
	return host, nil
}

// probe connects and hangs up. The service sees a connection without a word.
func (t *tcp) probe(ctx context.Context) Result {
	conn, err := t.dialer.DialContext(ctx, "tcp", t.target)
	if err != nil {
		return judged(err)
	}
	// Connected is all that was asked; how the connection ends says nothing.
	_ = conn.Close()
	return Result{State: Up}
}
