package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/agent/fault"
	"github.com/plimsoll/plimsoll/agent/ship"
	"github.com/plimsoll/plimsoll/internal/identity"
)

const (
	// lookEvery is how often the certificate's age is looked at: a host that
	// slept, or that enrolled again meanwhile, is noticed within that.
	lookEvery = time.Minute
	// renewMaxWait bounds the pause between attempts that failed.
	renewMaxWait = time.Hour
)

// renewOptions are what a renewer needs.
type renewOptions struct {
	Dir     string // of the identity
	Connect func() (ship.Endpoint, error)
	Taken   func() // called when a new certificate is on disk
	Version string
	Log     *slog.Logger
	Now     func() time.Time
}

// renewer renews the certificate at two thirds of its life, as long as the
// collector lets it in: also a month after its end.
//
// It speaks over a connection of its own, under the server name that lets
// expired certificates in. So the collector's clock decides what has expired,
// not this host's, and a delivery that is under way is not disturbed.
type renewer struct {
	o    renewOptions
	well *fault.Condition

	failures int // in a row

	mu   sync.Mutex
	seen renewStatus
}

// renewStatus is what is known of the certificate.
type renewStatus struct {
	Ends    time.Time // zero: there is none
	Renewed uint64    // times in this run
	Trouble string    // why it is not renewed though it is due
}

func newRenewer(o renewOptions) *renewer {
	return &renewer{o: o, well: fault.New(o.Log, o.Now, "the certificate is renewed again")}
}

func (r *renewer) status() renewStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

func (r *renewer) note(change func(*renewStatus)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.seen)
}

// run renews until ctx ends.
func (r *renewer) run(ctx context.Context) {
	for {
		timer := time.NewTimer(r.step(ctx))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// step renews if it is time to and returns when to look again.
func (r *renewer) step(ctx context.Context) time.Duration {
	id, err := identity.Load(r.o.Dir)
	if err != nil {
		r.note(func(s *renewStatus) { s.Ends, s.Trouble = time.Time{}, "" })
		return lookEvery // the deliveries say what is wrong with it
	}
	r.note(func(s *renewStatus) { s.Ends = id.Expires })
	if wait := id.RenewAt().Sub(r.o.Now()); wait > 0 {
		r.failures = 0
		r.note(func(s *renewStatus) { s.Trouble = "" })
		return min(wait, lookEvery)
	}
	next, err := r.renew(ctx, id)
	if ctx.Err() != nil {
		return lookEvery
	}
	if err != nil {
		return r.failed(id, err)
	}
	r.failures = 0
	r.well.OK()
	r.note(func(s *renewStatus) { s.Ends, s.Trouble = next.Expires, ""; s.Renewed++ })
	r.o.Log.Info("certificate renewed", "until", next.Expires.UTC().Format(time.RFC3339))
	r.o.Taken()
	return lookEvery
}

// renew tries each address of the collector.
func (r *renewer) renew(ctx context.Context, id identity.Identity) (identity.Identity, error) {
	to, err := r.o.Connect()
	if err != nil {
		return id, err
	}
	to.TLS = id.RenewTLS()
	to.TLS.Time = r.o.Now
	client := ship.Client(to)
	defer client.CloseIdleConnections()
	err = errors.New("no address of a collector is known")
	for _, address := range to.Addresses {
		var next identity.Identity
		if next, err = identity.Renew(ctx, client, address, id, r.o.Dir, r.o.Version); err == nil {
			return next, nil
		}
	}
	return id, err
}

// failed tells what is wrong and returns the pause until the next attempt.
func (r *renewer) failed(id identity.Identity, err error) time.Duration {
	bad := "the certificate could not be renewed yet"
	remedy := fmt.Sprintf("see whether the collector can be reached; the certificate is renewed until %s, after that enrol this host again",
		id.Expires.Add(identity.Grace).UTC().Format(time.DateOnly))
	var refused *identity.Refused
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusForbidden:
		bad, remedy = "the collector does not renew the certificate of this host", refused.Text
	case r.o.Now().After(id.Expires.Add(identity.Grace)):
		bad, remedy = "the certificate of this host ended too long ago to be renewed", `enrol this host again: "plimsoll-agent enrol" with a token of "plimsoll-collector enrol create"`
	}
	r.well.Fail(bad, "err", err, "ends", id.Expires.UTC().Format(time.RFC3339), "remedy", remedy)
	r.note(func(s *renewStatus) { s.Trouble = bad + ": " + remedy })
	wait := renewMaxWait
	if r.failures < 6 {
		wait = lookEvery << r.failures
	}
	r.failures++
	return min(wait, renewMaxWait)/2 + rand.N(min(wait, renewMaxWait)/2+1)
}
