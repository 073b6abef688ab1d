package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// problem is the part of a problem record these tests read.
type problem struct {
	No          string `json:"record_no"`
	State       string `json:"state"`
	Title       string `json:"title"`
	Unmeasured  string `json:"unmeasured_since"`
	Occurrences int    `json:"occurrences"`
	Amendments  []struct {
		Field  string `json:"field"`
		New    string `json:"new"`
		Reason string `json:"reason"`
	} `json:"amendments"`
}

func (s site) problems() []problem {
	s.t.Helper()
	var answer struct {
		Problems []problem `json:"problems"`
	}
	s.json("/api/v1/problems", &answer)
	return answer.Problems
}

// TestFullDiskOpensOneProblem: filled past its threshold a file system opens
// one problem record; emptied, a note, and it stays open; filled again, an
// amendment and no second record; unmounted, it is said to be no longer
// measured and leaves what is wrong now; mounted again, the same breach goes on.
func TestFullDiskOpensOneProblem(t *testing.T) {
	t.Parallel()
	mount := need.NewDisk(t, 48)
	disk := mount.Path
	q := &trial{site: site{t, "http://" + freeAddr(t)}, data: t.TempDir()}
	catalogue := fmt.Sprintf(`components: [{name: h, interval: 5s}]
services: [{name: s, customer: c, needs: {all_of: [h]}}]
resources:
  - name: small-disk
    kind: technical
    unit: bytes
    per: [instance, mountpoint]
    used: node_filesystem_size_bytes{mountpoint=%[1]q} - node_filesystem_avail_bytes{mountpoint=%[1]q}
    limit: node_filesystem_size_bytes{mountpoint=%[1]q}
    warning: 70%%
    critical: 85%%
    clear: 50%%
    for: 30s
`, disk)
	if err := os.WriteFile(filepath.Join(q.data, "catalogue.yaml"), []byte(catalogue), 0o644); err != nil {
		t.Fatal(err)
	}
	q.process = start(t, "plimsoll-collector", "quickstart", "--data", q.data, "--listen", strings.TrimPrefix(q.base, "http://"),
		"--listen-agents", freeAddr(t), "--listen-sample", freeAddr(t))
	q.ready()
	waitFor(t, "the small disk measured", 30*time.Second, func() bool {
		points, err := q.tryQuery(fmt.Sprintf(`node_filesystem_size_bytes{mountpoint=%q}`, disk), time.Time{})
		return err == nil && len(points) == 1
	})
	ballast := filepath.Join(disk, "ballast")
	fill := func() {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(disk, &fs); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ballast, make([]byte, int64(fs.Bavail)*fs.Bsize*94/100), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ours := func() (p problem, n int) {
		for _, candidate := range q.problems() {
			if strings.Contains(candidate.Title, "small-disk") || strings.Contains(candidate.Title, disk) {
				p, n = candidate, n+1
			}
		}
		return p, n
	}
	fill()
	took := waitFor(t, "one problem record", 100*time.Second, func() bool { _, n := ours(); return n == 1 })
	if took < 25*time.Second {
		t.Errorf("opened after %v, before the 30 s were over", took)
	}
	first, _ := ours()
	t.Logf("%s after %v: %s", first.No, took, first.Title)
	page := q.mustGet("/problems/" + first.No)
	for _, want := range []string{"<svg", first.No, "85"} {
		if !strings.Contains(page, want) {
			t.Errorf("the record's page lacks %q", want)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "a note of the recovery", 100*time.Second, func() bool {
		p, _ := ours()
		return len(p.Amendments) > len(first.Amendments)
	})
	recovered, n := ours()
	if n != 1 || recovered.State == "closed" || recovered.State == "resolved" || recovered.No != first.No {
		t.Errorf("after the recovery: %d records, %s in state %s; people close problems", n, recovered.No, recovered.State)
	}
	fill()
	waitFor(t, "an amendment of the repetition", 100*time.Second, func() bool { p, _ := ours(); return p.Occurrences == first.Occurrences+1 })
	again, n := ours()
	if n != 1 || again.No != first.No {
		t.Errorf("filled again: %d records, %s; want the one %s", n, again.No, first.No)
	}

	wrongNow := func() string {
		page := q.mustGet("/")
		_, page, _ = strings.Cut(page, `<section id="wrong"`)
		wrong, _, _ := strings.Cut(page, "</section>")
		return wrong
	}
	if !strings.Contains(wrongNow(), disk) {
		t.Errorf("the full disk is not in what is wrong now: %s", wrongNow())
	}
	notes := func(prefix string) (n int) {
		p, _ := ours()
		for _, a := range p.Amendments {
			if strings.HasPrefix(a.Reason, prefix) {
				n++
			}
		}
		return n
	}
	mount.Unmount(t)
	took = waitFor(t, "a note that it is no longer measured", 8*time.Minute, func() bool { return notes("no longer measured") == 1 })
	if took < 4*time.Minute+30*time.Second { // the last sample was up to an interval before
		t.Errorf("not measured after %v, before the five minutes were over", took)
	}
	if page := q.mustGet("/problems/" + first.No); !strings.Contains(page, "not measured since") || strings.Contains(page, "still above the threshold") {
		t.Error("the record's page does not say that it is not measured")
	}
	if strings.Contains(wrongNow(), disk) {
		t.Errorf("the unmounted disk is still in what is wrong now: %s", wrongNow())
	}
	if p, n := ours(); n != 1 || p.State != "new" || p.Unmeasured == "" {
		t.Errorf("unmounted: %d records, %+v; want the one open and not measured", n, p)
	}
	mount.Mount(t)
	waitFor(t, "a note that it is measured again", 100*time.Second, func() bool { return notes("measured again") == 1 })
	if p, n := ours(); n != 1 || p.Occurrences != again.Occurrences || p.Unmeasured != "" || notes("no longer measured") != 1 {
		t.Errorf("mounted again: %d records, %+v; want the same occurrence going on", n, p)
	}
}
