package collector

import (
	"context"
	"errors"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/receive"
)

// enrolled lets the receiver ask the ledger who a host is.
type enrolled struct{ ledger *ledger.Ledger }

// Host finds a living host by the id in its certificate.
func (e enrolled) Host(ctx context.Context, id string) (receive.Host, error) {
	h, err := e.ledger.HostByID(ctx, id)
	switch {
	case errors.Is(err, ledger.ErrNotFound), err == nil && h.RemovedAt != 0:
		return receive.Host{}, receive.ErrUnknownHost
	case err != nil:
		return receive.Host{}, err
	}
	return fromLedger(h), nil
}

// Enrol spends the token and lists the host, both or neither.
func (e enrolled) Enrol(ctx context.Context, tokenHash string, h receive.Host) (receive.Host, error) {
	made, err := e.ledger.UseToken(ctx, tokenHash, ledger.Host{ID: h.ID, Instance: h.Instance, Customer: h.Customer, OS: h.OS, Arch: h.Arch, Version: h.Version})
	for _, same := range [...]struct{ ledger, receive error }{
		{ledger.ErrTokenUnknown, receive.ErrTokenUnknown},
		{ledger.ErrTokenUsed, receive.ErrTokenUsed},
		{ledger.ErrTokenExpired, receive.ErrTokenExpired},
	} {
		if errors.Is(err, same.ledger) {
			return receive.Host{}, same.receive
		}
	}
	return fromLedger(made), err
}

func fromLedger(h ledger.Host) receive.Host {
	return receive.Host{ID: h.ID, Instance: h.Instance, Customer: h.Customer, OS: h.OS, Arch: h.Arch, Version: h.Version}
}
