package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/internal/wire"
)

const (
	caYears  = 10
	caCert   = "ca.pem"
	caKey    = "ca.key"
	backdate = time.Hour // certificates begin this much earlier, for hosts whose clock is behind
)

// CA is the collector's own certificate authority. Safe for concurrent use.
type CA struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
	now  func() time.Time
}

// OpenCA loads ca.pem and ca.key from dir, or makes them (ECDSA P-256, ten
// years) when neither is there. The key is readable by its owner alone.
// One of the two missing is an error: a new authority would lock out every
// enrolled host.
func OpenCA(dir string, now func() time.Time) (*CA, error) {
	certPEM, certErr := os.ReadFile(filepath.Join(dir, caCert))
	keyPEM, keyErr := os.ReadFile(filepath.Join(dir, caKey))
	switch {
	case errors.Is(certErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist):
		return createCA(dir, now)
	case certErr != nil:
		return nil, fmt.Errorf("read certificate authority: %w (restore %s beside %s from a backup, or remove both and enrol every host again)", certErr, caCert, caKey)
	case keyErr != nil:
		return nil, fmt.Errorf("read certificate authority: %w (restore %s beside %s from a backup, or remove both and enrol every host again)", keyErr, caKey, caCert)
	}
	cert, err := parseCertificate(certPEM)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, caCert), err)
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, caKey), err)
	}
	if pub, ok := key.Public().(*ecdsa.PublicKey); !ok || !pub.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("%s does not belong to %s in %s", caKey, caCert, dir)
	}
	return &CA{cert: cert, key: key, pem: certPEM, now: now}, nil
}

func createCA(dir string, now func() time.Time) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make authority key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: "Plimsoll collector CA"},
		NotBefore:             now().Add(-backdate),
		NotAfter:              now().AddDate(caYears, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign authority certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse authority certificate: %w", err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	ca := &CA{cert: cert, key: key, pem: encodeCertificate(der), now: now}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make identity directory: %w", err)
	}
	// The key goes first: a certificate without its key would be the worse half.
	if err := writeFile(filepath.Join(dir, caKey), keyPEM, 0o600); err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, caCert), ca.pem, 0o644); err != nil {
		return nil, err
	}
	return ca, nil
}

// Fingerprint is the hex SHA-256 of the authority's certificate (DER).
func (ca *CA) Fingerprint() string { return fingerprint(ca.cert.Raw) }

// PEM is the authority's certificate.
func (ca *CA) PEM() []byte { return ca.pem }

// Pool holds the authority alone, to verify the hosts it signed.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// SignHost makes a client certificate for the key in csrPEM, valid for ttl.
// It carries host as URI SAN plimsoll://host/<id> and nothing else that the
// request asked for. An error of the request wraps ErrRequest.
func (ca *CA) SignHost(csrPEM []byte, host string, ttl time.Duration) (certPEM []byte, err error) {
	if !validHostID(host) {
		return nil, fmt.Errorf("host id %q: want 1-64 of a-z 0-9 and -", host)
	}
	csr, err := parseRequest(csrPEM)
	if err != nil {
		return nil, err
	}
	der, err := ca.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: host},
		URIs:        []*url.URL{{Scheme: hostScheme, Host: hostKind, Path: "/" + host}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, csr.PublicKey, ttl)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of host %s: %w", host, err)
	}
	return encodeCertificate(der), nil
}

// ServerCertificate makes the agents' listener a fresh key and certificate,
// valid for ttl under wire.CollectorServerName, wire.EnrolServerName and
// wire.SenderServerName. The
// authority's certificate follows in the chain, for an agent that knows
// nothing but its fingerprint.
func (ca *CA) ServerCertificate(ttl time.Duration) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make server key: %w", err)
	}
	der, err := ca.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: wire.CollectorServerName},
		DNSNames:    []string{wire.CollectorServerName, wire.EnrolServerName, wire.SenderServerName},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key.Public(), ttl)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign server certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("parse server certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, ca.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// sign fills in what all our leaf certificates share.
func (ca *CA) sign(template *x509.Certificate, key crypto.PublicKey, ttl time.Duration) ([]byte, error) {
	now := ca.now()
	template.SerialNumber = newSerial()
	template.NotBefore = now.Add(-backdate)
	template.NotAfter = now.Add(ttl)
	if template.NotAfter.After(ca.cert.NotAfter) {
		template.NotAfter = ca.cert.NotAfter
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	return x509.CreateCertificate(rand.Reader, template, ca.cert, key, ca.key)
}

func newSerial() *big.Int {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails: it ends the program instead
	return new(big.Int).SetBytes(raw)
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
