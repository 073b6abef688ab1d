package ledger

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// TestSenders: who is let in by which token, and under which name its
// instances are listed.
func TestSenders(t *testing.T) {
	ctx, now := context.Background(), time.Unix(1_700_000_000, 0)
	l, err := Open(Options{Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := l.EnrolToken(ctx, "enrol", Token{ExpiresAt: now.Add(time.Hour).UnixMilli(), Uses: 9}); err != nil {
		t.Fatal(err)
	}
	enrol := func(id, name string) Host {
		t.Helper()
		h, err := l.UseToken(ctx, "enrol", Host{ID: id, Instance: name})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	enrol("h1", "web-1")

	add := func(id, name, kind, labels, hash string, expires int64) (Sender, error) {
		return l.AddSender(ctx, Sender{ID: id, Name: name, Kind: kind, Customer: "acme", Labels: labels}, SenderToken{Hash: hash, ExpiresAt: expires})
	}
	soon := now.Add(time.Minute).UnixMilli()
	prom, err := add("s1", "prom", "prometheus", "site=sh", "t1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := add("s2", "prom", "prometheus", "site=sh", "t2", soon); err != nil || again.ID != "s1" {
		t.Errorf("a second token: got %v, %v, want the same sender", again, err)
	}
	if _, err := add("s3", "prom", "prometheus", "site=bj", "t3", 0); !errors.Is(err, ErrSenderOther) {
		t.Errorf("other labels: got %v", err)
	}
	if _, err := add("s4", "web-1", "prometheus", "", "t4", 0); !errors.Is(err, ErrSenderName) {
		t.Errorf("the name of a host: got %v", err)
	}
	other, err := add("s5", "vm", "vmagent", "", "t5", 0)
	if err != nil {
		t.Fatal(err)
	}

	id := func(sender string) func(string) string {
		return func(listed string) string { return sender + "/" + listed }
	}
	if err := l.ListForeign(ctx, prom, []string{"a:9100", "web-1", "localhost:9090", "a:9100"}, id("s1")); err != nil {
		t.Fatal(err)
	}
	if err := l.ListForeign(ctx, other, []string{"localhost:9090", "vm"}, id("s5")); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ sender, instance, listed string }{
		{"s1", "a:9100", "a:9100"},
		{"s1", "web-1", "web-1@prom"},                 // a host with an agent has the name
		{"s1", "localhost:9090", "localhost:9090"},    // the first to come
		{"s5", "localhost:9090", "localhost:9090@vm"}, // the second
		{"s5", "vm", "vm@vm"},                         // an observer has the name
	} {
		names, err := l.SenderNames(ctx, row.sender)
		if err != nil || names[row.instance] != row.listed {
			t.Errorf("%s of %s: got %q, %v, want %q", row.instance, row.sender, names[row.instance], err, row.listed)
		}
	}
	if h := enrol("h2", "a:9100"); h.Instance != "a:9100-2" {
		t.Errorf("a host under a foreign host's name: got %s", h.Instance)
	}
	if h := enrol("h3", "prom"); h.Instance != "prom-2" {
		t.Errorf("a host under a sender's name: got %s", h.Instance)
	}
	if h, err := l.HostByInstance(ctx, "web-1@prom"); err != nil || h.Sender != "prom" || h.Customer != "acme" {
		t.Errorf("got %+v, %v", h, err)
	}
	if h, err := l.HostByInstance(ctx, "web-1"); err != nil || h.Sender != "" {
		t.Errorf("got %+v, %v", h, err)
	}

	// Removed and brought again it is the same host; if its name was given away it has another.
	if err := l.RemoveHost(ctx, "s1/a:9100", "", ""); err != nil {
		t.Fatal(err)
	}
	if err := l.ListForeign(ctx, prom, []string{"a:9100"}, id("s1")); err != nil {
		t.Fatal(err)
	}
	if h, err := l.HostByInstance(ctx, "a:9100"); err != nil || h.ID != "s1/a:9100" {
		t.Errorf("back again: got %+v, %v", h, err)
	}
	if err := l.RemoveHost(ctx, "s1/a:9100", "", ""); err != nil {
		t.Fatal(err)
	}
	enrol("h4", "a:9100")
	if err := l.ListForeign(ctx, prom, []string{"a:9100"}, id("s1")); err != nil {
		t.Fatal(err)
	}
	if names, err := l.SenderNames(ctx, "s1"); err != nil || names["a:9100"] != "a:9100@prom" {
		t.Errorf("name given away: got %v, %v", names, err)
	}

	lets := func(hash string, want error) {
		t.Helper()
		if s, err := l.SenderByToken(ctx, hash); !errors.Is(err, want) || want == nil && s.Name == "" {
			t.Errorf("token %s: got %v, %v, want %v", hash, s, err, want)
		}
	}
	lets("t1", nil)
	lets("t2", nil)
	lets("t9", ErrSenderUnknown)
	now = now.Add(2 * time.Minute)
	lets("t2", ErrSenderExpired)
	if n, err := l.RevokeSender(ctx, "prom", "li"); err != nil || n != 2 {
		t.Errorf("revoke: got %d, %v, want 2", n, err)
	}
	lets("t1", ErrSenderRevoked)
	if _, err := l.RevokeSender(ctx, "nobody", ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoke nobody: got %v", err)
	}
	all, err := l.Senders(ctx)
	if err != nil || len(all) != 2 || all[0].Name != "prom" || all[0].Hosts != 3 || all[0].Tokens != 0 || all[1].Tokens != 1 {
		t.Errorf("senders: got %+v, %v", all, err)
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit chain: %+v, %v", v, err)
	}
}
