package evaluate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/settings"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// certificate is how long a host's certificate lasts in these tests: their
// clock runs through months.
const certificate = 90 * 24 * time.Hour

// living is a whole collector by the test's clock, with all it keeps on disk,
// and the hosts that deliver to it over their own certificates.
type living struct {
	t    testing.TB
	data string
	now  atomic.Int64 // ms

	url, agents string
	stop        func()
	since       int64         // ms, of the last start
	token       func() string // a new one to enrol with
	hosts       map[string]*host
	accepted    uint64 // requests: each is one record of the journal
	restarts    int
}

type host struct {
	id      identity.Identity
	since   int64 // ms, of its certificate
	client  *http.Client
	through string // the collector's address the client is for
	seq     uint64
}

// startLiving starts a collector at an instant with the catalogue.
func startLiving(t testing.TB, catalogue string, at int64) *living {
	t.Helper()
	l := &living{t: t, data: t.TempDir(), hosts: map[string]*host{}}
	l.now.Store(at)
	if err := os.WriteFile(filepath.Join(l.data, "catalogue.yaml"), []byte(catalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	l.start()
	t.Cleanup(func() { l.stop() })
	return l
}

func (l *living) clock() time.Time { return time.UnixMilli(l.now.Load()) }

func (l *living) start() {
	l.t.Helper()
	config := collector.Defaults()
	config.Data, config.Listen, config.ListenAgents = l.data, "127.0.0.1:0", "127.0.0.1:0"
	config.CertificateLife = settings.Duration(certificate)
	c, err := collector.New(collector.Options{Config: config, Version: "test", Now: l.clock, Log: slog.New(slog.DiscardHandler), Stdout: io.Discard})
	if err != nil {
		l.t.Fatalf("start the collector at %v: %v", l.clock(), err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	l.url, l.agents, l.since = c.URL(), c.AgentsAddr(), l.now.Load()
	l.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			l.t.Errorf("stop: %v", err)
		}
	})
	l.token = func() string {
		token, err := c.EnrolToken(context.Background(), "acme", time.Hour)
		if err != nil {
			l.t.Fatal(err)
		}
		return token.Token
	}
}

func (l *living) restart() {
	l.t.Helper()
	l.stop()
	l.restarts++
	l.start()
}

// move sets the clock. Over days it does so with the collector stopped, and
// after weeks it starts it anew: it has certificates of its own to renew, which
// it looks at by a real ticker.
func (l *living) move(to int64) {
	l.t.Helper()
	if to-l.now.Load() < 5*day && to-l.since < 30*day {
		l.now.Store(max(to, l.now.Load()))
		return
	}
	l.stop()
	l.now.Store(to)
	l.restarts++
	l.start()
}

func (l *living) host(name string) *host {
	l.t.Helper()
	h := l.hosts[name]
	if h == nil {
		h = &host{}
		l.hosts[name] = h
	}
	if now := l.now.Load(); h.since == 0 || now-h.since > certificate.Milliseconds()/2 {
		id, err := identity.Enrol(context.Background(), identity.Request{Token: l.token(), Collector: l.agents, Hostname: name, Version: "1",
			Dir: filepath.Join(l.data, "hosts", name), Now: l.clock})
		if err != nil {
			l.t.Fatalf("enrol %s: %v", name, err)
		}
		if id.Instance != name {
			l.t.Fatalf("%s is listed as %s", name, id.Instance)
		}
		h.id, h.since, h.through = id, now, ""
	}
	if h.through != l.agents {
		config := h.id.ClientTLS()
		config.Time = l.clock
		h.client, h.through = &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: time.Minute}, l.agents
	}
	return h
}

// deliver sends requests of several hosts, all at once.
func (l *living) deliver(all []happening) {
	l.t.Helper()
	var wait sync.WaitGroup
	for _, e := range all {
		h := l.host(e.from)
		h.seq++
		req, err := http.NewRequest(http.MethodPost, "https://"+l.agents+wire.WritePath, bytes.NewReader(samplesOf(e.facts)))
		if err != nil {
			l.t.Fatal(err)
		}
		for name, text := range map[string]string{"Content-Type": wire.ContentType1, "Content-Encoding": "snappy", wire.HeaderRun: "run", wire.HeaderSeq: strconv.FormatUint(h.seq, 10)} {
			req.Header.Set(name, text)
		}
		wait.Go(func() {
			resp, err := h.client.Do(req)
			if err != nil {
				l.t.Errorf("deliver from %s at %v: %v", e.from, l.clock(), err)
				return
			}
			text, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode/100 != 2 {
				l.t.Errorf("deliver from %s at %v: status %d: %s", e.from, l.clock(), resp.StatusCode, text)
			}
		})
	}
	wait.Wait()
	if l.accepted += uint64(len(all)); l.t.Failed() {
		l.t.FailNow()
	}
}

// samplesOf is the body that says the facts.
func samplesOf(facts []fact) []byte {
	var samples []batch.Sample
	series := map[string]*batch.Series{}
	for _, f := range facts {
		s := series[f.component]
		if s == nil {
			s = &batch.Series{Labels: labels.FromStrings("__name__", "plimsoll_check_state", "component", f.component, "check", "http")}
			series[f.component] = s
		}
		samples = append(samples, batch.Sample{Series: s, T: f.at, V: map[state]float64{up: 1, degraded: 0.5, down: 0}[f.state]})
	}
	return batch.Encode(samples)
}

