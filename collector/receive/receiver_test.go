package receive

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// register is an Agents in memory.
type register struct {
	mu     sync.Mutex
	tokens map[string]error // by hash; nil = good
	hosts  map[string]Host
	broken error

	certificates map[string]string // host by fingerprint
	audited      []Refusal
}

func (r *register) Host(_ context.Context, id string) (Host, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return Host{}, r.broken
	}
	h, ok := r.hosts[id]
	if !ok {
		return Host{}, ErrUnknownHost
	}
	return h, nil
}

func (r *register) Enrol(_ context.Context, e Enrolment) (Host, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err, ok := r.tokens[e.TokenHash]; !ok || err != nil {
		if !ok {
			err = ErrTokenUnknown
		}
		return Host{}, err
	}
	r.tokens[e.TokenHash] = ErrTokenUsed
	h := e.Host
	if before, ok := r.hosts[r.certificates[e.Previous]]; ok && !before.Denied[e.Previous] {
		h.ID, h.Instance, h.Denied = before.ID, before.Instance, map[string]bool{}
		for f, host := range r.certificates {
			if host == h.ID {
				h.Denied[f] = true
			}
		}
	}
	h.Customer = "acme"
	issued, err := e.Sign(h.ID)
	if err != nil {
		return Host{}, err
	}
	r.certificates[issued.Fingerprint] = h.ID
	r.hosts[h.ID] = h
	return h, nil
}

func (r *register) Renewed(_ context.Context, c identity.Issued, _ string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.certificates[c.Fingerprint] = c.Host
	return r.broken
}

func (r *register) Quarantine(_ context.Context, host, why string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hosts[host]
	h.Quarantine = why
	r.hosts[host] = h
	return r.broken
}

func (r *register) Audit(_ context.Context, refused []Refusal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil {
		r.audited = append(r.audited, refused...)
	}
	return r.broken
}

// rig is a receiver that serves on loopback over real TLS and a real journal.
type rig struct {
	t       testing.TB
	ca      *identity.CA
	agents  *register
	journal *journal.Journal
	dir     string
	recv    *Receiver
	stop    func() error
	addr    string

	mu    sync.Mutex
	ahead time.Duration // of the receiver's clock
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.ahead)
}

func (r *rig) forward(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ahead += d
}

func newRig(t testing.TB, change func(*Options, *journal.Options)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), agents: &register{tokens: map[string]error{}, hosts: map[string]Host{}, certificates: map[string]string{}}}
	var err error
	if r.ca, err = identity.OpenCA(filepath.Join(r.dir, "identity"), r.now); err != nil {
		t.Fatal(err)
	}
	opts := Options{Agents: r.agents, CA: r.ca, Registerer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Now: r.now}
	keep := journal.Options{Dir: filepath.Join(r.dir, "journal"), Now: r.now, WhenFull: journal.Refuse}
	if change != nil {
		change(&opts, &keep)
	}
	if r.journal, _, err = journal.Open(keep); err != nil {
		t.Fatal(err)
	}
	opts.Journal = r.journal
	if r.recv, err = New(opts); err != nil {
		t.Fatal(err)
	}
	if err := r.recv.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r.addr = r.recv.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.recv.Serve(ctx) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		err := <-served
		return errors.Join(err, r.journal.Close())
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return r
}

func (r *rig) token() string {
	text, hash := identity.NewToken(r.ca.Fingerprint())
	r.agents.mu.Lock()
	defer r.agents.mu.Unlock()
	r.agents.tokens[hash] = nil
	return text
}

// client is an enrolled host.
type client struct {
	t    testing.TB
	id   identity.Identity
	addr string
	http *http.Client
}

func (r *rig) enrol(name string) *client {
	r.t.Helper()
	id, err := identity.Enrol(context.Background(), identity.Request{Token: r.token(), Collector: r.addr, Hostname: name, Version: "1", Dir: filepath.Join(r.dir, name)})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.client(id)
}

func (r *rig) client(id identity.Identity) *client {
	transport := &http.Transport{TLSClientConfig: id.ClientTLS()}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &client{t: r.t, id: id, addr: r.addr, http: &http.Client{Transport: transport, Timeout: 20 * time.Second}}
}

