package receive

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Reasons of plimsoll_identity_refusals_total and of audit entries: why
// somebody was not let in. Those of the handshake are in gate.go.
const (
	refusedNoHost       = "no_host" // a certificate of ours that names no host
	refusedUnknown      = "unknown_host"
	refusedRemoved      = "removed_host"
	refusedRevoked      = "revoked_certificate"
	refusedQuarantined  = "quarantined"
	refusedOverridden   = "label_overridden" // taken, but not as another host's
	refusedTokenUnknown = "token_unknown"
	refusedTokenUsed    = "token_used"
	refusedTokenExpired = "token_expired"
	refusedTokenRevoked = "token_revoked"
	refusedTokenAddress = "token_address"
	refusedElsewhere    = "wrong_server_name" // a path that the connection's kind of proof does not open
	refusedTooLate      = "expired_too_long"
	refusedOtherKey     = "renewal_of_another_key"
	refusedEarly        = "renewed_just_now"
)

func refusalReasons() []string {
	return []string{handshakeNoCertificate, handshakeForeign, handshakeExpired, refusedNoHost, refusedUnknown, refusedRemoved, refusedRevoked,
		refusedQuarantined, refusedOverridden, refusedTokenUnknown, refusedTokenUsed, refusedTokenExpired, refusedTokenRevoked, refusedTokenAddress,
		refusedElsewhere, refusedTooLate, refusedOtherKey, refusedEarly}
}

const (
	// auditEvery is how often one host is audited for one reason: a flood
	// fills counters, not the ledger.
	auditEvery = time.Minute
	// maxTallies bounds the pairs of host and reason that are told apart;
	// beyond it hosts are counted together under an empty id.
	maxTallies = 4096
)

// Refusal is what one audit entry tells.
type Refusal struct {
	Host   string // id; empty when it was not proven, or of many together
	Reason string
	Count  int
	First  time.Time
	Last   time.Time
	From   netip.Addr // of the last
}

// refusals counts who was not let in and tells the audit chain: at once of
// the first, of those that follow once a minute.
type refusals struct {
	now   func() time.Time
	log   *slog.Logger
	audit func(context.Context, []Refusal) error
	total *prometheus.CounterVec
	wake  chan struct{}

	mu      sync.Mutex
	tallies map[tallyKey]*tally
}

type tallyKey struct{ host, reason string }

// tally is what was not told yet, and when the last was.
type tally struct {
	Refusal
	told time.Time
}

func newRefusals(opts *Options, m *metrics) *refusals {
	return &refusals{now: opts.Now, log: opts.Log, audit: opts.Agents.Audit, total: m.refusals,
		tallies: map[tallyKey]*tally{}, wake: make(chan struct{}, 1)}
}

// add counts one. host must be proven by a certificate of ours, or empty.
func (r *refusals) add(host, reason string, from netip.Addr) {
	r.total.WithLabelValues(reason).Inc()
	now := r.now()
	r.mu.Lock()
	t := r.tally(host, reason)
	if t.Count++; t.Count == 1 {
		t.First = now
	}
	t.Last, t.From = now, from
	fresh := t.told.IsZero()
	r.mu.Unlock()
	if fresh {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// tally finds or begins one. It is called with mu held.
func (r *refusals) tally(host, reason string) *tally {
	key := tallyKey{host, reason}
	if r.tallies[key] == nil && len(r.tallies) >= maxTallies {
		key.host = ""
	}
	t := r.tallies[key]
	if t == nil {
		t = &tally{Refusal: Refusal{Host: key.host, Reason: reason}}
		r.tallies[key] = t
	}
	return t
}

// run tells what is due until ctx ends, and then all that is left.
func (r *refusals) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-r.wake:
		case <-tick.C:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
			defer cancel()
			r.tell(last, true)
			return nil
		}
		r.tell(ctx, false)
	}
}

// tell audits and logs the tallies that are due, or all of them. What could
// not be written is due again.
func (r *refusals) tell(ctx context.Context, all bool) {
	due := r.due(all)
	if len(due) == 0 {
		return
	}
	if err := r.audit(ctx, due); err != nil {
		r.log.Error("audit who was not let in", "err", err)
		r.giveBack(due)
		return
	}
	for i := range due {
		d := &due[i]
		r.log.Warn("not let in", "reason", d.Reason, "host", d.Host, "times", d.Count, "last_from", d.From.String(), "remedy", refusalRemedy(d.Reason))
	}
}

// due takes the tallies that may be told now. A pair that was quiet for a
// minute is forgotten.
func (r *refusals) due(all bool) []Refusal {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var due []Refusal
	for key, t := range r.tallies {
		switch {
		case now.Sub(t.told) < auditEvery && !all:
		case t.Count == 0:
			delete(r.tallies, key)
		default:
			due = append(due, t.Refusal)
			t.told, t.Count = now, 0
		}
	}
	return due
}

func (r *refusals) giveBack(due []Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range due {
		t := r.tally(due[i].Host, due[i].Reason)
		if t.Count == 0 {
			t.Last, t.From = due[i].Last, due[i].From
		}
		t.First, t.Count = due[i].First, t.Count+due[i].Count
	}
}

// refusalRemedy is what a person can do who did not expect it.
func refusalRemedy(reason string) string {
	switch reason {
	case refusedTokenUsed:
		return `somebody shows a token a second time: see in "plimsoll-collector enrol list" whether the host that used it is yours, and revoke it if it is not`
	case refusedTokenUnknown, refusedTokenExpired, refusedTokenRevoked, refusedTokenAddress:
		return `make a new token with "plimsoll-collector enrol create" if it is a host of yours`
	case refusedQuarantined, refusedRevoked, refusedRemoved, refusedUnknown, refusedTooLate:
		return `if it is a host of yours, enrol it again with a token of "plimsoll-collector enrol create"`
	case refusedOverridden:
		return "it sends the labels instance or customer of another host; they were replaced by its own"
	}
	return handshakeRemedy(reason)
}
