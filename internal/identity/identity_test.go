package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/internal/wire"
)

func newCA(t testing.TB) *CA {
	t.Helper()
	ca, err := OpenCA(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestTokenComesBack(t *testing.T) {
	fp := newCA(t).Fingerprint()
	text, hash := NewToken(fp)
	secret, pin, err := ParseToken("  " + text + "\n")
	if err != nil || pin != fp || HashSecret(secret) != hash {
		t.Errorf("got secret %q pin %q error %v of %q", secret, pin, err, text)
	}
	if strings.Contains(text, hash) || len(secret) < 26 {
		t.Errorf("token %q: the secret must have 128 bits and differ from what is stored", text)
	}
	if other, _ := NewToken(fp); other == text {
		t.Error("two tokens are equal")
	}
	if _, _, err := ParseToken(strings.ToUpper(secret)); err == nil {
		t.Error("a secret alone is taken for a token")
	}
}

func TestDamagedTokens(t *testing.T) {
	fp := strings.Repeat("ab", 32)
	for _, c := range []struct{ text, want string }{
		{"", "not an enrolment token"},
		{"plm2.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa." + fp, "not an enrolment token"},
		{"plm1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "not an enrolment token"},
		{"plm1.short." + fp, "secret part damaged"},
		{"plm1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!." + fp, "secret part damaged"},
		{"plm1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa." + fp[:60], "fingerprint part damaged"},
	} {
		if _, _, err := ParseToken(c.text); !errors.Is(err, ErrToken) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.text, err, c.want)
		}
	}
}

func TestAuthorityIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "identity")
	first, err := OpenCA(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	second, err := OpenCA(dir, time.Now)
	if err != nil || second.Fingerprint() != first.Fingerprint() {
		t.Errorf("opened again: got %v, error %v, want the same authority", second, err)
	}
	info, err := os.Stat(filepath.Join(dir, caKey))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("key: mode %v, error %v, want 0600", info.Mode(), err)
	}
	if life := time.Until(first.serving().cert.NotAfter); life < 9*365*24*time.Hour {
		t.Errorf("authority lives %v, want ten years", life)
	}
}

func TestHalfAnAuthority(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(dir string) error
		want  string
	}{
		{"key gone", func(dir string) error { return os.Remove(filepath.Join(dir, caKey)) }, "restore ca.key beside ca.pem from a backup"},
		{"certificate gone", func(dir string) error { return os.Remove(filepath.Join(dir, caCert)) }, "restore ca.pem beside ca.key from a backup"},
		{"garbage", func(dir string) error { return os.WriteFile(filepath.Join(dir, caKey), []byte("x"), 0o600) }, "no PEM block PRIVATE KEY"},
		{"another key", func(dir string) error {
			other := t.TempDir()
			if _, err := OpenCA(other, time.Now); err != nil {
				return err
			}
			return os.Rename(filepath.Join(other, caKey), filepath.Join(dir, caKey))
		}, "ca.key does not belong to ca.pem"},
	} {
		dir := t.TempDir()
		if _, err := OpenCA(dir, time.Now); err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenCA(dir, time.Now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want … %s", c.name, err, c.want)
		}
	}
}

