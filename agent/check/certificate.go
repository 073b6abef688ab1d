package check

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// maxCA bounds the file of authorities, in bytes: the bundle of a whole
// distribution is a quarter of it.
const maxCA = 1 << 20

// config is the TLS configuration of a test. The file of authorities is read
// each time, so that one that was renewed is taken up; the error is this
// host's own.
func (c Certificate) config(host string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if config.ServerName == "" {
		config.ServerName = host
	}
	if c.CA == "" {
		return config, nil
	}
	info, err := os.Stat(c.CA)
	if err == nil && info.Size() > maxCA {
		err = fmt.Errorf("%s is longer than %d bytes", c.CA, maxCA)
	}
	if err != nil {
		return nil, fmt.Errorf("read the authorities: %w", err)
	}
	text, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("read the authorities: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read the authorities: %s holds no certificate in PEM", c.CA)
	}
	return config, nil
}

// showExpiry fills in when the certificates of a connection expire, as
// blackbox_exporter counts it.
func (r *Result) showExpiry(state *tls.ConnectionState) {
	r.Expiry = earliest(state.PeerCertificates)
	for _, chain := range state.VerifiedChains {
		if end := earliest(chain); end.After(r.ChainExpiry) {
			r.ChainExpiry = end
		}
	}
}

// showRefused does the same for certificates that were not trusted.
func (r *Result) showRefused(err error) {
	var verify *tls.CertificateVerificationError
	if errors.As(err, &verify) {
		r.Expiry = earliest(verify.UnverifiedCertificates)
	}
}

// earliest is when the first of the certificates expires; zero without any.
func earliest(certs []*x509.Certificate) (end time.Time) {
	for _, c := range certs {
		if end.IsZero() || c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}

// remaining judges a trusted chain by the time it has left.
func (c Certificate) remaining(r Result, now time.Time) Result {
	left := r.ChainExpiry.Sub(now)
	if r.ChainExpiry.IsZero() || left >= max(c.Warning, c.Critical) {
		return r
	}
	r.State = Degraded
	if left < c.Critical {
		r.State = Down
	}
	r.Reason = fmt.Sprintf("the certificate expires on %s, in %.1f days; renew it", r.ChainExpiry.UTC().Format("2006-01-02 15:04 UTC"), left.Hours()/24)
	return r
}
