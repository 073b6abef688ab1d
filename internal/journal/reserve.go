package journal

import (
	"os"
	"time"
)

const reserveName = "reserve"

// reserve is space that is held by a file of zeros and given up when the disk
// is full, so that an agent whose records were all delivered and trimmed, with
// nothing left to drop, still has room for the next ones. By commitMu.
type reserve struct {
	held  bool
	again time.Time // not tried before
}

// keepReserve takes the reserve when there is plenty of space, four times of
// it. commitMu is held.
func (j *Journal) keepReserve(now time.Time) {
	if j.opt.ReserveBytes <= 0 || j.reserve.held || now.Before(j.reserve.again) {
		return
	}
	if free, err := j.fs.FreeSpace(j.opt.Dir); err != nil || free < 4*j.opt.ReserveBytes {
		return
	}
	j.reserve.again = now.Add(time.Minute)
	f, err := j.fs.OpenFile(j.path(reserveName), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	zeros := make([]byte, min(j.opt.ReserveBytes, blockBytes*16))
	for left := j.opt.ReserveBytes; left > 0 && err == nil; left -= int64(len(zeros)) {
		_, err = f.Write(zeros[:min(left, int64(len(zeros)))])
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err != nil || cerr != nil {
		_ = j.fs.Remove(j.path(reserveName))
		return
	}
	j.reserve.held = true
}

// findReserve takes over the reserve of an earlier run. commitMu is held, or
// the journal not yet shared.
func (j *Journal) findReserve(now time.Time) {
	st, err := j.fs.Stat(j.path(reserveName))
	if err == nil && st.Size() != j.opt.ReserveBytes {
		err = j.fs.Remove(j.path(reserveName))
		st = nil
	}
	j.reserve.held = err == nil && st != nil
	j.keepReserve(now)
}

// giveReserve frees the reserve and tells whether there was one. commitMu is
// held.
func (j *Journal) giveReserve(now time.Time) bool {
	if !j.reserve.held {
		return false
	}
	j.reserve = reserve{again: now.Add(time.Minute)}
	return j.fs.Remove(j.path(reserveName)) == nil
}
