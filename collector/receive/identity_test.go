package receive

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// under makes a client of id by the server name of renewing, or the usual
// one, whose clock is the rig's.
func (r *rig) under(id identity.Identity, renew bool) *http.Client {
	config := id.ClientTLS()
	if renew {
		config = id.RenewTLS()
	}
	config.Time = r.now
	transport := &http.Transport{TLSClientConfig: config}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// refused counts refusals of a reason so far.
func (r *rig) refused(reason string) float64 {
	return testutil.ToFloat64(r.recv.m.refusals.WithLabelValues(reason))
}

// TestRenewal: until when, and how, a certificate is renewed; and that one
// which has ended opens nothing else.
func TestRenewal(t *testing.T) {
	const life, day = 7 * 24 * time.Hour, 24 * time.Hour
	for _, c := range []struct {
		name   string
		after  time.Duration // since it was issued
		spoil  func(r *rig, host string)
		status int // of the renewal; 200 or what it is refused with
		text   string
		reason string
	}{
		{"at two thirds", life * 2 / 3, nil, 200, "", ""},
		{"in its last second", life - time.Second, nil, 200, "", ""},
		{"a second late", life + time.Second, nil, 200, "", ""},
		{"a month away", life + 29*day, nil, 200, "", ""},
		{"too long away", life + 30*day + time.Minute, nil, 403, `more than 30 days ago, which is too long to renew it: enrol it again with a new token ("plimsoll-collector enrol create")`, refusedTooLate},
		{"removed", life * 2 / 3, func(r *rig, host string) { delete(r.agents.hosts, host) }, 403, "host is not enrolled here", refusedUnknown},
		{"removed and late", life + day, func(r *rig, host string) { delete(r.agents.hosts, host) }, 403, "host is not enrolled here", refusedUnknown},
		{"in quarantine", life * 2 / 3, func(r *rig, host string) {
			h := r.agents.hosts[host]
			h.Quarantine = "because of the test"
			r.agents.hosts[host] = h
		}, 403, "in quarantine: because of the test", refusedQuarantined},
		{"certificate taken back", life * 2 / 3, func(r *rig, host string) {
			h := r.agents.hosts[host]
			h.Denied = map[string]bool{}
			for f := range r.agents.certificates {
				h.Denied[f] = true
			}
			r.agents.hosts[host] = h
		}, 403, "this certificate was taken back", refusedRevoked},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil)
			id := r.enrol("web-1").id
			r.forward(c.after)
			if c.spoil != nil {
				r.agents.mu.Lock()
				c.spoil(r, id.Host)
				r.agents.mu.Unlock()
			}
			next, err := identity.Renew(context.Background(), r.under(id, true), r.addr, id, filepath.Join(r.dir, "web-1"), "1")
			var refused *identity.Refused
			switch {
			case c.status == 200:
				if err != nil || next.Expires.Sub(r.now()) < life-time.Minute {
					t.Errorf("got %v, error %v, want another %v", next.Expires, err, life)
				}
			case !errors.As(err, &refused) || refused.Status != c.status || !strings.Contains(refused.Text, c.text):
				t.Errorf("got %v, want %d … %s", err, c.status, c.text)
			case r.refused(c.reason) != 1:
				t.Errorf("%v refusals counted as %s, want 1", r.refused(c.reason), c.reason)
			}
			onlyRenewal(t, r, id)
		})
	}
}

// onlyRenewal tries every other path with what opened the renewal.
func onlyRenewal(t *testing.T, r *rig, id identity.Identity) {
	t.Helper()
	before := r.refused(refusedElsewhere)
	c := &client{t: t, id: id, addr: r.addr, http: r.under(id, true)}
	for _, path := range []string{wire.WritePath, wire.NotesPath, wire.EnrolPath} {
		if got := c.post(path, strings.NewReader("x"), nil); got.status != http.StatusMisdirectedRequest {
			t.Errorf("%s under the renewal's name: got %+v, want 421", path, got)
		}
	}
	if got := r.refused(refusedElsewhere) - before; got != 3 {
		t.Errorf("%v counted, want 3", got)
	}
	if len(r.agents.hosts) > 0 && r.journal.Last() != 0 {
		t.Error("something was written")
	}
}

// TestRenewalOfAnotherKey: the connection proves one key, the request is of another.
func TestRenewalOfAnotherKey(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.enrol("web-1"), r.enrol("web-2")
	r.forward(5 * 24 * time.Hour)
	_, err := identity.Renew(context.Background(), r.under(a.id, true), r.addr, b.id, t.TempDir(), "1")
	var refused *identity.Refused
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden || r.refused(refusedOtherKey) != 1 {
		t.Errorf("got %v and %v counted, want 403 and 1", err, r.refused(refusedOtherKey))
	}
}

