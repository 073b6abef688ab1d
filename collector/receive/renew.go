package receive

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// maxRenew bounds a renewal request, in bytes.
const maxRenew = 16 << 10

// renewEvery is how often one host may renew: each renewal is a row and an
// audit entry.
const renewEvery = time.Minute

// pace remembers when hosts renewed last.
type pace struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// take is false when the host renewed less than renewEvery ago.
func (p *pace) take(host string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.last[host]; ok && now.Sub(at) < renewEvery && !now.Before(at) {
		return false
	}
	for h, at := range p.last {
		if now.Sub(at) >= renewEvery {
			delete(p.last, h)
		}
	}
	p.last[host] = now
	return true
}

// renew gives a host its next certificate for the key it has. It is the one
// path that a certificate opens after its end, for identity.Grace.
func (r *Receiver) renew(w http.ResponseWriter, req *http.Request) {
	host, cert, refused := r.peer(req, identity.Grace)
	var csr []byte
	if refused == nil {
		csr, refused = readRenewal(w, req, cert)
	}
	if refused == nil && !r.renewals.take(host.ID, r.opts.Now()) {
		refused = &refusal{status: http.StatusTooManyRequests, reason: refusedEarly, retry: int(renewEvery.Seconds()), text: "this host renewed less than a minute ago"}
	}
	if refused != nil {
		r.turnAway(w, req, host, refused)
		return
	}
	issued, err := r.opts.CA.SignHost(csr, host.ID, r.opts.CertificateTTL)
	if err == nil {
		err = r.opts.Agents.Renewed(req.Context(), issued, identity.Fingerprint(cert))
	}
	switch {
	case errors.Is(err, ErrRemovedHost): // since peer asked
		r.hosts.forget(host.ID)
		r.turnAway(w, req, host, &refusal{status: http.StatusForbidden, reason: refusedRemoved, text: err.Error() + remedyEnrol})
		return
	case err != nil:
		r.opts.Log.Error("renew the certificate of a host", "host", host.ID, "instance", host.Instance, "err", err)
		r.refuse(w, host.Instance, &refusal{status: http.StatusServiceUnavailable, reason: "ledger", retry: 60, text: "the collector cannot renew certificates now"})
		return
	}
	r.m.renewals.Inc()
	if r.opts.Now().After(cert.NotAfter) {
		r.opts.Log.Info("host is back after its certificate had ended", "instance", host.Instance, "host", host.ID, "ended", cert.NotAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	// An agent that hears nothing asks again.
	_ = json.NewEncoder(w).Encode(wire.RenewResponse{Certificate: string(issued.PEM), CA: string(r.opts.CA.PEM())})
}

// readRenewal reads the request and has it be of the certificate's own key.
func readRenewal(w http.ResponseWriter, req *http.Request, cert *x509.Certificate) (csr []byte, _ *refusal) {
	text, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxRenew))
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, reason: string(batch.ReasonMalformed), text: fmt.Sprintf("read renewal request: %v", err)}
	}
	ask, err := parseRenew(text)
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, reason: string(batch.ReasonMalformed), text: err.Error()}
	}
	if err := identity.RequestedBy([]byte(ask.CSR), cert); err != nil {
		return nil, &refusal{status: http.StatusForbidden, reason: refusedOtherKey, text: err.Error()}
	}
	return []byte(ask.CSR), nil
}

// parseRenew decodes and checks a renewal request.
func parseRenew(text []byte) (wire.RenewRequest, error) {
	var ask wire.RenewRequest
	if err := json.Unmarshal(text, &ask); err != nil {
		return ask, fmt.Errorf("renewal request is not JSON: %w", err)
	}
	return ask, errors.Join(checkName("version", ask.Version, 64), identity.CheckRequest([]byte(ask.CSR)))
}
