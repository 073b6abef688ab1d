package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const (
	hostScheme = "plimsoll"
	hostKind   = "host"
	maxRequest = 8 << 10 // bytes of a CSR in PEM
)

// ErrRequest is wrapped by each error about a certificate request.
var ErrRequest = errors.New("certificate request refused")

// ErrNoHost is wrapped when a certificate carries no host identity of ours.
var ErrNoHost = errors.New("certificate names no host (URI plimsoll://host/ID)")

// NewHostID makes the stable id of a host: 80 random bits in base32, which
// outlives every rename of the machine.
func NewHostID() string {
	raw := make([]byte, 10)
	_, _ = rand.Read(raw) // never fails: it ends the program instead
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw))
}

// HostID reads the host's id from a certificate. It trusts the certificate:
// verify its chain first. The error wraps ErrNoHost.
func HostID(cert *x509.Certificate) (string, error) {
	if len(cert.URIs) != 1 {
		return "", fmt.Errorf("%d URIs: %w", len(cert.URIs), ErrNoHost)
	}
	u := cert.URIs[0]
	id := strings.TrimPrefix(u.Path, "/")
	if u.Scheme != hostScheme || u.Host != hostKind || !validHostID(id) {
		return "", fmt.Errorf("URI %q: %w", u, ErrNoHost)
	}
	return id, nil
}

func validHostID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// RequestedBy tells whether csrPEM asks for a certificate of the very key that
// cert is for. The error wraps ErrRequest.
func RequestedBy(csrPEM []byte, cert *x509.Certificate) error {
	csr, err := parseRequest(csrPEM)
	if err != nil {
		return err
	}
	if pub, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(csr.PublicKey) {
		return fmt.Errorf("%w: it is of another key than the certificate it would renew", ErrRequest)
	}
	return nil
}

// CheckRequest tells whether csrPEM can be signed at all: readable, signed by
// its own key, and a key of today's strength. The error wraps ErrRequest.
func CheckRequest(csrPEM []byte) error {
	_, err := parseRequest(csrPEM)
	return err
}

func parseRequest(csrPEM []byte) (*x509.CertificateRequest, error) {
	if len(csrPEM) > maxRequest {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrRequest, len(csrPEM), maxRequest)
	}
	block, _ := pem.Decode(csrPEM)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, fmt.Errorf("%w: no PEM block CERTIFICATE REQUEST", ErrRequest)
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	switch key := csr.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P224() {
			return nil, fmt.Errorf("%w: curve P-224 is too weak", ErrRequest)
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 || bits > 8192 {
			return nil, fmt.Errorf("%w: RSA key of %d bits, want 2048 to 8192", ErrRequest, bits)
		}
	default:
		return nil, fmt.Errorf("%w: key type %T", ErrRequest, csr.PublicKey)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return csr, nil
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no PEM block CERTIFICATE")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return cert, nil
}

// maxBundle bounds the authorities a host is told to trust.
const maxBundle = 8

// parseBundle reads one or more certificates in PEM.
func parseBundle(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for rest := bytes.TrimSpace(text); len(rest) > 0 || len(all) == 0; {
		block, more := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("no PEM block CERTIFICATE")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse certificate: %w", err)
		}
		if all = append(all, cert); len(all) > maxBundle {
			return nil, fmt.Errorf("more than %d certificates", maxBundle)
		}
		rest = bytes.TrimSpace(more)
	}
	return all, nil
}

func poolOf(bundle []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range bundle {
		pool.AddCert(c)
	}
	return pool
}

func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("no PEM block PRIVATE KEY")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("key type %T cannot sign", key)
	}
	return signer, nil
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
