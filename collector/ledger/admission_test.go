package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tokenBound(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	here := netip.MustParseAddr("10.1.2.3")
	labels := map[string]string{"site": "sh"}
	must(t, l.EnrolToken(ctx, "any", Token{ExpiresAt: math.MaxInt64, Labels: labels}))
	must(t, l.EnrolToken(ctx, "near", Token{ExpiresAt: math.MaxInt64, Uses: 2, CIDR: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}))
	must(t, l.EnrolToken(ctx, "ended-by-us-0123", Token{ExpiresAt: math.MaxInt64}))
	must(t, l.RevokeEnrolToken(ctx, "ended-by-us-", "li"))
	if err := l.RevokeEnrolToken(ctx, "ended-by-us-", "li"); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoke twice: got %v, want ErrNotFound", err)
	}
	for i, c := range []struct {
		token string
		from  netip.Addr
		want  error
	}{
		{"any", here, nil},
		{"any", here, ErrTokenUsed},
		{"near", netip.MustParseAddr("11.0.0.1"), ErrTokenAddress},
		{"near", netip.Addr{}, ErrTokenAddress},
		{"near", netip.MustParseAddr("::ffff:10.9.9.9"), nil},
		{"near", netip.MustParseAddr("fd12::1"), nil},
		{"near", here, ErrTokenUsed},
		{"ended-by-us-0123", here, ErrTokenRevoked},
	} {
		h, err := l.Enrol(ctx, Enrolment{Token: c.token, From: c.from, Host: Host{ID: fmt.Sprint(i), Instance: "web"}})
		if !errors.Is(err, c.want) {
			t.Errorf("%s from %s: got %v, want %v", c.token, c.from, err, c.want)
		}
		if c.token == "any" && err == nil {
			if kept, err := l.HostByID(ctx, h.ID); err != nil || cmp.Diff(labels, kept.Labels) != "" {
				t.Errorf("labels: got %v, error %v, want %v", kept.Labels, err, labels)
			}
		}
	}
	tokens, err := l.EnrolTokens(ctx, 0)
	must(t, err)
	got := map[string]string{}
	for _, k := range tokens {
		got[k.ID] = fmt.Sprintf("%d of %d, %v, %v", k.UsesLeft, k.Uses, k.Hosts, k.RevokedAt > 0)
	}
	want := map[string]string{"any": "0 of 1, [web], false", "near": "0 of 2, [web-2 web-3], false", "ended-by-us-": "1 of 1, [], true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

// signed makes a certificate of that name for whatever host asks.
func signed(name, authority string, until int64) func(string) (Certificate, error) {
	return func(host string) (Certificate, error) {
		return Certificate{Fingerprint: name, Host: host, Authority: authority, NotBefore: until - 100, NotAfter: until}, nil
	}
}

func hostAgain(t *testing.T, open opener) {
	l, ctx, now := open(t), context.Background(), noon.UnixMilli()
	must(t, l.EnrolToken(ctx, "t", Token{ExpiresAt: math.MaxInt64, Uses: 9, Customer: "acme", Labels: map[string]string{"site": "sh"}}))
	must(t, l.EnrolToken(ctx, "u", Token{ExpiresAt: math.MaxInt64, Uses: 9, Labels: map[string]string{"role": "web"}}))
	enrol := func(token, id, previous, cert string) Host {
		t.Helper()
		h, err := l.Enrol(ctx, Enrolment{Token: token, Host: Host{ID: id, Instance: "web", Version: "2"}, Previous: previous, Sign: signed(cert, "ca", now+1000)})
		must(t, err)
		return h
	}
	enrol("t", "a", "", "c1")
	must(t, l.QuarantineHost(ctx, "a", "a copy is alive"))
	if err := l.QuarantineHost(ctx, "a", "again"); !errors.Is(err, ErrNotFound) {
		t.Errorf("quarantine twice: got %v, want ErrNotFound", err)
	}
	for i, c := range []struct {
		name, previous string
		id, instance   string // as it is listed
	}{
		{"a certificate nobody issued", "forged", "b0", "web-2"},
		{"its own", "c1", "a", "web"},
		{"the same once more: it was taken back", "c1", "b2", "web-3"},
		{"the one that replaced it", "c-its own", "a", "web"},
	} {
		if h := enrol("u", fmt.Sprint("b", i), c.previous, "c-"+c.name); h.ID != c.id || h.Instance != c.instance {
			t.Errorf("proves %s: listed as %s %s, want %s %s", c.name, h.ID, h.Instance, c.id, c.instance)
		}
	}
	h, err := l.HostByID(ctx, "a")
	if want := map[string]string{"site": "sh", "role": "web"}; err != nil || h.Quarantine != "" || h.QuarantinedAt != 0 || h.Customer != "acme" || cmp.Diff(want, h.Labels) != "" {
		t.Errorf("afterwards: %+v, error %v, want out of quarantine, customer kept, labels %v", h, err, want)
	}
	denied, err := l.Denied(ctx, "a", now)
	slices.Sort(denied)
	if err != nil || !slices.Equal(denied, []string{"c-its own", "c1"}) {
		t.Errorf("denied: got %v, error %v, want both older ones", denied, err)
	}
	if denied, err := l.Denied(ctx, "a", now+1001); err != nil || len(denied) != 0 {
		t.Errorf("denied long after their end: got %v, error %v, want none", denied, err)
	}
	failed := errors.New("the authority is away")
	_, err = l.Enrol(ctx, Enrolment{Token: "t", Host: Host{ID: "z", Instance: "z"}, Sign: func(string) (Certificate, error) { return Certificate{}, failed }})
	if tokens, _ := l.EnrolTokens(ctx, 0); !errors.Is(err, failed) || slices.ContainsFunc(tokens, func(k TokenState) bool { return k.ID == "t" && k.UsesLeft != 8 }) {
		t.Errorf("not signed: got %v and %+v, want no use spent", err, tokens)
	}
	if _, err := l.HostByID(ctx, "z"); !errors.Is(err, ErrNotFound) {
		t.Errorf("not signed: the host is listed (%v)", err)
	}
}

func hangingOn(t *testing.T, open opener) {
	l, ctx, now := open(t), context.Background(), noon.UnixMilli()
	must(t, l.EnrolToken(ctx, "t", Token{ExpiresAt: math.MaxInt64, Uses: 99}))
	for _, c := range []struct {
		name  string
		certs []Certificate
		gone  bool
	}{
		{"old alone", []Certificate{{Authority: "old", NotAfter: now + 200}}, false},
		{"both", []Certificate{{Authority: "old", NotAfter: now + 200}, {Authority: "new", NotAfter: now + 300}}, false},
		{"new alone", []Certificate{{Authority: "new", NotAfter: now + 300}}, false},
		{"ended too long ago", []Certificate{{Authority: "old", NotAfter: now + 99}}, false},
		{"just in time", []Certificate{{Authority: "old", NotAfter: now + 100}}, false},
		{"of an unknown authority", []Certificate{{NotAfter: now + 200}}, false},
		{"none known", nil, false},
		{"removed", []Certificate{{Authority: "old", NotAfter: now + 200}}, true},
		{"new one taken back", []Certificate{{Authority: "old", NotAfter: now + 200}, {Authority: "new", NotAfter: now + 300, RevokedAt: 1}}, false},
	} {
		_, err := l.UseToken(ctx, "t", Host{ID: c.name, Instance: c.name})
		must(t, err)
		for i, cert := range c.certs {
			cert.Fingerprint, cert.Host = fmt.Sprint(c.name, i), c.name
			must(t, l.AddCertificate(ctx, cert, ""))
		}
		if c.gone {
			must(t, l.RemoveHost(ctx, c.name, "", ""))
		}
	}
	hosts, err := l.HangingOn(ctx, "old", now+100)
	must(t, err)
	var got []string
	for i := range hosts {
		got = append(got, hosts[i].Instance)
	}
	if want := []string{"just in time", "new one taken back", "none known", "of an unknown authority", "old alone"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func certificateAgain(t *testing.T, open opener) {
	l, ctx, now := open(t), context.Background(), noon.UnixMilli()
	must(t, l.EnrolToken(ctx, "t", Token{ExpiresAt: math.MaxInt64, Uses: 9}))
	for _, id := range []string{"good", "removed", "quarantined"} {
		_, err := l.Enrol(ctx, Enrolment{Token: "t", Host: Host{ID: id, Instance: id}, Sign: signed("first of "+id, "ca", now+1000)})
		must(t, err)
	}
	must(t, l.RemoveHost(ctx, "removed", "", ""))
	must(t, l.QuarantineHost(ctx, "quarantined", "a copy"))
	for _, c := range []struct {
		host, with string
		want       error
	}{
		{"good", "first of good", nil},
		{"good", "first of removed", ErrNotFound}, // it was taken back
		{"removed", "first of removed", ErrNotFound},
		{"quarantined", "first of quarantined", ErrNotFound},
		{"nobody", "x", ErrNotFound},
	} {
		err := l.AddCertificate(ctx, Certificate{Fingerprint: "next of " + c.host + c.with, Host: c.host, NotAfter: now + 2000}, c.with)
		if !errors.Is(err, c.want) {
			t.Errorf("%s with %s: got %v, want %v", c.host, c.with, err, c.want)
		}
	}
	if certs, err := l.Certificates(ctx, "good"); err != nil || len(certs) != 2 {
		t.Errorf("got %+v, error %v, want two", certs, err)
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit chain: %v, error %v", v.Faults, err)
	}
}
