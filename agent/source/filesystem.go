package source

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// statfsDeadline is how long a filesystem may take to say how full it is. A
// dead network mount never answers; it is left alone until it does.
const statfsDeadline = 2 * time.Second

// maxMounts bounds how many filesystems are reported.
const maxMounts = 256

// usage is what a filesystem says of itself, in bytes and inodes.
type usage struct {
	size, free, avail uint64
	files, filesFree  uint64
}

// mount is one mounted filesystem.
type mount struct {
	device, point, kind string
	readOnly            bool
}

// answer is a usage, once the filesystem has given it.
type answer struct {
	usage usage
	err   error
}

// filesystem is the space and the inodes of each mounted filesystem that can
// fill up. Of several mounts of one device (bind mounts, subvolumes) the one
// with the shortest path is reported.
type filesystem struct {
	mounts, fallback file
	rootfs           string
	list             func(context.Context) ([]mount, error)
	statfs           func(path string) (usage, error)
	waiting          map[string]chan answer // by mount point: asked, and not answered yet
	deadline         time.Duration

	parsedFrom []byte  // the mount table of the last reading
	parsed     []mount // what it came to
}

func newFilesystem(r Roots) *filesystem {
	f := &filesystem{
		// Process 1 sees the host's mounts where the agent has its own.
		mounts:   file{path: r.Proc + "/1/mounts"},
		fallback: file{path: r.Proc + "/self/mounts"},
		rootfs:   r.RootFS,
		statfs:   readUsage,
		waiting:  map[string]chan answer{},
		deadline: statfsDeadline,
	}
	f.list = f.mountLister()
	return f
}

func (f *filesystem) collect(ctx context.Context, out *sample.Set) error {
	mounts, err := f.list(ctx)
	if err != nil {
		return err
	}
	if len(mounts) == 0 {
		return ErrNothing
	}
	ctx, cancel := context.WithTimeout(ctx, f.deadline)
	defer cancel()
	f.forget()
	for _, m := range mounts {
		f.ask(m)
	}
	var silent []string
	for _, m := range mounts {
		a, ok := f.await(ctx, m)
		switch {
		case !ok:
			silent = append(silent, m.point)
		case a.err == nil && a.usage.size == 0:
			continue // holds nothing, so it cannot fill
		}
		add(out, m, a, ok && a.err == nil)
	}
	if silent != nil {
		return fmt.Errorf("no answer within %s from the filesystem at %s", f.deadline, strings.Join(silent, ", "))
	}
	return nil
}

// readMounts reads the mount table, and parses it when it has changed.
func (f *filesystem) readMounts(context.Context) ([]mount, error) {
	text, err := f.mounts.read()
	if err != nil {
		if text, err = f.fallback.read(); err != nil {
			return nil, err
		}
	}
	if !bytes.Equal(text, f.parsedFrom) || f.parsed == nil {
		f.parsed = parseMounts(text)
		f.parsedFrom = append(f.parsedFrom[:0], text...)
	}
	return f.parsed, nil
}

// ask starts the question unless an earlier one is still open.
func (f *filesystem) ask(m mount) {
	if f.waiting[m.point] != nil {
		return
	}
	// The goroutine ends with the answer; a filesystem that never gives one
	// keeps this one goroutine, however often it is asked.
	reply := make(chan answer, 1)
	f.waiting[m.point] = reply
	path := m.point
	if f.rootfs != "" { // to join would make "C:." of "C:"
		path = filepath.Join(f.rootfs, m.point)
	}
	go func() {
		u, err := f.statfs(path)
		reply <- answer{u, err}
	}()
}

// await takes the answer if it comes in time.
func (f *filesystem) await(ctx context.Context, m mount) (answer, bool) {
	reply := f.waiting[m.point]
	select {
	case a := <-reply:
		delete(f.waiting, m.point)
		return a, true
	default:
	}
	select {
	case a := <-reply:
		delete(f.waiting, m.point)
		return a, true
	case <-ctx.Done():
		return answer{}, false
	}
}

