package ship

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// collector is a real TLS server that remembers what it took.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	taken  []string // "seq path body" of what was answered with 2xx
	answer func(seq string, n int) (status int, header map[string]string)
	n      int
	took   chan string
}

func newCollector(t *testing.T, answer func(seq string, n int) (int, map[string]string)) *collector {
	c := &collector{answer: answer, took: make(chan string, 10000)}
	c.Server = httptest.NewUnstartedServer(c)
	c.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelInfo)
	c.StartTLS()
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	seq := r.Header.Get(wire.HeaderSeq)
	status, header := http.StatusNoContent, map[string]string(nil)
	c.mu.Lock()
	n := c.n
	c.n++
	c.mu.Unlock()
	if c.answer != nil {
		status, header = c.answer(seq, n)
	}
	w.Header().Set(wire.HeaderTime, "5000")
	for k, v := range header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(status)
	if status < 300 {
		c.mu.Lock()
		c.taken = append(c.taken, fmt.Sprintf("%s %s %s", seq, r.URL.Path, body))
		c.mu.Unlock()
		c.took <- seq
		return
	}
	_, _ = io.WriteString(w, "because\nof the test")
}

func (c *collector) endpoint() Endpoint {
	pool := x509.NewCertPool()
	pool.AddCert(c.Certificate())
	return Endpoint{Addresses: []string{c.Listener.Addr().String()}, TLS: &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS13}}
}

// await waits until n records were taken and returns their sequences.
func (c *collector) await(t *testing.T, n int) []string {
	t.Helper()
	var seqs []string
	for len(seqs) < n {
		select {
		case s := <-c.took:
			seqs = append(seqs, s)
		case <-time.After(20 * time.Second):
			t.Fatalf("took only %d of %d records: %v", len(seqs), n, seqs)
		}
	}
	return seqs
}

// rig is a buffer and a log.
type rig struct {
	dir    string
	buffer *journal.Journal
	log    lockedText
}

type lockedText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir()}
	r.open(t)
	t.Cleanup(func() { _ = r.buffer.Close() })
	return r
}

func (r *rig) open(t *testing.T) {
	t.Helper()
	var err error
	if r.buffer, _, err = journal.Open(journal.Options{Dir: filepath.Join(r.dir, "buffer")}); err != nil {
		t.Fatal(err)
	}
}

// fill appends records with the bodies; one that begins with { is a note.
func (r *rig) fill(t testing.TB, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		env := wire.Envelope{Kind: wire.KindBatch2, Run: "run1", Boot: "boot1", Clocks: wire.Clocks{Wall: 1, Boot: 2, Mono: 3}}
		if strings.HasPrefix(body, "{") {
			env.Kind = wire.KindNote
		}
		if _, err := r.buffer.Append(env.Append(nil), []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
}

// run starts a shipper; stop ends it once it has dealt with n records and
// returns its figures.
func (r *rig) run(t *testing.T, connect func() (Endpoint, error)) (stop func(n uint64) Stats) {
	t.Helper()
	s, err := New(Options{
		Buffer: r.buffer, Dir: r.dir, Connect: connect, Version: "test",
		Clocks: func() wire.Clocks { return wire.Clocks{Wall: 7000, Boot: 11, Mono: 12} },
		Log:    slog.New(slog.NewTextHandler(&r.log, nil)), Now: time.Now,
		Backoff: Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	var once sync.Once
	stop = func(n uint64) Stats {
		once.Do(func() {
			eventually(t, func() bool { st := s.Stats(); return st.Delivered+st.Refused >= n })
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("run: %v", err)
			}
		})
		return s.Stats()
	}
	t.Cleanup(func() { stop(0) })
	return stop
}

// eventually asks until it is so: the shipper's count follows the answer.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("not within 20 s")
		}
		<-time.After(time.Millisecond)
	}
}

