package check

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// handshake tests whether a port shows a certificate that is trusted, of the
// right name and not about to expire.
type handshake struct {
	target, host string
	want         Certificate
	dialer       net.Dialer
}

func newTLS(spec Spec) (prober, error) {
	host, err := splitTarget(spec.TLS)
	if err != nil {
		return nil, err
	}
	return &handshake{target: spec.TLS, host: host, want: spec.Certificate, dialer: dialer(spec.Guard)}, nil
}

// probe shakes hands and hangs up.
func (h *handshake) probe(ctx context.Context) Result {
	config, err := h.want.config(h.host)
	if err != nil {
		return unknown("%v; see whether ca: names a file the agent may read", err)
	}
	raw, err := h.dialer.DialContext(ctx, "tcp", h.target)
	if err != nil {
		return judged(err)
	}
	// A handshake that broke off has closed the connection already.
	defer func() { _ = raw.Close() }()
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		r := judged(err)
		r.showRefused(err)
		return r
	}
	r := Result{State: Up}
	state := conn.ConnectionState()
	r.showExpiry(&state)
	return h.want.remaining(r, time.Now())
}
