package receive

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

const remedyEnrol = `: enrol it again with a new token ("plimsoll-collector enrol create")`

func forbidden(reason, text string) *refusal {
	return &refusal{status: http.StatusForbidden, reason: reason, text: text}
}

// peer is the host of the connection's certificate, asked anew at each
// request: certificates end, hosts are removed and copied while connections
// stay open. grace is how long after its end the certificate still serves.
// With a refusal the member is what is proven of the host: it may be nil.
func (r *Receiver) peer(req *http.Request, grace time.Duration) (*member, *x509.Certificate, *refusal) {
	if req.TLS == nil || len(req.TLS.PeerCertificates) == 0 {
		return nil, nil, forbidden(handshakeNoCertificate, "this path needs the certificate of an enrolled host")
	}
	cert := req.TLS.PeerCertificates[0]
	id, err := identity.HostID(cert)
	if err != nil {
		return nil, cert, forbidden(refusedNoHost, err.Error())
	}
	proven := &member{Host: Host{ID: id}}
	if late := r.opts.Now().Sub(cert.NotAfter); late > grace {
		return proven, cert, ended(cert, grace)
	}
	host, err := r.hosts.member(req.Context(), id)
	switch {
	case errors.Is(err, ErrUnknownHost):
		return proven, cert, forbidden(refusedUnknown, err.Error()+remedyEnrol)
	case errors.Is(err, ErrRemovedHost):
		return proven, cert, forbidden(refusedRemoved, err.Error()+remedyEnrol)
	case err != nil:
		r.opts.Log.Error("look up a host", "err", err)
		return proven, cert, &refusal{status: http.StatusServiceUnavailable, reason: "ledger", retry: 5, text: "the collector cannot look up hosts now"}
	case host.denies(cert):
		return host, cert, forbidden(refusedRevoked, "this certificate was taken back: the host enrolled again, here or from a copy of it"+remedyEnrol)
	case host.Quarantine != "":
		return host, cert, forbidden(refusedQuarantined, "this host is in quarantine: "+host.Quarantine+remedyEnrol)
	}
	return host, cert, nil
}

// ended is the refusal of a certificate that ended longer ago than grace.
func ended(cert *x509.Certificate, grace time.Duration) *refusal {
	if grace == 0 {
		return forbidden(handshakeExpired, fmt.Sprintf("the certificate of this host ended on %s; its agent renews it by itself, within a minute where that is possible",
			cert.NotAfter.UTC().Format(time.RFC3339)))
	}
	return forbidden(refusedTooLate, fmt.Sprintf("the certificate of this host ended on %s, more than %d days ago, which is too long to renew it%s",
		cert.NotAfter.UTC().Format(time.DateOnly), int(grace.Hours()/24), remedyEnrol))
}

// who is the host of a delivery. A second process that is alive under the same
// identity puts both into quarantine.
func (r *Receiver) who(req *http.Request) (*member, *refusal) {
	host, _, refused := r.peer(req, 0)
	if refused != nil {
		return host, refused
	}
	if other := r.senders.saw(host.ID, req.Header); other != "" {
		return host, r.quarantine(req, host, other)
	}
	return host, nil
}

// quarantine is called with the run of the other process.
func (r *Receiver) quarantine(req *http.Request, host *member, other string) *refusal {
	why := fmt.Sprintf("two agents are alive with its identity (runs %.8s and %.8s, the last from %s): a cloned machine or a copied data directory",
		req.Header.Get(wire.HeaderSender), other, from(req))
	if err := r.opts.Agents.Quarantine(context.WithoutCancel(req.Context()), host.ID, why); err != nil {
		r.opts.Log.Error("put a cloned host into quarantine", "instance", host.Instance, "err", err)
		return &refusal{status: http.StatusServiceUnavailable, reason: "ledger", retry: 5, text: "the collector cannot look up hosts now"}
	}
	r.m.clones.Inc()
	r.opts.Log.Warn("cloned host: nothing more is taken from either", "instance", host.Instance, "host", host.ID, "why", why,
		"remedy", "enrol the original again, which lets it in and shuts its copies out; then enrol each copy as a host of its own")
	r.hosts.forget(host.ID)
	return forbidden(refusedQuarantined, "this host is in quarantine: "+why+remedyEnrol)
}

// turnAway answers a refusal and, where it is one of identity, counts it for
// the audit chain.
func (r *Receiver) turnAway(w http.ResponseWriter, req *http.Request, host *member, why *refusal) {
	id, instance := "", ""
	if host != nil {
		id, instance = host.ID, host.Instance
	}
	if why.status == http.StatusForbidden || why.reason == refusedEarly {
		r.refusals.add(id, why.reason, from(req))
	}
	r.refuse(w, instance, why)
}

// Forget has everything that is remembered of a host looked up anew, and ends
// its connections. It is called when the host was removed or let in again.
func (r *Receiver) Forget(host string) {
	r.hosts.forget(host)
	if g := r.gate.Load(); g != nil {
		g.expel(host)
	}
	r.senders.forget(host)
}

// Reprove ends the connections of all hosts, so that each proves its
// certificate anew. It is called when an authority is no longer trusted.
func (r *Receiver) Reprove() {
	if g := r.gate.Load(); g != nil {
		g.expelAll()
	}
}

// from is the address a request came from.
func from(req *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(req.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
