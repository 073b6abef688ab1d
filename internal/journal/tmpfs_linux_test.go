package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/need"
)

// TestFullDisk fills a real file system of 4 MiB again and again beside a
// journal: one that drops never fails and counts to the record, one that
// refuses takes again as soon as there is room.
func TestFullDisk(t *testing.T) {
	need.Root(t, "mounting a tmpfs of 4 MiB")
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		need.Missing(t, "mount a tmpfs: "+err.Error())
	}
	defer func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) }()
	ballast := filepath.Join(disk, "ballast")
	fill := func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		block := make([]byte, 64<<10)
		for err == nil {
			_, err = f.Write(block)
		}
		_ = f.Close()
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	for _, policy := range []journal.Policy{journal.DropOldest, journal.Refuse} {
		j, _ := open(t, journal.Options{Dir: filepath.Join(disk, "journal"), SegmentBytes: 64 << 10, WhenFull: policy})
		add(t, j, string(make([]byte, 8000))) // with nothing to drop there would be no room at all
		taken, lost := uint64(1), uint64(0)
		for range 100 {
			fill()
			for range 30 {
				_, err := j.Append(make([]byte, 8000))
				if err == nil {
					taken++
				} else if policy == journal.DropOldest || !errors.Is(err, journal.ErrFull) {
					t.Fatalf("append on a full disk: %v", err)
				}
			}
			_ = os.Remove(ballast)
			begin := time.Now()
			if _, err := j.Append(make([]byte, 8000)); err != nil || time.Since(begin) > 5*time.Second {
				t.Fatalf("append with room again: %v after %v", err, time.Since(begin))
			}
			taken++
			for range 10 { // so that there is something to drop
				if _, err := j.Append(make([]byte, 8000)); err == nil {
					taken++
				}
			}
			for _, l := range j.TakeLosses() {
				lost += l.Records
			}
			if policy == journal.Refuse {
				_, _ = j.Trim(j.Last())
			}
		}
		st := j.Stats()
		switch {
		case policy == journal.DropOldest && (st.Records+lost != taken || lost == 0):
			t.Errorf("%d taken, %d kept, %d lost", taken, st.Records, lost)
		case policy == journal.Refuse && lost != 0:
			t.Errorf("%d lost although nothing may be dropped", lost)
		}
		_ = j.Close()
		_ = os.RemoveAll(filepath.Join(disk, "journal"))
	}
}
