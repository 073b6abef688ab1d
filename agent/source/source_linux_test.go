package source

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/agent/sample"
)

var update = flag.Bool("update", false, "write the golden files")

// text is a set as one line per sample, in the form of an exposition.
func text(set *sample.Set) string {
	var b strings.Builder
	for _, s := range set.Samples() {
		b.WriteString(s.Name)
		if len(s.Labels) > 0 {
			b.WriteByte('{')
			for i := 0; i < len(s.Labels); i += 2 {
				if i > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, "%s=%q", s.Labels[i], s.Labels[i+1])
			}
			b.WriteByte('}')
		}
		b.WriteByte(' ')
		b.WriteString(strconv.FormatFloat(s.V, 'f', -1, 64))
		b.WriteByte('\n')
	}
	return b.String()
}

// clock is a clock that goes on by a minute each time it is asked.
func clock() func() time.Time {
	at := time.Unix(1764000000, 250e6)
	return func() time.Time { at = at.Add(time.Minute); return at }
}

// fixture lists all sources over a fixture tree; what would come from system
// calls or the bus is fixed too.
func fixture(tree string) []Source {
	roots := Roots{Proc: tree + "/proc", Sys: tree + "/sys", RootFS: "/"}
	fs := newFilesystem(roots)
	fs.statfs = func(path string) (usage, error) {
		switch path {
		case "/mnt/nas":
			return usage{}, errors.New("stale file handle")
		case "/mnt/empty":
			return usage{}, nil
		}
		n := uint64(len(path))
		return usage{size: 1000 * n, free: 600 * n, avail: 500 * n, files: 100, filesFree: 90}, nil
	}
	up := newUptime(roots, func() time.Time { return time.Unix(1764000000, 250e6) })
	un := &uname{read: func() (unameInfo, error) {
		return unameInfo{domainname: "(none)", machine: "x86_64", nodename: "shop-1", release: "6.1.0", sysname: "Linux", version: "#1 SMP"}, nil
	}}
	sd := newSystemd(roots, clock())
	sd.read = func(context.Context) (manager, error) {
		if tree != "testdata/usual" {
			return manager{}, ErrNothing
		}
		return manager{"degraded", []unit{
			{"nginx.service", "active"}, {"backup.service", "failed"}, {"backup.timer", "active"}, {"rescue.service", "inactive"},
		}}, nil
	}
	list := all(roots, clock())
	for i := range list {
		switch list[i].Name {
		case "filesystem":
			list[i].Collect = fs.collect
		case "systemd":
			list[i].Collect = sd.collect
		case "uptime":
			list[i].Collect = up.collect
		case "uname":
			list[i].Collect = un.collect
		}
	}
	return list
}

