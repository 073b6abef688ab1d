package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/receive"
	"github.com/plimsoll/plimsoll/internal/identity"
)

// enrolled lets the receiver ask the ledger who a host is.
type enrolled struct {
	ledger *ledger.Ledger
	now    func() time.Time
}

// Host finds a living host by the id in its certificate.
func (e enrolled) Host(ctx context.Context, id string) (receive.Host, error) {
	h, err := e.ledger.HostByID(ctx, id)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return receive.Host{}, receive.ErrUnknownHost
	case err != nil:
		return receive.Host{}, err
	case h.RemovedAt != 0:
		return receive.Host{}, receive.ErrRemovedHost
	}
	denied, err := e.ledger.Denied(ctx, id, e.now().Add(-identity.Grace).UnixMilli())
	if err != nil {
		return receive.Host{}, err
	}
	out := fromLedger(h)
	out.Denied = make(map[string]bool, len(denied))
	for _, f := range denied {
		out.Denied[f] = true
	}
	return out, nil
}

// Enrol spends the token, lists the host and notes its certificate, or none of it.
func (e enrolled) Enrol(ctx context.Context, ask receive.Enrolment) (receive.Host, error) {
	h := ask.Host
	made, err := e.ledger.Enrol(ctx, ledger.Enrolment{Token: ask.TokenHash, From: ask.From, Previous: ask.Previous,
		Host: ledger.Host{ID: h.ID, Instance: h.Instance, Customer: h.Customer, OS: h.OS, Arch: h.Arch, Version: h.Version},
		Sign: func(host string) (ledger.Certificate, error) {
			issued, err := ask.Sign(host)
			return certificate(issued), err
		}})
	for _, same := range [...]struct{ ledger, receive error }{
		{ledger.ErrTokenUnknown, receive.ErrTokenUnknown},
		{ledger.ErrTokenUsed, receive.ErrTokenUsed},
		{ledger.ErrTokenExpired, receive.ErrTokenExpired},
		{ledger.ErrTokenRevoked, receive.ErrTokenRevoked},
		{ledger.ErrTokenAddress, receive.ErrTokenAddress},
	} {
		if errors.Is(err, same.ledger) {
			return receive.Host{}, same.receive
		}
	}
	return fromLedger(made), err
}

// Renewed notes a certificate.
func (e enrolled) Renewed(ctx context.Context, c identity.Issued, with string) error {
	err := e.ledger.AddCertificate(ctx, certificate(c), with)
	if errors.Is(err, ledger.ErrNotFound) {
		return receive.ErrRemovedHost
	}
	return err
}

// Quarantine has nothing more taken of a host; that it is in quarantine
// already, or gone, is as good.
func (e enrolled) Quarantine(ctx context.Context, host, why string) error {
	if err := e.ledger.QuarantineHost(ctx, host, why); !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	return nil
}

// Audit writes one entry for each.
func (e enrolled) Audit(ctx context.Context, refused []receive.Refusal) error {
	entries := make([]ledger.Entry, 0, len(refused))
	for i := range refused {
		r := &refused[i]
		subject := "the agents' port"
		if r.Host != "" {
			subject = "host " + r.Host
		}
		entries = append(entries, ledger.Entry{Action: "identity.refused", Actor: ledger.Actor, Subject: subject,
			Detail: fmt.Sprintf("%s, %d times from %s to %s, the last from %s", r.Reason, r.Count,
				r.First.UTC().Format(time.RFC3339), r.Last.UTC().Format(time.RFC3339), r.From)})
	}
	return e.ledger.Append(ctx, entries...)
}

func certificate(c identity.Issued) ledger.Certificate {
	return ledger.Certificate{Fingerprint: c.Fingerprint, Host: c.Host, Authority: c.Authority,
		NotBefore: c.NotBefore.UnixMilli(), NotAfter: c.NotAfter.UnixMilli()}
}

func fromLedger(h ledger.Host) receive.Host {
	return receive.Host{ID: h.ID, Instance: h.Instance, Customer: h.Customer, OS: h.OS, Arch: h.Arch, Version: h.Version, Quarantine: h.Quarantine}
}