// forget drops open questions whose answer came late or whose mount is gone.
func (f *filesystem) forget() {
	for point, reply := range f.waiting {
		if len(reply) > 0 {
			delete(f.waiting, point)
		}
	}
}

func add(out *sample.Set, m mount, a answer, ok bool) {
	put := func(name string, v float64) {
		out.Add(name, v, "device", m.device, "fstype", m.kind, "mountpoint", m.point)
	}
	if !ok {
		put("node_filesystem_device_error", 1)
		return
	}
	put("node_filesystem_device_error", 0)
	put("node_filesystem_size_bytes", float64(a.usage.size))
	put("node_filesystem_free_bytes", float64(a.usage.free))
	put("node_filesystem_avail_bytes", float64(a.usage.avail))
	put("node_filesystem_files", float64(a.usage.files))
	put("node_filesystem_files_free", float64(a.usage.filesFree))
	// By the host's own table: where the agent's view is made read only by its
	// sandbox, statfs would call every filesystem so.
	readOnly := 0.0
	if m.readOnly {
		readOnly = 1
	}
	put("node_filesystem_readonly", readOnly)
}

// parseMounts reads lines "device point kind options 0 0", keeps what can
// fill up, and returns it in the order of the mount points.
func parseMounts(text []byte) []mount {
	visible := map[string]mount{} // a later mount covers an earlier one at the same point
	for first := range lines(text) {
		device, first := word(first)
		point, first := word(first)
		kind, first := word(first)
		options, _ := word(first)
		if len(kind) == 0 {
			continue
		}
		m := mount{unescape(device), unescape(point), string(kind), bytes.Equal(options, []byte("ro")) || bytes.HasPrefix(options, []byte("ro,"))}
		if m.canFill() {
			visible[m.point] = m
		}
	}
	points := make([]string, 0, len(visible))
	for point := range visible {
		points = append(points, point)
	}
	// Shortest first, so that the first mount of a device is the one to keep.
	sort.Slice(points, func(i, j int) bool {
		if len(points[i]) != len(points[j]) {
			return len(points[i]) < len(points[j])
		}
		return points[i] < points[j]
	})
	var kept []mount
	devices := map[string]bool{}
	for _, point := range points {
		m := visible[point]
		if strings.HasPrefix(m.device, "/") {
			if devices[m.device] {
				continue
			}
			devices[m.device] = true
		}
		kept = append(kept, m)
	}
	kept = kept[:min(len(kept), maxMounts)]
	sort.Slice(kept, func(i, j int) bool { return kept[i].point < kept[j].point })
	return kept
}

// canFill leaves out what is not storage, what is always full by design
// (images), and the layers of containers, whose space is that of the disk
// below. An overlay at the root is the exception: it is all a container has.
func (m mount) canFill() bool {
	switch m.kind {
	case "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
		"erofs", "fusectl", "fuse.lxcfs", "fuse.portal", "hugetlbfs", "iso9660", "mqueue", "nsfs", "proc", "pstore",
		"ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tracefs":
		return false
	case "overlay":
		return m.point == "/"
	case "tmpfs":
		if m.point == "/dev" {
			return false
		}
	}
	for _, below := range [...]string{"/dev", "/proc", "/sys", "/run/credentials", "/run/containerd", "/run/docker", "/var/lib/docker", "/var/lib/containers", "/var/lib/kubelet/pods"} {
		if strings.HasPrefix(m.point, below+"/") || m.point == below {
			return false
		}
	}
	// Single files that a container engine lays over the image.
	switch m.point {
	case "/etc/hosts", "/etc/hostname", "/etc/resolv.conf":
		return false
	}
	return true
}

// unescape undoes the octal escapes of a mount table: \040 is a blank.
func unescape(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text)
	}
	var out []byte
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) && octal(text[i+1:i+4]) >= 0 {
			out = append(out, byte(octal(text[i+1:i+4])))
			i += 3
			continue
		}
		out = append(out, text[i])
	}
	return string(out)
}

func octal(digits []byte) int {
	n := 0
	for _, c := range digits {
		if c < '0' || c > '7' {
			return -1
		}
		n = n*8 + int(c-'0')
	}
	if n > 255 {
		return -1
	}
	return n
}
