package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// Files of the pages' certificate, beside the authority's.
const (
	pagesCert = "pages.pem"
	pagesKey  = "pages.key"
)

// pagesTTL is how long the pages' certificate is good; a third before its end
// it is made anew.
const pagesTTL = 365 * 24 * time.Hour

// PagesCertificate is the certificate the people's listener shows under names
// (addresses or host names): the one kept in dir, or a new one when there is
// none that can be read, it is for other names, of another authority, or within
// a third of its end. It is kept so that a browser that was told to trust it still does after
// a restart.
func (ca *CA) PagesCertificate(dir string, names []string) (tls.Certificate, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	kept, err := tls.LoadX509KeyPair(filepath.Join(dir, pagesCert), filepath.Join(dir, pagesKey))
	if err == nil && ca.serves(kept.Leaf, names) {
		return kept, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return kept, fmt.Errorf("make the pages' key: %w", err)
	}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "Plimsoll collector"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, name := range names {
		if a, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, a.WithZone("").AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := ca.sign(ca.serving(), template, key.Public(), pagesTTL)
	if err != nil {
		return kept, fmt.Errorf("sign the pages' certificate: %w", err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return kept, err
	}
	chain := append(encodeCertificate(der), ca.PEM()...)
	if err := durable.WriteFile(filepath.Join(dir, pagesKey), keyPEM, 0o600); err != nil {
		return kept, err
	}
	if err := durable.WriteFile(filepath.Join(dir, pagesCert), chain, 0o644); err != nil {
		return kept, err
	}
	return tls.X509KeyPair(chain, keyPEM)
}

// serves tells whether leaf is of this authority, for exactly names, and not
// near its end.
func (ca *CA) serves(leaf *x509.Certificate, names []string) bool {
	if leaf == nil || leaf.CheckSignatureFrom(ca.serving().cert) != nil {
		return false
	}
	have := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			have = append(have, a.Unmap().String())
		}
	}
	slices.Sort(have)
	return slices.Equal(have, names) && ca.now().Before(leaf.NotAfter.Add(-pagesTTL/3))
}
