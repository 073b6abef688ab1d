package receive

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// guestbook is a Senders in memory: instance "taken" is another host's name.
type guestbook struct {
	mu     sync.Mutex
	tokens map[string]error // by hash; nil = good
	names  map[string]string
	broken error
}

func (g *guestbook) Sender(_ context.Context, hash string) (Sender, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.broken != nil {
		return Sender{}, g.broken
	}
	if err, ok := g.tokens[hash]; !ok || err != nil {
		return Sender{}, fmt.Errorf("%w: no such token", ErrSenderToken)
	}
	return Sender{ID: "s1", Name: "prom", Customer: "acme", Labels: "site=sh"}, nil
}

func (g *guestbook) Names(context.Context, Sender) (map[string]string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := map[string]string{}
	for k, v := range g.names {
		out[k] = v
	}
	return out, g.broken
}

func (g *guestbook) List(_ context.Context, _ Sender, instances []string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, i := range instances {
		g.names[i] = i
		if i == "taken" {
			g.names[i] = "taken@prom"
		}
	}
	return g.broken
}

// senderRig is a receiver that knows one sender with the token "good-token".
func senderRig(t *testing.T) (*rig, *guestbook, func(token string, body []byte) answer) {
	t.Helper()
	book := &guestbook{tokens: map[string]error{identity.HashSecret("good-token"): nil}, names: map[string]string{}}
	r := newRig(t, func(o *Options, _ *journal.Options) { o.Senders = book })
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(r.ca.PEM())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: wire.SenderServerName}}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	return r, book, func(token string, body []byte) answer {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, "https://"+r.addr+wire.WritePath, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", wire.ContentType1)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(resp.Body)
		return answer{resp.StatusCode, resp.Header, string(text)}
	}
}

func foreignBody(t *testing.T, at int64, instances ...string) []byte {
	t.Helper()
	req := &prompb.WriteRequest{}
	for _, i := range instances {
		req.Timeseries = append(req.Timeseries, prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: "up"}, {Name: "instance", Value: i}, {Name: "job", Value: "node"}},
			Samples: []prompb.Sample{{Timestamp: at, Value: 1}}})
	}
	raw, err := req.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return snappy.Encode(nil, raw)
}

func TestForeignSender(t *testing.T) {
	r, book, send := senderRig(t)
	now := time.Now().UnixMilli()
	if got := send("good-token", foreignBody(t, now, "a", "taken")); got.status != http.StatusNoContent || got.header.Get(headerSamples) != "2" {
		t.Fatalf("got %+v, want 204 and 2 samples", got)
	}
	next := func(after journal.Position) *batch.Batch {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		b, err := r.recv.Feed().Next(ctx, after)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	components := func(b *batch.Batch) (all []string) {
		for _, f := range b.Facts {
			all = append(all, f.Series.Component)
		}
		return all
	}
	want := []string{"node/a", "node/taken@prom"}
	b := next(0)
	if !slices.Equal(components(b), want) || b.Env.Instance != "prom" || b.Env.Customer != "acme" {
		t.Errorf("got %v of %+v, want %v", components(b), b.Env, want)
	}
	// The journal tells the same without asking anybody.
	cold := newFeed(r.journal, r.recv.opts.Limits, r.recv.opts.Log, r.recv.m)
	defer cold.Close()
	if back, err := cold.Next(context.Background(), 0); err != nil || !slices.Equal(components(back), want) {
		t.Errorf("from the journal: got %v, %v, want %v", components(back), err, want)
	}
	// A ledger that is away does not stop a sender that is known.
	book.mu.Lock()
	book.broken = errors.New("away")
	book.mu.Unlock()
	r.forward(time.Minute)
	if got := send("good-token", foreignBody(t, now+1, "a")); got.status != http.StatusNoContent {
		t.Errorf("known sender, ledger away: got %+v", got)
	}
	if got := send("good-token", foreignBody(t, now+1, "new")); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("new host, ledger away: got %+v, want 503 and Retry-After", got)
	}
}

func TestForeignSenderIsRefused(t *testing.T) {
	r, book, send := senderRig(t)
	now := time.Now().UnixMilli()
	for _, c := range []struct {
		name, token, want string
		status            int
	}{
		{"without a token", "", "a sender needs a token", http.StatusUnauthorized},
		{"with another one", "bad-token", "token refused", http.StatusUnauthorized},
		{"with a book for a token", strings.Repeat("x", 300), "a sender needs a token", http.StatusUnauthorized},
	} {
		if got := send(c.token, foreignBody(t, now, "a")); got.status != c.status || !strings.Contains(got.text, c.want) || !strings.Contains(got.text, "sender create") {
			t.Errorf("%s: got %+v, want %d %s", c.name, got, c.status, c.want)
		}
	}
	if got := send("good-token", foreignBody(t, now, "a")); got.status != http.StatusNoContent {
		t.Fatalf("got %+v", got)
	}
	book.mu.Lock()
	book.tokens[identity.HashSecret("good-token")] = ErrSenderToken
	book.mu.Unlock()
	r.forward(31 * time.Second)
	if got := send("good-token", foreignBody(t, now+1, "a")); got.status != http.StatusUnauthorized {
		t.Errorf("revoked: got %+v, want 401", got)
	}
	// The same connection opens nothing else, and a token nothing under another name.
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(r.ca.PEM())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: wire.SenderServerName}}}
	defer client.CloseIdleConnections()
	for _, path := range []string{wire.NotesPath, wire.EnrolPath} {
		resp, err := client.Post("https://"+r.addr+path, "", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s under %s: got %d, want 404", path, wire.SenderServerName, resp.StatusCode)
		}
	}
}

func TestBudget(t *testing.T) {
	r := newRig(t, nil)
	b := budget{limit: 100, each: 60, by: map[string]int64{}, inflight: r.recv.m.inflight}
	for _, step := range []struct {
		host   string
		n      int
		reason string // empty: taken
	}{
		{"a", 60, ""},
		{"a", 1, "inflight_host"},
		{"b", 41, "inflight"},
		{"b", 40, ""},
		{"a", -60, ""}, // given back
		{"b", 20, ""},
		{"b", 1, "inflight_host"},
	} {
		if step.n < 0 {
			b.give(step.host, -step.n)
			continue
		}
		got := ""
		if refused := b.take(step.host, step.n); refused != nil {
			got = refused.reason
		}
		if got != step.reason {
			t.Errorf("%s takes %d: got %q, want %q", step.host, step.n, got, step.reason)
		}
	}
}