// answer is what a client heard.
type answer struct {
	status int
	header http.Header
	text   string
}

func (c *client) post(path string, body io.Reader, header map[string]string) answer {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodPost, "https://"+c.addr+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, strings.TrimSpace(string(text))}
}

// write sends samples of the named series at the instants, as remote write 1.0.
func (c *client) write(seq uint64, at int64, names ...string) answer {
	c.t.Helper()
	return c.post(wire.WritePath, bytes.NewReader(body(at, names...)), map[string]string{
		"Content-Type": wire.ContentType1, "Content-Encoding": "snappy", wire.HeaderSeq: strconv.FormatUint(seq, 10), wire.HeaderRun: "run1"})
}

func body(at int64, names ...string) []byte {
	var samples []batch.Sample
	for i, n := range names {
		s := &batch.Series{Labels: labels.FromStrings("__name__", n, "instance", "somebody-else")}
		samples = append(samples, batch.Sample{Series: s, T: at, V: float64(i)})
	}
	return batch.Encode(samples)
}

// stored reads the journal as a later process would.
func (r *rig) stored() []string {
	r.t.Helper()
	if err := r.stop(); err != nil {
		r.t.Fatal(err)
	}
	j, _, err := journal.Open(journal.Options{Dir: filepath.Join(r.dir, "journal"), Now: time.Now})
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	reader := j.NewReader(0)
	defer func() { _ = reader.Close() }()
	var out []string
	for {
		rec, ok, err := reader.TryNext()
		if err != nil {
			r.t.Fatal(err)
		}
		if !ok {
			return out
		}
		env, raw, err := wire.Split(rec.Data)
		if err != nil {
			r.t.Fatal(err)
		}
		b, err := batch.NewDecoder(batch.Defaults()).Decode(env, raw)
		if err != nil {
			r.t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s seq %d:", env.Run, env.Instance, env.Seq)
		if b.Note != nil {
			line += " note"
		}
		for _, s := range b.Samples {
			line += fmt.Sprintf(" %s", s.Series.Labels)
		}
		out = append(out, line)
	}
}

func TestAcknowledgedIsInTheJournal(t *testing.T) {
	r := newRig(t, nil)
	c := r.enrol("web-1")
	got := c.write(7, time.Now().UnixMilli(), "up", "load")
	if got.status != http.StatusNoContent || got.header.Get(headerSamples) != "2" {
		t.Fatalf("got %+v, want 204 and 2 samples written", got)
	}
	if at, err := strconv.ParseInt(got.header.Get(wire.HeaderTime), 10, 64); err != nil || time.Since(time.UnixMilli(at)).Abs() > time.Minute {
		t.Errorf("%s: got %q, want the collector's clock in ms", wire.HeaderTime, got.header.Get(wire.HeaderTime))
	}
	note := c.post(wire.NotesPath, strings.NewReader(`{"at":1,"start":{"version":"1"}}`), map[string]string{wire.HeaderSeq: "8", wire.HeaderRun: "run1"})
	if note.status != http.StatusNoContent {
		t.Fatalf("note: got %+v, want 204", note)
	}
	want := []string{
		`run1 web-1 seq 7: {__name__="up", customer="acme", instance="web-1", job="node"} {__name__="load", customer="acme", instance="web-1", job="node"}`,
		`run1 web-1 seq 8: note`,
	}
	if got := r.stored(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("journal:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// foreign makes a certificate for host by another authority.
func foreign(t testing.TB, ca *identity.CA, host string, ttl time.Duration) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := ca.SignHost(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), host, ttl)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(issued.PEM)
	return tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
}

func TestHandshakes(t *testing.T) {
	r := newRig(t, nil)
	host := r.enrol("web-1").id.Host
	other, err := identity.OpenCA(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config *tls.Config
		reason string
	}{
		{"no certificate", &tls.Config{ServerName: wire.CollectorServerName}, handshakeNoCertificate},
		{"no certificate, no name", &tls.Config{}, handshakeNoCertificate},
		{"foreign authority, our host's id", &tls.Config{Certificates: []tls.Certificate{foreign(t, other, host, time.Hour)}}, handshakeForeign},
		{"expired", &tls.Config{Certificates: []tls.Certificate{foreign(t, r.ca, host, -time.Minute)}}, handshakeExpired},
		{"TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, handshakeVersion},
	} {
		before := testutil.ToFloat64(r.recv.m.handshakes.WithLabelValues(c.reason))
		c.config.InsecureSkipVerify = true // it is the server that must refuse
		if err := exchange(r.addr, c.config); err == nil {
			t.Errorf("%s: got an answer, want a failed handshake", c.name)
		}
		eventually(t, c.name+" counted as "+c.reason, func() bool {
			return testutil.ToFloat64(r.recv.m.handshakes.WithLabelValues(c.reason)) == before+1
		})
	}
	before := testutil.ToFloat64(r.recv.m.handshakes.WithLabelValues(handshakeOther))
	if resp, err := http.Get("http://" + r.addr + wire.WritePath); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("plain HTTP: got an answer, want none")
		}
	}
	eventually(t, "plain HTTP counted", func() bool {
		return testutil.ToFloat64(r.recv.m.handshakes.WithLabelValues(handshakeOther)) == before+1
	})
}

// exchange shakes hands and reads. In TLS 1.3 a client hears of the refusal
// of its certificate only then.
func exchange(addr string, config *tls.Config) error {
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func TestEnrolmentIsApart(t *testing.T) {
	r := newRig(t, nil)
	c := r.enrol("web-1")
	if got := c.post(wire.EnrolPath, strings.NewReader("{}"), nil); got.status != http.StatusMisdirectedRequest {
		t.Errorf("enrol under the usual name: got %+v, want 421", got)
	}
	c.http.Transport = &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{ServerName: wire.EnrolServerName, InsecureSkipVerify: true}}
	for _, path := range []string{wire.WritePath, wire.NotesPath} {
		if got := c.post(path, strings.NewReader("x"), map[string]string{"Content-Type": wire.ContentType1}); got.status != http.StatusMisdirectedRequest {
			t.Errorf("%s under the enrolment name: got %+v, want 421", path, got)
		}
	}
	if got := c.post("/metrics", nil, nil); got.status != http.StatusNotFound {
		t.Errorf("another path: got %+v, want 404", got)
	}
}

func TestEnrolmentRefused(t *testing.T) {
	r := newRig(t, nil)
	used, expired := r.token(), r.token()
	secret, _, err := identity.ParseToken(expired)
	if err != nil {
		t.Fatal(err)
	}
	r.agents.tokens[identity.HashSecret(secret)] = ErrTokenExpired
	stranger, _ := identity.NewToken(r.ca.Fingerprint())
	elsewhere, _ := identity.NewToken(strings.Repeat("ab", 32))
	enrol := func(token, name string) error {
		_, err := identity.Enrol(context.Background(), identity.Request{Token: token, Collector: r.addr, Hostname: name, Dir: t.TempDir()})
		return err
	}
	if err := enrol(used, "web-1"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, token, host, want string }{
		{"used", used, "web-2", `refused with 409: this enrolment token has been used up: make a new one with "plimsoll-collector enrol create"; if nobody of yours used it, somebody else has: "plimsoll-collector enrol list" names the host`},
		{"expired", expired, "web-2", `refused with 410: this enrolment token has expired: make a new one with "plimsoll-collector enrol create"`},
		{"unknown", stranger, "web-2", `refused with 403: no such enrolment token: make a new one with "plimsoll-collector enrol create"`},
		{"another collector's", elsewhere, "web-2", identity.ErrWrongCollector.Error()},
		{"damaged", "plm1.x", "web-2", identity.ErrToken.Error()},
		{"no name", r.token(), "", "refused with 400: hostname is empty"},
		{"a name that writes on terminals", r.token(), "a\x1b[2J", `refused with 400: hostname "a\x1b[2J" has characters that cannot be printed`},
	} {
		if err := enrol(c.token, c.host); err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want … %s", c.name, err, c.want)
		}
	}
	if len(r.agents.hosts) != 1 {
		t.Errorf("got %d hosts, want the first alone", len(r.agents.hosts))
	}
}