// get asks the collector's pages' port.
func (l *living) get(path string) []byte {
	l.t.Helper()
	resp, err := http.Get(l.url + path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		l.t.Fatalf("GET %s: status %d, %v: %s", path, resp.StatusCode, err, text)
	}
	return text
}

// settle waits until the fold has taken up all that was delivered, and the
// series all that a start reads again.
func (l *living) settle() {
	l.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if l.counter("plimsoll_fold_folded_position") == float64(l.accepted) && l.ready() {
			return
		}
	}
	l.t.Fatalf("folded up to record %v of %d", l.counter("plimsoll_fold_folded_position"), l.accepted)
}

// ready tells whether the collector says so.
func (l *living) ready() bool {
	l.t.Helper()
	resp, err := http.Get(l.url + "/-/ready")
	if err != nil {
		l.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// counter is a metric of the collector with exactly this name and labels.
func (l *living) counter(name string) float64 {
	l.t.Helper()
	for line := range strings.Lines(string(l.get("/metrics"))) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				l.t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// figures are those of the problem's agreements as the API tells them.
func (l *living) figures(p *problem, prefix string) []any {
	l.t.Helper()
	query := url.Values{"from": {p.from.String()}, "to": {p.to.String()}, "as_of": {rfc3339(p.asOf)}}
	var body struct {
		Services []any `json:"services"`
	}
	decodeLoosely(l.t, l.get("/api/v1/services?"+query.Encode()), &body)
	var own []any
	for _, each := range body.Services {
		if number, ok := each.(map[string]any)["agreement"].(string); ok && strings.HasPrefix(number, prefix) {
			own = append(own, each)
		}
	}
	return own
}

func decodeLoosely(t testing.TB, text []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// forget takes away every raw sample: the series, and the journal they would
// be read from again. What is left are the streaks of the ledger.
func (l *living) forget() {
	l.t.Helper()
	l.stop()
	segments, err := filepath.Glob(filepath.Join(l.data, "journal", "*"))
	if err != nil || len(segments) == 0 {
		l.t.Fatalf("the journal's segments: %v, %v", segments, err)
	}
	for _, name := range append(segments, filepath.Join(l.data, "series")) {
		if err := os.RemoveAll(name); err != nil {
			l.t.Fatal(err)
		}
	}
	l.start()
	query := url.Values{"from": {"1970-01-02"}, "to": {"2050-01-01"}}
	if rows := strings.Count(string(l.get("/api/v1/facts.csv?"+query.Encode())), "\n"); rows != 1 {
		l.t.Fatalf("%d raw facts are left", rows-1)
	}
}

// unlike lists where got lacks or differs from what evaluate says. Members
// that evaluate does not have are the API's own.
func unlike(path string, want, got any) (lines []string) {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: got %v, want an object", path, got)}
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			lines = append(lines, unlike(path+"."+key, want[key], got[key])...)
		}
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
		}
		for i := range want {
			lines = append(lines, unlike(fmt.Sprintf("%s[%d]", path, i), want[i], got[i])...)
		}
	default:
		if fmt.Sprint(want) != fmt.Sprint(got) {
			lines = []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
		}
	}
	return lines
}

// unwanted lists what of an entry is not as worked out by hand: fields and
// their values, times as 1h30m, the beginning of a number with a … behind it.
func unwanted(number, want string, entries []any) (lines []string) {
	i := slices.IndexFunc(entries, func(e any) bool { return e.(map[string]any)["agreement"] == number })
	if i < 0 {
		return []string{"there is no entry of " + number}
	}
	for _, each := range strings.Split(want, ", ") {
		field, value, _ := strings.Cut(each, " ")
		got := entries[i]
		for _, key := range strings.Split(field, ".") {
			switch in := got.(type) {
			case map[string]any:
				got = in[key]
			case []any:
				n, _ := strconv.Atoi(key)
				got = in[n]
			}
		}
		text := fmt.Sprint(got)
		if got == nil {
			text = "null"
		}
		if d, err := time.ParseDuration(value); err == nil {
			value = strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
		}
		if begin, open := strings.CutSuffix(value, "…"); text != value && (!open || !strings.HasPrefix(text, begin)) {
			lines = append(lines, fmt.Sprintf("%s %s: got %s, by hand %s", number, field, text, value))
		}
	}
	return lines
}

// tooSure lists the outages that claim to be surer of their beginning than
// their facts are: an earliest instant after that of evaluate, or none.
func tooSure(want, got []any) (lines []string) {
	earliest := func(entries []any) (all []time.Time) {
		for _, e := range entries {
			for _, o := range e.(map[string]any)["outages"].([]any) {
				text, _ := o.(map[string]any)["earliest"].(string)
				at, _ := time.Parse(time.RFC3339, text) // null: zero
				all = append(all, at)
			}
		}
		return all
	}
	if w, g := earliest(want), earliest(got); len(w) == len(g) {
		for i := range w {
			if g[i].After(w[i]) || g[i].IsZero() != w[i].IsZero() {
				lines = append(lines, fmt.Sprintf("outage %d: earliest %v, by its facts %v", i, g[i], w[i]))
			}
		}
	}
	return lines
}
