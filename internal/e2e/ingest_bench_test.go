package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"github.com/prometheus/prometheus/prompb"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/need"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// The load of TestIngestBeside: each host sends one sample of each of its
// series per request over its own connection, as an agent does.
const (
	benchHosts   = 1000
	benchSeries  = 100
	benchWarmup  = 2  // rounds before the measurement: connections, new series
	benchRounds  = 20 // rounds measured: two million samples
	benchSenders = 8  // requests under way at once

	// benchRest is how long each receiver is left alone before the first
	// reading of its CPU time and before the last. One that answers from memory
	// and flushes, merges or folds later has not done its work when it answers.
	benchRest = 15 * time.Second
)

// TestIngestBeside measures the CPU seconds per million samples of our
// collector (TLS 1.3 with client certificates, journal with fsync, series,
// fold) and of Debian's Prometheus and VictoriaMetrics as remote-write
// receivers (plain HTTP, no fsync before the answer), one after the other
// under the same load.
//
// Each is measured alike, user and system time of its process from /proc:
//
//	warm-up rounds │ rest │ measured rounds │ rest │
//	               first reading ▲       last reading ▲
//
// Connections, handshakes and new series lie in the warm-up; what an idle
// receiver spends in one rest counts as its work.
func TestIngestBeside(t *testing.T) {
	need.Bench(t)
	program := need.Program(t, "prometheus", "prometheus")
	victoriaMetrics := need.Program(t, "victoria-metrics", "victoria-metrics")
	// Each of ours runs next to one of theirs: other work on the machine comes and goes.
	theirs := benchPrometheus(t, program)
	ours2 := benchCollector(t, wire.KindBatch2)
	victoria := benchPeer(t, "victoria-metrics (Debian), 1.0", "/health", victoriaMetrics, "-storageDataPath="+t.TempDir(), "-httpListenAddr=ADDR")
	ours1 := benchCollector(t, wire.KindBatch1)
	for _, r := range []ingestResult{theirs, victoria, ours2, ours1} {
		t.Logf("%-32s %6.2f CPU-s per million samples (user %.2f, system %.2f; %.2f of it after the last answer)  %5.0f thousand samples/s  peak %4d MiB",
			r.name, r.cpu.total(), r.cpu.user, r.cpu.system, r.later, r.rate/1000, r.peak>>20)
	}
	t.Logf("collector / prometheus: %.2f (remote write 2.0), %.2f (1.0, equal bodies); goal <= 0.50", ours2.beside(theirs), ours1.beside(theirs))
	t.Logf("collector / victoria-metrics: %.2f (remote write 2.0), %.2f (1.0, equal bodies); goal <= 1.00", ours2.beside(victoria), ours1.beside(victoria))
	if ours2.beside(theirs) > 0.5 {
		t.Errorf("ingest costs %.2f of prometheus, want at most 0.50", ours2.beside(theirs))
	}
}

// ingestResult is what one receiver needed.
type ingestResult struct {
	name  string
	cpu   cpuTime // per million samples
	later float64 // seconds of it after the last answer, per million samples
	rate  float64 // samples acknowledged a second, the rest left out
	peak  int64   // resident bytes
}

// beside is what it needed, as a share of what another did.
func (r ingestResult) beside(other ingestResult) float64 { return r.cpu.total() / other.cpu.total() }

// benchHost is one sender.
type benchHost struct {
	client *http.Client
	url    string
	header map[string]string
	name   string
}

// ingest runs the load and measures the process from rest to rest; complete
// fails the test unless so many samples have arrived where they are asked for.
func ingest(t *testing.T, name string, pid int, hosts []benchHost, kind wire.Kind, complete func(samples int)) ingestResult {
	t.Helper()
	begin := time.Now().Add(-(benchWarmup + benchRounds) * 15 * time.Second)
	round := func(n int) {
		at := begin.Add(time.Duration(n) * 15 * time.Second).UnixMilli()
		eachHost(t, hosts, func(h benchHost) error { return h.post(benchBody(kind, h.name, at, benchSeries), uint64(n+1)) })
	}
	for n := range benchWarmup {
		round(n)
	}
	time.Sleep(benchRest)
	before, start := cpuSeconds(t, pid), time.Now()
	for n := range benchRounds {
		round(benchWarmup + n)
	}
	took, answered := time.Since(start), cpuSeconds(t, pid)
	time.Sleep(benchRest)
	after := cpuSeconds(t, pid)
	complete((benchWarmup + benchRounds) * benchHosts * benchSeries) // after the reading: asking costs too
	const millions = benchRounds * benchHosts * benchSeries / 1e6
	return ingestResult{name, cpuTime{(after.user - before.user) / millions, (after.system - before.system) / millions},
		(after.total() - answered.total()) / millions, millions * 1e6 / took.Seconds(), peakResident(t, pid)}
}