func TestRenewalsArePaced(t *testing.T) {
	r := newRig(t, nil)
	id, dir := r.enrol("web-1").id, filepath.Join(r.dir, "web-1")
	renew := func() error {
		_, err := identity.Renew(context.Background(), r.under(id, true), r.addr, id, dir, "1")
		return err
	}
	if err := renew(); err != nil {
		t.Fatal(err)
	}
	var refused *identity.Refused
	if err := renew(); !errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests {
		t.Errorf("at once again: got %v, want 429", err)
	}
	r.forward(renewEvery)
	if err := renew(); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// TestForeignAuthorityCannotRenew: neither a good nor an old certificate of
// somebody else gets through the door that is open to expired ones.
func TestForeignAuthorityCannotRenew(t *testing.T) {
	r := newRig(t, nil)
	host := r.enrol("web-1").id.Host
	other, err := identity.OpenCA(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, ttl := range []time.Duration{time.Hour, -time.Minute} {
		before := r.refused(handshakeForeign)
		err := exchange(r.addr, &tls.Config{ServerName: wire.RenewServerName, InsecureSkipVerify: true, Certificates: []tls.Certificate{foreign(t, other, host, ttl)}})
		if err == nil {
			t.Errorf("certificate good for %v: got an answer", ttl)
		}
		eventually(t, "counted", func() bool { return r.refused(handshakeForeign) == before+1 })
	}
}

// TestCertificateEndsOnALiveConnection: a connection that outlives its
// certificate delivers nothing more.
func TestCertificateEndsOnALiveConnection(t *testing.T) {
	r := newRig(t, nil)
	c := r.enrol("web-1")
	if got := c.write(1, time.Now().UnixMilli(), "up"); got.status != http.StatusNoContent {
		t.Fatalf("got %+v", got)
	}
	r.forward(7*24*time.Hour + time.Second)
	if got := c.write(2, time.Now().UnixMilli(), "up"); got.status != http.StatusForbidden || !strings.Contains(got.text, "renews it by itself") {
		t.Errorf("got %+v, want 403", got)
	}
	if r.refused(handshakeExpired) != 1 {
		t.Errorf("%v counted, want 1", r.refused(handshakeExpired))
	}
}

// TestForgottenHostIsOutAtOnce: its open connections end, idle ones too.
func TestForgottenHostIsOutAtOnce(t *testing.T) {
	r := newRig(t, nil)
	out, stays := r.enrol("web-1"), r.enrol("web-2")
	for _, c := range []*client{out, stays} {
		if got := c.write(1, time.Now().UnixMilli(), "up"); got.status != http.StatusNoContent {
			t.Fatalf("got %+v", got)
		}
	}
	idle, err := tls.Dial("tcp", r.addr, out.id.ClientTLS())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close() }()
	eventually(t, "three connections", func() bool { return testutil.ToFloat64(r.recv.m.connections) == 3 })
	r.agents.mu.Lock()
	delete(r.agents.hosts, out.id.Host)
	r.agents.mu.Unlock()
	r.recv.Forget(out.id.Host)
	if err := idle.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := idle.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("idle connection: got %d bytes, error %v, want its end", n, err)
	}
	eventually(t, "the other's connection alone", func() bool { return testutil.ToFloat64(r.recv.m.connections) == 1 })
	if got := r.client(out.id).write(2, time.Now().UnixMilli(), "up"); got.status != http.StatusForbidden {
		t.Errorf("removed host: got %+v, want 403", got)
	}
	if got := stays.write(2, time.Now().UnixMilli(), "up"); got.status != http.StatusNoContent {
		t.Errorf("the other host: got %+v, want 204", got)
	}
}

// TestEnrolledAgain: who proves the old key keeps id and name; every copy of
// the old identity is out, and becomes a host of its own when it enrols.
func TestEnrolledAgain(t *testing.T) {
	r := newRig(t, nil)
	before := r.enrol("web-1")
	copied := r.client(before.id)
	after := r.enrol("web-1") // the same directory
	if after.id.Host != before.id.Host || after.id.Instance != "web-1" {
		t.Fatalf("got %s %s, want %s web-1", after.id.Host, after.id.Instance, before.id.Host)
	}
	if got := after.write(1, time.Now().UnixMilli(), "up"); got.status != http.StatusNoContent {
		t.Errorf("enrolled again: got %+v, want 204", got)
	}
	if got := copied.write(1, time.Now().UnixMilli(), "up"); got.status != http.StatusForbidden || !strings.Contains(got.text, "taken back") {
		t.Errorf("copy of the old identity: got %+v, want 403", got)
	}
	if got := fmt.Sprint(after.id.ClientTLS().Certificates[0].PrivateKey); got == fmt.Sprint(before.id.ClientTLS().Certificates[0].PrivateKey) {
		t.Error("the key is the one the copy has")
	}
}