// request makes a CSR that asks for more than it will get.
func request(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		DNSNames: []string{wire.CollectorServerName}, URIs: []*url.URL{{Scheme: hostScheme, Host: hostKind, Path: "/somebody-else"}}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func TestCertificateOfAHost(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ca, err := OpenCA(t.TempDir(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	issued, err := ca.SignHost(request(t), "abc123", 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := parseCertificate(issued.PEM)
	if err != nil {
		t.Fatal(err)
	}
	if issued.Fingerprint != Fingerprint(cert) || issued.Authority != ca.Fingerprint() || !issued.NotBefore.Equal(cert.NotBefore) || !issued.NotAfter.Equal(cert.NotAfter) {
		t.Errorf("got %+v, want what the certificate says", issued)
	}
	if id, err := HostID(cert); err != nil || id != "abc123" {
		t.Errorf("host id: got %q, error %v, want abc123", id, err)
	}
	if len(cert.DNSNames) != 0 || cert.IsCA {
		t.Errorf("the request's wishes were granted: names %v, authority %v", cert.DNSNames, cert.IsCA)
	}
	for _, c := range []struct {
		at    time.Time
		usage x509.ExtKeyUsage
		ok    bool
	}{
		{now, x509.ExtKeyUsageClientAuth, true},
		{now.Add(-59 * time.Minute), x509.ExtKeyUsageClientAuth, true}, // a clock behind
		{now.Add(25 * time.Hour), x509.ExtKeyUsageClientAuth, false},
		{now, x509.ExtKeyUsageServerAuth, false}, // a host must not pose as the collector
	} {
		_, err := cert.Verify(x509.VerifyOptions{Roots: ca.Pool(), CurrentTime: c.at, KeyUsages: []x509.ExtKeyUsage{c.usage}})
		if (err == nil) != c.ok {
			t.Errorf("at %v for %v: got %v, want ok %v", c.at, c.usage, err, c.ok)
		}
	}
	for _, host := range []string{"", "UPPER", "a/b", "..", strings.Repeat("a", 65)} {
		if _, err := ca.SignHost(request(t), host, time.Hour); err == nil {
			t.Errorf("host id %q was signed", host)
		}
	}
}

func TestRequestsRefused(t *testing.T) {
	good := request(t)
	block, _ := pem.Decode(good)
	block.Bytes[len(block.Bytes)-1] ^= 1
	for _, c := range []struct {
		name string
		text []byte
	}{
		{"nothing", nil},
		{"text", []byte("hello")},
		{"another kind", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes})},
		{"signature changed", pem.EncodeToMemory(block)},
		{"long", append(make([]byte, maxRequest), good...)},
	} {
		if err := CheckRequest(c.text); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: got %v, want ErrRequest", c.name, err)
		}
	}
	if err := CheckRequest(good); err != nil {
		t.Errorf("good request: %v", err)
	}
}

func TestCertificatesWithoutAHost(t *testing.T) {
	uri := func(text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	for _, c := range []struct {
		uris []*url.URL
		want string // host id; empty = refused
	}{
		{[]*url.URL{uri("plimsoll://host/abc")}, "abc"},
		{nil, ""},
		{[]*url.URL{uri("plimsoll://host/abc"), uri("plimsoll://host/def")}, ""},
		{[]*url.URL{uri("plimsoll://host/")}, ""},
		{[]*url.URL{uri("plimsoll://user/abc")}, ""},
		{[]*url.URL{uri("spiffe://host/abc")}, ""},
		{[]*url.URL{uri("plimsoll://host/a/b")}, ""},
		{[]*url.URL{uri("plimsoll://host/ABC")}, ""},
	} {
		got, err := HostID(&x509.Certificate{URIs: c.uris})
		if got != c.want || (c.want == "") != errors.Is(err, ErrNoHost) {
			t.Errorf("%v: got %q, error %v, want %q", c.uris, got, err, c.want)
		}
	}
}

// server answers enrolments with answer over TLS as authority ca.
func server(t *testing.T, ca *CA, answer func(wire.EnrolRequest) (int, any)) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask wire.EnrolRequest
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
			t.Error(err)
		}
		status, body := answer(ask)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}))
	cert, err := ca.ServerCertificate(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestEnrol(t *testing.T) {
	ca, dir := newCA(t), filepath.Join(t.TempDir(), "agent")
	sign := func(ca *CA, ask wire.EnrolRequest, host string) wire.EnrolResponse {
		cert, err := ca.SignHost([]byte(ask.CSR), host, time.Hour)
		if err != nil {
			t.Error(err)
		}
		return wire.EnrolResponse{Host: host, Instance: ask.Hostname + "-2", Certificate: string(cert.PEM), CA: string(ca.PEM())}
	}
	token, _ := NewToken(ca.Fingerprint())
	if _, err := Load(dir); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("before: got %v, want ErrNotEnrolled", err)
	}

	var keys []string
	down := server(t, ca, func(ask wire.EnrolRequest) (int, any) {
		keys = append(keys, publicKey(t, ask.CSR))
		return 503, "later"
	})
	up := server(t, ca, func(ask wire.EnrolRequest) (int, any) {
		keys = append(keys, publicKey(t, ask.CSR))
		return 200, sign(ca, ask, "abc")
	})
	req := Request{Token: token, Collector: down, Hostname: "web-1", Version: "1", Dir: dir}
	if _, err := Enrol(context.Background(), req); err == nil || !strings.Contains(err.Error(), `refused with 503: "later"`) {
		t.Fatalf("collector not ready: got %v", err)
	}
	req.Collector = up
	id, err := Enrol(context.Background(), req)
	if err != nil || id.Host != "abc" || id.Instance != "web-1-2" || id.Collector != up {
		t.Fatalf("got %+v, error %v", id, err)
	}
	if len(keys) != 2 || keys[0] != keys[1] {
		t.Error("the second attempt used another key")
	}
	loaded, err := Load(dir)
	if err != nil || loaded.Host != id.Host || !loaded.Expires.Equal(id.Expires) || len(loaded.ClientTLS().Certificates) != 1 {
		t.Errorf("loaded %+v, error %v, want %+v", loaded, err, id)
	}
	if info, err := os.Stat(filepath.Join(dir, hostKey)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("key: mode %v, error %v, want 0600", info.Mode(), err)
	}
	if err := os.Remove(filepath.Join(dir, hostKey)); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || errors.Is(err, ErrNotEnrolled) || !strings.Contains(err.Error(), hostKey) {
		t.Errorf("key gone: got %v, want an error that names it", err)
	}
}

