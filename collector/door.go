package collector

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/web"
)

// openDoor decides how people come in: whether a login is needed, by which
// certificate the pages are served, and how the first administrator is made.
func (c *Collector) openDoor() error {
	beyond := !Loopback(c.people.Addr().String())
	forgotten := prometheus.NewCounter(prometheus.CounterOpts{Name: "plimsoll_login_limiter_forgotten_total", Help: "Users and addresses whose failed logins were forgotten early, for want of room."})
	c.registry.MustRegister(forgotten)
	c.door = people.NewDoor(people.Options{Store: c.ledger, Now: c.opt.Now, Log: c.opt.Log, Forgot: forgotten.Inc,
		Count: counted(c.registry, "plimsoll_logins_total", "Logins by what became of them.", "result", people.LoginOK, people.LoginWrong, people.LimitedUser, people.LimitedFrom)})
	if beyond || c.opt.Config.TLS.Cert != "" {
		if err := c.openTLS(); err != nil {
			return err
		}
	}
	known, err := c.door.AnyUser(context.Background())
	if err != nil || known {
		return err
	}
	if beyond {
		return c.offerSetup()
	}
	c.opt.Log.Info("no login: there is no user yet, and only this host can reach the pages; plimsoll-collector user add makes one", "pages", c.URL())
	return nil
}

// offerSetup prints the one-time link to the first administrator. It goes to
// the terminal that started the collector, not to the log.
func (c *Collector) offerSetup() error {
	secret, expires, err := c.door.OfferSetup(context.Background())
	if err != nil {
		return fmt.Errorf("make the set-up link: %w", err)
	}
	out := c.opt.Stdout
	if out == nil {
		out = io.Writer(os.Stdout)
	}
	_, err = fmt.Fprintf(out, "There is no user yet. Make the first administrator here, once, until %s:\n  %s/setup?link=%s\n", expires.UTC().Format(time.RFC3339), c.URL(), secret)
	return err
}

// whenLogin is the web's word for it.
func (c *Collector) whenLogin() web.Login {
	switch {
	case !Loopback(c.people.Addr().String()):
		return web.LoginAlways
	case c.opt.Config.Login == loginNever:
		return web.LoginNever
	}
	return web.LoginWithUsers
}

// Access says in a few words who can reach the pages.
func (c *Collector) Access() string {
	if c.needsLogin() {
		return "sign in as a user"
	}
	return "no login: only this host can reach it"
}

func (c *Collector) needsLogin() bool {
	switch c.whenLogin() {
	case web.LoginAlways:
		return true
	case web.LoginNever:
		return false
	}
	known, err := c.door.AnyUser(context.Background())
	return known || err != nil
}

// asked is how the command line on this host reaches this collector.
func (c *Collector) asked() string {
	if c.needsLogin() || c.tls != nil {
		return "--data " + web.ShellWord(c.dataDir())
	}
	return "--collector " + c.URL()
}

// counted makes a counter with one label, all its values present from the start.
func counted(registry prometheus.Registerer, name, help, label string, values ...string) func(string) {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	registry.MustRegister(vec)
	for _, v := range values {
		vec.WithLabelValues(v)
	}
	return func(value string) { vec.WithLabelValues(value).Inc() }
}

func (c *Collector) countRefused() func(string) {
	return counted(c.registry, "plimsoll_requests_refused_total", "Requests on the people's port that were refused, by why.", "why", "login", "token", "role")
}

// openTLS takes the certificate of the configuration, or one of the
// collector's own authority.
func (c *Collector) openTLS() error {
	own := c.opt.Config.TLS.Cert == ""
	load := func() (tls.Certificate, error) {
		return tls.LoadX509KeyPair(c.opt.Config.TLS.Cert, c.opt.Config.TLS.Key)
	}
	if own {
		names := pageNames(c.people.Addr().String())
		load = func() (tls.Certificate, error) { return c.ca.PagesCertificate(c.path("identity"), names) }
	}
	cert, err := load()
	if err != nil {
		return fmt.Errorf("load the certificate of the pages: %w; tls: {cert, key} of the configuration names PEM files", err)
	}
	shown := &pagesCertificate{load: load, cert: &cert, at: c.opt.Now(), now: c.opt.Now, log: c.opt.Log}
	c.tls = &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: shown.get, NextProtos: []string{"h2", "http/1.1"}}
	sum := sha256.Sum256(cert.Certificate[0])
	fields := []any{"certificate_sha256", hex.EncodeToString(sum[:])}
	if own {
		fields = append(fields, "authority", filepath.Join(c.path("identity"), "ca.pem"), "authority_sha256", c.ca.Fingerprint())
	}
	c.opt.Log.Info("the pages are served over TLS", fields...)
	return nil
}

// pagesCertificate is what the pages show, loaded again each minute so that renewed
// files need no restart. When that fails the last good one is shown on.
type pagesCertificate struct {
	load func() (tls.Certificate, error)
	now  func() time.Time
	log  *slog.Logger

	mu   sync.Mutex
	cert *tls.Certificate
	at   time.Time
}

const certificateEvery = time.Minute

func (s *pagesCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.at) >= certificateEvery {
		s.at = now
		if fresh, err := s.load(); err != nil {
			s.log.Error("load the certificate of the pages again; the last one is shown on", "err", err)
		} else {
			s.cert = &fresh
		}
	}
	return s.cert, nil
}

// pageNames are the names and addresses this host is reached by.
func pageNames(bound string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, err := os.Hostname(); err == nil && host != "localhost" {
		names = append(names, host)
	}
	addr, err := netip.ParseAddrPort(bound)
	if err != nil {
		return names
	}
	if !addr.Addr().IsUnspecified() {
		return append(names, addr.Addr().Unmap().WithZone("").String())
	}
	local, _ := net.InterfaceAddrs() // without them the names above remain
	for _, a := range local {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLinkLocalUnicast() {
			names = append(names, p.Addr().Unmap().String())
		}
	}
	return names
}

// Where the host's administrator asks a running collector: whoever may enter
// this folder of the data directory may do everything.
const (
	hostFolder = "host"
	hostSocket = "admin.sock"
)

// HostSocket is the path of the administrator's socket in a data directory.
func HostSocket(data string) string { return filepath.Join(data, hostFolder, hostSocket) }

// openHost listens on the socket. The data directory is locked, so one that
// is there already was left by a collector that was killed.
func (c *Collector) openHost() error {
	dir := c.path(hostFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the administrator's socket: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("close the folder of the administrator's socket to others: %w", err)
	}
	name := HostSocket(c.opt.Config.Data)
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove an old socket: %w", err)
	}
	l, err := net.Listen("unix", name)
	if err != nil { // for instance a path longer than a socket may have
		c.opt.Log.Warn("no administrator's socket: --data does not work with the commands on this host; use a token", "err", err)
		return nil
	}
	c.host = l
	c.undo.add("the administrator's socket", func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil // its server closed it already
	})
	return nil
}

// serveHost answers the host's administrator until ctx ends.
func (c *Collector) serveHost(ctx context.Context) error {
	if c.host == nil {
		return nil
	}
	server := &http.Server{Handler: c.pages, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(c.opt.Log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return people.With(ctx, people.Visitor{Kind: people.Host, From: "the data directory"})
		}}
	stopped := context.AfterFunc(ctx, func() {
		deadline, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		if err := server.Shutdown(deadline); err != nil {
			_ = server.Close()
		}
	})
	defer stopped()
	if err := server.Serve(c.host); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the administrator's socket: %w", err)
	}
	return nil
}
