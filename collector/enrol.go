package collector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/internal/identity"
)

// EnrolToken makes a token that lets one host in within ttl. The collector
// keeps only the hash of its secret.
func (c *Collector) EnrolToken(ctx context.Context, customer string, ttl time.Duration) (api.Token, error) {
	text, hash := identity.NewToken(c.ca.Fingerprint())
	expires := c.opt.Now().Add(ttl).Truncate(time.Second)
	token := ledger.Token{Customer: customer, ExpiresAt: expires.UnixMilli(), Uses: 1}
	if v, ok := people.From(ctx); ok {
		token.CreatedBy, token.Label = v.Actor(), "from "+v.From
	}
	err := c.ledger.EnrolToken(ctx, hash, token)
	if err != nil {
		return api.Token{}, fmt.Errorf("keep the token's hash: %w", err)
	}
	return api.Token{Token: text, Address: c.advertised(), Expires: expires}, nil
}

// advertised is the address other hosts deliver to.
func (c *Collector) advertised() string { return reachable(c.AgentsAddr()) }

// reachable is a bound address as others write it: with this host's name where
// every address is bound.
func reachable(bound string) string {
	addr, err := netip.ParseAddrPort(bound)
	if err != nil || !addr.Addr().IsUnspecified() {
		return bound
	}
	name, err := os.Hostname()
	if err != nil {
		return bound
	}
	return net.JoinHostPort(name, strconv.Itoa(int(addr.Port())))
}

// listen binds addr or says in one sentence what to do about it.
func listen(addr, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	return nil, portError(addr, flag, err)
}

// portError is a failed bind in one sentence with its remedy.
func portError(addr, flag string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("listen on %s: %w; stop what uses it, or name another address with %s", addr, err, flag)
}
