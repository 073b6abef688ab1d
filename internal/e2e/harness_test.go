package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// programs is the folder TestMain built both programs into.
var programs string

func TestMain(m *testing.M) {
	if text := os.Getenv(sandboxEnv); text != "" {
		fmt.Fprintln(os.Stderr, "sandbox:", enterSandbox(text))
		os.Exit(3)
	}
	if text := os.Getenv(bomberEnv); text != "" {
		if err := becomeBomber(text); err != nil {
			fmt.Fprintln(os.Stderr, "bomber:", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "plimsoll-e2e-*")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=e2e", "-o", dir+string(filepath.Separator),
			"github.com/plimsoll/plimsoll/cmd/plimsoll-agent", "github.com/plimsoll/plimsoll/cmd/plimsoll-collector")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build both programs: %v\n%s", err, out)
			return 1
		}
		programs = dir
		return m.Run()
	}())
}

// process is one running program of ours.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	log  *lockedBuffer
	done chan struct{}
	err  error
}

// lockedBuffer keeps a program's output while it is being written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a program of ours; the test stops it by its process id when it ends.
func start(t testing.TB, name string, args ...string) *process {
	t.Helper()
	return launch(t, exec.Command(filepath.Join(programs, name), args...))
}

// launch is start for a command that is made already.
func launch(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	name, args := filepath.Base(cmd.Path), cmd.Args[1:]
	p := &process{t: t, cmd: cmd, log: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.Env = append(os.Environ(), "LANG=C.UTF-8")
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s %s said:\n%s", name, strings.Join(args, " "), tail(p.log.String(), 60))
		}
	})
	return p
}

// stop asks the program to end and insists after 15 s.
func (p *process) stop() {
	select {
	case <-p.done:
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.t.Errorf("%s did not stop within 15 s of SIGTERM", filepath.Base(p.cmd.Path))
		p.kill()
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}

// runOnce runs a program of ours to its end.
func runOnce(t testing.TB, name string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs, name), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("run %s: %v", name, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// nextPort gives each caller another port, below those the kernel lends to
// outgoing connections: a port that was only free a moment ago may be taken.
var nextPort atomic.Int32

// freeAddr is a loopback address nobody listens on and no other test is given.
func freeAddr(t testing.TB) string {
	t.Helper()
	for range 2000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20000+(int32(os.Getpid())*37+nextPort.Add(1))%12000)
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no free port between 20000 and 32000")
	return ""
}

// waitFor asks again every 100 ms until ok or the time is up.
func waitFor(t testing.TB, what string, within time.Duration, ok func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		if ok() {
			return time.Since(begin)
		}
		if time.Since(begin) > within {
			t.Fatalf("not within %v: %s", within, what)
		}
		<-time.After(100 * time.Millisecond)
	}
}

// site is the people's side of a collector.
type site struct {
	t    testing.TB
	base string
}

func (s site) get(path string) (status int, body string) {
	resp, err := http.Get(s.base + path)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

// mustGet fails the test unless the answer is 200.
func (s site) mustGet(path string) string {
	s.t.Helper()
	status, body := s.get(path)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: got %d, want 200: %s", path, status, tail(body, 5))
	}
	return body
}

func (s site) json(path string, into any) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.mustGet(path)), into); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
}

// post sends an empty form from the page's own origin.
func (s site) post(path string) int {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.base+path, strings.NewReader(""))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", s.base)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatalf("POST %s: %v", path, err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// point is one element of an instant vector.
type point struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
	Values [][2]any          `json:"values"`
}

// query asks the Prometheus API; at zero means now.
func (s site) query(expr string, at time.Time) []point {
	s.t.Helper()
	points, err := s.tryQuery(expr, at)
	if err != nil {
		s.t.Fatalf("query %s: %v", expr, err)
	}
	return points
}

func (s site) tryQuery(expr string, at time.Time) ([]point, error) {
	return s.ask("/prometheus/api/v1/query", expr, at)
}

// ask is an instant query of any server with Prometheus's API.
func (s site) ask(path, expr string, at time.Time) ([]point, error) {
	form := url.Values{"query": {expr}}
	if !at.IsZero() {
		form.Set("time", fmt.Sprintf("%.3f", float64(at.UnixMilli())/1000))
	}
	resp, err := http.PostForm(s.base+path, form)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []point `json:"result"`
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s", answer.Error)
	}
	return answer.Data.Result, nil
}

// journalled gives each record in the journal of a stopped collector, with
// the envelope apart from the body, which is good until the next one.
func journalled(t *testing.T, data string) iter.Seq2[wire.Envelope, []byte] {
	return func(yield func(wire.Envelope, []byte) bool) {
		t.Helper()
		j, _, err := journal.Open(journal.Options{Dir: filepath.Join(data, "journal"), WhenFull: journal.Refuse})
		if err != nil {
			t.Fatalf("open the collector's journal: %v", err)
		}
		defer func() { _ = j.Close() }()
		reader := j.NewReader(0)
		defer func() { _ = reader.Close() }()
		for {
			record, ok, err := reader.TryNext()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return
			}
			e, body, err := wire.Split(record.Data)
			if err != nil {
				t.Fatalf("record %d: %v", record.Pos, err)
			}
			if !yield(e, body) {
				return
			}
		}
	}
}
