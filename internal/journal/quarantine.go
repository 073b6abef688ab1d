package journal

import (
	"fmt"
	"os"
	"path/filepath"
)

// The bounds of quarantine/: how many copies, and how much of each piece.
const (
	maxQuarantined     = 64
	maxQuarantineBytes = 1 << 20
)

// quarantine copies the bytes of d beside the segments, for a person to look
// at, and returns the copy's name; "" when the bound is reached or it could
// not be written, which hinders nothing.
func (j *Journal) quarantine(d damage) string {
	dir := j.path("quarantine")
	if err := j.fs.MkdirAll(dir, 0o700); err != nil {
		return ""
	}
	if kept, err := j.fs.ReadDir(dir); err != nil || len(kept) >= maxQuarantined {
		return ""
	}
	buf := make([]byte, min(d.bytes, maxQuarantineBytes))
	n, _ := d.file.ReadAt(buf, d.off)
	name := fmt.Sprintf("%020d-%d.bad", uint64(d.seg.first), d.off)
	f, err := j.fs.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return ""
	}
	_, err = f.Write(buf[:n])
	if cerr := f.Close(); err != nil || cerr != nil {
		_ = j.fs.Remove(filepath.Join(dir, name))
		return ""
	}
	return name
}
