package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// startPeer runs a program that is not ours until the test ends.
func startPeer(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	log := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, tail(log.String(), 20))
		}
	})
	return cmd
}

// TestForeignReceivers: an agent that delivers to a server of others stores
// every sample there, although both answer 204 to a message in remote write
// 2.0 and keep nothing of it.
func TestForeignReceivers(t *testing.T) {
	t.Parallel()
	for _, peer := range []struct {
		program, debian, ready string
		args                   func(dir, addr string) []string
	}{
		{"prometheus", "prometheus", "/-/ready", func(dir, addr string) []string {
			config := filepath.Join(dir, "empty.yaml")
			if err := os.WriteFile(config, []byte("{}\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			return []string{"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + addr, "--web.enable-remote-write-receiver"}
		}},
		{"victoria-metrics", "victoria-metrics", "/health", func(dir, addr string) []string {
			return []string{"-storageDataPath=" + filepath.Join(dir, "data"), "-httpListenAddr=" + addr, "-search.latencyOffset=0s"}
		}},
	} {
		t.Run(peer.program, func(t *testing.T) {
			t.Parallel()
			need.Program(t, peer.program, peer.debian)
			dir, addr := t.TempDir(), freeAddr(t)
			startPeer(t, peer.program, peer.args(dir, addr)...)
			s := site{t, "http://" + addr}
			waitFor(t, peer.program+" ready", 20*time.Second, func() bool { status, _ := s.get(peer.ready); return status == http.StatusOK })
			config := filepath.Join(dir, "agent.yaml")
			write := func(interval string) {
				text := fmt.Sprintf("interval: %s\nlisten: off\ndata: %s\nremote_write: {url: http://%s/api/v1/write, labels: {instance: tested, customer: acme}}\n", interval, filepath.Join(dir, "agent"), addr)
				if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("100ms")
			agent := start(t, "plimsoll-agent", "run", "--config", config)
			<-time.After(3 * time.Second)
			agent.stop()
			m := regexp.MustCompile(`msg="agent stopped" .*collections=(\d+)`).FindStringSubmatch(agent.log.String())
			if m == nil {
				t.Fatalf("no line of the stop:\n%s", agent.log.String())
			}
			collections, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			// What was not delivered at the stop lies in the buffer; the next run
			// delivers it and collects once itself.
			write("1h")
			again := start(t, "plimsoll-agent", "run", "--config", config)
			stored := 0
			waitFor(t, "every collection stored", 30*time.Second, func() bool {
				points, err := s.ask("/api/v1/query", `count_over_time(up{instance="tested",customer="acme",job="node"}[1h])`, time.Now().Add(time.Second))
				if err != nil || len(points) != 1 {
					return false
				}
				stored = number(t, points[0])
				return stored == collections+1
			})
			again.stop()
			points, err := s.ask("/api/v1/query", `count({instance="tested"})`, time.Now().Add(time.Second))
			if err != nil || len(points) != 1 {
				t.Fatalf("count the series: %v, %v", points, err)
			}
			t.Logf("%s: %d collections made by the first run and one by the second, %d stored, %d series", peer.program, collections, stored, number(t, points[0]))
			if got := number(t, points[0]); got < 60 {
				t.Errorf("only %d series", got)
			}
		})
	}
}

// number is the value of an instant query.
func number(t *testing.T, p point) int {
	t.Helper()
	text, _ := p.Value[1].(string)
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%v is no whole number", p.Value)
	}
	return n
}
