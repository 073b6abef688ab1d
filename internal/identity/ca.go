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
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/internal/durable"
	"github.com/plimsoll/plimsoll/internal/wire"
)

const (
	caYears  = 10
	caCert   = "ca.pem"
	caKey    = "ca.key"
	backdate = time.Hour // certificates begin this much earlier, for hosts whose clock is behind
)

// authority is one key with the certificate it signed for itself.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

func (a *authority) fingerprint() string { return fingerprint(a.cert.Raw) }

// CA is the collector's own certificate authority. While one is being
// replaced there are two: hosts trust both as soon as they renew, the new one
// signs hosts, the old one still proves the collector to hosts that know no
// other. Safe for concurrent use.
type CA struct {
	dir string
	now func() time.Time

	mu   sync.RWMutex
	all  []authority // the serving one first, the signing one last
	pool *x509.CertPool
	pem  []byte
}

// OpenCA loads ca.pem and ca.key from dir, and the pair that replaces them if
// a rotation has begun, or makes them (ECDSA P-256, ten years) when neither is
// there. Keys are readable by their owner alone. One of a pair missing is an
// error: a new authority would lock out every enrolled host.
func OpenCA(dir string, now func() time.Time) (*CA, error) {
	ca := &CA{dir: dir, now: now}
	if err := finishRetiring(dir); err != nil {
		return nil, err
	}
	first, err := openAuthority(dir, caCert, caKey)
	if errors.Is(err, errNoAuthority) {
		first, err = createAuthority(dir, caCert, caKey, now())
	}
	if err != nil {
		return nil, err
	}
	ca.set(first)
	switch next, err := openAuthority(dir, nextCert, nextKey); {
	case err == nil:
		ca.set(first, next)
	case !errors.Is(err, errNoAuthority):
		return nil, err
	}
	return ca, nil
}

// set replaces the authorities in force.
func (ca *CA) set(all ...authority) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.all, ca.pool, ca.pem = all, x509.NewCertPool(), nil
	for _, a := range all {
		ca.pool.AddCert(a.cert)
		ca.pem = append(ca.pem, a.pem...)
	}
}

// errNoAuthority tells that neither file of a pair is there.
var errNoAuthority = errors.New("no authority there")

func openAuthority(dir, certName, keyName string) (a authority, err error) {
	certPEM, certErr := os.ReadFile(filepath.Join(dir, certName))
	keyPEM, keyErr := os.ReadFile(filepath.Join(dir, keyName))
	switch {
	case errors.Is(certErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist):
		return a, errNoAuthority
	case certErr != nil:
		return a, fmt.Errorf("read certificate authority: %w (restore %s beside %s from a backup, or remove both and enrol every host again)", certErr, certName, keyName)
	case keyErr != nil:
		return a, fmt.Errorf("read certificate authority: %w (restore %s beside %s from a backup, or remove both and enrol every host again)", keyErr, keyName, certName)
	}
	cert, err := parseCertificate(certPEM)
	if err != nil {
		return a, fmt.Errorf("%s: %w", filepath.Join(dir, certName), err)
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return a, fmt.Errorf("%s: %w", filepath.Join(dir, keyName), err)
	}
	if !belongs(key, cert) {
		return a, fmt.Errorf("%s does not belong to %s in %s", keyName, certName, dir)
	}
	return authority{cert: cert, key: key, pem: certPEM}, nil
}

// belongs tells whether cert is for key.
func belongs(key crypto.Signer, cert *x509.Certificate) bool {
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && pub.Equal(cert.PublicKey)
}

