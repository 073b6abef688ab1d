package receive

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// handshakeTimeout bounds a handshake.
const handshakeTimeout = 5 * time.Second

// Reasons of plimsoll_receive_handshake_failures_total.
const (
	handshakeNoCertificate = "no_certificate"
	handshakeForeign       = "foreign_certificate"
	handshakeExpired       = "expired_certificate"
	handshakeTimedOut      = "timeout"
	handshakeVersion       = "version"
	handshakeBusy          = "too_many_connections"
	handshakeOther         = "other"
)

// gate is a listener that hands out connections whose handshake is done. Each
// handshake runs on its own, with a deadline, so none waits behind another,
// and each failure is counted by its reason.
type gate struct {
	net.Listener
	config *tls.Config
	log    *slog.Logger
	m      *metrics
	bounds Bounds
	refuse func(host, reason string, from netip.Addr)

	ready  chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex
	pending int
	perIP   map[netip.Addr]int
	open    int
	perHost map[string]map[*countedConn]bool
	guests  map[netip.Addr]int   // connections without a certificate
	told    map[string]time.Time // by reason: when a failure was last logged
}

func newGate(l net.Listener, config *tls.Config, log *slog.Logger, m *metrics, refuse func(host, reason string, from netip.Addr)) *gate {
	return &gate{Listener: l, config: config, log: log, m: m, refuse: refuse, bounds: DefaultBounds(), guests: map[netip.Addr]int{}, ready: make(chan net.Conn), closed: make(chan struct{}),
		perIP: map[netip.Addr]int{}, perHost: map[string]map[*countedConn]bool{}, told: map[string]time.Time{}}
}

// run accepts until the listener is closed and waits for the handshakes it began.
func (g *gate) run() error {
	var handshakes sync.WaitGroup
	defer handshakes.Wait()
	for delay := time.Duration(0); ; {
		raw, err := g.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			// Out of file descriptors, most likely: it passes.
			delay = min(max(2*delay, 5*time.Millisecond), time.Second)
			g.log.Warn("accept connection of an agent", "err", err)
			select {
			case <-time.After(delay):
				continue
			case <-g.closed:
				return nil
			}
		}
		delay = 0
		addr := remote(raw)
		if !g.admit(addr) {
			g.m.handshakes.WithLabelValues(handshakeBusy).Inc()
			_ = raw.Close()
			continue
		}
		handshakes.Go(func() { g.handshake(raw, addr) })
	}
}

// Accept gives the next connection whose handshake is done.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case c := <-g.ready:
		return c, nil
	case <-g.closed:
		return nil, net.ErrClosed
	}
}

// Close stops accepting.
func (g *gate) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.Listener.Close()
}

func (g *gate) handshake(raw net.Conn, addr netip.Addr) {
	counted := &countedConn{Conn: raw, gate: g}
	conn := tls.Server(counted, g.config)
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	err := conn.HandshakeContext(ctx)
	cancel()
	g.settle(addr)
	if err != nil {
		g.failed(addr, handshakeReason(err), err)
		_ = conn.Close()
		return
	}
	if !g.enter(counted, conn.ConnectionState()) {
		g.m.handshakes.WithLabelValues(handshakeBusy).Inc()
		_ = conn.Close()
		return
	}
	select {
	case g.ready <- conn:
	case <-g.closed:
		_ = conn.Close()
	}
}

// failed counts each failure and logs one of a kind an hour: an address that
// knocks all day must not fill the log.
func (g *gate) failed(addr netip.Addr, reason string, err error) {
	g.m.handshakes.WithLabelValues(reason).Inc()
	switch reason {
	case handshakeNoCertificate, handshakeForeign, handshakeExpired:
		g.refuse("", reason, addr) // what the certificate says is not proven
	}
	g.mu.Lock()
	now := time.Now()
	quiet := now.Sub(g.told[reason]) < time.Hour
	if !quiet {
		g.told[reason] = now
	}
	g.mu.Unlock()
	if !quiet {
		g.log.Warn("connection to the agents' port refused (further ones of this kind are counted, not logged, for an hour)",
			"remote", addr.String(), "reason", reason, "err", err, "remedy", handshakeRemedy(reason))
	}
}

// handshakeRemedy is what a person can do about a failed handshake.
func handshakeRemedy(reason string) string {
	switch reason {
	case handshakeNoCertificate, handshakeForeign, handshakeExpired:
		return `if it is a host of yours, enrol it here again with a token of "plimsoll-collector enrol create"`
	case handshakeVersion, handshakeOther:
		return "if it is a host of yours, see that nothing between it and the collector speaks TLS itself"
	}
	return "none, if it is rare"
}

