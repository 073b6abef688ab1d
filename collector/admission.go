package collector

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/internal/identity"
)

// EnrolToken makes a token that lets one host of a customer in within ttl.
func (c *Collector) EnrolToken(ctx context.Context, customer string, ttl time.Duration) (api.Token, error) {
	return c.NewToken(ctx, api.TokenWish{Customer: customer, TTL: ttl, Uses: 1})
}

// NewToken makes a token. The collector keeps only the hash of its secret.
func (c *Collector) NewToken(ctx context.Context, w api.TokenWish) (api.Token, error) {
	authority := c.ca.Fingerprint()
	text, hash := identity.NewToken(authority)
	expires := c.opt.Now().Add(w.TTL).Truncate(time.Second)
	token := ledger.Token{Customer: w.Customer, Labels: w.Labels, CIDR: w.CIDR, Uses: int64(w.Uses), Authority: authority, ExpiresAt: expires.UnixMilli()}
	if v, ok := people.From(ctx); ok {
		token.CreatedBy, token.Label = v.Actor(), "from "+v.From
	}
	err := c.ledger.EnrolToken(ctx, hash, token)
	if err != nil {
		return api.Token{}, fmt.Errorf("keep the token's hash: %w", err)
	}
	return api.Token{Token: text, Address: c.advertised(), Expires: expires, Warnings: c.doubts(w)}, nil
}

// doubts are what keeps a token from being of use, as far as is known now.
func (c *Collector) doubts(w api.TokenWish) []string {
	doubts := []string{}
	if why := c.onlyThisHost(); why != "" {
		doubts = append(doubts, why)
	}
	var known []string
	for i := range c.agreed().Services {
		if name := c.agreed().Services[i].Customer; name != "" && !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	if w.Customer != "" && !slices.Contains(known, w.Customer) {
		names := "it names none"
		if len(known) > 0 {
			names = "it names " + someOf(known)
		}
		doubts = append(doubts, fmt.Sprintf("no service of the catalogue is of customer %q: %s", w.Customer, names))
	}
	return doubts
}

// tokensListed is how far back tokens are listed.
const tokensListed = 90 * 24 * time.Hour

// EnrolTokens are those of the last 90 days.
func (c *Collector) EnrolTokens(ctx context.Context) ([]ledger.TokenState, error) {
	return c.ledger.EnrolTokens(ctx, c.opt.Now().Add(-tokensListed).UnixMilli())
}

// RevokeEnrolToken ends an open token; ledger.ErrNotFound.
func (c *Collector) RevokeEnrolToken(ctx context.Context, id string) error {
	return c.ledger.RevokeEnrolToken(ctx, id, actor(ctx))
}

// RevokeHost takes a host out of the list and its certificates back, and ends
// its connections; ledger.ErrNotFound.
func (c *Collector) RevokeHost(ctx context.Context, instance, why string) error {
	h, err := c.ledger.HostByInstance(ctx, instance)
	if err != nil {
		return err
	}
	if err := c.ledger.RemoveHost(ctx, h.ID, actor(ctx), why); err != nil {
		return err
	}
	c.receive.Forget(h.ID)
	c.opt.Log.Info("host revoked", "instance", h.Instance, "host", h.ID, "why", why)
	return nil
}

// Authorities are those in force, each with the hosts that hang on it alone.
func (c *Collector) Authorities(ctx context.Context) ([]api.Authority, error) {
	var out []api.Authority
	for _, a := range c.ca.Authorities() {
		hosts, err := c.hangingOn(ctx, a.Fingerprint)
		if err != nil {
			return nil, err
		}
		out = append(out, api.Authority{Fingerprint: a.Fingerprint, NotBefore: a.NotBefore, NotAfter: a.NotAfter, Serving: a.Serving, Signing: a.Signing, Hosts: hosts})
	}
	return out, nil
}

func (c *Collector) hangingOn(ctx context.Context, authority string) ([]string, error) {
	hosts, err := c.ledger.HangingOn(ctx, authority, c.opt.Now().Add(-identity.Grace).UnixMilli())
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(hosts))
	for i := range hosts {
		names = append(names, hosts[i].Instance)
	}
	return names, nil
}

// RotateCA makes the next authority, which signs hosts from now on.
func (c *Collector) RotateCA(ctx context.Context) error {
	made, err := c.ca.Rotate()
	if err != nil {
		return fmt.Errorf("%w: %w", api.ErrConflict, err)
	}
	c.opt.Log.Info("the authority is being replaced", "next", made, "remedy", `when every host has renewed, end it with "plimsoll-collector ca retire"`)
	return c.ledger.Append(ctx, ledger.Entry{Actor: actor(ctx), Action: "authority.rotated", Subject: "authority " + made})
}

// RetireCA ends the overlap, unless a host or an open token needs the old authority.
func (c *Collector) RetireCA(ctx context.Context) error {
	all := c.ca.Authorities()
	if len(all) < 2 {
		return fmt.Errorf("%w: %w", api.ErrConflict, identity.ErrNotRotating)
	}
	hosts, err := c.hangingOn(ctx, all[0].Fingerprint)
	if err != nil {
		return err
	}
	if len(hosts) > 0 {
		return fmt.Errorf("%w: %d hosts have not renewed since the rotation: %s; wait until they have, or take out those that will not come back with \"plimsoll-collector host revoke\"",
			api.ErrConflict, len(hosts), someOf(hosts))
	}
	tokens, err := c.EnrolTokens(ctx)
	if err != nil {
		return err
	}
	var open []string
	for i := range tokens {
		if tokens[i].Authority == all[0].Fingerprint && tokens[i].Open(c.opt.Now().UnixMilli()) {
			open = append(open, tokens[i].ID)
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("%w: %d open tokens carry the old authority: %s; wait until they end, or end them with \"plimsoll-collector enrol revoke\"",
			api.ErrConflict, len(open), someOf(open))
	}
	gone, err := c.ca.Retire()
	if err != nil {
		return err
	}
	c.receive.Reprove()
	c.opt.Log.Info("the old authority is retired", "retired", gone, "in_force", c.ca.Fingerprint())
	return c.ledger.Append(ctx, ledger.Entry{Actor: actor(ctx), Action: "authority.retired", Subject: "authority " + gone})
}

// actor is who asks, for the audit chain: a person, a program, or the
// collector itself.
func actor(ctx context.Context) string {
	if v, ok := people.From(ctx); ok {
		return v.Actor()
	}
	return ledger.Actor
}

// someOf names the first 20.
func someOf(names []string) string {
	const shown = 20
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return strings.Join(names, ", ")
}
