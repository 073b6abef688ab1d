package collector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/identity"
)

// clock may be moved while the collector runs.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// TestGivenCertificate serves the pages with the operator's own files, takes a
// renewed pair without a restart, and goes on with the last good one.
func TestGivenCertificate(t *testing.T) {
	dir := t.TempDir()
	files := TLS{Cert: filepath.Join(dir, "c.pem"), Key: filepath.Join(dir, "k.pem")}
	pool := x509.NewCertPool()
	renew := func(name string) { // another authority each time, to tell them apart
		other := filepath.Join(dir, name)
		ca, err := identity.OpenCA(other, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ca.PagesCertificate(other, []string{"127.0.0.1", name + ".example"}); err != nil {
			t.Fatal(err)
		}
		pool.AppendCertsFromPEM(ca.PEM())
		for from, to := range map[string]string{"pages.pem": files.Cert, "pages.key": files.Key} {
			text, err := os.ReadFile(filepath.Join(other, from))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	renew("first")
	at := &clock{now: time.Now()}
	config := Defaults()
	config.Override(filepath.Join(dir, "data"), "127.0.0.1:0", "127.0.0.1:0")
	config.TLS = files
	c, err := New(Options{Config: config, Version: "test", Log: slog.New(slog.DiscardHandler), Now: at.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if !strings.HasPrefix(c.URL(), "https://127.0.0.1:") {
		t.Fatalf("URL %s", c.URL())
	}
	shown := func() string {
		t.Helper()
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
		resp, err := client.Get(c.URL() + "/-/healthy")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.TLS.Version != tls.VersionTLS13 {
			t.Errorf("TLS version %x", resp.TLS.Version)
		}
		return strings.TrimSuffix(resp.TLS.PeerCertificates[0].DNSNames[0], ".example")
	}
	for _, row := range []struct {
		what string
		do   func()
		want string
	}{
		{"at the start", func() {}, "first"},
		{"renewed a moment ago", func() { renew("second") }, "first"},
		{"a minute later", func() { at.move(time.Minute) }, "second"},
		{"half written", func() {
			if err := os.WriteFile(files.Cert, []byte("-----BEGIN CERT"), 0o600); err != nil {
				t.Fatal(err)
			}
			at.move(time.Minute)
		}, "second"},
		{"whole again", func() { renew("third"); at.move(time.Minute) }, "third"},
	} {
		row.do()
		if got := shown(); got != row.want {
			t.Errorf("%s: shows %s, want %s", row.what, got, row.want)
		}
	}
	old := &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS12}
	if conn, err := tls.Dial("tcp", strings.TrimPrefix(c.URL(), "https://"), old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.2 was accepted")
	}
	resp, err := http.Get("http://" + strings.TrimPrefix(c.URL(), "https://"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("plain http: status %d, want 400", resp.StatusCode)
	}
}

// TestConfigOfLogins: each fault of the keys about people, all at once.
func TestConfigOfLogins(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"login: never\n", ""},
		{"tls: {cert: a.pem, key: b.pem}\n", ""},
		{"login: sometimes\ntls: {cert: a.pem}\n", `c.yaml:1: login: "sometimes" is neither with_users nor never; leave it out for with_users` + "\n" +
			"c.yaml:2: tls: names one of cert and key only; name both, or neither for a certificate of the collector's own authority"},
	} {
		_, faults := ParseConfig("c.yaml", []byte(c.text))
		got := ""
		if len(faults) > 0 {
			got = faults.Error()
		}
		if got != c.want {
			t.Errorf("%q: got  %s\nwant %s", c.text, got, c.want)
		}
	}
	for addr, want := range map[string]bool{"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "localhost:1": true, ":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "localhost.example:1": false, "127.0.0.1": false, "": false} {
		if got := Loopback(addr); got != want {
			t.Errorf("Loopback(%q): got %v", addr, got)
		}
	}
}
