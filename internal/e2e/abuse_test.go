package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"

	"github.com/plimsoll/plimsoll/internal/need"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// What the abused collector may do to others, and to its machine.
const (
	goodHosts   = 10
	mayGrow     = 64 << 20 // bytes resident
	abuseWarmup = 4 * time.Second
)

// abused is a collector with well-behaved hosts, and somebody who is not.
type abused struct {
	site
	process *process
	agents  string
	good    []*loader
	stop    context.CancelFunc
	sending sync.WaitGroup
	quiet   atomic.Bool // the abuse has not begun yet

	mu     sync.Mutex
	before []time.Duration // acknowledgement times of the good hosts
	during []time.Duration
	failed []string
	rest   int64 // bytes resident before the abuse
	peak   int64
}

func newAbused(t *testing.T) *abused {
	t.Helper()
	dir, people, agents := t.TempDir(), freeAddr(t), freeAddr(t)
	a := &abused{site: site{t, "http://" + people}, agents: agents}
	a.process = start(t, "plimsoll-collector", "run", "--data", dir, "--listen", people, "--listen-agents", agents)
	waitFor(t, "the collector is ready", 20*time.Second, func() bool { status, _ := a.get("/-/ready"); return status == http.StatusOK })
	for i := range goodHosts {
		a.good = append(a.good, newLoader(t, a.site, agents, fmt.Sprintf("good-%d", i), 100))
	}
	var ctx context.Context
	ctx, a.stop = context.WithCancel(t.Context())
	a.quiet.Store(true)
	for _, l := range a.good {
		a.sending.Go(func() { a.behave(ctx, l) })
	}
	a.sending.Go(func() { a.weigh(ctx) })
	time.Sleep(abuseWarmup)
	a.quiet.Store(false)
	return a
}

// behave sends a batch every 200 ms and notes how long each took.
func (a *abused) behave(ctx context.Context, l *loader) {
	for ctx.Err() == nil {
		begin := time.Now()
		err := l.send(ctx)
		took := time.Since(begin)
		a.mu.Lock()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			a.failed = append(a.failed, err.Error())
		case a.quiet.Load():
			a.before = append(a.before, took)
		default:
			a.during = append(a.during, took)
		}
		a.mu.Unlock()
		select {
		case <-time.After(200*time.Millisecond - time.Since(begin)):
		case <-ctx.Done():
		}
	}
}

// weigh watches how much of the machine's memory the collector has.
func (a *abused) weigh(ctx context.Context) {
	for ctx.Err() == nil {
		now := resident(a.t, a.process.cmd.Process.Pid)
		if a.quiet.Load() {
			a.rest = max(a.rest, now)
		}
		a.peak = max(a.peak, now)
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// settle ends the test: what happened to others, and to memory.
func (a *abused) settle(what string) {
	a.t.Helper()
	a.stop()
	a.sending.Wait()
	p99 := func(times []time.Duration) time.Duration {
		slices.Sort(times)
		if len(times) == 0 {
			return 0
		}
		return times[len(times)*99/100]
	}
	before, during := p99(a.before), p99(a.during)
	a.t.Logf("%s: %d good requests, %d failed; p99 %v before, %v during; memory %d MiB before, at most %d during: +%d MiB (limit %d)", what, len(a.during), len(a.failed),
		before.Round(100*time.Microsecond), during.Round(100*time.Microsecond), a.rest>>20, a.peak>>20, (a.peak-a.rest)>>20, mayGrow>>20)
	if len(a.failed) > 0 {
		a.t.Errorf("%d good requests failed, such as: %s", len(a.failed), a.failed[0])
	}
	if len(a.during) < goodHosts {
		a.t.Errorf("only %d good requests", len(a.during))
	}
	// A shared machine makes any p99 jump; an agent never waits longer than this.
	if during > max(2*before, time.Second) {
		a.t.Errorf("p99 of the good hosts went from %v to %v", before, during)
	}
	if a.peak-a.rest > mayGrow {
		a.t.Errorf("memory grew by %d MiB, want at most %d", (a.peak-a.rest)>>20, mayGrow>>20)
	}
	if log := a.process.log.String(); strings.Contains(log, "panic") {
		a.t.Errorf("it panicked:\n%s", tail(log, 40))
	}
}

func resident(t testing.TB, pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Error(err)
	}
	return pages * int64(os.Getpagesize())
}

func needProc(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		need.Missing(t, "no /proc to read a process's memory from")
	}
}

// post sends a body as the host of the loader and returns the status.
func (l *loader) post(contentType string, body io.Reader) (int, string, error) {
	req, err := http.NewRequest(http.MethodPost, l.url, body)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := l.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, string(text), err
}

