package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/receive"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// senders lets the receiver ask the ledger about foreign senders.
type senders struct{ ledger *ledger.Ledger }

// Sender finds whom a token lets in.
func (s senders) Sender(ctx context.Context, tokenHash string) (receive.Sender, error) {
	found, err := s.ledger.SenderByToken(ctx, tokenHash)
	for _, refused := range [...]error{ledger.ErrSenderUnknown, ledger.ErrSenderExpired, ledger.ErrSenderRevoked} {
		if errors.Is(err, refused) {
			return receive.Sender{}, fmt.Errorf("%w: %w", receive.ErrSenderToken, refused)
		}
	}
	return receive.Sender{ID: found.ID, Name: found.Name, Customer: found.Customer, Labels: found.Labels}, err
}

// Names is under which name each instance of the sender is listed.
func (s senders) Names(ctx context.Context, from receive.Sender) (map[string]string, error) {
	return s.ledger.SenderNames(ctx, from.ID)
}

// List lists instances as hosts.
func (s senders) List(ctx context.Context, from receive.Sender, instances []string) error {
	return s.ledger.ListForeign(ctx, ledger.Sender{ID: from.ID, Name: from.Name, Customer: from.Customer}, instances,
		func(listed string) string { return batch.ForeignHost(from.ID, listed) })
}

// NewSender makes a token for a foreign sender, and the sender when there is
// none of that name.
func (c *Collector) NewSender(ctx context.Context, ask api.SenderAsk) (api.SenderToken, error) {
	// The fingerprint of an enrolment token has no use here: the sender reads
	// the authority's certificate from a file.
	text, _ := identity.NewToken(c.ca.Fingerprint())
	secret, _, err := identity.ParseToken(text)
	if err != nil {
		return api.SenderToken{}, fmt.Errorf("make a token: %w", err)
	}
	token := ledger.SenderToken{Hash: identity.HashSecret(secret), CreatedBy: ask.By}
	var expires *time.Time
	if ask.TTL > 0 {
		at := c.opt.Now().Add(ask.TTL).UTC().Truncate(time.Second)
		expires, token.ExpiresAt = &at, at.UnixMilli()
	}
	made, err := c.ledger.AddSender(ctx, ledger.Sender{ID: "sender-" + identity.NewHostID(), Name: ask.Name, Kind: ask.For,
		Customer: ask.Customer, Labels: batch.WriteRules(ask.Rules), CreatedBy: ask.By}, token)
	if err != nil {
		return api.SenderToken{}, err
	}
	return api.SenderToken{Name: made.Name, For: made.Kind, Customer: made.Customer, Labels: made.Labels, Token: secret, URL: "https://" + c.advertised() + wire.WritePath,
		ServerName: wire.SenderServerName, CA: string(c.ca.PEM()), Fingerprint: c.ca.Fingerprint(), Expires: expires}, nil
}
