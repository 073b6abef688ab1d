package collector

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// running is a whole collector on loopback.
type running struct {
	t    testing.TB
	c    *Collector
	data string
	stop func() error

	language string // that call asks for; empty: English
}

func newRunning(t testing.TB) *running {
	t.Helper()
	config := Defaults()
	config.Data, config.Listen, config.ListenAgents = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	c, err := New(Options{Config: config, Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	r := &running{t: t, c: c, data: config.Data, stop: sync.OnceValue(func() error { cancel(); return <-ended })}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return r
}

// enrol lets a host in and returns its identity and the spent token.
func (r *running) enrol(name string) (identity.Identity, string) {
	r.t.Helper()
	token, err := r.c.EnrolToken(context.Background(), "acme", time.Hour)
	if err != nil {
		r.t.Fatal(err)
	}
	id, err := identity.Enrol(context.Background(), identity.Request{Token: token.Token, Collector: r.c.AgentsAddr(), Hostname: name, Version: "1", Dir: filepath.Join(r.data, "hosts", name)})
	if err != nil {
		r.t.Fatal(err)
	}
	return id, token.Token
}

// metric sums a counter of the collector over the series with these labels.
func (r *running) metric(name string, pairs ...string) float64 {
	r.t.Helper()
	families, err := r.c.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && has(m, pairs) {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func has(m *dto.Metric, pairs []string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if !slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == pairs[i] && l.GetValue() == pairs[i+1] }) {
			return false
		}
	}
	return true
}

// forgery is one kind of forged write.
type forgery struct {
	name   string
	n      int
	reason string // it is counted and audited as
	send   func(client *http.Client, i int) (status int, err error)
	config *tls.Config
	fresh  bool // a connection of its own for each
	status int  // 0: the handshake itself fails
}

// TestForgedWrites sends 10 000 writes that pretend, over real TLS: all are
// refused, or without effect, and each one is counted and audited.
func TestForgedWrites(t *testing.T) {
	r := newRunning(t)
	agents := r.c.AgentsAddr()
	victim, spent := r.enrol("victim")
	mallory, _ := r.enrol("mallory")
	parrot, _ := r.enrol("parrot")
	gone, _ := r.enrol("gone")
	copied, _ := r.enrol("copied")
	_, _ = r.enrol("copied") // again, from the same directory: the older certificate is taken back
	if err := r.c.RevokeHost(context.Background(), "gone", "sold"); err != nil {
		t.Fatal(err)
	}
	other, err := identity.OpenCA(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMilli()
	write := func(metric string, at int64, seq func(i int) int) func(*http.Client, int) (int, error) {
		return func(client *http.Client, i int) (int, error) {
			return deliver(client, agents, metric, at, uint64(seq(i)))
		}
	}
	count := func(i int) int { return i + 10 }
	first := func(int) int { return 7 }
	secret, _, err := identity.ParseToken(spent)
	if err != nil {
		t.Fatal(err)
	}
	again := enrolBody(t, secret)
	if status, err := deliver(clientOf(parrot.ClientTLS(), false), agents, "replayed", now, 7); status != http.StatusNoContent {
		t.Fatalf("the write that is replayed: got %d, error %v", status, err)
	}
	forgeries := []forgery{
		{"labels of another host", 3500, "label_overridden", write("forged", now, count), mallory.ClientTLS(), false, http.StatusNoContent},
		{"replays", 2000, "", write("replayed", now, first), parrot.ClientTLS(), false, http.StatusNoContent},
		{"removed host", 1000, "removed_host", write("forged", now, count), gone.ClientTLS(), false, http.StatusForbidden},
		{"certificate taken back", 1000, "revoked_certificate", write("forged", now, count), copied.ClientTLS(), false, http.StatusForbidden},
		{"used token", 1000, "token_used", func(client *http.Client, _ int) (int, error) { return post(client, agents, wire.EnrolPath, again, nil) },
			&tls.Config{ServerName: wire.EnrolServerName, InsecureSkipVerify: true}, false, http.StatusConflict},
		{"expired certificate", 500, "expired_certificate", write("forged", now, count), presenting(certificateOf(t, r.c.ca, victim.Host, -time.Minute)), true, 0},
		{"foreign authority, the victim's id", 500, "foreign_certificate", write("forged", now, count), presenting(certificateOf(t, other, victim.Host, time.Hour)), true, 0},
		{"no certificate", 250, "no_certificate", write("forged", now, count), presenting(), true, 0},
		{"expired certificate, by the door for renewing", 250, "wrong_server_name", write("forged", now, count),
			under(wire.RenewServerName, certificateOf(t, r.c.ca, victim.Host, -time.Minute)), false, http.StatusMisdirectedRequest},
	}
	begin, total := time.Now(), 0
	for i := range forgeries {
		total += forgeries[i].n
	}
	if total != 10_000 {
		t.Fatalf("%d forgeries", total)
	}
	var senders sync.WaitGroup
	for i := range forgeries {
		senders.Go(func() { forgeries[i].run(t) })
	}
	senders.Wait()
	t.Logf("%d forged writes in %v", total, time.Since(begin).Round(time.Millisecond))

	want := map[string]int{}
	for _, f := range forgeries {
		if f.reason != "" {
			want[f.reason] += f.n
		}
	}
	want["label_overridden"] += 2001 // replays name another host as well, and the write they repeat
	for reason, n := range want {
		if got := r.counted(reason, n); int(got) != n {
			t.Errorf("%s: %v counted, want %d", reason, got, n)
		}
	}
	if got := r.metric("plimsoll_receive_repeated_total", "instance", "parrot"); got != 2000 {
		t.Errorf("%v replays counted, want 2000", got)
	}
	if got := r.instances("forged"); !slices.Equal(got, []string{"mallory"}) {
		t.Errorf("forged samples are stored for %v, want for mallory alone", got)
	}
	if got := r.instances("replayed"); !slices.Equal(got, []string{"parrot"}) || r.samples("replayed") != 1 {
		t.Errorf("replayed: %d samples stored for %v, want one for parrot", r.samples("replayed"), got)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	audited(t, filepath.Join(r.data, "ledger.db"), want)
}

// run sends all of one kind and looks at each answer.
func (f *forgery) run(t *testing.T) {
	client := clientOf(f.config, f.fresh)
	defer client.CloseIdleConnections()
	for i := range f.n {
		status, err := f.send(client, i)
		if f.status == 0 && err == nil || f.status != 0 && (err != nil || status != f.status) {
			t.Errorf("%s: got %d, error %v, want %d", f.name, status, err, f.status)
			return
		}
	}
}

// counted waits until n refusals of the reason are counted: the server may
// learn of a failed handshake after the client did.
func (r *running) counted(reason string, n int) float64 {
	r.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		got := r.metric("plimsoll_identity_refusals_total", "reason", reason)
		if int(got) >= n || time.Now().After(deadline) {
			return got
		}
		<-time.After(20 * time.Millisecond)
	}
}

// audited sums what the audit chain tells of each reason.
func audited(t *testing.T, path string, want map[string]int) {
	t.Helper()
	l, err := ledger.Open(ledger.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if v, err := l.Verify(context.Background()); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit chain: %v, error %v", v.Faults, err)
	}
	entries, err := l.Entries(context.Background(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	got, told := map[string]int{}, 0
	for _, e := range entries {
		if e.Action != "identity.refused" {
			continue
		}
		told++
		reason, rest, _ := strings.Cut(e.Detail, ", ")
		n, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			t.Fatalf("entry %q: %v", e.Detail, err)
		}
		got[reason] += n
	}
	if !maps.Equal(got, want) {
		t.Errorf("audited %v, want %v", got, want)
	}
	if told > 10*len(want) {
		t.Errorf("%d entries for %d reasons: a flood fills the ledger", told, len(want))
	}
}

// instances are those that have a series of the name.
func (r *running) instances(name string) []string {
	var names []string
	r.query("group by (instance) ("+name+")", func(l map[string]string, _ string) { names = append(names, l["instance"]) })
	slices.Sort(names)
	return names
}

// samples counts what is stored of a name.
func (r *running) samples(name string) int {
	total := 0
	r.query("sum(count_over_time("+name+"[1h]))", func(_ map[string]string, v string) { total, _ = strconv.Atoi(v) })
	return total
}

// query asks as Grafana does, once everything acknowledged can be seen.
func (r *running) query(expr string, each func(labels map[string]string, value string)) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		applied, last, _ := r.c.series.Progress()
		if applied >= last {
			break
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the series stand at %d of %d", applied, last)
		}
		<-time.After(20 * time.Millisecond)
	}
	resp, err := http.Get(r.c.URL() + "/prometheus/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		r.t.Fatal(err)
	}
	for _, one := range answer.Data.Result {
		each(one.Metric, fmt.Sprint(one.Value[1]))
	}
}

// deliver writes one sample that pretends to be the victim's.
func deliver(client *http.Client, to, metric string, at int64, seq uint64) (int, error) {
	s := &batch.Series{Labels: labels.FromStrings("__name__", metric, "instance", "victim", "customer", "other")}
	return post(client, to, wire.WritePath, batch.Encode([]batch.Sample{{Series: s, T: at, V: 1}}), map[string]string{
		"Content-Type": wire.ContentType1, "Content-Encoding": "snappy", wire.HeaderRun: "run", wire.HeaderSeq: strconv.FormatUint(seq, 10)})
}

func post(client *http.Client, to, path string, body []byte, header map[string]string) (int, error) {
	req, err := http.NewRequest(http.MethodPost, "https://"+to+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func clientOf(config *tls.Config, fresh bool) *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: fresh}}
}

// presenting is a client that trusts everybody: it is the server that must refuse.
func presenting(certs ...tls.Certificate) *tls.Config {
	return under(wire.CollectorServerName, certs...)
}

func under(name string, certs ...tls.Certificate) *tls.Config {
	return &tls.Config{ServerName: name, InsecureSkipVerify: true, Certificates: certs}
}

func newCSR(t testing.TB) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// certificateOf has an authority sign a new key for a host.
func certificateOf(t testing.TB, ca *identity.CA, host string, ttl time.Duration) tls.Certificate {
	t.Helper()
	key, csr := newCSR(t)
	issued, err := ca.SignHost(csr, host, ttl)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(issued.PEM)
	return tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
}

func enrolBody(t testing.TB, secret string) []byte {
	t.Helper()
	_, csr := newCSR(t)
	body, err := json.Marshal(wire.EnrolRequest{Token: secret, Hostname: "victim", CSR: string(csr)})
	if err != nil {
		t.Fatal(err)
	}
	return body
}