func TestDelivers(t *testing.T) {
	c := newCollector(t, nil)
	r := newRig(t)
	r.fill(t, "first", `{"at":1}`, "third")
	stop := r.run(t, func() (Endpoint, error) { return c.endpoint(), nil })
	c.await(t, 3)
	r.fill(t, "fourth")
	c.await(t, 1)
	st := stop(4)
	want := []string{"1 /api/v1/write first", `2 /api/v1/notes {"at":1}`, "3 /api/v1/write third", "4 /api/v1/write fourth"}
	if !slices.Equal(c.taken, want) {
		t.Errorf("got %q, want %q", c.taken, want)
	}
	if st.Delivered != 4 || st.Failed != 0 || st.Refused != 0 || st.Last.IsZero() || !st.ClockKnown || st.ClockAhead != 2*time.Second {
		t.Errorf("stats %+v; this host's clock is 2 s ahead of the collector's", st)
	}
	if got := strings.Count(r.log.String(), "\n"); got != 1 || !strings.Contains(r.log.String(), "msg=delivering ") {
		t.Errorf("a good day is one line, got:\n%s", r.log.String())
	}
}

func TestHeaders(t *testing.T) {
	got := make(chan http.Header, 2)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	server.StartTLS()
	defer server.Close()
	r := newRig(t)
	r.fill(t, "batch", `{"at":1}`)
	r.run(t, func() (Endpoint, error) { return (&collector{Server: server}).endpoint(), nil })
	for _, want := range []map[string]string{
		{"Content-Type": wire.ContentType2, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "2.0.0", wire.HeaderRun: "run1",
			wire.HeaderBoot: "boot1", wire.HeaderSeq: "1", wire.HeaderClock: "1,2,3", wire.HeaderSent: "7000,11,12", "User-Agent": "plimsoll-agent/test", "Idempotency-Key": ""},
		{"Content-Type": "application/json", "Content-Encoding": "", wire.HeaderSeq: "2"},
	} {
		h := <-got
		for name, value := range want {
			if h.Get(name) != value {
				t.Errorf("%s: got %q, want %q", name, h.Get(name), value)
			}
		}
	}
}

// TestRetries: an answer that is neither good nor final is asked again, the
// log says so once, and nothing is lost or out of order.
func TestRetries(t *testing.T) {
	for name, answer := range map[string]func(string, int) (int, map[string]string){
		"server errors": func(_ string, n int) (int, map[string]string) {
			if n < 6 {
				return []int{500, 502, 429, 404, 401, 503}[n], nil
			}
			return 200, nil
		},
		"asked to wait": func(_ string, n int) (int, map[string]string) {
			if n < 1 {
				return 503, map[string]string{"Retry-After": "1"}
			}
			return 200, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t, answer)
			r := newRig(t)
			r.fill(t, "a", "b", "c")
			begin := time.Now()
			stop := r.run(t, func() (Endpoint, error) { return c.endpoint(), nil })
			if got := c.await(t, 3); !slices.Equal(got, []string{"1", "2", "3"}) {
				t.Errorf("got %v", got)
			}
			if name == "asked to wait" && time.Since(begin) < time.Second {
				t.Errorf("came back after %v, was asked to wait a second", time.Since(begin))
			}
			if stop(3).Refused != 0 {
				t.Error("put a record aside that was to be sent again")
			}
		})
	}
}

