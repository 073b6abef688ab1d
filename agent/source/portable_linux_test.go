package source

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/agent/source/portable"
)

// series is a set by the text of its series.
func series(set *sample.Set) map[string]float64 {
	all := map[string]float64{}
	for _, l := range set.Samples() {
		one := sample.Set{}
		one.Add(l.Name, l.V, l.Labels...)
		name, _, _ := strings.Cut(text(&one), "\n")
		all[name[:strings.LastIndexByte(name, ' ')]] = l.V
	}
	return all
}

// TestPortableIsTheSame: what the other systems report is, measured on this
// one, a series that Linux reports too, with about the same value.
func TestPortableIsTheSame(t *testing.T) {
	ctx := context.Background()
	var ours, theirs sample.Set
	for _, s := range All(Roots{Proc: "/proc", Sys: "/sys", RootFS: "/"}) {
		switch s.Name {
		case "cpu", "memory", "load", "disk", "network", "uptime", "uname":
			if err := s.Collect(ctx, &ours); err != nil {
				t.Fatalf("%s: %v", s.Name, err)
			}
		}
	}
	for name, collect := range map[string]func(context.Context, *sample.Set) error{
		"cpu": portable.CPU, "memory": portable.Memory, "load": portable.Load, "uname": portable.Uname,
		"disk":    func(ctx context.Context, out *sample.Set) error { _, err := portable.Disk(ctx, out); return err },
		"network": func(ctx context.Context, out *sample.Set) error { _, err := portable.Network(ctx, out); return err },
	} {
		if err := collect(ctx, &theirs); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	have := series(&ours)
	compared := 0
	for name, got := range series(&theirs) {
		if strings.HasPrefix(name, "node_disk_") || strings.HasPrefix(name, "node_network_") {
			device := name[strings.Index(name, `"`):]
			if _, ok := have["node_disk_io_now{device="+device]; !ok && strings.HasPrefix(name, "node_disk_") {
				continue // a partition or a loop device, which Linux leaves out
			}
		}
		if strings.HasPrefix(name, "node_uname_info") {
			continue // the version is another text
		}
		want, ok := have[name]
		if !ok {
			t.Errorf("%s: Linux has no such series", name)
			continue
		}
		if strings.HasPrefix(name, "node_network_up") {
			continue // running is not quite the kernel's "up" (loopback is unknown)
		}
		// The machine goes on between the two readings.
		if math.Abs(got-want) > 0.05*math.Abs(want)+50e6 {
			t.Errorf("%s: got %v, want about %v", name, got, want)
		}
		compared++
	}
	if compared < 30 {
		t.Errorf("compared only %d series", compared)
	}
	boot, err := portable.BootTime(ctx)
	if want := have["node_boot_time_seconds"]; err != nil || math.Abs(float64(boot.Unix())-want) > 2 {
		t.Errorf("boot at %v, %v, want %v", boot, err, want)
	}
	usage, err := portable.UsageOf("/")
	if err != nil {
		t.Fatal(err)
	}
	want, err := readUsage("/")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range [][2]uint64{{usage.Size, want.size}, {usage.Free, want.free}, {usage.Avail, want.avail}, {usage.Files, want.files}, {usage.FilesFree, want.filesFree}} {
		if math.Abs(float64(v[0])-float64(v[1])) > 0.05*float64(v[1]) {
			t.Errorf("usage: got %+v, want %+v", usage, want)
		}
	}
}
