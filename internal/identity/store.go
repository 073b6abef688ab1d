package identity

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// Files of an enrolled host, in its identity directory.
const (
	hostKey  = "host.key"
	nextHost = "host.key.new" // of an enrolment that is under way while an older identity stands
	hostCert = "host.pem"
	hostCA   = "ca.pem"
	hostJSON = "host.json"
)

// ErrNotEnrolled is wrapped by Load when the directory holds no identity.
var ErrNotEnrolled = errors.New("this host is not enrolled: run \"plimsoll-agent enrol\" with a token of the collector")

// Identity is what an enrolled host knows of itself.
type Identity struct {
	Host      string    `json:"host"`      // stable id
	Instance  string    `json:"instance"`  // name it was listed under when it enrolled
	Collector string    `json:"collector"` // HOST:PORT it enrolled at
	Expires   time.Time `json:"expires"`   // of its certificate

	cert tls.Certificate
	pool *x509.CertPool
}

// Load reads what Enrol stored in dir. The error wraps ErrNotEnrolled when
// nothing is there; anything half there names the file.
func Load(dir string) (Identity, error) {
	var id Identity
	text, err := os.ReadFile(filepath.Join(dir, hostJSON))
	if errors.Is(err, fs.ErrNotExist) {
		return id, fmt.Errorf("no %s in %s: %w", hostJSON, dir, ErrNotEnrolled)
	}
	if err != nil {
		return id, fmt.Errorf("read identity: %w", err)
	}
	if err := json.Unmarshal(text, &id); err != nil {
		return id, fmt.Errorf("read identity %s: %w", filepath.Join(dir, hostJSON), err)
	}
	caPEM, err := os.ReadFile(filepath.Join(dir, hostCA))
	if err != nil {
		return id, fmt.Errorf("read collector's authority: %w", err)
	}
	bundle, err := parseBundle(caPEM)
	if err != nil {
		return id, fmt.Errorf("%s: %w", filepath.Join(dir, hostCA), err)
	}
	id.pool = poolOf(bundle)
	if id.cert, err = loadPair(dir); err != nil {
		return id, err
	}
	if id.cert.Leaf == nil {
		if id.cert.Leaf, err = x509.ParseCertificate(id.cert.Certificate[0]); err != nil {
			return id, fmt.Errorf("%s: %w", filepath.Join(dir, hostCert), err)
		}
	}
	host, err := HostID(id.cert.Leaf)
	if err != nil {
		return id, fmt.Errorf("%s: %w", filepath.Join(dir, hostCert), err)
	}
	id.Host, id.Expires = host, id.cert.Leaf.NotAfter
	return id, nil
}

// loadPair reads certificate and key. A new enrolment that was cut off between
// the two is good: its key still has the name it was made under.
func loadPair(dir string) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, hostCert), filepath.Join(dir, hostKey))
	if err == nil {
		return pair, nil
	}
	if next, nextErr := tls.LoadX509KeyPair(filepath.Join(dir, hostCert), filepath.Join(dir, nextHost)); nextErr == nil {
		return next, nil
	}
	return pair, fmt.Errorf("load certificate and key from %s: %w", dir, err)
}

// ClientTLS is how this host talks to its collector: TLS 1.3, its own
// certificate, the collector's authority as the only root, whatever address
// the collector is reached at.
func (id Identity) ClientTLS() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		ServerName:   wire.CollectorServerName,
		RootCAs:      id.pool,
		Certificates: []tls.Certificate{id.cert},
		NextProtos:   []string{"http/1.1"},
	}
}
