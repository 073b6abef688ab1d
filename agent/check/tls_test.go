package check

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

// authority signs the certificates of a test.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string // PEM
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-400 * day), NotAfter: time.Now().Add(3650 * day), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a := &authority{key: newKey(t), file: filepath.Join(t.TempDir(), "ca.pem")}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// leaf makes a certificate for a name that ends after left; nil: signed by itself.
func leaf(t *testing.T, by *authority, name string, left time.Duration) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-300 * day), NotAfter: time.Now().Add(left), DNSNames: []string{name}}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// tlsServer shakes hands with everybody and returns its address.
func tlsServer(t *testing.T, config *tls.Config) string {
	t.Helper()
	return eachConn(t, config, func(c *tls.Conn) {
		if c.Handshake() == nil {
			c.Read(make([]byte, 1)) // until the other side hangs up
		}
	})
}

// eachConn serves each connection and returns the address.
func eachConn(t *testing.T, config *tls.Config, serve func(*tls.Conn)) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c.(*tls.Conn))
			}()
		}
	}()
	return l.Addr().String()
}

func serving(t *testing.T, c tls.Certificate) string {
	return tlsServer(t, &tls.Config{Certificates: []tls.Certificate{c}})
}

// probeOnce makes the check and tries it.
func probeOnce(t *testing.T, spec Spec) Result {
	t.Helper()
	if spec.Timeout == 0 {
		spec.Timeout = 5 * time.Second
	}
	c, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return c.Probe(context.Background())
}

func TestTLS(t *testing.T) {
	ca := newAuthority(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel answers, nobody shakes hands
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	old := tlsServer(t, &tls.Config{Certificates: []tls.Certificate{leaf(t, ca, "127.0.0.1", 90*day)}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	wanting := tlsServer(t, &tls.Config{Certificates: []tls.Certificate{leaf(t, ca, "127.0.0.1", 90*day)}, ClientAuth: tls.RequireAnyClientCert})
	noPEM := filepath.Join(t.TempDir(), "no.pem")
	if err := os.WriteFile(noPEM, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	trust := Certificate{CA: ca.file, Warning: 30 * day, Critical: 7 * day}
	named := trust
	named.ServerName = "shop.example"
	rows := []struct {
		name    string
		target  string
		want    Certificate
		state   State
		reason  string        // a part of it
		left    time.Duration // until the expiry that is shown; 0 = none is shown
		chained bool          // a trusted chain is shown
	}{
		{"90 days left", serving(t, leaf(t, ca, "127.0.0.1", 90*day)), trust, Up, "", 90 * day, true},
		{"20 days left", serving(t, leaf(t, ca, "127.0.0.1", 20*day)), trust, Degraded, "in 20.0 days; renew it", 20 * day, true},
		{"3 days left", serving(t, leaf(t, ca, "127.0.0.1", 3*day)), trust, Down, "in 3.0 days; renew it", 3 * day, true},
		{"3 days left, critical not set", serving(t, leaf(t, ca, "127.0.0.1", 3*day)), Certificate{CA: ca.file, Warning: 30 * day}, Degraded, "in 3.0 days", 3 * day, true},
		{"expired", serving(t, leaf(t, ca, "127.0.0.1", -day)), trust, Down, "certificate: x509: certificate has expired", -day, false},
		{"wrong name", serving(t, leaf(t, ca, "127.0.0.2", 90*day)), trust, Down, "certificate: x509: certificate is valid for 127.0.0.2, not 127.0.0.1", 90 * day, false},
		{"name given", serving(t, leaf(t, ca, "shop.example", 90*day)), named, Up, "", 90 * day, true},
		{"signed by itself", serving(t, leaf(t, nil, "127.0.0.1", 90*day)), trust, Down, "certificate: x509: certificate signed by unknown authority", 90 * day, false},
		{"authority not known to the system", serving(t, leaf(t, ca, "127.0.0.1", 90*day)), Certificate{}, Down, "certificate: x509: certificate signed by unknown authority", 90 * day, false},
		{"wants a certificate itself", wanting, trust, Up, "", 90 * day, true},
		{"too old a version", old, trust, Down, "protocol version", 0, false},
		{"nobody shakes hands", silent.Addr().String(), trust, Down, "no answer in time", 0, false},
		{"nobody there", closedPort(t), trust, Down, "connection refused", 0, false},
		{"no such file of authorities", serving(t, leaf(t, ca, "127.0.0.1", 90*day)), Certificate{CA: "/no/such.pem"}, Unknown, "see whether ca: names a file the agent may read", 0, false},
		{"no authority in the file", serving(t, leaf(t, ca, "127.0.0.1", 90*day)), Certificate{CA: noPEM}, Unknown, "holds no certificate in PEM", 0, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := probeOnce(t, Spec{TLS: row.target, Certificate: row.want, Timeout: 400 * time.Millisecond})
			if r.State != row.state || !strings.Contains(r.Reason, row.reason) || row.reason == "" && r.Reason != "" {
				t.Errorf("got %s %q, want %s %q", r.State, r.Reason, row.state, row.reason)
			}
			if (row.left == 0) != r.Expiry.IsZero() || row.left != 0 && time.Until(r.Expiry.Add(-row.left)).Abs() > time.Minute {
				t.Errorf("expiry %v, want in %s", r.Expiry, row.left)
			}
			if row.chained == r.ChainExpiry.IsZero() {
				t.Errorf("expiry of the trusted chain %v, want one: %v", r.ChainExpiry, row.chained)
			}
		})
	}
}

// TestHTTPSTellsItsCertificate: an https check trusts a file of authorities
// and shows the expiry, also of a certificate it refuses.
func TestHTTPSTellsItsCertificate(t *testing.T) {
	ca := newAuthority(t)
	for name, row := range map[string]struct {
		cert  tls.Certificate
		state State
		left  time.Duration
	}{
		"trusted": {leaf(t, ca, "127.0.0.1", 90*day), Up, 90 * day},
		"expired": {leaf(t, ca, "127.0.0.1", -day), Down, -day},
	} {
		t.Run(name, func(t *testing.T) {
			r := probeOnce(t, Spec{HTTP: "https://" + page200(t, row.cert), Certificate: Certificate{CA: ca.file}})
			if r.State != row.state || time.Until(r.Expiry.Add(-row.left)).Abs() > time.Minute {
				t.Errorf("got %s %q, expiry %v", r.State, r.Reason, r.Expiry)
			}
		})
	}
}

// page200 answers every request with 200 and nothing else.
func page200(t *testing.T, c tls.Certificate) string {
	t.Helper()
	return eachConn(t, &tls.Config{Certificates: []tls.Certificate{c}}, func(c *tls.Conn) {
		if n, err := c.Read(make([]byte, 4096)); err == nil && n > 0 {
			c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		}
	})
}
