package identity

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/internal/durable"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Grace is how long after its end a certificate is still let in to be
// renewed, and to nothing else: a host that was away a month comes back by
// itself.
const Grace = 30 * 24 * time.Hour

// Refused is a collector's answer other than 200.
type Refused struct {
	Status int
	Text   string
}

func (e *Refused) Error() string { return fmt.Sprintf("refused with %d: %s", e.Status, e.Text) }

// RenewAt is when two thirds of the certificate's life are over.
func (id Identity) RenewAt() time.Time {
	issued := id.cert.Leaf.NotBefore.Add(backdate)
	return issued.Add(id.Expires.Sub(issued) * 2 / 3)
}

// RenewTLS is ClientTLS for renewing alone: the collector lets a certificate
// in there that has expired.
func (id Identity) RenewTLS() *tls.Config {
	config := id.ClientTLS()
	config.ServerName = wire.RenewServerName
	return config
}

// Renew asks the collector at address for the next certificate, over a client
// that speaks with RenewTLS, and stores it in dir. The key stays the same: one
// file changes, so neither a lost answer nor a crash leaves a host without an
// identity, and only who holds the key gains anything by a renewal. An answer
// other than 200 is a *Refused.
func Renew(ctx context.Context, client *http.Client, address string, id Identity, dir, version string) (Identity, error) {
	key, ok := id.cert.PrivateKey.(crypto.Signer)
	if !ok {
		return id, fmt.Errorf("key of type %T cannot sign", id.cert.PrivateKey)
	}
	body, err := renewal(key, version)
	if err != nil {
		return id, err
	}
	ctx, cancel := context.WithTimeout(ctx, enrolTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+wire.RenewPath, bytes.NewReader(body))
	if err != nil {
		return id, fmt.Errorf("make renewal request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return id, err
	}
	defer func() { _ = resp.Body.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return id, fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return id, &Refused{Status: resp.StatusCode, Text: firstLine(text)}
	}
	var answer wire.RenewResponse
	if err := json.Unmarshal(text, &answer); err != nil {
		return id, fmt.Errorf("read answer: %w", err)
	}
	return id.takeUp(dir, answer, key)
}

// renewal is the body of a request signed by the key.
func renewal(key crypto.Signer, version string) ([]byte, error) {
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "plimsoll agent"}}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate request: %w", err)
	}
	body, err := json.Marshal(wire.RenewRequest{Version: version, CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr}))})
	if err != nil {
		return nil, fmt.Errorf("encode renewal: %w", err)
	}
	return body, nil
}

// takeUp checks and stores the next certificate. The bundle goes first: it
// holds whatever authority the collector is proven by.
func (id Identity) takeUp(dir string, answer wire.RenewResponse, key crypto.Signer) (Identity, error) {
	bundle, err := parseBundle([]byte(answer.CA))
	if err != nil {
		return id, fmt.Errorf("authorities in the answer: %w", err)
	}
	if err := checkCertificate(answer.Certificate, id.Host, key, bundle); err != nil {
		return id, err
	}
	if err := durable.WriteFile(filepath.Join(dir, hostCA), []byte(answer.CA), 0o644); err != nil {
		return id, err
	}
	if err := durable.WriteFile(filepath.Join(dir, hostCert), []byte(answer.Certificate), 0o644); err != nil {
		return id, err
	}
	return Load(dir)
}
