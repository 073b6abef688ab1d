package source

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/internal/need"
)

// TestBesideNodeExporter: over the fixture tree, Debian's node_exporter and
// our sources give the same series with the same labels and values, whatever
// both of them have. Only names that ours alone has may differ.
func TestBesideNodeExporter(t *testing.T) {
	program := need.Program(t, "prometheus-node-exporter", "prometheus-node-exporter")
	tree := t.TempDir()
	if err := os.CopyFS(tree, os.DirFS("testdata/usual")); err != nil {
		t.Fatal(err)
	}
	// It looks at its own network where ours looks at process 1's.
	if err := os.Symlink("1/net", filepath.Join(tree, "proc/net")); err != nil {
		t.Fatal(err)
	}
	theirs := scrape(t, program, tree)

	var set sample.Set
	for _, s := range fixture(tree) {
		switch s.Name {
		case "filesystem", "systemd", "uname", "uptime", "network":
			continue // from system calls, and the state of interfaces that this host does not have
		}
		if err := s.Collect(context.Background(), &set); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	same, families := 0, map[string]bool{}
	for _, l := range strings.Split(strings.TrimSpace(text(&set)), "\n") {
		at := strings.LastIndexByte(l, ' ')
		name, value := l[:at], l[at+1:]
		got, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		family, _, _ := strings.Cut(name, "{")
		want, ok := theirs[name]
		switch {
		case !ok && ourOwn(family, name):
		case !ok:
			t.Errorf("%s: node_exporter has no such series", name)
		case math.Abs(want-got) > 1e-14*math.Abs(want): // the last digit, where they multiply and we divide
			t.Errorf("%s: got %v, node_exporter has %v", name, got, want)
		default:
			same++
			families[family] = true
		}
	}
	if same < 160 || len(families) < 120 {
		t.Errorf("only %d series of %d names are the same", same, len(families))
	}
}

// ourOwn are the series that node_exporter does not have over this tree, and why.
func ourOwn(family, name string) bool {
	switch family {
	case "node_tcp_connection_states": // from the kernel's socket there, not from the tree
	case "node_netstat_Tcp_MaxConn", "node_netstat_TcpExt_TCPOFOQueue", "node_netstat_TcpExt_TCPRcvQDrop": // left out there, or in Debian's version
	case "node_disk_discards_completed_total", "node_disk_discards_merged_total":
	case "node_processes_state": // states that no process is in, which are left out there
		return strings.Contains(name, `"t"`)
	default:
		return strings.HasPrefix(family, "plimsoll_")
	}
	return true
}

// scrape runs node_exporter over a tree and returns its series as text writes them.
func scrape(t *testing.T, program, tree string) map[string]float64 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	cmd := exec.Command(program, "--web.listen-address="+addr, "--path.procfs="+tree+"/proc", "--path.sysfs="+tree+"/sys", "--path.udev.data="+tree,
		"--collector.processes", "--log.level=error")
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client := http.Client{Timeout: 10 * time.Second}
	for deadline := time.Now().Add(15 * time.Second); ; {
		resp, err := client.Get("http://" + addr + "/metrics")
		if err == nil {
			defer resp.Body.Close()
			return parseExposition(t, resp.Body)
		}
		if time.Now().After(deadline) {
			t.Fatalf("node_exporter does not answer: %v\n%s", err, log.String())
		}
		<-time.After(20 * time.Millisecond)
	}
}

// parseExposition reads lines `name{label="value"} 1`; the labels of
// node_exporter are in order and the test's values hold nothing to unquote.
func parseExposition(t *testing.T, r io.Reader) map[string]float64 {
	t.Helper()
	series := map[string]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		l := lines.Text()
		at := strings.LastIndexByte(l, ' ')
		if at < 0 || l[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(l[at+1:], 64)
		if err != nil {
			t.Fatal(fmt.Errorf("%q: %w", l, err))
		}
		series[l[:at]] = v
	}
	return series
}