// admit reserves a handshake, settle gives it back.
func (g *gate) admit(addr netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pending >= g.bounds.Handshakes || g.perIP[addr] >= g.bounds.HandshakesPerAddress || g.open >= g.bounds.Connections {
		return false
	}
	g.pending++
	g.perIP[addr]++
	return true
}

func (g *gate) settle(addr netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending--
	if g.perIP[addr]--; g.perIP[addr] == 0 {
		delete(g.perIP, addr)
	}
}

// enter counts a connection of a host, leave is called when it is closed.
func (g *gate) enter(c *countedConn, state tls.ConnectionState) bool {
	if len(state.PeerCertificates) > 0 {
		c.host, _ = identity.HostID(state.PeerCertificates[0]) // refused later, with a reason
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.host != "" && len(g.perHost[c.host]) >= g.bounds.ConnectionsPerHost {
		return false
	}
	if c.host == "" && g.guests[remote(c.Conn)] >= g.bounds.ConnectionsPerSender {
		return false
	}
	if c.host != "" {
		if g.perHost[c.host] == nil {
			g.perHost[c.host] = map[*countedConn]bool{}
		}
		g.perHost[c.host][c] = true
	} else {
		g.guests[remote(c.Conn)]++
	}
	g.open++
	c.entered = true
	g.m.connections.Set(float64(g.open))
	return true
}

func (g *gate) leave(c *countedConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !c.entered {
		return
	}
	c.entered = false
	g.open--
	if c.host != "" {
		if delete(g.perHost[c.host], c); len(g.perHost[c.host]) == 0 {
			delete(g.perHost, c.host)
		}
	} else if addr := remote(c.Conn); addr.IsValid() {
		if g.guests[addr]--; g.guests[addr] <= 0 {
			delete(g.guests, addr)
		}
	}
	g.m.connections.Set(float64(g.open))
}

// expel closes every connection of one host.
func (g *gate) expel(host string) {
	g.mu.Lock()
	open := slices.Collect(maps.Keys(g.perHost[host]))
	g.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // of no use to anybody any more
	}
}

// expelAll closes the connections of all hosts.
func (g *gate) expelAll() {
	g.mu.Lock()
	hosts := slices.Collect(maps.Keys(g.perHost))
	g.mu.Unlock()
	for _, host := range hosts {
		g.expel(host)
	}
}

// countedConn tells the gate when it is closed. It lies under the TLS
// connection, because net/http wants to see that one itself.
type countedConn struct {
	net.Conn
	gate    *gate
	host    string
	entered bool // guarded by gate.mu
}

func (c *countedConn) Close() error {
	c.gate.leave(c)
	return c.Conn.Close()
}

func remote(c net.Conn) netip.Addr {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// handshakeReason sorts the errors of crypto/tls into a few words.
func handshakeReason(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return handshakeTimedOut
	case strings.Contains(err.Error(), "didn't provide a certificate"): // crypto/tls has no type for it
		return handshakeNoCertificate
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return handshakeExpired
	case errors.As(err, &unknown), errors.As(err, &verify):
		return handshakeForeign
	case strings.Contains(err.Error(), "unsupported versions"):
		return handshakeVersion
	}
	return handshakeOther
}

// serverTLS asks for a certificate of our authority under every server name
// but wire.EnrolServerName and wire.SenderServerName. Under wire.RenewServerName it may have expired.
func serverTLS(ca *identity.CA, now func() time.Time, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	base := &tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: certificate,
		Time:           now,
		// Each connection proves its certificate anew: a resumed one would
		// carry a proof from before a removal.
		SessionTicketsDisabled: true,
	}
	config := base.Clone()
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		own := base.Clone()
		switch hello.ServerName {
		case wire.EnrolServerName, wire.SenderServerName:
			own.ClientAuth = tls.NoClientCert
		case wire.RenewServerName:
			own.ClientAuth = tls.RequireAnyClientCert
			own.VerifyConnection = func(state tls.ConnectionState) error {
				if err := ca.VerifyExpired(state.PeerCertificates[0]); err != nil {
					return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
				}
				return nil
			}
		default:
			own.ClientAuth, own.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool() // which a rotation changes
		}
		return own, nil
	}
	return config
}

// serverCertificate keeps one certificate of the listener and makes the next
// when a third of its life is left, or another authority serves.
type serverCertificate struct {
	ca  *identity.CA
	ttl time.Duration
	now func() time.Time

	mu    sync.Mutex
	cert  *tls.Certificate
	by    string // fingerprint of the authority that signed it
	renew time.Time
}

func (s *serverCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	by := s.ca.Fingerprint()
	if s.cert != nil && now.Before(s.renew) && s.by == by {
		return s.cert, nil
	}
	cert, err := s.ca.ServerCertificate(s.ttl)
	if err != nil {
		return nil, err
	}
	s.cert, s.by, s.renew = &cert, by, now.Add(s.ttl/3*2)
	return s.cert, nil
}
