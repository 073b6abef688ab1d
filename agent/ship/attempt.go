package ship

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
)

// connectError is a fault of this host's own settings or identity.
type connectError struct{ err error }

func (e *connectError) Error() string { return e.err.Error() }
func (e *connectError) Unwrap() error { return e.err }

// attempt posts the record to the present address.
func (s *Shipper) attempt(ctx context.Context, rec *journal.Record) error {
	if s.again.Swap(false) {
		s.disconnect()
	}
	if s.client == nil {
		to, err := s.opt.Connect()
		if err == nil && len(to.Addresses) == 0 && to.Foreign == nil {
			err = errors.New("no address of a collector is known")
		}
		if err != nil {
			return &connectError{err}
		}
		s.to, s.client = to, newClient(to)
	}
	if s.to.Foreign != nil {
		return s.postForeign(ctx, s.client, s.to.Foreign, rec)
	}
	return s.post(ctx, s.client, s.address(), rec)
}

// address is where to deliver now: the next in the list after each failure.
func (s *Shipper) address() string {
	if s.to.Foreign != nil {
		return s.to.Foreign.URL
	}
	if len(s.to.Addresses) == 0 {
		return ""
	}
	return s.to.Addresses[s.failures%len(s.to.Addresses)]
}

func (s *Shipper) delivered() {
	now := s.opt.Now()
	s.update(func(st *Stats) {
		st.Delivered++
		st.Last, st.To, st.Trouble, st.Remedy, st.Since = now, s.address(), "", "", time.Time{}
	})
	s.prove()
	s.reach.OK("collector", s.address())
	s.refusing.OK()
	if !s.greeted {
		s.greeted = true
		s.opt.Log.Info("delivering", "collector", s.address())
	}
	if s.failures > 0 && len(s.to.Addresses) > 1 {
		// Stay with the one that answered.
		at := s.failures % len(s.to.Addresses)
		s.to.Addresses = append(append([]string(nil), s.to.Addresses[at:]...), s.to.Addresses[:at]...)
	}
	s.failures = 0
}

// putAside keeps a refused record where a person can look at it.
func (s *Shipper) putAside(rec *journal.Record, why *refusedError) {
	s.update(func(st *Stats) { st.Refused++ })
	s.refusing.Fail("the collector refuses a record for good", "err", why, "seq", uint64(rec.Pos), "kept", s.quarantine.path,
		"remedy", "see whether agent and collector are of versions that fit")
	err := s.quarantine.add(refused{At: s.opt.Now().UnixMilli(), Seq: uint64(rec.Pos), Status: why.status, Reason: why.reason, Record: rec.Data})
	if err != nil {
		s.refusing.Fail("a refused record could not be kept", "err", err)
	}
	s.failures = 0
}

// failed tells what is wrong and waits until the next attempt is due: at once
// while there are other addresses to try.
func (s *Shipper) failed(ctx context.Context, err error) {
	var later *laterError
	if errors.As(err, &later) && later.status == http.StatusTooManyRequests {
		// No fault: many hosts bring their backlog and take turns. What is
		// young by the end of the pause goes first.
		s.update(func(st *Stats) { st.Paced++ })
		pause(ctx, spread(max(later.after, time.Second)))
		return
	}
	bad, remedy := explain(err)
	now := s.opt.Now()
	s.update(func(st *Stats) {
		st.Failed++
		if st.Trouble == "" {
			st.Since = now
		}
		st.To, st.Trouble, st.Remedy = s.address(), bad, remedy
	})
	s.reach.Fail(bad, "collector", s.address(), "err", err, "remedy", remedy)
	s.failures++
	all := max(len(s.to.Addresses), 1)
	round := s.failures%all == 0
	if round {
		s.disconnect() // a new identity or address is looked for
	}
	switch {
	case errors.As(err, &later) && later.after > 0:
		pause(ctx, spread(later.after))
	case round:
		pause(ctx, s.opt.Backoff.wait(s.failures/all-1))
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// explain names the kind of a fault and what a person can do about it.
func explain(err error) (bad, remedy string) {
	var own *connectError
	var later *laterError
	var verify *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case errors.As(err, &own):
		return "cannot deliver yet; measuring goes on into the buffer", "enrol this host at a collector, or set collector.addresses"
	case errors.As(err, &later) && (later.status == http.StatusUnauthorized || later.status == http.StatusForbidden):
		return "the collector does not let this host in", "do what its answer says; enrolling this host again lets it in"
	case errors.As(err, &later) && later.status == http.StatusServiceUnavailable:
		return "the collector asks to wait", "see whether its disk is full or it is overloaded; nothing is lost meanwhile"
	case errors.As(err, &later):
		return "the collector did not take a record", "look into the collector's log"
	case errors.As(err, &verify):
		return "the collector's certificate is not of the authority this host was enrolled at", "see whether the address is right; enrol again if the collector was set up anew"
	case errors.As(err, &op) && op.Op == "remote error":
		return "the collector refuses this host's certificate", "where it has ended the agent renews it by itself within a minute; otherwise enrol this host again"
	}
	return "the collector cannot be reached; measuring goes on into the buffer", "see whether it runs and whether a firewall lets its port through"
}

func (s *Shipper) disconnect() {
	s.forget()
	if s.client != nil {
		s.client.CloseIdleConnections()
		s.client = nil
	}
}
