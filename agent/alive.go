package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// stampEvery is how often a running agent says that it is alive. A stamp is
// not fsynced, so a power cut can take back half a minute of them; the last
// record of the buffer, which is, bounds that to one interval.
const stampEvery = 5 * time.Second

// stampBytes is the fixed length of a stamp: one write replaces all of it.
const stampBytes = 4096

// Bounds of what a stamp holds, so that it always fits.
const (
	maxStampText = stampBytes / 16 // bytes of a reason, and of all reasons of what is untold
	maxUntold    = 6               // losses that were not told yet
)

// stamp is what the next run reads about this one.
type stamp struct {
	Run    string `json:"run"`
	Boot   string `json:"boot"`
	At     int64  `json:"at"` // Unix ms
	Clean  bool   `json:"clean"`
	Reason string `json:"reason,omitempty"`
	// Untold is what the buffer did not take, by run, and what it gave up, if
	// nobody was told of it yet. The stamp is written in place, so that it stands even on a full disk.
	Untold []wire.LossNote `json:"untold,omitempty"`
}

// alive keeps the stamp of this run on disk.
type alive struct {
	path string
	file *os.File // nil: could not be opened yet, for instance on a full disk
	mine stamp
	lost func() []wire.LossNote // what is untold now; nil: nothing
}

// openAlive reads what the last run left. A stamp that cannot be read is as
// none: it is evidence, not a condition to start.
func openAlive(dir, run, boot string) (*alive, stamp) {
	a := &alive{path: filepath.Join(dir, "alive.json"), mine: stamp{Run: run, Boot: boot}}
	var last stamp
	text, err := os.ReadFile(a.path)
	if err != nil || json.Unmarshal(bytes.TrimRight(text, " \n\x00"), &last) != nil {
		last = stamp{}
	}
	return a, last
}

// close gives the file back.
func (a *alive) close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}

// write stamps the instant; durable makes it survive a power cut.
func (a *alive) write(now time.Time, durable bool) error {
	a.mine.At, a.mine.Untold = now.UnixMilli(), nil
	if a.lost != nil {
		a.mine.Untold = fewer(a.lost(), maxUntold)
	}
	text, err := json.Marshal(a.mine)
	if err != nil {
		return fmt.Errorf("encode alive stamp: %w", err)
	}
	line := bytes.Repeat([]byte{' '}, stampBytes)
	line[stampBytes-1] = '\n'
	if copy(line[:stampBytes-1], text) < len(text) {
		return fmt.Errorf("alive stamp is longer than %d bytes", stampBytes)
	}
	if a.file == nil {
		if a.file, err = os.OpenFile(a.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return fmt.Errorf("open alive stamp: %w", err)
		}
	}
	if _, err := a.file.WriteAt(line, 0); err != nil {
		return fmt.Errorf("write alive stamp: %w", err)
	}
	if durable {
		if err := a.file.Sync(); err != nil {
			return fmt.Errorf("sync alive stamp: %w", err)
		}
	}
	return nil
}

// fewer makes most of them out of many losses, so that they fit in a stamp. Of
// those that have numbers, and of those of one run, two are joined to a range in
// which as many are lost as in its parts. Where there are more runs than that,
// the oldest are joined, and of which runs they were is no longer known.
func fewer(lost []wire.LossNote, most int) []wire.LossNote {
	for len(lost) > most {
		i, j := alike(lost)
		a, b := lost[i], lost[j]
		joined := wire.LossNote{Records: a.Records + b.Records, FromAt: min(a.FromAt, b.FromAt), ToAt: max(a.ToAt, b.ToAt), Reason: b.Reason}
		switch {
		case a.FromSeq > 0 && b.FromSeq > 0:
			joined.FromSeq, joined.ToSeq = min(a.FromSeq, b.FromSeq), max(a.ToSeq, b.ToSeq)
		case a.MissedRun != "" && a.MissedRun == b.MissedRun:
			joined.MissedRun, joined.MissedFrom, joined.MissedTo = a.MissedRun, min(a.MissedFrom, b.MissedFrom), max(a.MissedTo, b.MissedTo)
		}
		lost[i] = joined
		lost = slices.Delete(lost, j, j+1)
	}
	for i := range lost {
		lost[i].Reason = lost[i].Reason[:min(len(lost[i].Reason), maxStampText/most)]
	}
	return lost
}

// alike finds the first two losses that both have numbers or are of one run;
// the first two of all where there are none.
func alike(lost []wire.LossNote) (i, j int) {
	for i := range lost {
		for j := i + 1; j < len(lost); j++ {
			if a, b := &lost[i], &lost[j]; a.MissedRun == b.MissedRun && (a.FromSeq > 0) == (b.FromSeq > 0) && (a.MissedRun != "" || a.FromSeq > 0) {
				return i, j
			}
		}
	}
	return 0, 1
}

// stop leaves the marker of a clean end.
func (a *alive) stop(now time.Time, reason string) error {
	a.mine.Clean, a.mine.Reason = true, reason[:min(len(reason), maxStampText)]
	return a.write(now, true)
}