func publicKey(t *testing.T, csr string) string {
	t.Helper()
	parsed, err := parseRequest([]byte(csr))
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(parsed.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(der)
}

func TestEnrolTrustsNobodyElse(t *testing.T) {
	ours, other := newCA(t), newCA(t)
	token, _ := NewToken(ours.Fingerprint())
	signed := func(ca *CA, csr, host string) string {
		text, err := ca.SignHost([]byte(csr), host, time.Hour)
		if err != nil {
			t.Error(err)
		}
		return string(text.PEM)
	}
	for _, c := range []struct {
		name   string
		ca     *CA
		answer func(ask wire.EnrolRequest) wire.EnrolResponse
		heard  bool // whether the secret may have been sent
		want   string
	}{
		{"another collector", other, nil, false, ErrWrongCollector.Error()},
		{"another authority in the answer", ours, func(ask wire.EnrolRequest) wire.EnrolResponse {
			return wire.EnrolResponse{Host: "abc", Certificate: signed(ours, ask.CSR, "abc"), CA: string(other.PEM())}
		}, true, ErrWrongCollector.Error()},
		{"certificate of another key", ours, func(wire.EnrolRequest) wire.EnrolResponse {
			return wire.EnrolResponse{Host: "abc", Certificate: signed(ours, string(request(t)), "abc"), CA: string(ours.PEM())}
		}, true, "certificate in the answer is for another host or key"},
		{"certificate of another host", ours, func(ask wire.EnrolRequest) wire.EnrolResponse {
			return wire.EnrolResponse{Host: "abc", Certificate: signed(ours, ask.CSR, "def"), CA: string(ours.PEM())}
		}, true, "certificate in the answer is for another host or key"},
		{"empty answer", ours, func(wire.EnrolRequest) wire.EnrolResponse { return wire.EnrolResponse{} }, true, "authority in the answer: no PEM block CERTIFICATE"},
	} {
		heard, dir := false, t.TempDir()
		addr := server(t, c.ca, func(ask wire.EnrolRequest) (int, any) { heard = true; return 200, c.answer(ask) })
		_, err := Enrol(context.Background(), Request{Token: token, Collector: addr, Hostname: "web-1", Dir: dir})
		if err == nil || !strings.HasSuffix(err.Error(), c.want) || heard != c.heard {
			t.Errorf("%s: got %v, secret sent %v, want … %s, %v", c.name, err, heard, c.want, c.heard)
		}
		if _, err := Load(dir); !errors.Is(err, ErrNotEnrolled) {
			t.Errorf("%s: an identity was stored: %v", c.name, err)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	text, _ := NewToken(strings.Repeat("ab", 32))
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		secret, pin, err := ParseToken(text)
		if err != nil {
			return
		}
		again, pin2, err := ParseToken(tokenPrefix + "." + secret + "." + pin)
		if err != nil || again != secret || pin2 != pin {
			t.Fatalf("second round differs: %q %q %v", again, pin2, err)
		}
	})
}

func TestHostIDsDiffer(t *testing.T) {
	seen := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		id := NewHostID()
		if seen[id] || !validHostID(id) {
			t.Fatalf("host id %q: seen before or not valid", id)
		}
		seen[id] = true
	})
}
