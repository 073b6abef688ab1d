package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// The pair that replaces ca.pem and ca.key, while both are trusted.
const (
	nextCert = "ca-next.pem"
	nextKey  = "ca-next.key"
)

// Errors of a rotation asked for at the wrong moment.
var (
	ErrRotating    = errors.New("the authority is being replaced already: finish with \"plimsoll-collector ca retire\" first")
	ErrNotRotating = errors.New("there is no old authority to retire: begin with \"plimsoll-collector ca rotate\"")
)

// Authority describes one authority in force.
type Authority struct {
	Fingerprint string
	NotBefore   time.Time
	NotAfter    time.Time
	Serving     bool // proves the collector to hosts; tokens carry its fingerprint
	Signing     bool // signs hosts
}

// Authorities are those in force, the serving one first; two while the first
// is being replaced.
func (ca *CA) Authorities() []Authority {
	ca.mu.RLock()
	defer ca.mu.RUnlock()
	var out []Authority
	for i := range ca.all {
		a := &ca.all[i]
		out = append(out, Authority{Fingerprint: a.fingerprint(), NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
			Serving: i == 0, Signing: i == len(ca.all)-1})
	}
	return out
}

// Rotate makes the next authority. From now on it signs hosts and both are
// trusted; the old one still proves the collector, because hosts learn of the
// new one only when they renew. It returns the new fingerprint, or ErrRotating.
func (ca *CA) Rotate() (string, error) {
	if len(ca.Authorities()) > 1 {
		return "", ErrRotating
	}
	next, err := createAuthority(ca.dir, nextCert, nextKey, ca.now())
	if err != nil {
		return "", err
	}
	ca.set(ca.serving(), next)
	return next.fingerprint(), nil
}

// Retire ends the overlap: the old authority is forgotten, its key with it,
// and what it signed is no longer let in. The caller has made sure that no
// host needs it. It returns the retired fingerprint, or ErrNotRotating.
func (ca *CA) Retire() (string, error) {
	if len(ca.Authorities()) < 2 {
		return "", ErrNotRotating
	}
	old, next := ca.serving(), ca.signing()
	// In this order a crash in between leaves what finishRetiring finds.
	for _, step := range [...][2]string{{nextKey, caKey}, {nextCert, caCert}} {
		if err := os.Rename(filepath.Join(ca.dir, step[0]), filepath.Join(ca.dir, step[1])); err != nil {
			return "", fmt.Errorf("retire the old authority: %w", err)
		}
		if err := durable.SyncDir(ca.dir); err != nil {
			return "", fmt.Errorf("retire the old authority: %w", err)
		}
	}
	ca.set(next)
	return old.fingerprint(), nil
}

// finishRetiring completes a retirement that was cut off after its first
// step: the new key took its place, the new certificate did not yet. It also
// removes the key of a rotation that was cut off before its certificate.
func finishRetiring(dir string) error {
	certPEM, err := os.ReadFile(filepath.Join(dir, nextCert))
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.Remove(filepath.Join(dir, nextKey)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a half-made authority: %w", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read certificate authority: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, nextKey)); err == nil || !cutOff(dir, certPEM) {
		return nil // in its overlap; or OpenCA names the fault
	}
	if err := os.Rename(filepath.Join(dir, nextCert), filepath.Join(dir, caCert)); err != nil {
		return fmt.Errorf("finish retiring the old authority: %w", err)
	}
	return durable.SyncDir(dir)
}

// cutOff tells whether the key in its lasting place is of the next certificate.
func cutOff(dir string, nextPEM []byte) bool {
	cert, err := parseCertificate(nextPEM)
	if err != nil {
		return false
	}
	text, err := os.ReadFile(filepath.Join(dir, caKey))
	if err != nil {
		return false
	}
	key, err := parseKey(text)
	return err == nil && belongs(key, cert)
}
