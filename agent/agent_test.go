package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"

	"github.com/plimsoll/plimsoll/agent/source"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/settings"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// testLog collects what an agent says.
type testLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// testConfig is an agent that collects often and is not enrolled.
func testConfig(t *testing.T) Config {
	c := Defaults()
	c.Data = t.TempDir()
	c.Listen = "127.0.0.1:0"
	c.Interval = settings.Duration(50 * time.Millisecond)
	return c
}

// runFor runs an agent until the buffer holds n records more than at its start.
func runFor(t *testing.T, c Config, log *testLog, n uint64, meanwhile func(*Agent)) {
	t.Helper()
	a, err := New(Options{Config: c, Version: "test", Log: slog.New(slog.NewTextHandler(log, nil)), StopReason: func() string { return "the test is over" }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); a.buffer.Stats().Appends < n; {
		if time.Now().After(deadline) {
			t.Fatalf("only %d records", a.buffer.Stats().Appends)
		}
		<-time.After(time.Millisecond)
	}
	if meanwhile != nil {
		meanwhile(a)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatalf("run: %v", err)
	}
}

// kept is a record of the buffer, decoded.
type kept struct {
	env  wire.Envelope
	note wire.Note
	// series as name{label=value,…} with the last value of each
	series map[string]float64
}

func read(t *testing.T, c Config) []kept {
	t.Helper()
	buffer, _, err := journal.Open(journal.Options{Dir: filepath.Join(c.Data, "buffer")})
	if err != nil {
		t.Fatal(err)
	}
	defer buffer.Close()
	reader := buffer.NewReader(0)
	defer reader.Close()
	var all []kept
	for {
		rec, ok, err := reader.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		env, body, err := wire.Split(rec.Data)
		if err != nil {
			t.Fatal(err)
		}
		k := kept{env: env, series: map[string]float64{}}
		if env.Kind == wire.KindNote {
			if err := json.Unmarshal(body, &k.note); err != nil {
				t.Fatal(err)
			}
		} else {
			k.decode(t, body)
		}
		all = append(all, k)
	}
}

func (k *kept) decode(t *testing.T, body []byte) {
	t.Helper()
	plain, err := snappy.Decode(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	var r writev2.Request
	if err := r.UnmarshalVT(plain); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Timeseries {
		var labels []string
		for i := 2; i < len(s.LabelsRefs); i += 2 {
			labels = append(labels, r.Symbols[s.LabelsRefs[i]]+"="+r.Symbols[s.LabelsRefs[i+1]])
		}
		name := r.Symbols[s.LabelsRefs[1]]
		if len(labels) > 0 {
			name += "{" + strings.Join(labels, ",") + "}"
		}
		k.series[name] = s.Samples[len(s.Samples)-1].Value
	}
}

// TestTwoRuns: an agent without a collector measures into its buffer, stops
// cleanly, and the next run tells how the last one ended.
func TestTwoRuns(t *testing.T) {
	c := testConfig(t)
	var log testLog
	runFor(t, c, &log, 4, nil)
	first := read(t, c)
	runFor(t, c, &log, 3, nil)
	all := read(t, c)

	start := first[0].note.Start
	if start == nil || start.Version != "test" || start.LastRun != "" || start.CleanStop || start.BootedAt == 0 {
		t.Errorf("the first record is %+v, want the note of a first start", first[0].note)
	}
	up := first[1]
	for _, want := range []string{"up", "node_load1", "node_memory_MemTotal_bytes", "plimsoll_source_success{source=cpu}", "plimsoll_source_duration_seconds{source=uname}"} {
		if _, ok := up.series[want]; !ok {
			t.Errorf("no %s in the first collection: %v", want, up.series)
		}
	}
	if up.env.Kind != wire.KindBatch2 || len(up.env.Run) != 32 || up.env.Boot == "" || up.env.Clocks.Boot < up.env.Clocks.Mono || up.env.Clocks.Mono <= 0 {
		t.Errorf("envelope %+v", up.env)
	}
	second := all[len(first)]
	start = second.note.Start
	if start == nil || start.LastRun != up.env.Run || start.LastBoot != up.env.Boot || !start.CleanStop || start.Reason != "the test is over" || start.LastAlive < first[len(first)-1].env.Clocks.Wall {
		t.Errorf("the second run begins with %+v", second.note)
	}
	if second.env.Run == up.env.Run {
		t.Error("both runs have one name")
	}
	for _, want := range []string{`msg="agent started"`, `msg="cannot deliver yet; measuring goes on into the buffer"`, `msg="agent stopped" reason="the test is over"`} {
		if got := strings.Count(log.String(), want); got != 2 {
			t.Errorf("%s stands %d times in the log of two runs:\n%s", want, got, log.String())
		}
	}
	if got := strings.Count(log.String(), "\n"); got != 6 {
		t.Errorf("two runs without news say %d lines, want 6:\n%s", got, log.String())
	}
}

// TestChangeIsRecordedAtOnce: a check that goes down is a record of its own
// and a note with the reason, long before the next collection.
func TestChangeIsRecordedAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig(t)
	c.Interval = settings.Duration(time.Hour)
	c.Sources = map[string]SourceConfig{} // none: the first collection is over before the first result
	for _, name := range source.Names() {
		c.Sources[name] = SourceConfig{Enabled: new(bool)}
	}
	c.Checks = []CheckConfig{{Component: "shop", TCP: l.Addr().String(), Interval: settings.Duration(20 * time.Millisecond)}}
	var log testLog
	// Start, first collection, first result.
	runFor(t, c, &log, 3, func(a *Agent) {
		_ = l.Close()
		for deadline := time.Now().Add(20 * time.Second); a.buffer.Stats().Appends < 5 && time.Now().Before(deadline); { // the change and its note
			<-time.After(time.Millisecond)
		}
	})
	state := "plimsoll_check_state{check=tcp,component=shop}"
	var states []float64
	var changes []wire.CheckChange
	for _, k := range read(t, c) {
		if v, ok := k.series[state]; ok {
			states = append(states, v)
		}
		if k.note.Change != nil {
			changes = append(changes, *k.note.Change)
		}
	}
	// A first collection that takes long carries another result that is up.
	if n := len(states); n < 2 || slices.Contains(states[:n-1], 0) || states[n-1] != 0 {
		t.Errorf("states %v, want up, then down", states)
	}
	want := wire.CheckChange{Component: "shop", Check: "tcp", From: "up", To: "down", Reason: "connection refused"}
	if len(changes) != 1 || changes[0] != want {
		t.Errorf("notes %+v, want %+v", changes, want)
	}
}

func TestSourcesMayBeSwitchedOffOrRare(t *testing.T) {
	c := testConfig(t)
	off := false
	c.Sources = map[string]SourceConfig{"memory": {Enabled: &off}, "load": {Interval: settings.Duration(time.Hour)}}
	var log testLog
	runFor(t, c, &log, 4, nil)
	all := read(t, c)
	loads := 0
	for _, k := range all {
		if _, ok := k.series["node_load1"]; ok {
			loads++
		}
		if _, ok := k.series["node_memory_MemTotal_bytes"]; ok {
			t.Error("memory was measured although it is off")
		}
	}
	if loads != 1 {
		t.Errorf("load was measured %d times, want once in an hour", loads)
	}
}

func TestOwnMetrics(t *testing.T) {
	var log testLog
	runFor(t, testConfig(t), &log, 3, func(a *Agent) {
		resp, err := http.Get("http://" + a.Addr() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"plimsoll_agent_buffer_bytes ", "plimsoll_agent_buffer_waiting_records ", "plimsoll_agent_collections_total ", `plimsoll_agent_build_info{version="test"} 1`, "process_cpu_seconds_total ", "plimsoll_agent_clock_ahead_seconds 0", "plimsoll_agent_last_delivery_timestamp_seconds 0"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
	})
}

// TestTwoAgents: the second one in a data directory says what to do.
func TestTwoAgents(t *testing.T) {
	c := testConfig(t)
	var log testLog
	runFor(t, c, &log, 2, func(a *Agent) {
		_, err := New(Options{Config: c, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "stop the other agent") {
			t.Errorf("same data directory: got %v", err)
		}
		other := testConfig(t)
		other.Listen = a.Addr()
		_, err = New(Options{Config: other, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "set listen: to another address") {
			t.Errorf("same port: got %v", err)
		}
		// What the failed start had opened is free again.
		other.Listen = "off"
		third, err := New(Options{Config: other, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatalf("after a failed start: %v", err)
		}
		if err := third.shut(); err != nil {
			t.Error(err)
		}
	})
}

func TestAliveStamp(t *testing.T) {
	dir := t.TempDir()
	one, last := openAlive(dir, "run1", "boot1")
	if last.Run != "" || last.Untold != nil {
		t.Fatalf("first: %+v", last)
	}
	at := time.UnixMilli(1_700_000_000_000)
	if err := one.write(at, true); err != nil {
		t.Fatal(err)
	}
	_, last = openAlive(dir, "run2", "boot1")
	if want := (stamp{Run: "run1", Boot: "boot1", At: at.UnixMilli()}); !reflect.DeepEqual(last, want) {
		t.Errorf("after a kill: %+v, want %+v", last, want)
	}
	if err := one.stop(at.Add(time.Second), strings.Repeat("why ", 1000)); err != nil {
		t.Fatal(err)
	}
	_, last = openAlive(dir, "run2", "boot1")
	if !last.Clean || last.At != at.UnixMilli()+1000 || !strings.HasPrefix(last.Reason, "why why") {
		t.Errorf("after a clean stop: %+v", last)
	}
	if err := os.WriteFile(filepath.Join(dir, "alive.json"), []byte("{rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, last = openAlive(dir, "run3", "boot1"); !reflect.DeepEqual(last, stamp{}) {
		t.Errorf("rubbish: %+v, want as none", last)
	}
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	good := filepath.Join(dir, "good.yaml")
	down := filepath.Join(dir, "down.yaml")
	for path, text := range map[string]string{
		bad:  "intervall: 1s\nlisten: nowhere\n",
		good: "data: " + dir + "\n",
		down: "data: " + dir + "\nchecks: [{component: a, tcp: '127.0.0.1:1'}]\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rows := []struct {
		args           string
		status         int
		stdout, stderr string // a part of each
	}{
		{"", 2, "", "usage: plimsoll-agent COMMAND"},
		{"--help", 0, "  enrol    get this host's certificate", ""},
		{"version", 0, "test\n", ""},
		{"enroll", 2, "", `unknown command "enroll" did you mean "enrol"?`},
		{"run --help", 0, "--config", ""},
		{"run --nonsense", 2, "", "flag provided but not defined: -nonsense"},
		{"run now", 2, "", `"now" is not a flag`},
		{"run --config " + bad, 2, "", "bad.yaml:2: listen: \"nowhere\" is not host:port"},
		{"check --config " + bad, 2, "", "bad.yaml:1: intervall: unknown key; did you mean \"interval\"?"},
		{"check --config " + filepath.Join(dir, "none.yaml"), 2, "", "read configuration"},
		{"check --config " + good, 0, "source cpu", ""},
		{"check --config " + down, 1, "connection refused", ""},
		{"enrol --config " + good, 2, "", "--token and --collector are needed"},
		{"enrol --config " + good + " --collector 127.0.0.1:1 --token nonsense", 1, "", "plimsoll-agent enrol: "},
	}
	for _, row := range rows {
		var stdout, stderr bytes.Buffer
		command := Command{Version: "test", Stdout: &stdout, Stderr: &stderr}
		status := command.Run(context.Background(), strings.Fields(row.args))
		if status != row.status || !strings.Contains(stdout.String(), row.stdout) || !strings.Contains(stderr.String(), row.stderr) {
			t.Errorf("%s: got %d\n%s%s\nwant %d, %q, %q", row.args, status, stdout.String(), stderr.String(), row.status, row.stdout, row.stderr)
		}
		if row.status == 2 && stdout.Len() > 0 {
			t.Errorf("%s: a refusal wrote to stdout: %s", row.args, stdout.String())
		}
	}
}

// TestUntoldLossesFitTheStamp: what was not told is kept by run, and where
// there are too many runs the oldest are joined.
func TestUntoldLossesFitTheStamp(t *testing.T) {
	loss := func(run string, n int64) wire.LossNote {
		return wire.LossNote{Records: n, MissedRun: run, MissedFrom: 1, MissedTo: uint64(n), FromAt: n, ToAt: n, Reason: strings.Repeat("r", 500)}
	}
	given := func(from, to uint64) wire.LossNote {
		return wire.LossNote{Records: int64(to - from + 1), FromSeq: from, ToSeq: to}
	}
	for _, row := range []struct {
		name string
		lost []wire.LossNote
		want string
	}{
		{"none", nil, ""},
		{"one", []wire.LossNote{loss("a", 2)}, "a:2"},
		{"as many as fit", []wire.LossNote{loss("a", 1), loss("b", 2), loss("c", 3), loss("d", 4), loss("e", 5), loss("f", 6)}, "a:1 b:2 c:3 d:4 e:5 f:6"},
		{"more: nothing is lost but the name", []wire.LossNote{loss("a", 1), loss("b", 2), loss("c", 3), loss("d", 4), loss("e", 5), loss("f", 6), loss("g", 7)}, ":3 c:3 d:4 e:5 f:6 g:7"},
		{"those with numbers are joined first, and keep them", []wire.LossNote{loss("a", 1), loss("b", 2), given(3, 4), given(6, 9), given(11, 11), given(20, 29), given(40, 40), given(42, 42)},
			"a:1 b:2 3-11:7 20-29:10 40-40:1 42-42:1"},
		{"those of one run are joined, and stay its own", []wire.LossNote{loss("a", 1), loss("b", 2), loss("c", 3), loss("d", 4), loss("e", 5), {Records: 2, MissedRun: "b", MissedFrom: 7, MissedTo: 8}, loss("f", 6)},
			"a:1 b:4 c:3 d:4 e:5 f:6"},
		{"many more", []wire.LossNote{loss("a", 1), loss("b", 2), loss("c", 3), loss("d", 4), loss("e", 5), loss("f", 6), loss("g", 7), loss("h", 8)}, ":6 d:4 e:5 f:6 g:7 h:8"},
	} {
		dir := t.TempDir()
		a, _ := openAlive(dir, strings.Repeat("R", 36), strings.Repeat("B", 36))
		a.lost = func() []wire.LossNote { return slices.Clone(row.lost) }
		if err := a.stop(time.UnixMilli(1_700_000_000_000), strings.Repeat("s", 500)); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		_ = a.close()
		_, last := openAlive(dir, "next", "boot")
		var got []string
		for _, l := range last.Untold {
			of := l.MissedRun
			if l.FromSeq > 0 {
				of = fmt.Sprintf("%d-%d", l.FromSeq, l.ToSeq)
			}
			got = append(got, fmt.Sprintf("%s:%d", of, l.Records))
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: the next run finds %v, want %s", row.name, got, row.want)
		}
	}
}

// TestLossesAreTold: what the buffer gave up becomes a note with its range.
func TestLossesAreTold(t *testing.T) {
	dir := t.TempDir()
	buffer, _, err := journal.Open(journal.Options{Dir: dir, MaxBytes: 8 << 10, SegmentBytes: 1 << 10, WhenFull: journal.DropOldest})
	if err != nil {
		t.Fatal(err)
	}
	defer buffer.Close()
	cursor, err := buffer.Cursor("ship")
	if err != nil {
		t.Fatal(err)
	}
	defer cursor.Close()
	r := newRecorder(buffer, "run", "boot", func() wire.Clocks { return wire.Clocks{Wall: 5} }, slog.New(slog.DiscardHandler), time.Now)
	for i := range 100 {
		if err := r.note(wire.Note{At: int64(i), Change: &wire.CheckChange{Reason: strings.Repeat("x", 200)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.losses(time.UnixMilli(77)); err != nil {
		t.Fatal(err)
	}
	reader := buffer.NewReader(buffer.Last() - 1)
	defer reader.Close()
	rec, ok, err := reader.TryNext()
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	_, body, err := wire.Split(rec.Data)
	if err != nil {
		t.Fatal(err)
	}
	var n wire.Note
	if err := json.Unmarshal(body, &n); err != nil {
		t.Fatal(err)
	}
	if n.Loss == nil || n.Loss.FromSeq != 1 || n.Loss.ToSeq+1 != uint64(buffer.First()) || n.Loss.Records != int64(n.Loss.ToSeq) || n.Loss.Reason == "" || n.At != 77 {
		t.Errorf("got %s, want the loss of 1 to %d", body, buffer.First()-1)
	}
	if got := fmt.Sprint(buffer.Stats().Dropped); got != fmt.Sprint(n.Loss.Records) {
		t.Errorf("the buffer counts %s lost, the note %d", got, n.Loss.Records)
	}
}