// bombs are bodies that cost more than they weigh, or are not what they say.
func bombs() map[string][]byte {
	uvarint := func(n uint64) []byte {
		var out []byte
		for ; n >= 0x80; n >>= 7 {
			out = append(out, byte(n)|0x80)
		}
		return append(out, byte(n))
	}
	field := func(tag byte, data []byte) []byte {
		return append(append([]byte{tag}, uvarint(uint64(len(data)))...), data...)
	}
	label := func(name, value string) []byte {
		return field(0x0a, append(field(0x0a, []byte(name)), field(0x12, []byte(value))...))
	}
	now := uint64(time.Now().UnixMilli())
	sample := field(0x12, append([]byte{9, 0, 0, 0, 0, 0, 0, 0, 0, 0x10}, uvarint(now)...))
	repeat := func(part []byte, n int) []byte { return bytes.Repeat(part, n) }
	random := make([]byte, 2<<20)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	wide := append(label("__name__", "a"), sample...)
	out := map[string][]byte{
		"seven bytes that say 4 GiB":      {0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0},
		"sixty bytes that say 31 MiB":     append(uvarint(31<<20), make([]byte, 56)...),
		"noise":                           random,
		"noise in snappy":                 snappy.Encode(nil, random),
		"24 MiB of zeros":                 snappy.Encode(nil, make([]byte, 24<<20-1)),
		"24 MiB of fields nobody knows":   snappy.Encode(nil, repeat([]byte{0x38, 1}, 12<<20-1)),
		"six million empty series":        snappy.Encode(nil, repeat([]byte{0x0a, 0}, 6<<20)),
		"200 000 series of one name":      snappy.Encode(nil, repeat(field(0x0a, wide), 190_000)),
		"one series of a million samples": snappy.Encode(nil, field(0x0a, append(label("__name__", "a"), repeat(sample, 1_000_000)...))),
		"one series of 200 000 samples":   snappy.Encode(nil, field(0x0a, append(label("__name__", "a"), repeat(sample, 200_000)...))),
		"a label of 23 MiB":               snappy.Encode(nil, field(0x0a, append(label("__name__", strings.Repeat("a", 23<<20)), sample...))),
		"a million labels":                snappy.Encode(nil, field(0x0a, append(repeat(label("a", "b"), 1_000_000), sample...))),
		"a million histograms":            snappy.Encode(nil, field(0x0a, append(label("__name__", "a"), repeat([]byte{0x22, 0}, 1_000_000)...))),
		"groups in groups":                snappy.Encode(nil, repeat([]byte{0x0b}, 1<<20)),
		"a length beyond the end":         snappy.Encode(nil, append([]byte{0x0a}, uvarint(1<<40)...)),
		"a varint without an end":         snappy.Encode(nil, repeat([]byte{0xff}, 1<<20)),
		"two million symbols":             snappy.Encode(nil, repeat([]byte{0x22, 1, 'a'}, 2<<20)),
		"23 MiB of symbols":               snappy.Encode(nil, append([]byte{0x22, 0}, field(0x22, make([]byte, 23<<20))...)),
		"more than the limit of a body":   make([]byte, 5<<20),
		"nothing":                         {},
		"a time in 2099":                  snappy.Encode(nil, field(0x0a, append(label("__name__", "a"), field(0x12, append([]byte{0x10}, uvarint(4_070_908_800_000)...))...))),
		"a time in 1970":                  snappy.Encode(nil, field(0x0a, append(label("__name__", "a"), field(0x12, []byte{0x10, 1})...))),
		"64 labels of the largest permitted": snappy.Encode(nil, field(0x0a, append(append(label("__name__", "a"), func() (all []byte) {
			for i := range 63 {
				all = append(all, label(fmt.Sprint("l", i), strings.Repeat("v", 4096))...)
			}
			return all
		}()...), sample...))),
	}
	for name, body := range map[string][]byte{"a good body": out["45 000 series of one name"]} { // cut anywhere
		for i := range 20 {
			out[fmt.Sprintf("%s cut %d", name, i)] = body[:len(body)*i/20]
		}
	}
	return out
}

// TestBombs: a host sends bombs and garbage over eight connections as fast as
// it can. No other host notices, nothing panics, and memory does not grow.
//
// The times are of the good hosts, from their request to its acknowledgement,
// in this process, which shares the machine's cores with the collector and with
// whatever else runs there; the bomber gives way to both (see bomber).
func TestBombs(t *testing.T) {
	needProc(t)
	a := newAbused(t)
	did := runBomber(t, a, "bad")
	for _, fault := range did.Faults {
		t.Error(fault)
	}
	a.settle(fmt.Sprintf("%d kinds of bombs, answers by status %v", did.Kinds, did.Statuses))
}