func (h benchHost) post(body []byte, seq uint64) error {
	req, err := http.NewRequest(http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for k, v := range h.header {
		req.Header.Set(k, v)
	}
	e := wire.Envelope{Run: "bench", Boot: "bench", Seq: seq, Clocks: wire.Clocks{Wall: time.Now().UnixMilli()}}
	e.SetHeaders(req.Header, e.Clocks)
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	return nil
}

// benchBody is what a host sends at an instant: `up` and CPU times.
func benchBody(kind wire.Kind, host string, at int64, series int) []byte {
	v1, v2 := &prompb.WriteRequest{}, &writev2.Request{Symbols: []string{""}}
	seen := map[string]uint32{}
	add := func(value float64, pairs ...string) {
		one, two := prompb.TimeSeries{Samples: []prompb.Sample{{Timestamp: at, Value: value}}}, &writev2.TimeSeries{Samples: []*writev2.Sample{{Timestamp: at, Value: value}}}
		for i := 0; i < len(pairs); i += 2 {
			one.Labels = append(one.Labels, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
		}
		for _, s := range pairs {
			if _, ok := seen[s]; !ok {
				seen[s] = uint32(len(v2.Symbols))
				v2.Symbols = append(v2.Symbols, s)
			}
			two.LabelsRefs = append(two.LabelsRefs, seen[s])
		}
		v1.Timeseries, v2.Timeseries = append(v1.Timeseries, one), append(v2.Timeseries, two)
	}
	add(1, "__name__", "up", "instance", host, "job", "node")
	modes := []string{"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"}
	for i := 0; len(v1.Timeseries) < series; i++ {
		add(float64(at/1000%1e6)*float64(i+1)/7, "__name__", "node_cpu_seconds_total", "cpu", strconv.Itoa(i/8), "instance", host, "job", "node", "mode", modes[i%8])
	}
	var raw []byte
	if kind == wire.KindBatch1 {
		raw, _ = v1.Marshal() // plain data: cannot fail
	} else {
		raw, _ = v2.MarshalVT()
	}
	return snappy.Encode(nil, raw)
}

func benchHeader(kind wire.Kind) map[string]string {
	if kind == wire.KindBatch1 {
		return map[string]string{"Content-Type": wire.ContentType1, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
	}
	return map[string]string{"Content-Type": wire.ContentType2, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "2.0.0"}
}

func benchCollector(t *testing.T, kind wire.Kind) ingestResult {
	t.Helper()
	listen, agents := freeAddr(t), freeAddr(t)
	p := start(t, "plimsoll-collector", "run", "--data", t.TempDir(), "--listen", listen, "--listen-agents", agents)
	defer p.stop()
	s := site{t, "http://" + listen}
	waitFor(t, "the collector healthy", 15*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK })
	hosts := enrolBenchHosts(t, s, agents, kind, benchHosts)
	return ingest(t, fmt.Sprintf("collector, remote write %d.0", kind), p.cmd.Process.Pid, hosts, kind, func(samples int) {
		waitFor(t, "series and fold have it all", time.Minute, func() bool {
			m := s.metrics()
			return m["plimsoll_series_samples_appended_total"] >= float64(samples) && m["plimsoll_fold_folded_position"] >= float64(samples/benchSeries)
		})
	})
}

// enrolBenchHosts lets all senders in, each with a connection of its own.
func enrolBenchHosts(t *testing.T, s site, agents string, kind wire.Kind, count int) []benchHost {
	t.Helper()
	hosts := make([]benchHost, count)
	work := make(chan int)
	var enrolling sync.WaitGroup
	dir := t.TempDir()
	for range benchSenders {
		enrolling.Go(func() {
			for i := range work {
				name := fmt.Sprintf("host-%04d", i)
				id, err := identity.Enrol(context.Background(), identity.Request{Token: s.token(), Collector: agents, Hostname: name, Dir: filepath.Join(dir, name)})
				if err != nil {
					t.Error(err)
				}
				transport := &http.Transport{TLSClientConfig: id.ClientTLS()}
				t.Cleanup(transport.CloseIdleConnections)
				hosts[i] = benchHost{&http.Client{Transport: transport, Timeout: time.Minute}, "https://" + agents + wire.WritePath, benchHeader(kind), name}
			}
		})
	}
	for i := range hosts {
		work <- i
	}
	close(work)
	enrolling.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return hosts
}

// metrics reads the plain values of /metrics, those without labels.
func (s site) metrics() map[string]float64 {
	out := map[string]float64{}
	for line := range strings.Lines(s.mustGet("/metrics")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			out[name] = v
		}
	}
	return out
}

// benchPeer runs a receiver that is not ours, over plain HTTP and without
// fsync. It answers when the samples are in its memory.
func benchPeer(t *testing.T, name, ready string, program string, args ...string) ingestResult {
	t.Helper()
	addr := ""
	for i := range args {
		if option, value, ok := strings.Cut(args[i], "=ADDR"); ok && value == "" {
			addr = freeAddr(t)
			args[i] = option + "=" + addr
		}
	}
	cmd := exec.Command(program, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	waitFor(t, name+" ready", 30*time.Second, func() bool {
		status, _ := site{t, "http://" + addr}.get(ready)
		return status == http.StatusOK
	})
	hosts := make([]benchHost, benchHosts)
	for i := range hosts {
		transport := &http.Transport{DialContext: (&net.Dialer{}).DialContext}
		t.Cleanup(transport.CloseIdleConnections)
		hosts[i] = benchHost{&http.Client{Transport: transport, Timeout: time.Minute}, "http://" + addr + wire.WritePath, benchHeader(wire.KindBatch1), fmt.Sprintf("host-%04d", i)}
	}
	return ingest(t, name, cmd.Process.Pid, hosts, wire.KindBatch1, func(int) {})
}

func benchPrometheus(t *testing.T, program string) ingestResult {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return benchPeer(t, "prometheus (Debian), 1.0", "/-/ready", program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=ADDR",
		"--web.enable-remote-write-receiver", "--web.max-connections=2000") // its default of 512 would keep half of the hosts waiting
}

// TestReplayAfterKill: hosts have delivered for some time when the collector
// is killed. It acknowledges again within 2 s, and its series become complete
// with every fact. `make bench` measures both for 1 000 hosts of 300 series.
func TestReplayAfterKill(t *testing.T) {
	count, series, rounds := 50, 100, 10
	if need.Benching() {
		count, series, rounds = benchHosts, 300, 40
	} else {
		t.Parallel()
	}
	listen, agents := freeAddr(t), freeAddr(t)
	args := []string{"run", "--data", t.TempDir(), "--listen", listen, "--listen-agents", agents}
	p := start(t, "plimsoll-collector", args...)
	s := site{t, "http://" + listen}
	waitFor(t, "the collector healthy", 15*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK })
	hosts := enrolBenchHosts(t, s, agents, wire.KindBatch2, count)
	begin := time.Now().Add(-time.Duration(rounds) * 15 * time.Second)
	for n := range rounds {
		at := begin.Add(time.Duration(n) * 15 * time.Second).UnixMilli()
		eachHost(t, hosts, func(h benchHost) error { return h.post(benchBody(wire.KindBatch2, h.name, at, series), uint64(n+1)) })
	}
	p.kill()
	killed := time.Now()
	p = start(t, "plimsoll-collector", args...)
	defer p.stop()
	acked := waitFor(t, "an acknowledgement", 30*time.Second, func() bool {
		return hosts[0].post(benchBody(wire.KindBatch2, hosts[0].name, killed.UnixMilli(), series), uint64(rounds+1)) == nil
	})
	ready := waitFor(t, "the series complete", 5*time.Minute, func() bool { status, _ := s.get("/-/ready"); return status == http.StatusOK })
	facts := func() int {
		points, err := s.tryQuery(fmt.Sprintf(`sum(count_over_time(up[%ds]))`, int(time.Since(begin).Seconds())+60), time.Now().Add(time.Second))
		if err != nil || len(points) != 1 {
			t.Fatalf("facts after the replay: %v, %v", points, err)
		}
		n, err := strconv.Atoi(fmt.Sprint(points[0].Value[1]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// Ready speaks of what was in the journal at the start: all of that is there
	// at once. What was acknowledged since then comes a moment later.
	if n := facts(); n < count*rounds || n > count*rounds+1 {
		t.Errorf("%d facts when the series were complete, want the %d of before the kill and at most the one after", n, count*rounds)
	}
	waitFor(t, "the fact acknowledged after the kill", 2*time.Second, func() bool { return facts() == count*rounds+1 })
	samples := count * rounds * series
	t.Logf("%d samples in the journal: acknowledging %v after the kill, series complete after %v (%.1f million samples a second), peak %d MiB",
		samples, acked.Round(time.Millisecond), (acked + ready).Round(time.Millisecond), float64(samples)/1e6/(acked+ready).Seconds(), peakResident(t, p.cmd.Process.Pid)>>20)
	if acked > 2*time.Second {
		t.Errorf("acknowledging %v after the kill, want at most 2 s", acked)
	}
}

// eachHost does something for each host, some of them at once.
func eachHost(t *testing.T, hosts []benchHost, do func(benchHost) error) {
	t.Helper()
	work := make(chan benchHost)
	var senders sync.WaitGroup
	for range benchSenders {
		senders.Go(func() {
			for h := range work {
				if err := do(h); err != nil {
					t.Errorf("%s: %v", h.name, err)
				}
			}
		})
	}
	for _, h := range hosts {
		work <- h
	}
	close(work)
	senders.Wait()
}

// cpuTime is what a process used, in seconds.
type cpuTime struct{ user, system float64 }

func (c cpuTime) total() float64 { return c.user + c.system }

// cpuSeconds is what a process has used so far, from /proc (10 ms steps).
func cpuSeconds(t *testing.T, pid int) cpuTime {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		need.Missing(t, "no /proc to read a process's CPU time from")
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var seconds [2]float64
	for i, f := range fields[11:13] { // utime, stime
		ticks, err := strconv.ParseFloat(f, 64)
		if err != nil {
			t.Fatal(err)
		}
		seconds[i] = ticks / 100
	}
	return cpuTime{seconds[0], seconds[1]}
}

func peakResident(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	return 0
}
