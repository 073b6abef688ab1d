package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// demoWithin is how long the months may take on a machine that has nothing
// else to do; demoCPU is what they may cost on one that has.
const (
	demoWithin = 2 * time.Minute
	demoCPU    = 100 * time.Second
	demoMemory = 1 << 30 // bytes, peak
)

// TestDemo: quickstart --demo plays three months of two customers in two
// minutes, with progress. Each page says that it is a demonstration, and so
// does a report. The month before the last keeps its promises, the last one does
// not, and why is told as of anything else. Stopped and started it goes on, and
// nothing becomes an outage.
func TestDemo(t *testing.T) {
	data, listen := filepath.Join(t.TempDir(), "demo"), freeAddr(t)
	args := []string{"quickstart", "--demo", "--data", data, "--listen", listen, "--listen-agents", freeAddr(t), "--listen-sample", freeAddr(t)}
	p, s := start(t, "plimsoll-collector", args...), site{t, "http://" + listen}
	took := waitFor(t, "the months", 12*time.Minute, func() bool { return strings.Contains(p.log.String(), "The months are all there") })
	if n, least := strings.Count(p.log.String(), "%."), max(1, int(took/(5*time.Second))); n < least {
		t.Errorf("%d lines of progress in %v, want at least %d", n, took, least)
	}
	if need.Benching() && took > demoWithin {
		t.Errorf("the months took %v, want at most %v", took, demoWithin)
	}
	for _, path := range []string{"/", "/?lang=zh-CN", "/hosts/nw-db-1", "/services/online-shop", "/services/" + url.PathEscape("订单系统") + "?lang=zh-CN"} {
		page := s.mustGet(path)
		if !strings.Contains(page, "Demonstration: the customers") && !strings.Contains(page, "演示：此处的客户") {
			t.Errorf("%s does not say that it is a demonstration", path)
		}
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	y, m, _ := time.Now().In(zone).Date()
	last, before := time.Date(y, m-1, 1, 0, 0, 0, 0, zone), time.Date(y, m-2, 1, 0, 0, 0, 0, zone)
	for _, row := range []struct {
		service string
		month   time.Time
		least   float64 // down, minutes
		most    float64
		state   string // of the availability
	}{
		{"online-shop", before, 5, 7.5, "met"},
		{"online-shop", last, 160, 168, "unacceptable"}, // the disk and the supplier
		{"订单系统", before, 8, 10.5, "met"},
		{"订单系统", last, 106, 112, "below_target"}, // the failover, and 95 minutes of overrun
		{"warehouse", before, 0, 0, "met"},
		{"warehouse", last, 86, 93, "below_target"},
		{"文件共享", last, 0, 0, "insufficient_data"}, // its only observer was stopped
	} {
		checkMonth(t, s, row.service, row.month.Format("2006-01"), row.least, row.most, row.state)
	}
	var silences struct {
		Silences []struct{ Cause, Host string }
	}
	for host, cause := range map[string]string{"nw-web-2": "crashed", "pj-nas-1": "stopped", "nw-app-1": "killed", "pj-db-1": "collector_away", "pj-app-2": "path_cut", "nw-db-1": "collector_away"} {
		s.json("/api/v1/hosts/"+host+"/silences", &silences)
		if !strings.Contains(fmt.Sprint(silences.Silences), cause) {
			t.Errorf("silences of %s: %v, want %s among them", host, silences.Silences, cause)
		}
	}
	report := s.mustGet("/api/v1/report?period=" + last.Format("2006-01") + "&customer=" + url.QueryEscape("浦江商贸") + "&lang=zh-CN")
	for _, want := range []string{"演示报告。本报告的全部数据均为模拟", "订单系统", "文件共享"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report of the bad month does not say %q", want)
		}
	}
	// The share that gets full has a record of the judge's own.
	waitFor(t, "a problem record", time.Minute, func() bool {
		_, body := s.get("/api/v1/problems")
		return strings.Contains(body, "filesystem /srv/share on pj-nas-1")
	})
	p.stop()
	usage := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	cpu, peak := p.cmd.ProcessState.UserTime()+p.cmd.ProcessState.SystemTime(), usage.Maxrss*1024
	t.Logf("the months took %v, %v of CPU until here, %d MiB at the most", took.Round(time.Second), cpu.Round(time.Second), peak>>20)
	if cpu > demoCPU || peak > demoMemory {
		t.Errorf("%v of CPU and %d MiB, want at most %v and %d MiB", cpu, peak>>20, demoCPU, demoMemory>>20)
	}
	again := start(t, "plimsoll-collector", args...)
	waitFor(t, "the demonstration again", 5*time.Minute, func() bool { return strings.Contains(again.log.String(), "The months are all there") })
	waitFor(t, "its hosts up again", 5*time.Minute, func() bool { return s.services("")["online-shop"].State == "up" })
	checkMonth(t, s, "online-shop", last.Format("2006-01"), 160, 168, "unacceptable")
	again.stop()
}

// TestDemoRefusesRealData: simulated data are never mixed with real ones.
func TestDemoRefusesRealData(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "ledger.db"), []byte("real"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, status := runOnce(t, "plimsoll-collector", "quickstart", "--demo", "--data", data, "--listen", freeAddr(t), "--listen-agents", freeAddr(t), "--listen-sample", freeAddr(t))
	if status == 0 || !strings.Contains(stderr, "holds real data") {
		t.Errorf("status %d, said %q", status, stderr)
	}
}

// checkMonth reads a month's figures of a service from the API.
func checkMonth(t *testing.T, s site, name, month string, least, most float64, state string) {
	t.Helper()
	var figures struct {
		Services []struct {
			Down       float64 `json:"down_s"`
			Indicators []struct{ Name, State string }
		}
	}
	s.json("/api/v1/services/"+url.PathEscape(name)+"?period="+month, &figures)
	if len(figures.Services) == 0 {
		t.Errorf("%s, %s: no figures", name, month)
		return
	}
	v := figures.Services[0]
	if down := v.Down / 60; down < least || down > most {
		t.Errorf("%s, %s: down for %.1f min, want %v to %v", name, month, down, least, most)
	}
	for _, i := range v.Indicators {
		if (i.Name == "availability" || i.Name == "可用率") && i.State != state {
			t.Errorf("%s, %s: availability is %s, want %s", name, month, i.State, state)
		}
	}
}
