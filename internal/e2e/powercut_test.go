package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/need"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// TestPowerCut cuts the power under a collector and an agent, with both of
// them on one file system, again and again: journal, ledger, series, buffer, cursors
// and identity lose whatever was not fsynced. What the test process saw
// acknowledged is there and right, the agent's records are numbered without a
// hole and never two under one number, the audit chain holds, there is one
// problem record, and both start each time.
func TestPowerCut(t *testing.T) {
	t.Run("ext4", func(t *testing.T) { cutPower(t, need.NewDisk(t, 512), need.Rounds(t, 20, 300)) })
	t.Run("xfs", func(t *testing.T) { cutPower(t, need.NewXFS(t, 512), need.Rounds(t, 4, 50)) })
}

func cutPower(t *testing.T, disk *need.Disk, cuts int) {
	t.Helper()
	random := need.Random(t)
	p := startPairIn(t, filepath.Join(disk.Path, "collector"), filepath.Join(disk.Path, "agent"))
	// Whatever happens: the disk is unmounted after its programs have ended.
	t.Cleanup(func() { p.agent.kill(); p.collector.kill() })
	ctx, stopLoad := context.WithCancel(context.Background())
	defer stopLoad()
	var loaders []*loader
	var running sync.WaitGroup
	for i := range 4 {
		l := newLoader(t, p.site, p.agentsAddr(), fmt.Sprintf("cut-%d", i), 50)
		loaders = append(loaders, l)
		running.Go(func() { l.run(ctx) })
	}
	waitFor(t, "the problem record", 30*time.Second, func() bool { return len(p.problems()) == 1 })
	syscall.Sync() // what a person wrote long ago: the settings
	begin, slowest := time.Now(), time.Duration(0)
	for cut := range cuts {
		<-time.After(time.Duration(200+random.IntN(1200)) * time.Millisecond)
		// The list of what was acknowledged is closed before the cut: a fsync
		// that is under way may return without an error although the cut took
		// its data, and only a program that still runs can say so.
		for _, l := range loaders {
			l.turn()
		}
		disk.Cut(t)
		p.agent.kill()
		p.collector.kill()
		for _, l := range loaders {
			l.turn()
		}
		disk.PowerOn(t)
		restarted := time.Now()
		p.startCollector()
		p.startAgent()
		slowest = max(slowest, waitFor(t, fmt.Sprintf("an acknowledgement after cut %d", cut), 15*time.Second,
			func() bool { return loaders[cut%len(loaders)].ackedAfter(restarted) }))
	}
	took := time.Since(begin)
	<-time.After(2 * time.Second)
	stopLoad()
	running.Wait()
	waitFor(t, "the collector caught up", 60*time.Second, func() bool { status, _ := p.get("/-/ready"); return status == http.StatusOK })
	for _, l := range loaders {
		checkAcknowledged(t, p.site, l, begin)
	}
	p.mustGet("/api/v1/audit/verify") // 409 where the chain does not hold
	if problems := p.problems(); len(problems) != 1 {
		t.Errorf("%d problem records, want exactly one: %+v", len(problems), problems)
	}
	p.agent.stop()
	p.collector.stop()
	checkIntegrity(t, filepath.Join(p.data, "ledger.db"))
	n := checkNumbers(t, p.data)
	if n.runs < cuts/2 {
		t.Errorf("only %d runs of the agent delivered anything in %d cuts", n.runs, cuts)
	}
	t.Logf("%d power cuts in %v; slowest start to acknowledgement %v; %d records of the agent in %d runs, of which %d told as lost",
		cuts, took.Round(time.Second), slowest.Round(time.Millisecond), n.highest, n.runs, n.told)
}

// numbers is what an agent's records say about themselves.
type numbers struct {
	highest    uint64 // number of a record
	runs       int    // that delivered something
	told       int    // numbers that were told as lost
	unnumbered int    // records told as lost before they got a number, each counted once
}

// checkNumbers reads the stopped collector's journal: each number of the real
// agent is there, or was told as lost, and stands for one record only.
func checkNumbers(t *testing.T, data string) (n numbers) {
	t.Helper()
	seen, bodies, lost, missed := map[string]bool{}, map[uint64][]byte{}, map[uint64]bool{}, map[string]bool{}
	for e, body := range journalled(t, data) {
		if e.Run == "e2e" {
			continue
		}
		n.highest, seen[e.Run] = max(n.highest, e.Seq), true
		if before, again := bodies[e.Seq]; again && !bytes.Equal(before, body) {
			t.Errorf("number %d of the agent stands for two records", e.Seq)
		}
		_, again := bodies[e.Seq]
		bodies[e.Seq] = bytes.Clone(body)
		if l := lossOf(t, e, body); l != nil && !again {
			for seq := l.FromSeq; seq > 0 && seq <= l.ToSeq; seq++ {
				lost[seq] = true
			}
			if l.FromSeq == 0 && l.MissedRun == "" {
				n.unnumbered += int(l.Records) // which ones is not known
			}
			for i := l.MissedFrom; i > 0 && i <= l.MissedTo; i++ {
				if one := fmt.Sprint(l.MissedRun, " ", i); !missed[one] {
					missed[one] = true
					n.unnumbered++
				}
			}
		}
	}
	for seq := uint64(1); seq <= n.highest; seq++ {
		switch {
		case bodies[seq] != nil:
		case lost[seq]:
			n.told++
		default:
			t.Errorf("record %d of the agent is missing, and nobody told", seq)
		}
	}
	n.runs = len(seen)
	return n
}

// lossOf is the loss a note tells of; nil for every other record.
func lossOf(t *testing.T, e wire.Envelope, body []byte) *wire.LossNote {
	t.Helper()
	if e.Kind != wire.KindNote {
		return nil
	}
	var n wire.Note
	if err := json.Unmarshal(body, &n); err != nil {
		t.Fatalf("note %d of the agent: %v", e.Seq, err)
	}
	return n.Loss
}

// checkIntegrity runs SQLite's own check and the audit chain over a ledger
// nobody holds.
func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	l, err := ledger.Open(ledger.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := l.Integrity(context.Background()); err != nil {
		t.Error(err)
	}
	if v, err := l.Verify(context.Background()); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit chain: %v %v", err, v.Faults)
	}
}
