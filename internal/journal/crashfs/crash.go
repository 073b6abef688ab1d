package crashfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Kind says what of the not yet durable a crash leaves.
type Kind int

// The kinds of crash.
const (
	Kill         Kind = iota // of the process alone: all it wrote is there, durable or not as it was
	DropUnsynced             // nothing
	KeepSubset               // a random subset of writes and names
	TornLast                 // all writes, the last of each file only in part
	LoseNames                // all writes, no names: files without directory entry are gone
)

// Kinds lists them all.
func Kinds() []Kind { return []Kind{Kill, DropUnsynced, KeepSubset, TornLast, LoseNames} }

// String names a kind.
func (k Kind) String() string {
	return [...]string{"kill", "drop unsynced", "keep subset", "torn last write", "lose names"}[k]
}

// Crash returns the disk as the next start finds it; f is left as it is. The
// new file system has no faults set and the same Capacity.
func (f *FS) Crash(kind Kind, rnd *rand.Rand) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	after := New()
	after.Capacity = f.Capacity
	maps.Copy(after.dirs, f.dirs)
	if kind == Kill {
		f.copyTo(after)
		return after
	}
	names := maps.Clone(f.durable)
	for _, op := range f.pending {
		if kind == TornLast || kind == KeepSubset && rnd.IntN(2) == 0 {
			apply(names, op.set)
		}
	}
	// in a fixed order, so that the same rnd makes the same disk
	for _, name := range slices.Sorted(maps.Keys(names)) {
		data := names[name].after(kind, rnd)
		ino := &inode{data: data, disk: slices.Clone(data)}
		after.names[name], after.durable[name] = ino, ino
	}
	return after
}

// copyTo gives after the same files, what is not yet durable included: the
// kernel outlives the process. mu is held.
func (f *FS) copyTo(after *FS) {
	copies := map[*inode]*inode{nil: nil}
	twin := func(ino *inode) *inode {
		if _, ok := copies[ino]; !ok {
			copies[ino] = &inode{data: slices.Clone(ino.data), disk: slices.Clone(ino.disk),
				pending: slices.Clone(ino.pending), lost: slices.Clone(ino.lost)}
		}
		return copies[ino]
	}
	for name, ino := range f.names {
		after.names[name] = twin(ino)
	}
	for name, ino := range f.durable {
		after.durable[name] = twin(ino)
	}
	for _, op := range f.pending {
		set := map[string]*inode{}
		for name, ino := range op.set {
			set[name] = twin(ino)
		}
		after.pending = append(after.pending, nameOp{op.dir, set})
	}
}

// after returns a file's bytes after a crash.
func (ino *inode) after(kind Kind, rnd *rand.Rand) []byte {
	disk := slices.Clone(ino.disk)
	if kind == DropUnsynced {
		return disk
	}
	open := slices.Concat(ino.lost, ino.pending)
	for i, c := range open {
		switch {
		case kind == KeepSubset && rnd.IntN(2) == 0:
			continue
		case len(c.data) > 0 && (kind == KeepSubset && rnd.IntN(4) == 0 || kind == TornLast && i == len(open)-1):
			c = c.torn(rnd)
		}
		disk = c.apply(disk)
	}
	return disk
}

// torn returns a part of a write: the front, the back, or the front with
// garbage behind it.
func (c change) torn(rnd *rand.Rand) change {
	n := rnd.IntN(len(c.data) + 1)
	switch rnd.IntN(3) {
	case 0:
		return change{c.off + int64(n), append([]byte{}, c.data[n:]...)}
	case 1:
		data := slices.Clone(c.data)
		for i := n; i < len(data); i++ {
			data[i] = byte(rnd.Uint32())
		}
		return change{c.off, data}
	}
	return change{c.off, append([]byte{}, c.data[:n]...)}
}

// apply makes the change to a file's bytes.
func (c change) apply(data []byte) []byte {
	if c.data == nil {
		if int64(len(data)) > c.off {
			return data[:c.off]
		}
		return append(data, make([]byte, c.off-int64(len(data)))...)
	}
	if end := c.off + int64(len(c.data)); int64(len(data)) < end {
		data = append(data, make([]byte, end-int64(len(data)))...)
	}
	copy(data[c.off:], c.data)
	return data
}

// covers tells whether o, which is older, can no longer show on the disk once c
// is there.
func (c change) covers(o change) bool {
	if c.data == nil || o.data == nil {
		return c.data == nil && o.off >= c.off
	}
	return o.off < c.off+int64(len(c.data)) && c.off < o.off+int64(len(o.data))
}

// change applies c for programs and keeps it for the disk.
func (ino *inode) change(c change) {
	ino.data = c.apply(ino.data)
	ino.pending = append(ino.pending, c)
}

func (ino *inode) truncate(size int64) { ino.change(change{off: size}) }
