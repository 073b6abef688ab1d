package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/need"
)

// ext4Shutdown is EXT4_IOC_SHUTDOWN, and noLogFlush its mode in which nothing
// more reaches the disk, not even the file system's own log: a power cut.
const (
	ext4Shutdown = 0x8004587d
	noLogFlush   = 2
)

// powerDisk is an ext4 file system in a file, whose power can be cut. It is
// larger than the gigabyte a collector keeps free; the file is sparse.
type powerDisk struct {
	t                 *testing.T
	image, mountpoint string
}

func newPowerDisk(t *testing.T) *powerDisk {
	t.Helper()
	need.Root(t, "cutting the power of a file system")
	need.Program(t, "mkfs.ext4", "e2fsprogs")
	dir := t.TempDir()
	d := &powerDisk{t: t, image: filepath.Join(dir, "disk.img"), mountpoint: filepath.Join(dir, "disk")}
	d.run("truncate", "-s", "3G", d.image)
	d.run("mkfs.ext4", "-q", d.image)
	d.run("mkdir", d.mountpoint)
	d.mount()
	t.Cleanup(func() { _ = exec.Command("umount", "-l", d.mountpoint).Run() })
	return d
}

func (d *powerDisk) run(args ...string) {
	d.t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		if args[0] == "mount" {
			need.Missing(d.t, "cannot mount a file as a disk here: "+strings.TrimSpace(string(out)))
		}
		d.t.Fatalf("%v: %v: %s", args, err, out)
	}
}

func (d *powerDisk) mount() { d.run("mount", "-o", "loop", d.image, d.mountpoint) }

// cut is the power cut: from here on nothing reaches the disk.
func (d *powerDisk) cut() {
	d.t.Helper()
	f, err := os.Open(d.mountpoint)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), ext4Shutdown, noLogFlush); err != nil {
		if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EOPNOTSUPP) {
			need.Missing(d.t, "this kernel's ext4 has no shutdown: "+err.Error())
		}
		d.t.Fatalf("cut the power: %v", err)
	}
}

// again is the power coming back: what was on the disk is all there is.
func (d *powerDisk) again() {
	d.t.Helper()
	for try := 0; ; try++ {
		out, err := exec.Command("umount", d.mountpoint).CombinedOutput()
		if err == nil {
			break
		}
		if try == 50 {
			d.t.Fatalf("umount after the cut: %v: %s", err, out)
		}
		<-time.After(100 * time.Millisecond)
	}
	d.mount()
}

// integrity asks SQLite itself whether the ledger is whole.
func integrity(t *testing.T, path string) string {
	t.Helper()
	l, err := ledger.Open(ledger.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err.Error()
	}
	defer func() { _ = l.Close() }()
	faults, err := l.Integrity(t.Context())
	if err != nil {
		return err.Error()
	}
	return strings.Join(faults, "; ")
}

// TestPowerCut cuts the power of the disk that collector and agent keep
// everything on, at random moments under load. What the loader wrote down as
// acknowledged before the cut is there afterwards, each value right; the
// ledger is whole, the audit chain unbroken, there is one problem record, the
// agent's sequence has no hole, and both start again.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	cuts := 20
	if testing.Short() {
		cuts = 3
	}
	if os.Getenv("PLIMSOLL_SOAK") == "1" {
		cuts = 300
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 3))
	d := newPowerDisk(t)
	data, agentDir := filepath.Join(d.mountpoint, "collector"), filepath.Join(d.mountpoint, "agent")
	listen, agents := freeAddr(t), freeAddr(t)
	p := &pair{site: site{t, "http://" + listen}, t: t, data: data, agentDir: agentDir}
	for name, text := range map[string]string{
		filepath.Join(data, "catalogue.yaml"): fmt.Sprintf(killCatalogue, hostname(t)),
		filepath.Join(agentDir, "agent.yaml"): "interval: 1s\nlisten: off\ndata: " + agentDir + "\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// What a person wrote is on the disk; the rest is the programs' own business.
	d.run("sync", "-f", d.mountpoint)
	p.collectorArgs = []string{"run", "--data", data, "--listen", listen, "--listen-agents", agents}
	p.agentArgs = []string{"run", "--config", filepath.Join(agentDir, "agent.yaml")}
	p.startCollector()
	waitFor(t, "the collector healthy", 10*time.Second, func() bool { status, _ := p.get("/-/healthy"); return status == http.StatusOK })
	if out, errs, status := runOnce(t, "plimsoll-agent", "enrol", "--collector", agents, "--token", p.token(), "--data", agentDir); status != 0 {
		t.Fatalf("enrol: %s %s", out, errs)
	}
	p.startAgent()
	var loaders []*loader
	for i := range 4 {
		loaders = append(loaders, newLoader(t, p.site, agents, fmt.Sprintf("load-%d", i), 50))
	}
	waitFor(t, "the problem record", 30*time.Second, func() bool { return len(p.problems()) == 1 })
	begin, slowest := time.Now(), time.Duration(0)
	var moments []time.Time
	for cycle := range cuts {
		ctx, stopLoad := context.WithCancel(context.Background())
		var running sync.WaitGroup
		for _, l := range loaders {
			running.Go(func() { l.run(ctx) })
		}
		<-time.After(time.Duration(200+random.IntN(800)) * time.Millisecond)
		// What is acknowledged is read before the cut: an acknowledgement that
		// comes after it proves nothing.
		for _, l := range loaders {
			l.freeze()
		}
		moments = append(moments, time.Now())
		d.cut()
		stopLoad()
		running.Wait()
		p.agent.kill()
		p.collector.kill()
		d.again()
		restarted := time.Now()
		p.startCollector()
		slowest = max(slowest, waitFor(t, fmt.Sprintf("the collector healthy after cut %d", cycle), 15*time.Second,
			func() bool {
				status, _ := p.get("/-/healthy")
				return status == http.StatusOK && restarted.Before(time.Now())
			}))
		p.startAgent()
	}
	<-time.After(3 * time.Second)
	waitFor(t, "the collector caught up", 60*time.Second, func() bool { status, _ := p.get("/-/ready"); return status == http.StatusOK })
	t.Logf("seed %d: %d power cuts in %v; slowest start %v", seed, cuts, time.Since(begin).Round(time.Second), slowest.Round(time.Millisecond))
	for _, l := range loaders {
		checkAcknowledged(t, p.site, l, begin)
	}
	<-time.After(6 * time.Second) // a round of the judge after the last cut
	if problems := p.problems(); len(problems) != 1 {
		t.Errorf("%d problem records, want exactly one: %+v", len(problems), problems)
	}
	checkBreaks(t, p.site, moments, time.Second)
	if out, errs, status := runOnce(t, "plimsoll-collector", "audit", "verify", "--collector", p.base); status != 0 {
		t.Errorf("the audit chain after the cuts: %s%s", out, errs)
	}
	p.agent.stop()
	p.collector.stop()
	if verdict := integrity(t, filepath.Join(data, "ledger.db")); verdict != "" {
		t.Errorf("integrity_check of the ledger: %s", verdict)
	}
	checkAgentSequence(t, data, cuts)
}
