package receive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Host is an enrolled host as the receiver needs it.
type Host struct {
	ID       string // stable, in the certificate
	Instance string // its name, unique among living hosts
	Customer string // empty when there is one customer
	OS       string
	Arch     string
	Version  string // of its agent
}

// Agents knows the enrolled hosts. Both methods may be called concurrently.
type Agents interface {
	// Host finds a living host by its id; an unknown or revoked one is an
	// error that wraps ErrUnknownHost. The answer is believed for
	// Options.HostTTL.
	Host(ctx context.Context, id string) (Host, error)
	// Enrol uses the token with that hash up and stores h, both or neither,
	// durably. The host it returns may have another Instance (names are
	// unique) and the token's Customer. A token that does not serve wraps
	// ErrTokenUnknown, ErrTokenUsed or ErrTokenExpired.
	Enrol(ctx context.Context, tokenHash string, h Host) (Host, error)
}

// What an Agents answers beside its own failures.
var (
	ErrUnknownHost  = errors.New("host is not enrolled here, or was removed")
	ErrTokenUnknown = errors.New("no such enrolment token")
	ErrTokenUsed    = errors.New("this enrolment token has been used")
	ErrTokenExpired = errors.New("this enrolment token has expired")
)

// member is a host the receiver has seen, with its counters at hand.
type member struct {
	Host
	until   time.Time // believed until then
	batches prometheus.Counter
	samples prometheus.Counter
	bytes   prometheus.Counter
	offset  prometheus.Gauge
}

// directory remembers for a while what Agents said.
type directory struct {
	agents Agents
	ttl    time.Duration
	now    func() time.Time
	m      *metrics

	mu      sync.RWMutex
	members map[string]*member
}

func newDirectory(agents Agents, ttl time.Duration, now func() time.Time, m *metrics) *directory {
	return &directory{agents: agents, ttl: ttl, now: now, m: m, members: map[string]*member{}}
}

// member finds a host. When the ledger cannot be asked, what was known of the
// host before goes on: deliveries do not depend on it.
func (d *directory) member(ctx context.Context, id string) (*member, error) {
	d.mu.RLock()
	known := d.members[id]
	d.mu.RUnlock()
	now := d.now()
	if known != nil && now.Before(known.until) {
		return known, nil
	}
	host, err := d.agents.Host(ctx, id)
	switch {
	case errors.Is(err, ErrUnknownHost):
		d.mu.Lock()
		delete(d.members, id)
		d.mu.Unlock()
		return nil, fmt.Errorf("host id %s: %w", id, ErrUnknownHost)
	case err != nil && known == nil:
		return nil, fmt.Errorf("look up host %s: %w", id, err)
	case err != nil:
		host = known.Host
	}
	fresh := d.m.member(host)
	fresh.until = now.Add(d.ttl)
	d.mu.Lock()
	d.members[id] = fresh
	d.mu.Unlock()
	return fresh, nil
}
