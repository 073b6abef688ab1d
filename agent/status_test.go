package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// TestStatusOfARunningAgent asks over the real socket: it measures, and says
// why it does not deliver and what to do.
func TestStatusOfARunningAgent(t *testing.T) {
	c := testConfig(t)
	// What a killed run left is taken over.
	left, err := net.Listen("unix", statusSocket(c.Data))
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	ask := func(args ...string) (out, errs string, status int) {
		var o, e bytes.Buffer
		status = Command{Version: "test", Stdout: &o, Stderr: &e}.Run(context.Background(), append([]string{"status", "--data", c.Data}, args...))
		return o.String(), e.String(), status
	}
	if out, errs, status := ask(); status != exitFailed || out != "" || !strings.Contains(errs, "no agent runs with this data directory") {
		t.Errorf("nobody runs: status %d, %q, %q", status, out, errs)
	}
	runFor(t, c, &testLog{}, 4, func(*Agent) {
		if info, err := os.Stat(statusSocket(c.Data)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the socket: %v, %v, want mode 0600", info, err)
		}
		out, errs, status := ask()
		for _, want := range []string{"measuring?   yes  last ", "delivering?  NO   since ", "cannot deliver yet; measuring goes on into the buffer; enrol this host at a collector", "records wait, the oldest for", "clock right? NO   not known before"} {
			if !strings.Contains(out, want) {
				t.Errorf("lacks %q:\n%s%s", want, out, errs)
			}
		}
		if status != exitFailed {
			t.Errorf("exit status %d, want %d: two answers are no", status, exitFailed)
		}
		out, _, _ = ask("--json")
		var s Status
		if err := json.Unmarshal([]byte(out), &s); err != nil || !s.Measuring.Well || s.Delivering.Well || s.Delivering.Waiting == 0 || s.Measuring.Series < 50 {
			t.Errorf("as JSON: %v: %+v", err, s)
		}
	})
	if _, err := os.Stat(statusSocket(c.Data)); !os.IsNotExist(err) {
		t.Errorf("the socket is still there after a clean stop: %v", err)
	}
}

// TestStatusText: what a person reads.
func TestStatusText(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	well := Status{
		Version: "1.2.3", At: now, Started: now.Add(-50 * time.Hour), Instance: "web-1", Expires: now.Add(96 * time.Hour),
		Measuring:  MeasuringStatus{Well: true, Last: now.Add(-4 * time.Second), IntervalS: 15, Series: 301, TookS: 0.0042},
		Delivering: DeliveringStatus{Well: true, To: "c:1877", Last: now.Add(-3 * time.Second)},
		Clock:      ClockStatus{Well: true, Known: true, AheadS: -0.04},
	}
	for _, row := range []struct {
		name   string
		change func(*Status)
		line   int // 0 head, 1 measuring, 2 delivering, 3 clock
		want   string
	}{
		{"head", func(*Status) {}, 0, "plimsoll-agent 1.2.3, running for 2 d 2 h, listed as web-1, certificate until 2026-11-29 12:00 UTC"},
		{"measuring", func(*Status) {}, 1, "measuring?   yes  last 4.0 s ago, 301 series in 4 ms, every 15.0 s"},
		{"delivering", func(*Status) {}, 2, "delivering?  yes  last acknowledged 3.0 s ago by c:1877; 0 records wait"},
		{"clock", func(*Status) {}, 3, "clock right? yes  -0.0 s against the collector's"},
		{"not enrolled", func(s *Status) { s.Instance = "" }, 0, "plimsoll-agent 1.2.3, running for 2 d 2 h, not enrolled at a collector yet"},
		{"sources fail", func(s *Status) { s.Measuring.Failures = 7 }, 1, "measuring?   yes  last 4.0 s ago, 301 series in 4 ms, every 15.0 s; sources failed 7 times (\"plimsoll-agent check\" tries each)"},
		{"disk full", func(s *Status) { s.Measuring.Well, s.Measuring.Missed = false, 12 }, 1, "measuring?   NO   last 4.0 s ago, 301 series in 4 ms, every 15.0 s; 12 records did not get onto the disk"},
		{"just started", func(s *Status) { s.Measuring = MeasuringStatus{} }, 1, "measuring?   NO   no collection yet"},
		{"collector away", func(s *Status) {
			s.Delivering = DeliveringStatus{To: "c:1877", Last: now.Add(-3 * time.Hour), Waiting: 720, Oldest: now.Add(-3 * time.Hour), Dropped: 2, Refused: 1,
				Trouble: "the collector cannot be reached", Remedy: "see whether it runs", Since: now.Add(-3 * time.Hour)}
		}, 2, "delivering?  NO   since 2026-11-25 09:00:00 UTC: the collector cannot be reached; see whether it runs  last acknowledged 3 h 0 min ago by c:1877; 720 records wait, the oldest for 3 h 0 min; 2 were given up by the full buffer; 1 were refused for good and put aside"},
		{"clock wrong", func(s *Status) { s.Clock = ClockStatus{Known: true, AheadS: 61.2} }, 3, "clock right? NO   +61.2 s against the collector's; set up time synchronisation on this host"},
		{"clock not known", func(s *Status) { s.Clock = ClockStatus{} }, 3, "clock right? NO   not known before the first answer of a collector"},
	} {
		s := well
		row.change(&s)
		var out bytes.Buffer
		if err := s.print(&out); err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(out.String(), "\n")[row.line]; got != row.want {
			t.Errorf("%s:\n got  %s\n want %s", row.name, got, row.want)
		}
	}
}

func TestAge(t *testing.T) {
	for _, row := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0.0 s"}, {119 * time.Second, "119.0 s"}, {2 * time.Minute, "2 min"}, {119 * time.Minute, "119 min"},
		{2 * time.Hour, "2 h 0 min"}, {47*time.Hour + 59*time.Minute, "47 h 59 min"}, {49 * time.Hour, "2 d 1 h"},
	} {
		if got := age(row.d); got != row.want {
			t.Errorf("%v: got %q, want %q", row.d, got, row.want)
		}
	}
}
