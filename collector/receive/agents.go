package receive

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/internal/identity"
)

// Host is an enrolled host as the receiver needs it.
type Host struct {
	ID       string // stable, in the certificate
	Instance string // its name, unique among living hosts
	Customer string // empty when there is one customer
	OS       string
	Arch     string
	Version  string // of its agent

	Quarantine string          // why nothing of it is taken; empty when it is not in quarantine
	Denied     map[string]bool // fingerprints of its certificates that were taken back
}

// Enrolment is a host that asks to be let in.
type Enrolment struct {
	TokenHash string
	From      netip.Addr
	Host      Host   // as it is to be listed if it is new
	Previous  string // fingerprint of a certificate whose key it has proven; empty: none
	Sign      func(host string) (identity.Issued, error)
}

// Agents knows the enrolled hosts. All methods may be called concurrently.
type Agents interface {
	// Host finds a living host by its id; an unknown one is an error that
	// wraps ErrUnknownHost, a removed one ErrRemovedHost. The answer is
	// believed for Options.HostTTL, or until Receiver.Forget.
	Host(ctx context.Context, id string) (Host, error)
	// Enrol spends one use of the token, lists the host and notes the
	// certificate that Sign makes for the id it is listed under: all or
	// nothing, durably. The host it returns may have another ID (it proved
	// that it was here before), Instance (names are unique) and the token's
	// Customer. A token that does not serve wraps one of ErrToken….
	Enrol(ctx context.Context, e Enrolment) (Host, error)
	// Renewed notes a certificate durably, before the host gets it; with is
	// the fingerprint of the one it had. ErrRemovedHost when it is no longer
	// to have another.
	Renewed(ctx context.Context, c identity.Issued, with string) error
	// Quarantine has nothing more taken of a host until it enrols again.
	Quarantine(ctx context.Context, host, why string) error
	// Audit notes refusals, all or nothing.
	Audit(ctx context.Context, refused []Refusal) error
}

// What an Agents answers beside its own failures.
var (
	ErrUnknownHost  = errors.New("host is not enrolled here")
	ErrRemovedHost  = errors.New("host was removed here")
	ErrTokenUnknown = errors.New("no such enrolment token")
	ErrTokenUsed    = errors.New("this enrolment token has been used up")
	ErrTokenExpired = errors.New("this enrolment token has expired")
	ErrTokenRevoked = errors.New("this enrolment token was revoked")
	ErrTokenAddress = errors.New("this enrolment token is not for the address you come from")
)

// member is a host the receiver has seen, with its counters at hand.
type member struct {
	Host
	until      time.Time // believed until then
	batches    prometheus.Counter
	samples    prometheus.Counter
	bytes      prometheus.Counter
	repeated   prometheus.Counter
	overridden prometheus.Counter
	offset     prometheus.Gauge
}

// denies tells whether cert was taken back.
func (m *member) denies(cert *x509.Certificate) bool {
	return len(m.Denied) > 0 && m.Denied[identity.Fingerprint(cert)]
}

// directory remembers for a while what Agents said.
type directory struct {
	agents Agents
	ttl    time.Duration
	now    func() time.Time
	m      *metrics

	mu      sync.RWMutex
	members map[string]*member
	changes uint64 // calls of forget
}

func newDirectory(agents Agents, ttl time.Duration, now func() time.Time, m *metrics) *directory {
	return &directory{agents: agents, ttl: ttl, now: now, m: m, members: map[string]*member{}}
}

// member finds a host. When the ledger cannot be asked, what was known of the
// host before goes on: deliveries do not depend on it.
func (d *directory) member(ctx context.Context, id string) (*member, error) {
	d.mu.RLock()
	known, changes := d.members[id], d.changes
	d.mu.RUnlock()
	now := d.now()
	if known != nil && now.Before(known.until) {
		return known, nil
	}
	host, err := d.agents.Host(ctx, id)
	switch {
	case errors.Is(err, ErrUnknownHost), errors.Is(err, ErrRemovedHost):
		d.forget(id)
		return nil, fmt.Errorf("host id %s: %w", id, err)
	case err != nil && known == nil:
		return nil, fmt.Errorf("look up host %s: %w", id, err)
	case err != nil:
		host = known.Host
	}
	fresh := d.m.member(host)
	fresh.until = now.Add(d.ttl)
	d.mu.Lock()
	if d.changes == changes { // else it may be older than what forget was called for
		d.members[id] = fresh
	}
	d.mu.Unlock()
	return fresh, nil
}

// forget has the host looked up anew.
func (d *directory) forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.members, id)
	d.changes++
}
