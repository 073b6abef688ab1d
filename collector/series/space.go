package series

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
)

// reserve is how much space in bytes the store leaves free. The TSDB does not
// survive a full disk under its head, so the store stops before: samples wait
// in the journal, queries go on.
const reserve = 16 << 20

// spaceEvery is how often the writer looks.
const spaceEvery = time.Second

// space tells whether there is room to write.
type space struct {
	free   func() (int64, error)
	looked time.Time
	full   bool
}

// freeSpace measures the file system under dir.
func freeSpace(dir string) func() (int64, error) {
	return func() (int64, error) { return journal.OS{}.FreeSpace(dir) }
}

// room looks at most once in spaceEvery. A file system that does not tell is
// taken to have room.
func (s *space) room(now time.Time) bool {
	if d := now.Sub(s.looked); s.full || d >= spaceEvery || d < 0 {
		free, err := s.free()
		s.looked, s.full = now, err == nil && free < reserve
	}
	return !s.full
}

// waitForRoom blocks while the disk is full, and says so once.
func (w *writer) waitForRoom(ctx context.Context) error {
	s := w.store
	if w.space.room(s.opts.Now()) {
		return nil
	}
	if err := w.commit(); err != nil {
		return err
	}
	s.opts.Log.Error("no space for series: new samples wait in the journal until there is; free some or enlarge the file system",
		"dir", s.opts.Dir, "needed_bytes", int64(reserve))
	ticker := time.NewTicker(spaceEvery)
	defer ticker.Stop()
	for !w.space.room(s.opts.Now()) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
	s.opts.Log.Info("space for series again", "dir", s.opts.Dir)
	return nil
}
