package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/need"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// token asks a running collector for a one-time token.
func (s site) token() string {
	s.t.Helper()
	resp, err := http.Post(s.base+"/api/v1/enrol-tokens", "application/json", strings.NewReader(`{"ttl":"1h","customer":"c"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var made struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.Token == "" {
		s.t.Fatalf("make a token: status %d: %v", resp.StatusCode, err)
	}
	return made.Token
}

// loader is a host that sends samples of its own and writes down each one
// that was acknowledged: the oracle.
type loader struct {
	id     identity.Identity
	client *http.Client
	url    string
	seq    uint64
	lastAt int64 // Unix ms of the last batch
	series int

	mu      sync.Mutex
	acked   map[int64]float64 // instant ms ─▶ value, the same for each series of the batch
	lastAck time.Time
	turns   int // of the power, on and off: odd = off
}

// turn tells the loader that the power goes off or on. An acknowledgement that
// comes afterwards for something sent before is none: with the power gone it
// could not have been sent.
func (l *loader) turn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turns++
}

// on tells whether the power is on, and since which turn.
func (l *loader) on() (turn int, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turns, l.turns%2 == 0
}

func newLoader(t *testing.T, s site, agents, name string, series int) *loader {
	t.Helper()
	id, err := identity.Enrol(context.Background(), identity.Request{Token: s.token(), Collector: agents, Hostname: name, Version: "e2e", Dir: filepath.Join(t.TempDir(), name)})
	if err != nil {
		t.Fatalf("enrol %s: %v", name, err)
	}
	transport := &http.Transport{TLSClientConfig: id.ClientTLS()}
	t.Cleanup(transport.CloseIdleConnections)
	return &loader{id: id, client: &http.Client{Transport: transport, Timeout: 5 * time.Second}, url: "https://" + agents + wire.WritePath,
		series: series, acked: map[int64]float64{}}
}

// body is one sample at the instant for each series, remote write 2.0.
func (l *loader) body(at int64, value float64) ([]byte, error) {
	symbols := []string{"", "__name__", "load_value", "n"}
	req := &writev2.Request{}
	for i := range l.series {
		symbols = append(symbols, strconv.Itoa(i))
		req.Timeseries = append(req.Timeseries, &writev2.TimeSeries{
			LabelsRefs: []uint32{1, 2, 3, uint32(len(symbols) - 1)},
			Samples:    []*writev2.Sample{{Timestamp: at, Value: value}},
		})
	}
	req.Symbols = symbols
	raw, err := req.MarshalVT()
	if err != nil {
		return nil, err
	}
	return snappy.Encode(nil, raw), nil
}

// send delivers one batch and notes it when it was acknowledged.
func (l *loader) send(ctx context.Context) error {
	// Two batches within one millisecond would be two values at one instant,
	// of which the first stands: that is not what this test is about.
	at, value := max(time.Now().UnixMilli(), l.lastAt+1), rand.Float64()
	l.lastAt = at
	l.seq++
	sent, on := l.on()
	body, err := l.body(at, value)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", wire.ContentType2)
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("X-Prometheus-Remote-Write-Version", "2.0.0")
	e := wire.Envelope{Run: "e2e", Boot: "e2e", Seq: l.seq, Clocks: wire.Clocks{Wall: at}}
	e.SetHeaders(req.Header, e.Clocks)
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !on || l.turns != sent {
		return nil
	}
	l.acked[at] = value
	l.lastAck = time.Now()
	return nil
}

// run sends every 20 ms until ctx ends; what fails is not acknowledged and not sent again.
func (l *loader) run(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = l.send(ctx)
		}
	}
}

// newestAcked is the time of the newest acknowledged batch, Unix ms.
func (l *loader) newestAcked() (newest int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at := range l.acked {
		newest = max(newest, at)
	}
	return newest
}

func (l *loader) ackedAfter(t time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastAck.After(t)
}

// pair is a collector and an agent as two processes.
type pair struct {
	site
	t                *testing.T
	data, agentDir   string
	collectorArgs    []string
	agentArgs        []string
	collector, agent *process
}

const killCatalogue = `components: [{name: %[1]q, interval: 1s}]
services: [{name: s, customer: c, needs: {all_of: [%[1]q]}}]
resources:
  - name: always-full
    kind: technical
    unit: bytes
    per: [instance]
    used: node_memory_MemTotal_bytes
    limit: node_memory_MemTotal_bytes
    warning: 80%%
    critical: 90%%
    clear: 50%%
    for: 0s
`

func startPair(t *testing.T) *pair {
	t.Helper()
	return startPairIn(t, t.TempDir(), t.TempDir())
}

// startPairIn starts a pair on directories of the caller's.
func startPairIn(t *testing.T, data, agentDir string) *pair {
	t.Helper()
	listen, agents := freeAddr(t), freeAddr(t)
	p := &pair{site: site{t, "http://" + listen}, t: t, data: data, agentDir: agentDir}
	for _, dir := range [...]string{data, agentDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(p.data, "catalogue.yaml"), fmt.Appendf(nil, killCatalogue, hostname(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(p.agentDir, "agent.yaml")
	if err := os.WriteFile(config, []byte("interval: 1s\nlisten: off\ndata: "+p.agentDir+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.collectorArgs = []string{"run", "--data", p.data, "--listen", listen, "--listen-agents", agents}
	p.agentArgs = []string{"run", "--config", config}
	p.startCollector()
	waitFor(t, "the collector healthy", 10*time.Second, func() bool { status, _ := p.get("/-/healthy"); return status == http.StatusOK })
	if out, errs, status := runOnce(t, "plimsoll-agent", "enrol", "--collector", agents, "--token", p.token(), "--data", p.agentDir); status != 0 {
		t.Fatalf("enrol: %s %s", out, errs)
	}
	p.startAgent()
	return p
}

func (p *pair) startCollector() { p.collector = start(p.t, "plimsoll-collector", p.collectorArgs...) }
func (p *pair) startAgent()     { p.agent = start(p.t, "plimsoll-agent", p.agentArgs...) }
func (p *pair) agentsAddr() string {
	return p.collectorArgs[len(p.collectorArgs)-1]
}

// TestKill: random kill -9 of the collector, the agent or both under load.
// Nothing acknowledged is missing or wrong, the agent's sequence in the
// journal has at most one hole a kill, there is one problem record, and each
// restart acknowledges within 2 s.
func TestKill(t *testing.T) {
	cycles, random := need.Rounds(t, 100, 1000), need.Random(t)
	p := startPair(t)
	ctx, stopLoad := context.WithCancel(context.Background())
	defer stopLoad()
	var loaders []*loader
	var running sync.WaitGroup
	for i := range 4 {
		l := newLoader(t, p.site, p.agentsAddr(), fmt.Sprintf("load-%d", i), 50)
		loaders = append(loaders, l)
		running.Go(func() { l.run(ctx) })
	}
	// The record must be there before the first kill, or no judge would live
	// long enough to see the agent's values.
	waitFor(t, "the problem record", 30*time.Second, func() bool { return len(p.problems()) == 1 })
	begin := time.Now()
	var agentKills []time.Time
	slowest := time.Duration(0)
	for cycle := range cycles {
		<-time.After(time.Duration(random.IntN(900)) * time.Millisecond)
		victim := random.IntN(3)
		if victim != 0 {
			agentKills = append(agentKills, time.Now())
			p.agent.kill()
		}
		if victim != 1 {
			p.collector.kill()
			restarted := time.Now()
			p.startCollector()
			took := waitFor(t, fmt.Sprintf("an acknowledgement after kill %d of the collector", cycle), 10*time.Second,
				func() bool { return loaders[cycle%len(loaders)].ackedAfter(restarted) })
			slowest = max(slowest, took)
		}
		if victim != 0 {
			p.startAgent()
		}
	}
	t.Logf("%d kills in %v, %d of them of the agent; slowest restart to acknowledgement %v", cycles, time.Since(begin), len(agentKills), slowest)
	if slowest > 2*time.Second {
		t.Errorf("a restart took %v to acknowledge, want at most 2 s", slowest)
	}
	<-time.After(3 * time.Second)
	stopLoad()
	running.Wait()
	waitFor(t, "the collector caught up", 60*time.Second, func() bool { status, _ := p.get("/-/ready"); return status == http.StatusOK })
	for _, l := range loaders {
		checkAcknowledged(t, p.site, l, begin)
	}
	<-time.After(6 * time.Second) // a round of the judge after the last kill
	if problems := p.problems(); len(problems) != 1 {
		t.Errorf("%d problem records, want exactly one: %+v", len(problems), problems)
	}
	checkBreaks(t, p.site, agentKills, time.Second)
	p.agent.stop()
	p.collector.stop()
	checkAgentSequence(t, p.data, len(agentKills))
}

// TestKillQuickstart: the same of the one process a newcomer runs, collector,
// agent and sample page together.
func TestKillQuickstart(t *testing.T) {
	t.Parallel()
	cycles := need.Rounds(t, 20, 200)
	listen, agents, data := freeAddr(t), freeAddr(t), t.TempDir()
	s := site{t, "http://" + listen}
	for name, text := range map[string]string{"catalogue.yaml": fmt.Sprintf(killCatalogue, hostname(t)), "agent.yaml": "interval: 1s\nlisten: off\n"} {
		if err := os.WriteFile(filepath.Join(data, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	whole := func() *process {
		return start(t, "plimsoll-collector", "quickstart", "--data", data, "--listen", listen, "--listen-agents", agents, "--listen-sample", "127.0.0.1:0")
	}
	random := need.Random(t)
	running := whole()
	waitFor(t, "the problem record", 30*time.Second, func() bool { _, err := s.tryQuery("up", time.Time{}); return err == nil && len(s.problems()) == 1 })
	ctx, stopLoad := context.WithCancel(context.Background())
	defer stopLoad()
	l := newLoader(t, s, agents, "load", 50)
	var load sync.WaitGroup
	load.Go(func() { l.run(ctx) })
	begin, slowest := time.Now(), time.Duration(0)
	var kills []time.Time
	for cycle := range cycles {
		<-time.After(time.Duration(300+random.IntN(1500)) * time.Millisecond)
		kills = append(kills, time.Now())
		running.kill()
		restarted := time.Now()
		running = whole()
		slowest = max(slowest, waitFor(t, fmt.Sprintf("an acknowledgement after kill %d", cycle), 10*time.Second, func() bool { return l.ackedAfter(restarted) }))
	}
	t.Logf("%d kills in %v; slowest restart to acknowledgement %v", cycles, time.Since(begin), slowest)
	if slowest > 2*time.Second {
		t.Errorf("a restart took %v to acknowledge, want at most 2 s", slowest)
	}
	<-time.After(3 * time.Second)
	stopLoad()
	load.Wait()
	waitFor(t, "the collector caught up", 60*time.Second, func() bool { status, _ := s.get("/-/ready"); return status == http.StatusOK })
	checkAcknowledged(t, s, l, begin)
	if problems := s.problems(); len(problems) != 1 {
		t.Errorf("%d problem records, want exactly one: %+v", len(problems), problems)
	}
	checkBreaks(t, s, kills, time.Second)
	running.stop()
	checkAgentSequence(t, data, cycles)
}

// checkAcknowledged compares each series of the loader with its list.
func checkAcknowledged(t *testing.T, s site, l *loader, begin time.Time) {
	t.Helper()
	span := int(time.Since(begin).Seconds()) + 60
	var got []point
	// The agent's interval is short, but the fan-out is not: allow it to settle.
	waitFor(t, "the last acknowledged sample in the series", 30*time.Second, func() bool {
		points, err := s.tryQuery(fmt.Sprintf(`load_value{instance=%q}[%ds]`, l.id.Instance, span), time.Now().Add(time.Second))
		got = points
		// What was journaled but not acknowledged is there too: only the newest
		// tells that all before it has been taken up.
		return err == nil && len(points) == l.series && !slices.ContainsFunc(points, func(p point) bool {
			last := p.Values[len(p.Values)-1][0].(float64)
			return int64(last*1000+0.5) < l.newestAcked()
		})
	})
	missing, wrong := 0, 0
	for _, series := range got {
		values := make(map[int64]float64, len(series.Values))
		for _, v := range series.Values {
			at := int64(v[0].(float64)*1000 + 0.5)
			value, err := strconv.ParseFloat(v[1].(string), 64)
			if err != nil {
				t.Fatal(err)
			}
			if _, double := values[at]; double {
				t.Errorf("%s: two samples at %d", l.id.Instance, at)
			}
			values[at] = value
		}
		for at, want := range l.acked {
			value, ok := values[at]
			switch {
			case !ok:
				if missing++; missing == 1 {
					t.Logf("%s: nothing at %s, %v before the newest acknowledged", l.id.Instance, time.UnixMilli(at).UTC().Format(time.RFC3339Nano), time.Duration(l.newestAcked()-at)*time.Millisecond)
				}
			case value != want:
				wrong++
			}
		}
	}
	t.Logf("%s: %d acknowledged batches of %d series: %d samples missing, %d wrong", l.id.Instance, len(l.acked), l.series, missing, wrong)
	if missing > 0 || wrong > 0 || len(l.acked) < 10 {
		t.Errorf("%s: %d missing, %d wrong of %d acknowledged", l.id.Instance, missing, wrong, len(l.acked)*l.series)
	}
}

// checkBreaks: each kill of the agent lies in a break that the agent told of
// and everybody can see, and what was in memory at the kill, so is lost, is at
// most one interval.
func checkBreaks(t *testing.T, s site, kills []time.Time, interval time.Duration) {
	t.Helper()
	type told struct {
		Cause    string
		From, To time.Time
		Seconds  float64
	}
	var answer struct{ Silences []told }
	s.json("/api/v1/hosts/"+hostname(t)+"/silences", &answer)
	// A stamp and a record are a moment older than what comes after them.
	const slack = 500 * time.Millisecond
	lost, uncounted, seen := time.Duration(0), 0, map[int]bool{}
	for _, kill := range kills {
		in := slices.IndexFunc(answer.Silences, func(b told) bool {
			return !kill.Before(b.From.Add(-50*time.Millisecond)) && !kill.After(b.To)
		})
		if in < 0 {
			uncounted++
			t.Errorf("the kill at %v lies in no break that was told", kill)
			continue
		}
		if !seen[in] { // the next kill in the same break hit a run that had measured nothing yet
			lost, seen[in] = max(lost, kill.Sub(answer.Silences[in].From)), true
		}
	}
	silent := 0.0
	for _, b := range answer.Silences {
		silent += b.Seconds
		if b.Cause != "killed" {
			t.Errorf("a break by %q, but the agent was only ever killed: %+v", b.Cause, b)
		}
	}
	t.Logf("%d kills of the agent: %d breaks told, %.1f s in all; at most %v were in memory and lost; %d kills not counted",
		len(kills), len(answer.Silences), silent, lost.Round(time.Millisecond), uncounted)
	if lost > interval+slack {
		t.Errorf("%v were lost at a kill, want at most one interval of %v", lost, interval)
	}
}

// checkAgentSequence reads the stopped collector's journal: the real agent's
// records are numbered without holes, but for what a kill may cost.
func checkAgentSequence(t *testing.T, data string, kills int) {
	t.Helper()
	seen, runs, highest := map[uint64]int{}, map[string]bool{}, uint64(0)
	for e := range journalled(t, data) {
		if e.Run == "e2e" {
			continue
		}
		runs[e.Run] = true
		seen[e.Seq]++
		highest = max(highest, e.Seq)
	}
	holes := 0
	for seq := uint64(1); seq <= highest; seq++ {
		if seen[seq] == 0 {
			holes++
		}
	}
	t.Logf("the agent's journal: %d runs, %d records, %d holes for %d kills", len(runs), highest, holes, kills)
	if holes > 0 {
		t.Errorf("%d records of the agent are missing in the collector's journal", holes)
	}
	if len(runs) < 2 && kills > 3 {
		t.Errorf("only %d runs of the agent after %d kills", len(runs), kills)
	}
}

// TestCollectorAway: two minutes without a collector leave full coverage and
// no outage once it is back.
func TestCollectorAway(t *testing.T) {
	t.Parallel()
	away := 2 * time.Minute
	if testing.Short() {
		away = 20 * time.Second
	}
	p := startPair(t)
	up := fmt.Sprintf(`up{instance=%q}`, hostname(t))
	waitFor(t, "the host up", 30*time.Second, func() bool { points, err := p.tryQuery(up, time.Time{}); return err == nil && len(points) == 1 })
	begin := time.Now()
	p.collector.stop()
	<-time.After(away)
	p.startCollector()
	waitFor(t, "the backlog delivered", 60*time.Second, func() bool {
		points, err := p.tryQuery(fmt.Sprintf(`count_over_time(%s[%ds])`, up, int(time.Since(begin).Seconds())), time.Time{})
		if err != nil || len(points) != 1 {
			return false
		}
		n, err := strconv.ParseFloat(points[0].Value[1].(string), 64)
		return err == nil && n >= time.Since(begin).Seconds()*0.97-3
	})
	s := p.services("")["s"]
	_ = s // the service has no agreement; its host's timeline is what counts
	var outages struct{ Outages []json.RawMessage }
	p.json("/api/v1/outages", &outages)
	if len(outages.Outages) != 0 {
		t.Errorf("%d outages out of a collector that was away: %s", len(outages.Outages), outages.Outages)
	}
	matrix := p.query(fmt.Sprintf(`%s[%ds]`, up, int(time.Since(begin).Seconds())), time.Now())
	if len(matrix) != 1 {
		t.Fatalf("%d series", len(matrix))
	}
	largest := 0.0
	for i := 1; i < len(matrix[0].Values); i++ {
		largest = max(largest, matrix[0].Values[i][0].(float64)-matrix[0].Values[i-1][0].(float64))
	}
	t.Logf("away %v: %d facts, largest gap %.1f s", away, len(matrix[0].Values), largest)
	if largest > 2.5 {
		t.Errorf("a gap of %.1f s between facts, more than an interval of 1 s holds", largest)
	}
}
