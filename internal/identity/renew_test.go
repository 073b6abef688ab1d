package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/durable"
	"github.com/plimsoll/plimsoll/internal/wire"
	"pgregory.net/rapid"
)

// enrolled stores an identity made by ca in a directory.
func enrolled(t testing.TB, ca *CA, host string, ttl time.Duration) (dir string, key *ecdsa.PrivateKey) {
	t.Helper()
	dir = t.TempDir()
	key, err := hostPrivateKey(filepath.Join(dir, hostKey))
	if err != nil {
		t.Fatal(err)
	}
	issued, err := ca.SignHost(csrOf(t, key), host, ttl)
	if err != nil {
		t.Fatal(err)
	}
	if err := store(Request{Dir: dir, Collector: "c:1"}, wire.EnrolResponse{Host: host, Instance: "web-1", Certificate: string(issued.PEM), CA: string(ca.PEM())}); err != nil {
		t.Fatal(err)
	}
	return dir, key
}

func csrOf(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func load(t testing.TB, dir string) Identity {
	t.Helper()
	id, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestRenewAt: two thirds of the life, counted from when it was issued.
func TestRenewAt(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ca, err := OpenCA(t.TempDir(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		life := time.Duration(rapid.Int64Range(int64(time.Hour/time.Second), int64(90*24*time.Hour/time.Second)).Draw(rt, "life")) * time.Second
		issued, err := ca.SignHost(request(t), "abc", life)
		if err != nil {
			rt.Fatal(err)
		}
		cert, err := parseCertificate(issued.PEM)
		if err != nil {
			rt.Fatal(err)
		}
		id := Identity{Expires: cert.NotAfter, cert: tls.Certificate{Leaf: cert}}
		if got, want := id.RenewAt(), now.Add(life*2/3); got.Sub(want).Abs() > time.Second {
			rt.Fatalf("life %v: renewed at %v, want %v", life, got, want)
		}
	})
}

// TestTakeUp: a good answer is taken up whole; any other leaves the identity as it was.
func TestTakeUp(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	sign := func(by *CA, host string, key *ecdsa.PrivateKey) string {
		issued, err := by.SignHost(csrOf(t, key), host, 2*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return string(issued.PEM)
	}
	strange, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		answer func(key *ecdsa.PrivateKey) wire.RenewResponse
		want   string // error; empty: taken up
	}{
		{"good", func(k *ecdsa.PrivateKey) wire.RenewResponse {
			return wire.RenewResponse{Certificate: sign(ca, "abc", k), CA: string(ca.PEM())}
		}, ""},
		{"two authorities", func(k *ecdsa.PrivateKey) wire.RenewResponse {
			return wire.RenewResponse{Certificate: sign(other, "abc", k), CA: string(ca.PEM()) + string(other.PEM())}
		}, ""},
		{"another host", func(k *ecdsa.PrivateKey) wire.RenewResponse {
			return wire.RenewResponse{Certificate: sign(ca, "xyz", k), CA: string(ca.PEM())}
		}, "another host or key"},
		{"another key", func(*ecdsa.PrivateKey) wire.RenewResponse {
			return wire.RenewResponse{Certificate: sign(ca, "abc", strange), CA: string(ca.PEM())}
		}, "another host or key"},
		{"authority not in the bundle", func(k *ecdsa.PrivateKey) wire.RenewResponse {
			return wire.RenewResponse{Certificate: sign(other, "abc", k), CA: string(ca.PEM())}
		}, "not in the answer"},
		{"no bundle", func(k *ecdsa.PrivateKey) wire.RenewResponse {
			return wire.RenewResponse{Certificate: sign(ca, "abc", k)}
		}, "no PEM block"},
		{"nothing", func(*ecdsa.PrivateKey) wire.RenewResponse { return wire.RenewResponse{} }, "no PEM block"},
		{"a bundle without end", func(k *ecdsa.PrivateKey) wire.RenewResponse {
			return wire.RenewResponse{Certificate: sign(ca, "abc", k), CA: strings.Repeat(string(ca.PEM()), maxBundle+1)}
		}, "more than 8 certificates"},
	} {
		dir, key := enrolled(t, ca, "abc", time.Hour)
		before := load(t, dir)
		next, err := before.takeUp(dir, c.answer(key), key)
		now := load(t, dir)
		switch {
		case c.want == "" && (err != nil || !now.Expires.Equal(next.Expires) || !now.Expires.After(before.Expires)):
			t.Errorf("%s: got %v, error %v, on disk %v, want a later end than %v", c.name, next.Expires, err, now.Expires, before.Expires)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !now.Expires.Equal(before.Expires)):
			t.Errorf("%s: got %v, want … %s; on disk until %v, want %v", c.name, err, c.want, now.Expires, before.Expires)
		}
	}
}

// TestNewEnrolmentCutOff: between certificate and key the new identity is
// found by the key's first name.
func TestNewEnrolmentCutOff(t *testing.T) {
	ca := newCA(t)
	dir, _ := enrolled(t, ca, "abc", time.Hour)
	fresh, err := hostPrivateKey(filepath.Join(dir, nextHost))
	if err != nil {
		t.Fatal(err)
	}
	if id := load(t, dir); id.Host != "abc" {
		t.Errorf("key made, nothing else: got %s, want the old identity", id.Host)
	}
	issued, err := ca.SignHost(csrOf(t, fresh), "xyz", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(filepath.Join(dir, hostCert), issued.PEM, 0o644); err != nil {
		t.Fatal(err)
	}
	if id := load(t, dir); id.Host != "xyz" {
		t.Errorf("certificate written, key not moved: got %s, want the new identity", id.Host)
	}
	if err := takeKey(dir); err != nil {
		t.Fatal(err)
	}
	if id := load(t, dir); id.Host != "xyz" {
		t.Errorf("key moved: got %s, want the new identity", id.Host)
	}
	if err := os.Remove(filepath.Join(dir, hostKey)); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("no key at all: got an identity")
	}
}

// TestProof: it holds for exactly this token and this request.
func TestProof(t *testing.T) {
	ca := newCA(t)
	dir, key := enrolled(t, ca, "abc", time.Hour)
	id := load(t, dir)
	good := wire.EnrolRequest{Token: "secret", CSR: string(csrOf(t, key))}
	if err := id.prove(&good); err != nil {
		t.Fatal(err)
	}
	if cert, err := Previous(&good); err != nil || Fingerprint(cert) != Fingerprint(id.cert.Leaf) {
		t.Errorf("got %v, error %v, want the certificate of before", cert, err)
	}
	if cert, err := Previous(&wire.EnrolRequest{Token: "secret"}); cert != nil || err != nil {
		t.Errorf("first enrolment: got %v, error %v, want neither", cert, err)
	}
	otherDir, _ := enrolled(t, ca, "xyz", time.Hour)
	theirs := load(t, otherDir)
	for name, spoil := range map[string]func(*wire.EnrolRequest){
		"another token":       func(a *wire.EnrolRequest) { a.Token = "other" },
		"another request":     func(a *wire.EnrolRequest) { a.CSR += "\n" },
		"another certificate": func(a *wire.EnrolRequest) { a.Previous = string(encodeCertificate(theirs.cert.Certificate[0])) },
		"no proof":            func(a *wire.EnrolRequest) { a.Proof = nil },
		"no certificate":      func(a *wire.EnrolRequest) { a.Previous = "x" },
		"too long":            func(a *wire.EnrolRequest) { a.Previous = strings.Repeat("x", maxRequest+1) },
	} {
		bad := good
		spoil(&bad)
		if cert, err := Previous(&bad); !errors.Is(err, ErrRequest) || cert != nil {
			t.Errorf("%s: got %v, error %v, want ErrRequest", name, cert, err)
		}
	}
}

// FuzzCSR: whatever is accepted is signed for the asked host and nothing else.
func FuzzCSR(f *testing.F) {
	ca := newCA(f)
	f.Add(request(f))
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := CheckRequest(text); err != nil {
			if !errors.Is(err, ErrRequest) {
				t.Fatalf("got %v, want ErrRequest", err)
			}
			return
		}
		issued, err := ca.SignHost(text, "abc", time.Hour)
		if err != nil {
			t.Fatalf("checked, but not signed: %v", err)
		}
		cert, err := parseCertificate(issued.PEM)
		if err != nil {
			t.Fatal(err)
		}
		if host, err := HostID(cert); err != nil || host != "abc" || cert.IsCA || len(cert.DNSNames) > 0 || RequestedBy(text, cert) != nil {
			t.Fatalf("host %q, error %v, authority %v, names %v", host, err, cert.IsCA, cert.DNSNames)
		}
	})
}