func TestGolden(t *testing.T) {
	for _, tree := range []string{"usual", "container"} {
		t.Run(tree, func(t *testing.T) {
			var b strings.Builder
			var set sample.Set
			for _, s := range fixture(filepath.Join("testdata", tree)) {
				set.Reset(0)
				err := s.Collect(context.Background(), &set)
				fmt.Fprintf(&b, "# %s: %v\n%s", s.Name, err, text(&set))
			}
			golden := filepath.Join("testdata", tree+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != string(want) {
				t.Errorf("differs from %s (run with -update to see by git diff); got\n%s", golden, b.String())
			}
		})
	}
}

// TestTwice: the second reading of a file that stayed open is the first one's equal.
func TestTwice(t *testing.T) {
	for _, s := range fixture("testdata/usual") {
		var first, second sample.Set
		err1 := s.Collect(context.Background(), &first)
		err2 := s.Collect(context.Background(), &second)
		if fmt.Sprint(err1) != fmt.Sprint(err2) || text(&first) != text(&second) {
			t.Errorf("%s: the second collection differs: %v, %v\n%s\n%s", s.Name, err1, err2, text(&first), text(&second))
		}
	}
}

// TestThisHost: on a real Linux each source measures, and the root filesystem is there.
func TestThisHost(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Logf("nothing is measured on %s", runtime.GOOS)
		return
	}
	var set sample.Set
	for _, s := range All(Roots{Proc: "/proc", Sys: "/sys", RootFS: "/"}) {
		if err := s.Collect(context.Background(), &set); err != nil && !errors.Is(err, ErrNothing) {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	for _, want := range []string{"node_cpu_seconds_total{cpu=", "node_memory_MemAvailable_bytes ", `mountpoint="/"}`, "node_boot_time_seconds ", "node_uname_info{", "node_network_up{", "node_load1 "} {
		if !strings.Contains(text(&set), want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestBadInput(t *testing.T) {
	cpuSource, mem, conns := newCPU(Roots{}), newMemory(Roots{}), newConnections(Roots{}, clock())
	pressureOf := func(name string) *pressureFile { return &pressureFile{file{path: name}, "some", "full"} }
	parseProcess := func(b []byte, _ *sample.Set) error {
		_, err := newTable(Roots{}, clock()).parse(b)
		return err
	}
	rows := []struct {
		name, input, want string
		parse             func([]byte, *sample.Set) error
	}{
		{"load without numbers", "a b c", `loadavg: "a" is not a number`, parseLoadavg},
		{"load cut off", "0.1 0.2", `loadavg: "" is not a number`, parseLoadavg},
		{"no processor", "intr 5\n", "stat: no processor in it", cpuSource.parse},
		{"processor with a word", "cpu0 1 2 x 4\n", `stat: cpu0 has 2 values: "x" is not a number`, cpuSource.parse},
		{"empty meminfo", "", "meminfo: nothing in it", mem.parse},
		{"meminfo with a word", "MemTotal: much kB\n", `meminfo: MemTotal: "much" is not a number`, mem.parse},
		{"disk with a word", "8 0 sda 1 2 x\n", `diskstats: sda: "x" is not a number`, parseDiskstats},
		{"no disk", "7 0 loop0 1 2 3\n", "nothing to measure", parseDiskstats},
		{"network cut off", "eth0: 1 2 3\n", "net/dev: eth0 has 3 of 16 numbers: the line is too short", func(b []byte, s *sample.Set) error {
			_, err := parseNetDev(b, s)
			return err
		}},
		{"swap cut off", "pgfault\npswpin 1\n", `vmstat: pgfault: "" is not a number`, parseVmstat},
		{"swap of another system", "nr_free 1\n", "vmstat: nothing known in it", parseVmstat},
		{"two numbers of files", "1273 0\n", "file-nr has 2 of 3 numbers: the line is too short", parseFileNr},
		{"no tasks", "cpu0 1 2 3 4\n", "stat: no count of tasks in it", parseTasks},
		{"tasks with a word", "ctxt many\n", `stat: ctxt: "many" is not a number`, parseTasks},
		{"pressure without a total", "some avg10=0.00\n", "cpu: some has no total", pressureOf("cpu").parse},
		{"pressure with a word", "some total=x\n", `cpu: some: "x" is not a number`, pressureOf("cpu").parse},
		{"sockets with a word", "TCP: inuse x\n", `TCP inuse: "x" is not a number`, func(b []byte, s *sample.Set) error {
			_, err := conns.parseSockstat(b, s)
			return err
		}},
		{"names without values", "Tcp: InSegs\nUdp: 1\n", "the names of Tcp have no values", conns.parseNetstat},
		{"fewer values than names", "Tcp: InSegs OutSegs\nTcp: 1\n", `Tcp OutSegs: "" is not a number`, conns.parseNetstat},
		{"a state beyond the last", "head\n 0: a b 0F\n", `"0F" is not a state`, func(b []byte, _ *sample.Set) error {
			return readStates(bytes.NewReader(b), make([]int, 11))
		}},
		{"a socket without an end", strings.Repeat("x", 20<<10), "a line without an end", func(b []byte, _ *sample.Set) error {
			return readStates(bytes.NewReader(b), make([]int, 11))
		}},
		{"process without a name", "1 S 1", `stat: no name in "1 S 1"`, parseProcess},
		{"process cut off", "1 (a) S 1 1", "stat: 3 of 22 fields", parseProcess},
		{"process with a word", "1 (a) S 1 1 1 0 -1 x 0 0 0 0 1 0 0 0 20 0 1 0 1 1 1", `stat: field 9: "x" is not a number`, parseProcess},
		{"no boot time", "cpu0 1 2 3 4\n", "stat: no btime in it", func(b []byte, _ *sample.Set) error {
			_, err := parseBootTime(b)
			return err
		}},
	}
	for _, row := range rows {
		var set sample.Set
		if err := row.parse([]byte(row.input), &set); err == nil || err.Error() != row.want {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

// TestCounterNeverStepsBackALittle: the kernel's idle may, and a rate over it must not see that.
func TestCounterNeverStepsBackALittle(t *testing.T) {
	c := newCPU(Roots{})
	for _, row := range []struct {
		idle string
		want float64
	}{
		{"1000", 10},
		{"998", 10},     // a small step back is held
		{"1001", 10.01}, // and goes on from there
		{"3", 0.03},     // a large one is another processor
	} {
		var set sample.Set
		if err := c.parse([]byte("cpu0 1 1 1 "+row.idle+" 0 0 0 0 0 0\n"), &set); err != nil {
			t.Fatal(err)
		}
		if got := set.Samples()[3]; got.V != row.want || got.Labels[3] != "idle" {
			t.Errorf("idle %s: got %v, want %v", row.idle, got, row.want)
		}
	}
}

// TestHungFilesystem: one mount that never answers delays a collection by the
// deadline, is asked once however often we come by, and the others are measured.
func TestHungFilesystem(t *testing.T) {
	release := make(chan struct{})
	asked := make(chan string, 100)
	f := newFilesystem(Roots{Proc: "testdata/usual/proc", RootFS: "/"})
	f.deadline = 20 * time.Millisecond
	f.statfs = func(path string) (usage, error) {
		if path == "/mnt/nas" {
			asked <- path
			<-release
		}
		return usage{size: 10}, nil
	}
	for range 3 {
		var set sample.Set
		err := f.collect(context.Background(), &set)
		if err == nil || err.Error() != "no answer within 20ms from the filesystem at /mnt/nas" {
			t.Fatalf("got %v", err)
		}
		if !strings.Contains(text(&set), `node_filesystem_size_bytes{device="/dev/vda1",fstype="ext4",mountpoint="/"} 10`) {
			t.Errorf("the root filesystem is missing:\n%s", text(&set))
		}
		if !strings.Contains(text(&set), `node_filesystem_device_error{device="nas:/export",fstype="nfs4",mountpoint="/mnt/nas"} 1`) {
			t.Errorf("the hung one is not named:\n%s", text(&set))
		}
	}
	if len(asked) != 1 {
		t.Errorf("asked the hung filesystem %d times, want once", len(asked))
	}
	close(release)
	var set sample.Set
	f.deadline = time.Minute
	if err := f.collect(context.Background(), &set); err != nil {
		t.Errorf("after it answered: %v", err)
	}
}

func TestWholeDisk(t *testing.T) {
	for device, want := range map[string]bool{
		"sda": true, "sda1": false, "vda": true, "vda15": false, "xvda1": false, "nvme0n1": true, "nvme0n1p2": false,
		"mmcblk0": true, "mmcblk0p1": false, "dm-0": true, "md127": true, "zram0": true, "loop3": false, "ram0": false, "sr0": true,
	} {
		if got := wholeDisk([]byte(device)); got != want {
			t.Errorf("%s: got %v, want %v", device, got, want)
		}
	}
}

// FuzzParse: no text of a kernel, or of anybody else, makes a parser panic.
func FuzzParse(f *testing.F) {
	for _, name := range []string{
		"stat", "meminfo", "vmstat", "loadavg", "diskstats", "1/mounts", "1/net/dev", "1/net/sockstat", "1/net/snmp", "1/net/snmp6", "1/net/tcp",
		"1/stat", "sys/fs/file-nr", "pressure/io",
	} {
		seed, err := os.ReadFile(filepath.Join("testdata/usual/proc", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var set sample.Set
		_ = newCPU(Roots{}).parse(data, &set)
		_ = newMemory(Roots{}).parse(data, &set)
		_ = parseLoadavg(data, &set)
		_ = parseDiskstats(data, &set)
		_, _ = parseNetDev(data, &set)
		_, _ = parseBootTime(data)
		_ = parseVmstat(data, &set)
		_ = parseFileNr(data, &set)
		_ = parseTasks(data, &set)
		_ = (&pressureFile{file{}, "some", "full"}).parse(data, &set)
		conns := newConnections(Roots{}, clock())
		_, _ = conns.parseSockstat(data, &set)
		_ = conns.parseNetstat(data, &set)
		_ = readStates(bytes.NewReader(data), make([]int, 11))
		if p, err := newTable(Roots{}, clock()).parse(data); err == nil && !utf8.ValidString(p.name) {
			t.Errorf("a name that is no text: %q", p.name)
		}
		for _, m := range parseMounts(data) {
			if m.point == "" || m.kind == "" {
				t.Errorf("a mount without a point or a kind: %+v", m)
			}
		}
	})
}

// BenchmarkCollect: a usual collection, and the one in four (at 15 s) that
// also walks over processes and sockets. The difference is what once a minute costs.
func BenchmarkCollect(b *testing.B) {
	now := time.Now()
	for _, kind := range []struct {
		name string
		step time.Duration
	}{{"usual", 0}, {"each-minute", time.Minute}} {
		b.Run(kind.name, func(b *testing.B) {
			list := all(Roots{Proc: "/proc", Sys: "/sys", RootFS: "/"}, func() time.Time { return now })
			var set sample.Set
			b.ReportAllocs()
			for range b.N {
				now = now.Add(kind.step)
				set.Reset(0)
				for _, s := range list {
					_ = s.Collect(context.Background(), &set)
				}
			}
			b.ReportMetric(float64(set.Len()), "series")
		})
	}
}
