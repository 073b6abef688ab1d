package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// procStat writes the stat file of a process as the kernel does.
func procStat(t *testing.T, proc string, pid int, name string, flags, ticks, began, pages uint64) {
	t.Helper()
	dir := filepath.Join(proc, fmt.Sprint(pid))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%d (%s) S 1 1 1 0 -1 %d 0 0 0 0 %d 0 0 0 20 0 1 0 %d 5000 %d 18446744073709551615 1\n", pid, name, flags, ticks, began, pages)
	if err := os.WriteFile(filepath.Join(dir, "stat"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cpuOf is the part of a set about processors, one line for each program.
func cpuOf(set *sample.Set) string {
	var lines []string
	for _, l := range strings.Split(text(set), "\n") {
		if rest, ok := strings.CutPrefix(l, "plimsoll_top_cpu_ratio"); ok {
			lines = append(lines, rest)
		}
	}
	return strings.Join(lines, "\n")
}

// TestTopCPU: what was used between two walks, a minute apart: of 6000 ticks
// one processor has, summed by name.
func TestTopCPU(t *testing.T) {
	proc := t.TempDir()
	now := time.Unix(1764000000, 0)
	source := newTop(newTable(Roots{Proc: proc}, func() time.Time { return now }))
	collect := func() *sample.Set {
		var set sample.Set
		if err := source.collect(context.Background(), &set); err != nil {
			t.Fatal(err)
		}
		return &set
	}
	procStat(t, proc, 10, "web", 0, 1000, 5, 10)
	procStat(t, proc, 11, "web", 0, 2000, 5, 10)
	procStat(t, proc, 12, "idle", 0, 9000, 5, 10)
	procStat(t, proc, 13, "old", 0, 5000, 5, 10)
	procStat(t, proc, 14, "kworker/0:1", kernelThread, 100, 5, 0)
	if got := cpuOf(collect()); got != "" {
		t.Errorf("after one walk: got %s, want nothing: there is no time to divide by", got)
	}
	procStat(t, proc, 10, "web", 0, 1600, 5, 10)                  // 600
	procStat(t, proc, 11, "web", 0, 5000, 5, 10)                  // and 3000
	procStat(t, proc, 13, "new", 0, 60, 900, 10)                  // another process with an old number: all of its 60
	procStat(t, proc, 14, "kworker/0:1", kernelThread, 400, 5, 0) // 300
	procStat(t, proc, 15, "kworker/u8:3", kernelThread, 300, 950, 0)

	now = now.Add(30 * time.Second)
	if set := collect(); set.Len() != 0 {
		t.Errorf("within the minute it was read again:\n%s", text(set))
	}
	now = now.Add(30 * time.Second)
	want := `{process="[kernel]"} 0.1
{process="new"} 0.01
{process="web"} 0.6`
	if got := cpuOf(collect()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestTopIsBounded: a host whose processes have ever new names makes no more
// than 100 of them a day, the rest is one sum, and the day after there is room.
func TestTopIsBounded(t *testing.T) {
	source := newTop(nil)
	now := time.Unix(1764000000, 0)
	names := map[string]bool{}
	walk := func(i int) (others float64) {
		var list []process
		for j := range 20 {
			list = append(list, process{pid: j, name: fmt.Sprintf("job-%d-%d", i, j), rss: uint64(1 + j)})
		}
		var set sample.Set
		source.report(&set, "m", now, source.group(list), func(g group) float64 { return float64(g.pages) })
		if set.Len() > topNames+1 {
			t.Fatalf("walk %d: %d series", i, set.Len())
		}
		for _, s := range set.Samples() {
			if s.Labels[1] == topOther {
				others = s.V
				continue
			}
			names[s.Labels[1]] = true
		}
		return others
	}
	for i := range 10 {
		if others := walk(i); others != 0 {
			t.Errorf("walk %d sums others although there is room", i)
		}
	}
	if others := walk(10); others != 11+12+13+14+15+16+17+18+19+20 {
		t.Errorf("others are %v, want the ten highest", others)
	}
	if len(names) != maxTopNames {
		t.Errorf("%d names, want %d", len(names), maxTopNames)
	}
	now = now.Add(topMemory + time.Minute)
	if others := walk(11); others != 0 || len(source.names) != topNames {
		t.Errorf("the day after: others %v, %d names remembered", others, len(source.names))
	}
}

// TestTableIsBounded: a host with more processes than the bound is not walked
// over to its end, says so, and what costs nothing is counted all the same.
func TestTableIsBounded(t *testing.T) {
	proc := t.TempDir()
	tab := newTable(Roots{Proc: proc}, clock())
	tab.most = 3
	for pid := 1; pid <= tab.most+1; pid++ {
		if err := os.Mkdir(filepath.Join(proc, fmt.Sprint(pid)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := tab.read(context.Background()); !errors.Is(err, ErrNothing) {
		t.Errorf("processes that ended at once: got %v, want nothing to measure", err)
	}
	for pid := 1; pid <= tab.most+1; pid++ {
		procStat(t, proc, pid, "p", 0, 1, 1, 1)
	}
	if err := os.WriteFile(filepath.Join(proc, "stat"), []byte("procs_running 4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var set sample.Set
	err := newProcesses(Roots{Proc: proc}, tab).collect(context.Background(), &set)
	if err == nil || err.Error() != "more than 3 processes; they are not counted" || text(&set) != "node_procs_running 4\n" {
		t.Errorf("got %v and\n%s", err, text(&set))
	}
}

// TestNoArguments: what stands in a command line reaches no label.
func TestNoArguments(t *testing.T) {
	const secret = "canary-7f3a"
	proc := t.TempDir()
	procStat(t, proc, 10, "mysql", 0, 100, 5, 10)
	for _, name := range []string{"cmdline", "environ"} {
		if err := os.WriteFile(filepath.Join(proc, "10", name), []byte("mysql\x00-p"+secret), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var set sample.Set
	if err := newTop(newTable(Roots{Proc: proc}, clock())).collect(context.Background(), &set); err != nil {
		t.Fatal(err)
	}
	if got := text(&set); !strings.Contains(got, `{process="mysql"}`) || strings.Contains(got, secret) {
		t.Errorf("got\n%s", got)
	}
}
