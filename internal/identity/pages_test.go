package identity

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestPagesCertificate: kept across restarts, made anew when it must be, and
// trusted by one who trusts the authority.
func TestPagesCertificate(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	ca, err := OpenCA(dir, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	get := func(names ...string) tls.Certificate {
		t.Helper()
		cert, err := ca.PagesCertificate(dir, names)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	last := get("localhost", "127.0.0.1", "::1")
	for _, row := range []struct {
		what  string
		do    func()
		names []string
		same  bool
	}{
		{"nothing changed, in another order", func() {}, []string{"::1", "127.0.0.1", "localhost", "localhost"}, true},
		{"a day later", func() { now = now.AddDate(0, 0, 1) }, []string{"localhost", "127.0.0.1", "::1"}, true},
		{"another name", func() {}, []string{"localhost", "127.0.0.1", "::1", "monitor.example"}, false},
		{"two thirds of its time later", func() { now = now.Add(pagesTTL * 2 / 3) }, []string{"localhost", "127.0.0.1", "::1", "monitor.example"}, false},
		{"a key that is not its own, as a crash leaves it", func() {
			other, _ := os.ReadFile(filepath.Join(dir, caKey))
			if err := os.WriteFile(filepath.Join(dir, pagesKey), other, 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"localhost"}, false},
	} {
		row.do()
		cert := get(row.names...)
		if same := bytes.Equal(cert.Certificate[0], last.Certificate[0]); same != row.same {
			t.Errorf("%s: the same certificate: %v, want %v", row.what, same, row.same)
		}
		last = cert
	}
	if info, err := os.Stat(filepath.Join(dir, pagesKey)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %v %v, want mode 0600", info, err)
	}
	pages := get("localhost", "127.0.0.1")
	if pages.Leaf.KeyUsage&x509.KeyUsageCertSign != 0 || pages.Leaf.IsCA {
		t.Error("the pages' certificate may sign others")
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pages}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func(c net.Conn) { _ = c.(*tls.Conn).Handshake(); _ = c.Close() }(c)
		}
	}()
	for name, ok := range map[string]bool{"localhost": true, "127.0.0.1": true, "monitor.example": false, "collector.plimsoll": false} {
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: ca.Pool(), ServerName: name, Time: func() time.Time { return now }})
		if (err == nil) != ok {
			t.Errorf("%s: %v, want trusted: %v", name, err, ok)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}
