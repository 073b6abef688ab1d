package identity

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/durable"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// maxAnswer bounds what an agent reads from a collector, in bytes.
const maxAnswer = 64 << 10

// enrolTimeout bounds the whole exchange.
const enrolTimeout = 30 * time.Second

// ErrWrongCollector is wrapped when the server at the address does not hold
// the authority whose fingerprint the token carries.
var ErrWrongCollector = errors.New("the server is not the collector that made this token (another collector, or somebody in between)")

// Request is what a host needs to enrol.
type Request struct {
	Token     string // as printed by "plimsoll-collector enrol create"
	Collector string // HOST:PORT of the agents' listener
	Hostname  string // the name to be listed under; the collector may change it to keep names unique
	Version   string // of the agent
	Dir       string // where key and certificates go; made if missing, readable by its owner alone

	// Proxy is asked to CONNECT to the collector, which the pin in the token
	// proves through it; nil: none.
	Proxy *url.URL

	Now func() time.Time // nil: time.Now
}

// Enrol exchanges a one-time token for a certificate and stores it. The
// private key is made here and never sent; the collector is proven by the
// fingerprint in the token before the secret leaves this host. After an error
// it may be called again: the key is kept.
//
// A host that has an identity already proves its old key with the request and
// gets another one: the collector that knows it keeps its id and name, and
// refuses every copy of the old identity from then on. Until the answer is
// here the old identity stands.
func Enrol(ctx context.Context, req Request) (Identity, error) {
	secret, pin, err := ParseToken(req.Token)
	if err != nil {
		return Identity{}, err
	}
	if err := os.MkdirAll(req.Dir, 0o700); err != nil {
		return Identity{}, fmt.Errorf("make identity directory: %w", err)
	}
	before, noIdentity := Load(req.Dir)
	keyFile := filepath.Join(req.Dir, hostKey)
	if noIdentity == nil {
		keyFile = filepath.Join(req.Dir, nextHost)
	}
	key, err := hostPrivateKey(keyFile)
	if err != nil {
		return Identity{}, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "plimsoll agent"}}, key)
	if err != nil {
		return Identity{}, fmt.Errorf("make certificate request: %w", err)
	}
	ask := wire.EnrolRequest{
		Token: secret, Hostname: req.Hostname, OS: runtime.GOOS, Arch: runtime.GOARCH, Version: req.Version,
		CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})),
	}
	if noIdentity == nil {
		if err := before.prove(&ask); err != nil {
			return Identity{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, enrolTimeout)
	defer cancel()
	answer, err := exchange(ctx, req, pin, ask)
	if err != nil {
		return Identity{}, fmt.Errorf("enrol at %s: %w", req.Collector, err)
	}
	if err := checkAnswer(answer, pin, key); err != nil {
		return Identity{}, fmt.Errorf("enrol at %s: %w", req.Collector, err)
	}
	if err := store(req, answer); err != nil {
		return Identity{}, err
	}
	return Load(req.Dir)
}

// hostPrivateKey reads the key of an earlier attempt or makes one.
func hostPrivateKey(path string) (*ecdsa.PrivateKey, error) {
	if text, err := os.ReadFile(path); err == nil {
		if signer, err := parseKey(text); err == nil {
			if key, ok := signer.(*ecdsa.PrivateKey); ok {
				return key, nil
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read host key: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make host key: %w", err)
	}
	text, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	return key, durable.WriteFile(path, text, 0o600)
}

// exchange sends the request and reads the answer.
func exchange(ctx context.Context, to Request, pin string, ask wire.EnrolRequest) (wire.EnrolResponse, error) {
	var answer wire.EnrolResponse
	body, err := json.Marshal(ask)
	if err != nil {
		return answer, fmt.Errorf("encode request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+to.Collector+wire.EnrolPath, bytes.NewReader(body))
	if err != nil {
		return answer, fmt.Errorf("address of the collector (want HOST:PORT): %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{
		Proxy:             func(*http.Request) (*url.URL, error) { return to.Proxy, nil },
		TLSClientConfig:   pinnedTLS(pin, to.Now),
		DisableKeepAlives: true,
	}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return answer, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer, fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("refused with %d: %s", resp.StatusCode, firstLine(text))
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return answer, fmt.Errorf("read answer: %w", err)
	}
	return answer, nil
}

// pinnedTLS trusts exactly the authority with this fingerprint. The usual
// verification is off because there is no root to start from; VerifyConnection
// does all of it instead.
func pinnedTLS(pin string, now func() time.Time) *tls.Config {
	if now == nil {
		now = time.Now
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		ServerName:         wire.EnrolServerName,
		NextProtos:         []string{"http/1.1"},
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection below verifies against the pinned authority
		VerifyConnection: func(state tls.ConnectionState) error {
			roots := x509.NewCertPool()
			for _, cert := range state.PeerCertificates {
				if fingerprint(cert.Raw) == pin {
					roots.AddCert(cert)
					_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: wire.EnrolServerName, CurrentTime: now()})
					if err != nil {
						return fmt.Errorf("certificate of the collector: %w", err)
					}
					return nil
				}
			}
			return ErrWrongCollector
		},
	}
}

// checkAnswer refuses an answer that would not work later: another authority,
// another key, another host.
func checkAnswer(answer wire.EnrolResponse, pin string, key *ecdsa.PrivateKey) error {
	bundle, err := parseBundle([]byte(answer.CA))
	if err != nil {
		return fmt.Errorf("authority in the answer: %w", err)
	}
	if !slices.ContainsFunc(bundle, func(ca *x509.Certificate) bool { return fingerprint(ca.Raw) == pin }) {
		return ErrWrongCollector
	}
	return checkCertificate(answer.Certificate, answer.Host, key, bundle)
}

// checkCertificate refuses a certificate that would not work later.
func checkCertificate(text, host string, key crypto.Signer, bundle []*x509.Certificate) error {
	cert, err := parseCertificate([]byte(text))
	if err != nil {
		return fmt.Errorf("certificate in the answer: %w", err)
	}
	id, err := HostID(cert)
	if err != nil {
		return fmt.Errorf("certificate in the answer: %w", err)
	}
	if id != host || !belongs(key, cert) {
		return errors.New("certificate in the answer is for another host or key")
	}
	if !slices.ContainsFunc(bundle, func(ca *x509.Certificate) bool { return cert.CheckSignatureFrom(ca) == nil }) {
		return errors.New("certificate in the answer is of an authority that is not in the answer")
	}
	return nil
}

// store writes host.json last: it marks the identity as whole.
func store(req Request, answer wire.EnrolResponse) error {
	text, err := json.MarshalIndent(Identity{Host: answer.Host, Instance: answer.Instance, Collector: req.Collector}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	for _, f := range []struct {
		name string
		data []byte
		mode fs.FileMode
	}{
		{hostCA, []byte(answer.CA), 0o644},
		{hostCert, []byte(answer.Certificate), 0o644},
		{hostJSON, append(text, '\n'), 0o644},
	} {
		if f.name == hostJSON {
			if err := takeKey(req.Dir); err != nil {
				return err
			}
		}
		if err := durable.WriteFile(filepath.Join(req.Dir, f.name), f.data, f.mode); err != nil {
			return err
		}
	}
	return nil
}

// takeKey gives the key of a new enrolment, if there is one, its lasting name.
func takeKey(dir string) error {
	err := os.Rename(filepath.Join(dir, nextHost), filepath.Join(dir, hostKey))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("take up the new key: %w", err)
	}
	return durable.SyncDir(dir)
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return line
}