func TestBodiesRefused(t *testing.T) {
	r := newRig(t, nil)
	c := r.enrol("web-1")
	rw1 := map[string]string{"Content-Type": wire.ContentType1, "Content-Encoding": "snappy"}
	gigabyte := append([]byte{0xff, 0xff, 0xff, 0xff, 0x03}, make([]byte, 60)...)
	for _, k := range []struct {
		name   string
		path   string
		body   io.Reader
		header map[string]string
		status int
		reason string
	}{
		{"not snappy", wire.WritePath, strings.NewReader("hello, world"), rw1, 400, "malformed"},
		{"claims a gigabyte", wire.WritePath, bytes.NewReader(gigabyte), rw1, 413, "too_large"},
		{"five megabytes", wire.WritePath, bytes.NewReader(make([]byte, 5<<20)), rw1, 413, "too_large"},
		{"five megabytes, length unsaid", wire.WritePath, io.MultiReader(bytes.NewReader(make([]byte, 5<<20))), rw1, 413, "too_large"},
		{"gzip", wire.WritePath, strings.NewReader("x"), map[string]string{"Content-Encoding": "gzip"}, 415, "content_type"},
		{"json", wire.WritePath, strings.NewReader("{}"), map[string]string{"Content-Type": "application/json"}, 415, "content_type"},
		{"unknown message", wire.WritePath, strings.NewReader("x"), map[string]string{"Content-Type": "application/x-protobuf;proto=a.B"}, 415, "content_type"},
		{"bad sequence", wire.WritePath, bytes.NewReader(body(1, "up")), map[string]string{"Content-Type": wire.ContentType1, wire.HeaderSeq: "x"}, 400, "malformed"},
		{"note of nothing", wire.NotesPath, strings.NewReader("{}"), nil, 400, "malformed"},
		{"long note", wire.NotesPath, bytes.NewReader(make([]byte, wire.MaxNote+1)), nil, 413, "too_large"},
		{"all samples too young", wire.WritePath, bytes.NewReader(body(time.Now().Add(time.Hour).UnixMilli(), "up")), rw1, 400, "timestamp"},
	} {
		instance := "web-1"
		if k.reason == "content_type" {
			instance = ""
		}
		counter := r.recv.m.rejected.WithLabelValues(k.reason, instance)
		before := testutil.ToFloat64(counter)
		got := c.post(k.path, k.body, k.header)
		if got.status != k.status || got.text == "" || testutil.ToFloat64(counter) != before+1 {
			t.Errorf("%s: got %d %q, counted %v, want %d, a text, 1", k.name, got.status, got.text, testutil.ToFloat64(counter)-before, k.status)
		}
	}
	if used := r.recv.budget.used; used != 0 {
		t.Errorf("%d bytes of the budget were not given back", used)
	}
	if got := r.stored(); len(got) != 0 {
		t.Errorf("the journal holds refused bodies: %v", got)
	}
}