func TestRefusedForGood(t *testing.T) {
	c := newCollector(t, func(seq string, _ int) (int, map[string]string) {
		if seq == "2" || seq == "3" {
			return 400, nil
		}
		return 200, nil
	})
	r := newRig(t)
	r.fill(t, "a", "poison", "more poison", "d")
	stop := r.run(t, func() (Endpoint, error) { return c.endpoint(), nil })
	if got := c.await(t, 2); !slices.Equal(got, []string{"1", "4"}) {
		t.Errorf("got %v, want what is not poison", got)
	}
	if st := stop(4); st.Refused != 2 {
		t.Errorf("stats %+v, want 2 refused", st)
	}
	text, err := os.ReadFile(filepath.Join(r.dir, "refused.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var first refused
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || len(lines) != 2 {
		t.Fatalf("%v in %q", err, text)
	}
	_, body, err := wire.Split(first.Record)
	if err != nil || string(body) != "poison" || first.Seq != 2 || first.Status != 400 || first.Reason != "because of the test" {
		t.Errorf("kept %+v with body %q, %v", first, body, err)
	}
	if got := strings.Count(r.log.String(), "refuses a record for good"); got != 1 {
		t.Errorf("said %d times, want once:\n%s", got, r.log.String())
	}
}

// TestMalformedInTheBuffer: a record that is no envelope is never sent. It is
// put aside with the reason, and what stands behind it is delivered.
func TestMalformedInTheBuffer(t *testing.T) {
	c := newCollector(t, nil)
	r := newRig(t)
	r.fill(t, "a")
	if _, err := r.buffer.Append([]byte{0xff, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	r.fill(t, "c")
	stop := r.run(t, func() (Endpoint, error) { return c.endpoint(), nil })
	if got := c.await(t, 2); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("delivered %v, want what is well formed", got)
	}
	if st := stop(3); st.Refused != 1 {
		t.Errorf("stats %+v, want 1 refused", st)
	}
	text, err := os.ReadFile(filepath.Join(r.dir, "refused.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var kept refused
	if err := json.Unmarshal(text, &kept); err != nil || kept.Seq != 2 || kept.Status != 0 || kept.Reason == "" || !bytes.Equal(kept.Record, []byte{0xff, 0xff, 0xff}) {
		t.Errorf("kept %s, %v", text, err)
	}
}

func TestQuarantineIsBounded(t *testing.T) {
	q := newQuarantine(t.TempDir())
	for i := range 12 {
		if err := q.add(refused{Seq: uint64(i), Record: bytes.Repeat([]byte{1}, 1<<20)}); err != nil {
			t.Fatal(err)
		}
	}
	total := int64(0)
	for _, path := range []string{q.path, q.path + ".old"} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 2*maxQuarantine {
		t.Errorf("%d bytes, want at most %d", total, 2*maxQuarantine)
	}
}

// TestLiveFirst: after an absence the youngest record goes first, then the
// others from the oldest on, and what comes in meanwhile goes in between.
func TestLiveFirst(t *testing.T) {
	r := newRig(t)
	c := newCollector(t, func(seq string, _ int) (int, map[string]string) {
		if seq == "10" {
			r.fill(t, "new")
		}
		return 200, nil
	})
	for range 30 {
		r.fill(t, "old")
	}
	stop := r.run(t, func() (Endpoint, error) { return c.endpoint(), nil })
	got := strings.Join(c.await(t, 31), " ")
	stop(31)
	want := "30 1 2 3 4 5 6 7 8 9 10 31 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	cursor, err := r.buffer.Cursor(cursorName)
	if err != nil {
		t.Fatal(err)
	}
	if cursor.Position() != 31 {
		t.Errorf("the cursor stands at %d, want 31", cursor.Position())
	}
}

// TestSecondAddress: a dead address is passed over at once, and the one that
// answers is kept.
func TestSecondAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := l.Addr().String()
	_ = l.Close()
	c := newCollector(t, nil)
	r := newRig(t)
	r.fill(t, "a", "b")
	stop := r.run(t, func() (Endpoint, error) {
		e := c.endpoint()
		e.Addresses = append([]string{dead}, e.Addresses...)
		return e, nil
	})
	c.await(t, 2)
	if s := stop(2); s.Failed != 1 {
		t.Errorf("failed %d times, want once for two records", s.Failed)
	}
}

// TestWaitsForEnrolment: without an identity nothing is lost, and it is looked for again.
func TestWaitsForEnrolment(t *testing.T) {
	c := newCollector(t, nil)
	r := newRig(t)
	r.fill(t, "a")
	asked := 0
	stop := r.run(t, func() (Endpoint, error) {
		if asked++; asked < 4 {
			return Endpoint{}, fmt.Errorf("not enrolled")
		}
		return c.endpoint(), nil
	})
	c.await(t, 1)
	stop(1)
	log := r.log.String()
	if strings.Count(log, "cannot deliver yet") != 1 || !strings.Contains(log, "delivering again") || !strings.Contains(log, "times=3") {
		t.Errorf("want one fault and its end with the count, got:\n%s", log)
	}
}

// TestForeignCertificate: a server of another authority gets nothing.
func TestForeignCertificate(t *testing.T) {
	c := newCollector(t, nil)
	r := newRig(t)
	r.fill(t, "secret")
	stop := r.run(t, func() (Endpoint, error) {
		e := c.endpoint()
		e.TLS = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "example.com", MinVersion: tls.VersionTLS13}
		return e, nil
	})
	eventually(t, func() bool { return strings.Contains(r.log.String(), "certificate is not of the authority") })
	if s := stop(0); s.Delivered != 0 {
		t.Errorf("delivered %d records to a stranger", s.Delivered)
	}
}
