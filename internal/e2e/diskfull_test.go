package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// TestAgentDiskFull fills and frees the disk under an agent's buffer again and
// again, with the collector away every other time, and starts the agent anew
// on the full disk now and then. The agent never ends by itself, and what it
// could not keep is told to the record: each number of its records arrives or
// is told as lost, and what got no number is told as often as its own counter
// says.
func TestAgentDiskFull(t *testing.T) {
	t.Parallel()
	for _, on := range []string{"tmpfs", "ext4"} {
		t.Run(on, func(t *testing.T) {
			disk := ""
			if on == "tmpfs" {
				disk = need.NewTmpfs(t, 16)
			} else {
				disk = need.NewDisk(t, 16).Path
			}
			agentDiskFull(t, disk, need.Rounds(t, 10, 200))
		})
	}
}

func agentDiskFull(t *testing.T, disk string, cycles int) {
	random := need.Random(t)
	p := startPairIn(t, t.TempDir(), filepath.Join(disk, "agent"))
	t.Cleanup(func() { p.agent.kill() }) // before the disk is unmounted
	p.agent.stop()
	own := freeAddr(t)
	config := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(config, []byte("interval: 20ms\nlisten: "+own+"\ndata: "+p.agentDir+"\nbuffer: {max_bytes: 4MiB}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.agentArgs = []string{"run", "--config", config}
	p.startAgent()
	missed := 0 // records that got no number, over all runs
	for cycle := range cycles {
		away := cycle%2 == 1
		if away {
			p.collector.kill()
		}
		<-time.After(time.Duration(100+random.IntN(500)) * time.Millisecond)
		ballast := need.Fill(t, disk)
		if cycle%5 == 4 { // a start on a full disk
			p.agent.stop()
			missed += missedOf(p.agent)
			p.startAgent()
			waitFor(t, "the agent's own metrics after a start on a full disk", 10*time.Second, func() bool { _, err := http.Get("http://" + own + "/metrics"); return err == nil })
		}
		<-time.After(time.Duration(300+random.IntN(700)) * time.Millisecond)
		select {
		case <-p.agent.done:
			t.Fatalf("cycle %d: the agent ended by itself: %v", cycle, p.agent.err)
		default:
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if away {
			p.startCollector()
		}
	}
	waitFor(t, "everything delivered", 60*time.Second, func() bool {
		return agentMetric(t, own, "plimsoll_agent_delivered_records_total") > 0 && agentMetric(t, own, "plimsoll_agent_buffer_waiting_records") <= 1
	})
	p.agent.stop()
	missed += missedOf(p.agent)
	waitFor(t, "the collector caught up", 30*time.Second, func() bool { status, _ := p.get("/-/ready"); return status == http.StatusOK })
	p.collector.stop()
	n := checkNumbers(t, p.data)
	t.Logf("%d times full: %d records in %d runs; %d told as lost by number, %d of %d without one", cycles, n.highest, n.runs, n.told, n.unnumbered, missed)
	if n.unnumbered != missed {
		t.Errorf("%d records were not taken by the buffer, but %d told", missed, n.unnumbered)
	}
}

// missedOf reads from the last line of an agent's log what its buffer did not take.
func missedOf(p *process) int {
	text := p.log.String()
	at := strings.LastIndex(text, " missed=")
	if at < 0 {
		p.t.Fatalf("no count of missed records in %q", tail(text, 3))
	}
	n, err := strconv.Atoi(strings.Fields(text[at+len(" missed="):])[0])
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// agentMetric reads one figure of the agent's own.
func agentMetric(t *testing.T, addr, name string) int {
	t.Helper()
	_, text := site{t, "http://" + addr}.get("/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(f)
		}
	}
	t.Fatalf("no %s in %q", name, tail(text, 3))
	return 0
}

// TestCollectorDiskFull fills and frees the disk under a collector. Full, it
// acknowledges nothing and still answers people; with room again it
// acknowledges within 5 s, by itself. Nothing acknowledged is lost.
func TestCollectorDiskFull(t *testing.T) {
	disk := need.NewDisk(t, 64)
	cycles, random := need.Rounds(t, 10, 200), need.Random(t)
	p := startPairIn(t, filepath.Join(disk.Path, "collector"), t.TempDir())
	t.Cleanup(func() { p.collector.kill() })
	ctx, stopLoad := context.WithCancel(context.Background())
	defer stopLoad()
	l := newLoader(t, p.site, p.agentsAddr(), "full", 20)
	var load sync.WaitGroup
	load.Go(func() { l.run(ctx) })
	waitFor(t, "the problem record", 30*time.Second, func() bool { return len(p.problems()) == 1 })
	begin, slowest := time.Now(), time.Duration(0)
	for cycle := range cycles {
		<-time.After(time.Duration(200+random.IntN(500)) * time.Millisecond)
		ballast := need.Fill(t, disk.Path)
		<-time.After(time.Duration(300+random.IntN(700)) * time.Millisecond)
		full := time.Now()
		p.mustGet("/")
		p.mustGet("/api/v1/problems")
		<-time.After(200 * time.Millisecond)
		if l.ackedAfter(full) {
			t.Errorf("cycle %d: acknowledged on a full disk", cycle)
		}
		select {
		case <-p.collector.done:
			t.Fatalf("cycle %d: the collector ended by itself: %v", cycle, p.collector.err)
		default:
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		freed := time.Now()
		slowest = max(slowest, waitFor(t, fmt.Sprintf("an acknowledgement after cycle %d", cycle), 15*time.Second, func() bool { return l.ackedAfter(freed) }))
	}
	t.Logf("%d times full; slowest to acknowledge again %v", cycles, slowest.Round(time.Millisecond))
	if slowest > 5*time.Second {
		t.Errorf("it took %v to acknowledge again, want at most 5 s", slowest)
	}
	stopLoad()
	load.Wait()
	waitFor(t, "the collector caught up", 30*time.Second, func() bool { status, _ := p.get("/-/ready"); return status == http.StatusOK })
	checkAcknowledged(t, p.site, l, begin)
	p.mustGet("/api/v1/audit/verify")
	if problems := p.problems(); len(problems) != 1 {
		t.Errorf("%d problem records, want exactly one: %+v", len(problems), problems)
	}
	p.collector.stop()
	checkIntegrity(t, filepath.Join(p.data, "ledger.db"))
}