func TestContentTypes(t *testing.T) {
	for _, c := range []struct {
		text string
		want wire.Kind
	}{
		{"", wire.KindBatch1},
		{"application/x-protobuf", wire.KindBatch1},
		{"application/x-protobuf;proto=prometheus.WriteRequest", wire.KindBatch1},
		{"application/x-protobuf;proto=io.prometheus.write.v2.Request", wire.KindBatch2},
		{"application/x-protobuf; proto=\"io.prometheus.write.v2.Request\"", wire.KindBatch2},
	} {
		if got, why := bodyKind(http.Header{"Content-Type": {c.text}}); got != c.want || why != nil {
			t.Errorf("%q: got %d %v, want %d", c.text, got, why, c.want)
		}
	}
}

func TestCutBody(t *testing.T) {
	r := newRig(t, nil)
	conn, err := tls.Dial("tcp", r.addr, r.enrol("web-1").id.ClientTLS())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0123456789", wire.WritePath); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 400 ") || !strings.Contains(string(text), "body cut short: unexpected EOF") {
		t.Errorf("got %q, error %v, want 400 with the reason", text, err)
	}
}

func TestBombsCostNoMemory(t *testing.T) {
	r := newRig(t, nil)
	c := r.enrol("web-1")
	header := map[string]string{"Content-Type": wire.ContentType2, "Content-Encoding": "snappy"}
	// 10 000 bytes that say they are 16 MiB: within the size, far above the ratio.
	bomb := append([]byte{0x80, 0x80, 0x80, 0x08}, make([]byte, 10_000)...)
	// 24 MB of empty symbols, honestly compressed: 12 million of them.
	symbols := snappy.Encode(nil, bytes.Repeat([]byte{0x22, 0}, 12_000_000))
	c.post(wire.WritePath, bytes.NewReader(bomb), header)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 50 {
		if got := c.post(wire.WritePath, bytes.NewReader(bomb), header); got.status != http.StatusRequestEntityTooLarge {
			t.Fatalf("got %+v, want 413", got)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 8 {
		t.Errorf("50 bombs allocated %d MiB", grown)
	}
	if got := c.post(wire.WritePath, bytes.NewReader(symbols), header); got.status != http.StatusRequestEntityTooLarge || !strings.Contains(got.text, "symbols") {
		t.Errorf("symbols: got %+v, want 413", got)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("a body of symbols left %d MiB behind", grown>>20)
	}
}

func TestPartOfABodyIsRefused(t *testing.T) {
	r := newRig(t, func(o *Options, _ *journal.Options) {
		o.Limits = batch.Defaults()
		o.Limits.SeriesPerHost = 2
	})
	c, now := r.enrol("web-1"), time.Now().UnixMilli()
	if got := c.write(1, now, "a", "b"); got.status != http.StatusNoContent {
		t.Fatalf("two series: got %+v", got)
	}
	got := c.write(2, now+1, "b", "c", "a")
	if got.status != http.StatusBadRequest || got.header.Get(headerSamples) != "2" || !strings.HasPrefix(got.text, "2 samples written, 1 refused: 1 for series_limit: host web-1 has 2 active series") {
		t.Errorf("a third series: got %+v, want 400 and 2 samples written", got)
	}
	if n := testutil.ToFloat64(r.recv.m.rejected.WithLabelValues("series_limit", "web-1")); n != 1 {
		t.Errorf("counted %v, want 1", n)
	}
	if got := r.enrol("web-2").write(1, now, "c", "d"); got.status != http.StatusNoContent {
		t.Errorf("another host: got %+v, want 204", got)
	}
	stored := strings.Join(r.stored(), "\n")
	if strings.Contains(stored, `__name__="c", customer="acme", instance="web-1"`) || strings.Count(stored, `instance="web-1"`) != 4 {
		t.Errorf("the journal must hold what was accepted, no more and no less:\n%s", stored)
	}
}

func TestJournalFull(t *testing.T) {
	r := newRig(t, func(_ *Options, j *journal.Options) { j.MaxBytes, j.SegmentBytes = 4<<10, 2<<10 })
	c, full := r.enrol("web-1"), answer{}
	taken := 0
	for seq := uint64(1); seq <= 200; seq++ {
		if full = c.write(seq, time.Now().UnixMilli(), "up"); full.status != http.StatusNoContent {
			break
		}
		taken++
	}
	if full.status != http.StatusServiceUnavailable || full.header.Get("Retry-After") != "30" {
		t.Fatalf("after %d records: got %+v, want 503 and Retry-After", taken, full)
	}
	if n := testutil.ToFloat64(r.recv.m.unavailable.WithLabelValues("journal_full")); n != 1 {
		t.Errorf("counted %v, want 1", n)
	}
	if _, err := r.journal.Trim(r.journal.Last()); err != nil {
		t.Fatal(err)
	}
	if got := c.write(300, time.Now().UnixMilli(), "up"); got.status != http.StatusNoContent {
		t.Errorf("after a trim: got %+v, want 204", got)
	}
}

func TestInflightBudget(t *testing.T) {
	r := newRig(t, func(o *Options, _ *journal.Options) { o.Bounds = DefaultBounds(); o.Bounds.InflightBytes = 1000 })
	c := r.enrol("web-1")
	if got := c.write(1, time.Now().UnixMilli(), "up"); got.status != http.StatusNoContent {
		t.Fatalf("small body: got %+v", got)
	}
	got := c.post(wire.WritePath, bytes.NewReader(make([]byte, 1001)), map[string]string{"Content-Type": wire.ContentType1})
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
		t.Errorf("larger than the budget: got %+v, want 503 and Retry-After", got)
	}
	wide := snappy.Encode(nil, bytes.Repeat([]byte{0x22, 0}, 600)) // small, but 1200 bytes decoded
	got = c.post(wire.WritePath, bytes.NewReader(wide), map[string]string{"Content-Type": wire.ContentType2})
	if got.status != http.StatusServiceUnavailable {
		t.Errorf("decoded larger than the budget: got %+v, want 503", got)
	}
	if used := r.recv.budget.used; used != 0 {
		t.Errorf("%d bytes of the budget were not given back", used)
	}
}

func TestRemovedHost(t *testing.T) {
	r := newRig(t, nil)
	c := r.enrol("web-1")
	send := func() answer { return c.write(1, time.Now().UnixMilli(), "up") }
	if got := send(); got.status != http.StatusNoContent {
		t.Fatalf("got %+v", got)
	}
	r.agents.mu.Lock()
	r.agents.broken = errors.New("ledger is busy")
	r.agents.mu.Unlock()
	r.forward(time.Minute)
	if got := send(); got.status != http.StatusNoContent {
		t.Errorf("ledger busy: got %+v, want a known host to go on", got)
	}
	if got := r.client(c.id).write(2, time.Now().UnixMilli(), "up"); got.status != http.StatusNoContent {
		t.Errorf("ledger busy, new connection: got %+v, want a known host to go on", got)
	}
	r.agents.mu.Lock()
	r.agents.broken = nil
	delete(r.agents.hosts, c.id.Host)
	r.agents.mu.Unlock()
	r.forward(time.Minute)
	if got := send(); got.status != http.StatusForbidden || !strings.Contains(got.text, "enrol create") {
		t.Errorf("removed: got %+v, want 403 with the remedy on the open connection", got)
	}
}

func TestConnectionsOfOneHostAreBounded(t *testing.T) {
	r := newRig(t, nil)
	c := r.enrol("web-1")
	var open []net.Conn
	defer func() {
		for _, conn := range open {
			_ = conn.Close()
		}
	}()
	refused := r.recv.m.handshakes.WithLabelValues(handshakeBusy)
	for range DefaultBounds().ConnectionsPerHost + 1 {
		conn, err := tls.Dial("tcp", r.addr, c.id.ClientTLS())
		if err != nil {
			break
		}
		open = append(open, conn)
	}
	eventually(t, "one connection too many counted", func() bool { return testutil.ToFloat64(refused) == 1 })
	for _, conn := range open {
		_ = conn.Close()
	}
	eventually(t, "room again", func() bool { return testutil.ToFloat64(r.recv.m.connections) == 0 })
	if got := c.write(1, time.Now().UnixMilli(), "up"); got.status != http.StatusNoContent {
		t.Errorf("afterwards: got %+v, want 204", got)
	}
}

func TestServerCertificateIsRenewed(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ca, err := identity.OpenCA(t.TempDir(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	s := &serverCertificate{ca: ca, ttl: 30 * time.Hour, now: func() time.Time { return now }}
	first, _ := s.get(nil)
	for _, c := range []struct {
		at   time.Duration
		same bool
	}{{0, true}, {19 * time.Hour, true}, {20 * time.Hour, false}} {
		now = time.Unix(1_700_000_000, 0).Add(c.at)
		if got, err := s.get(nil); err != nil || (got == first) != c.same {
			t.Errorf("after %v: got the same certificate: %v, error %v, want %v", c.at, got == first, err, c.same)
		}
	}
}