// TestCardinality: one host brings a million series. It keeps those it had,
// every other one is refused and counted, and nobody else notices.
func TestCardinality(t *testing.T) {
	needProc(t)
	a := newAbused(t)
	bad := newLoader(t, a.site, a.agents, "bad", 1)
	bad.client.Timeout = time.Minute
	const all, each = 1_000_000, 10_000
	var text string
	for from := 0; from < all; from += each {
		var raw []byte
		at := time.Now().UnixMilli()
		for i := range each {
			raw = appendSeries(raw, fmt.Sprintf("s%d", from+i), at)
		}
		status, said, err := bad.post(wire.ContentType1, bytes.NewReader(snappy.Encode(nil, raw)))
		if want := http.StatusBadRequest; err != nil || status != want {
			t.Fatalf("series from %d: got %d %s %v, want %d", from, status, said, err, want)
		}
		text = said
	}
	status, said, err := bad.post(wire.ContentType1, bytes.NewReader(snappy.Encode(nil, appendSeries(nil, "s0", time.Now().UnixMilli()))))
	if err != nil || status != http.StatusNoContent {
		t.Errorf("a series it had: got %d %s %v, want 204", status, said, err)
	}
	t.Logf("the last answer: %s", strings.TrimSpace(text))
	refused := 0.0
	for line := range strings.Lines(a.mustGet("/metrics")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), `plimsoll_receive_rejected_total{instance="bad",reason="series_limit"} `); ok {
			refused, _ = strconv.ParseFloat(value, 64)
		}
	}
	if refused != all-5000 {
		t.Errorf("counted %v series refused, want %d", refused, all-5000)
	}
	a.settle("one host with a million series")
}

// appendSeries appends a time series of one sample, remote write 1.0.
func appendSeries(dst []byte, n string, at int64) []byte {
	field := func(dst []byte, tag byte, data []byte) []byte {
		return append(append(dst, tag, byte(len(data))), data...)
	}
	pair := func(name, value string) []byte { return field(field(nil, 0x0a, []byte(name)), 0x12, []byte(value)) }
	s := field(field(nil, 0x0a, pair("__name__", "cardinality")), 0x0a, pair("n", n))
	sample := []byte{9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10}
	for v := uint64(at); ; v >>= 7 {
		if v < 0x80 {
			sample = append(sample, byte(v))
			break
		}
		sample = append(sample, byte(v)|0x80)
	}
	return field(dst, 0x0a, field(s, 0x12, sample))
}

// TestSlowClients: 600 connections send a byte a second, or nothing. They are
// cut off, and no good host notices.
func TestSlowClients(t *testing.T) {
	needProc(t)
	a := newAbused(t)
	resp, err := http.Post(a.base+"/api/v1/senders", "application/json", strings.NewReader(`{"for":"prometheus"}`))
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ Token, CA string }
	err = json.NewDecoder(resp.Body).Decode(&made)
	_ = resp.Body.Close()
	if err != nil || made.Token == "" {
		t.Fatalf("make a token: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(made.CA))
	head := "POST " + wire.WritePath + " HTTP/1.1\r\nHost: x\r\n"
	kinds := map[string]func(c net.Conn) string{
		"no handshake": nil,
		"slow head":    func(net.Conn) string { return head + strings.Repeat("X-A: b\r\n", 100) },
		"slow body": func(c net.Conn) string {
			_, _ = io.WriteString(c, head+"Authorization: Bearer "+made.Token+"\r\nContent-Length: 2000\r\n\r\n")
			return strings.Repeat("a", 2000)
		},
	}
	cut := map[string]*atomic.Int64{}
	begin := time.Now()
	var slow sync.WaitGroup
	for name, say := range kinds {
		cut[name] = new(atomic.Int64)
		for n := range 200 {
			slow.Go(func() {
				time.Sleep(time.Duration(n) * 15 * time.Millisecond)       // a stampede is another test
				from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%8))} // not the address of the good ones
				raw, err := (&net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}).Dial("tcp", a.agents)
				if err != nil {
					cut[name].Add(1)
					return
				}
				defer func() { _ = raw.Close() }()
				c, text := raw, strings.Repeat("\x16", 1000)
				if say != nil {
					secure := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: wire.SenderServerName})
					if err := secure.Handshake(); err != nil {
						cut[name].Add(1)
						return
					}
					c = secure
					text = say(c)
				}
				ended := make(chan struct{})
				go func() {
					_, _ = io.Copy(io.Discard, c)
					close(ended)
				}()
				for i := 0; time.Since(begin) < 20*time.Second; i++ {
					if _, err := io.WriteString(c, text[i:i+1]); err != nil {
						cut[name].Add(1)
						return
					}
					select {
					case <-ended:
						cut[name].Add(1)
						return
					case <-time.After(time.Second):
					}
				}
			})
		}
	}
	slow.Wait()
	for name, n := range cut {
		if n.Load() < 200 {
			t.Errorf("%s: %d of 200 were cut off within 20 s", name, n.Load())
		}
	}
	a.settle("600 slow connections")
}