func createAuthority(dir, certName, keyName string, now time.Time) (a authority, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return a, fmt.Errorf("make authority key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: "Plimsoll collector CA"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(caYears, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return a, fmt.Errorf("sign authority certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return a, fmt.Errorf("parse authority certificate: %w", err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return a, err
	}
	a = authority{cert: cert, key: key, pem: encodeCertificate(der)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return a, fmt.Errorf("make identity directory: %w", err)
	}
	// The key goes first: a certificate without its key would be the worse half.
	if err := durable.WriteFile(filepath.Join(dir, keyName), keyPEM, 0o600); err != nil {
		return a, err
	}
	return a, durable.WriteFile(filepath.Join(dir, certName), a.pem, 0o644)
}

func (ca *CA) serving() authority {
	ca.mu.RLock()
	defer ca.mu.RUnlock()
	return ca.all[0]
}

func (ca *CA) signing() authority {
	ca.mu.RLock()
	defer ca.mu.RUnlock()
	return ca.all[len(ca.all)-1]
}

// Fingerprint is the hex SHA-256 of the certificate (DER) of the authority
// that proves the collector: what tokens carry.
func (ca *CA) Fingerprint() string {
	a := ca.serving()
	return a.fingerprint()
}

// PEM is what hosts are to trust: every authority in force.
func (ca *CA) PEM() []byte {
	ca.mu.RLock()
	defer ca.mu.RUnlock()
	return ca.pem
}

// Pool holds the authorities in force, to verify the hosts they signed.
func (ca *CA) Pool() *x509.CertPool {
	ca.mu.RLock()
	defer ca.mu.RUnlock()
	return ca.pool
}

// Issued is a certificate that was made for a host.
type Issued struct {
	Host        string
	PEM         []byte
	Fingerprint string // hex SHA-256 of the DER
	Authority   string // fingerprint of the authority that signed it
	NotBefore   time.Time
	NotAfter    time.Time
}

// SignHost makes a client certificate for the key in csrPEM, valid for ttl.
// It carries host as URI SAN plimsoll://host/<id> and nothing else that the
// request asked for. An error of the request wraps ErrRequest.
func (ca *CA) SignHost(csrPEM []byte, host string, ttl time.Duration) (Issued, error) {
	if !validHostID(host) {
		return Issued{}, fmt.Errorf("host id %q: want 1-64 of a-z 0-9 and -", host)
	}
	csr, err := parseRequest(csrPEM)
	if err != nil {
		return Issued{}, err
	}
	by, template := ca.signing(), &x509.Certificate{
		Subject:     pkix.Name{CommonName: host},
		URIs:        []*url.URL{{Scheme: hostScheme, Host: hostKind, Path: "/" + host}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := ca.sign(by, template, csr.PublicKey, ttl)
	if err != nil {
		return Issued{}, fmt.Errorf("sign certificate of host %s: %w", host, err)
	}
	return Issued{Host: host, PEM: encodeCertificate(der), Fingerprint: fingerprint(der), Authority: by.fingerprint(),
		NotBefore: template.NotBefore, NotAfter: template.NotAfter}, nil
}

// ServerCertificate makes the agents' listener a fresh key and certificate,
// valid for ttl under the four server names of package wire. The authority's
// certificate follows in the chain, for an agent that knows nothing but its
// fingerprint.
func (ca *CA) ServerCertificate(ttl time.Duration) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make server key: %w", err)
	}
	by := ca.serving()
	der, err := ca.sign(by, &x509.Certificate{
		Subject:     pkix.Name{CommonName: wire.CollectorServerName},
		DNSNames:    []string{wire.CollectorServerName, wire.EnrolServerName, wire.RenewServerName, wire.SenderServerName},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key.Public(), ttl)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign server certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("parse server certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, by.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// VerifyExpired verifies the chain of a host's certificate as usual, except
// that one which has expired is judged by its last second.
func (ca *CA) VerifyExpired(cert *x509.Certificate) error {
	at := ca.now()
	if at.After(cert.NotAfter) {
		at = cert.NotAfter
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: ca.Pool(), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}

// sign fills in what all our leaf certificates share.
func (ca *CA) sign(by authority, template *x509.Certificate, key crypto.PublicKey, ttl time.Duration) ([]byte, error) {
	now := ca.now()
	template.SerialNumber = newSerial()
	template.NotBefore = now.Add(-backdate).UTC().Truncate(time.Second)
	template.NotAfter = now.Add(ttl).UTC().Truncate(time.Second)
	if template.NotAfter.After(by.cert.NotAfter) {
		template.NotAfter = by.cert.NotAfter
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	return x509.CreateCertificate(rand.Reader, template, by.cert, key, by.key)
}

func newSerial() *big.Int {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails: it ends the program instead
	return new(big.Int).SetBytes(raw)
}

// Fingerprint is the hex SHA-256 of a certificate.
func Fingerprint(cert *x509.Certificate) string { return fingerprint(cert.Raw) }

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
