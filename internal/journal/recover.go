package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// Recovery is what Open found, for one line in the log. What was lost comes
// from TakeLosses as well, which is the one to count.
type Recovery struct {
	Records      uint64    // lost, as far as Open had to read; damage elsewhere is found when it is read
	Bytes        int64     // in which no record could be read
	From, To     Position  // range of what was lost; 0 when nothing was
	FromAt, ToAt time.Time // appends lost lie between these; zero where unknown
	Torn         int64     // bytes of a last write that was never acknowledged, cut off
	Read         int       // segments that had to be read through
	Quarantined  []string  // files written to quarantine/
}

// restore builds the state of j from its directory.
func (j *Journal) restore() (Recovery, error) {
	entries, err := j.fs.ReadDir(j.opt.Dir)
	if err != nil {
		return Recovery{}, fmt.Errorf("read journal directory: %w", err)
	}
	var rec Recovery
	x, indexed := j.readIndex()
	j.floor, j.holes, j.losses = x.floor, x.holes, x.losses
	told := len(j.losses)
	used := max(j.opt.AtLeast, x.mark)
	files := map[Position]*segment{}
	for _, e := range entries {
		name := e.Name()
		if strings.HasSuffix(name, tmpSuffix) {
			_ = j.fs.Remove(j.path(name))
		} else if cursor, ok := strings.CutPrefix(name, cursorPrefix); ok && cursorName(cursor) {
			pos := j.cursorAt(name)
			j.cursors[cursor] = &cursorState{pos: pos}
			used = max(used, pos)
		} else if first, ok := parseSegmentName(name); ok {
			if first < j.floor {
				_ = j.fs.Remove(j.path(name)) // its removal was interrupted
				continue
			}
			files[first] = &segment{first: first, last: first - 1, sealed: true}
		}
	}
	j.segments = sorted(files)
	if indexed {
		j.missing(x)
	}
	for i, s := range j.segments {
		limit := Position(maxPosition)
		if i+1 < len(j.segments) {
			limit = j.segments[i+1].first - 1
		}
		if !j.trust(s, x.segments[s.first], limit) {
			j.load(s, x.segments[s.first], limit, used, &rec)
		}
	}
	j.settle(used)
	if err := j.fs.SyncDir(j.opt.Dir); err != nil {
		return Recovery{}, fmt.Errorf("fsync journal directory: %w", err)
	}
	rec.tell(j.losses[min(told, len(j.losses)):])
	if !indexed || rec.Read > 1 || rec.Records > 0 {
		_ = j.writeIndex()
	}
	return rec, nil
}

// damaged notes the name that Journal.damaged returned.
func (rec *Recovery) damaged(name string, _ uint64) {
	if name != "" {
		rec.Quarantined = append(rec.Quarantined, name)
	}
}

// tell sums up losses.
func (rec *Recovery) tell(losses []Loss) {
	for _, l := range losses {
		if rec.Records == 0 {
			rec.From, rec.FromAt = l.From, l.FromAt
		}
		rec.Records += l.Records
		rec.Bytes += l.Bytes
		rec.To, rec.ToAt = max(rec.To, l.To), l.ToAt
	}
}

func sorted(m map[Position]*segment) []*segment {
	list := make([]*segment, 0, len(m))
	for _, s := range m {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *segment) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	return list
}

// readIndex returns the index, empty when there is no valid one.
func (j *Journal) readIndex() (index, bool) {
	f, err := j.fs.OpenFile(j.path(indexName), os.O_RDONLY, 0)
	if err != nil {
		return index{}, false
	}
	data, err := io.ReadAll(io.LimitReader(f, 64<<20))
	_ = f.Close()
	if err != nil {
		return index{}, false
	}
	return decodeIndex(data)
}

func (j *Journal) cursorAt(name string) Position {
	f, err := j.fs.OpenFile(j.path(name), os.O_RDONLY, 0)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	pos, _, err := readCursor(f)
	if err != nil {
		return 0 // opening the cursor will tell
	}
	return pos
}

// missing counts what the index knows and the directory does not have: sealed
// segments, and at the front the one that was active then.
func (j *Journal) missing(x index) {
	here, front := map[Position]bool{}, max(j.floor, 1)
	for _, s := range j.segments {
		here[s.first] = true
	}
	for _, s := range sorted(x.segments) {
		if !here[s.first] && s.first >= j.floor {
			j.loseSegment(s, ReasonMissing)
			if len(j.segments) == 0 || s.first < j.segments[0].first {
				front = s.last + 1
			}
		}
	}
	if len(j.segments) > 0 && front < j.segments[0].first {
		s := &segment{first: front, last: j.segments[0].first - 1}
		s.records = uint64(s.last - s.first + 1)
		j.loseSegment(s, ReasonMissing)
	}
}

// trust takes over what the index says of a sealed segment, if the file has
// the size it had then.
func (j *Journal) trust(s, known *segment, limit Position) bool {
	if known == nil || known.last > limit || limit == maxPosition {
		return false
	}
	st, err := j.fs.Stat(j.path(segmentName(s.first)))
	if err != nil || st.Size() != known.size {
		return false
	}
	*s = *known
	return true
}

// load reads a segment through. known is what the index says of it, or nil.
// The last one (its limit is maxPosition) is made ready for appending, unless
// used proves that its end is not torn but damaged.
func (j *Journal) load(s, known *segment, limit, used Position, rec *Recovery) {
	rec.Read++
	name := j.path(segmentName(s.first))
	f, size, err := j.openTwice(name)
	if err != nil {
		j.presume(s, known, limit, name)
		return
	}
	last := limit == maxPosition
	scan := scanner{src: f, end: size, prev: s.first - 1, max: limit, maxRecord: maxRecordLength}
	torn := j.replay(s, f, &scan, last, rec)
	switch {
	case last && torn > 0 && used > s.last:
		rec.damaged(j.damaged(damage{seg: s, file: f, off: s.size, bytes: torn,
			lost: span{s.last + 1, used}, fromAt: fromMillis(s.lastAt)}))
		s.last, s.size = used, size
		_ = f.Close()
	case last && !scan.unreadable && j.extend(s, f, torn):
		rec.Torn += torn
	default:
		if torn > 0 && scan.unreadable { // what is there is unknown: no position of it is used again
			s.size = size
			s.last = max(s.last, min(limit, s.first+Position(size/headerBytes)))
		}
		_ = f.Close()
	}
	if known != nil && known.last > s.last && known.last <= limit { // its end was cut off
		from := s.last + 1
		s.last = known.last
		for _, h := range j.newHole(span{from, s.last}) {
			j.lose(Loss{Records: uint64(h.to - h.from + 1), From: h.from, To: h.to, Reason: ReasonMissing,
				FromAt: fromMillis(s.lastAt), ToAt: fromMillis(known.lastAt)})
		}
	}
}

// openTwice opens a segment for reading and appending; a second attempt
// survives a fault that passes.
func (j *Journal) openTwice(name string) (f File, size int64, err error) {
	for range 2 {
		if f, err = j.fs.OpenFile(name, os.O_RDWR, 0); err != nil {
			continue
		}
		if size, err = f.Seek(0, io.SeekEnd); err == nil {
			return f, size, nil
		}
		_ = f.Close()
	}
	return nil, 0, err
}

// presume fills in what can be said of a segment that cannot be opened: it is
// kept, readers will try again, and none of its positions is used anew.
func (j *Journal) presume(s, known *segment, limit Position, name string) {
	if known != nil {
		*s = *known
		return
	}
	if st, err := j.fs.Stat(name); err == nil {
		s.size = st.Size()
	}
	s.last = min(limit, s.first-1+Position(s.size/headerBytes))
	s.records = uint64(s.last - s.first + 1)
}

// replay reads the records of s and returns how many bytes after the last one
// belong to none. Damage before it is counted; after it only in a segment that
// is not the last, where the next one's name tells what was there.
func (j *Journal) replay(s *segment, f File, scan *scanner, last bool, rec *Recovery) (torn int64) {
	var at time.Time
	for {
		prev := scan.prev
		r, off, skipped, ok := scan.next()
		d := damage{seg: s, file: f, off: off - skipped, bytes: skipped, lost: span{prev + 1, scan.max}, fromAt: at}
		if ok {
			d.lost.to, d.toAt = r.Pos-1, r.At
		}
		if skipped > 0 && (ok || !last) {
			if ok {
				s.size = off
			}
			rec.damaged(j.damaged(d))
		}
		if !ok {
			if skipped > 0 && !last && d.lost.from <= d.lost.to {
				s.last, s.size = scan.max, scan.end
				return 0
			}
			return skipped
		}
		s.add(r.Pos, 1, scan.off-off, toMillis(r.At))
		at = r.At
	}
}

// extend makes the last segment the active one: its torn end is cut off, and
// what was read is fsynced, since a killed writer may not have got so far; if
// that cannot be, it is written anew. When all fails the segment stays sealed
// and the next append begins another.
func (j *Journal) extend(s *segment, f File, torn int64) bool {
	if torn > 0 && f.Truncate(s.size) != nil {
		return false
	}
	if f.Sync() != nil {
		j.rewrite(s, f)
		return false
	}
	if _, err := f.Seek(s.size, io.SeekStart); err != nil {
		return false
	}
	j.active, s.sealed = f, false
	return true
}

// rewrite replaces a segment by a copy of what counts in it.
func (j *Journal) rewrite(s *segment, f File) {
	data := make([]byte, s.size)
	if n, _ := f.ReadAt(data, 0); int64(n) == s.size {
		_ = j.replace(segmentName(s.first), data)
	}
}

// settle decides where appends go on: after the last record, or after used
// when that proves that more was there.
func (j *Journal) settle(used Position) {
	if n := len(j.segments); n > 0 {
		j.last = j.segments[n-1].last
	}
	j.last = max(j.last, j.floor-min(j.floor, 1))
	if used > j.last && used <= maxPosition {
		j.lose(Loss{Records: uint64(used - j.last), From: j.last + 1, To: used, Reason: ReasonMissing})
		j.last = used
		j.sealActive()
	}
	for n := len(j.segments); n > 0; n = len(j.segments) { // an empty file that stayed sealed has no use
		s := j.segments[n-1]
		if !s.sealed || s.size > 0 {
			break
		}
		if err := j.fs.Remove(j.path(segmentName(s.first))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			j.last = max(j.last, s.first) // keep clear of its name
			break
		}
		j.segments = j.segments[:n-1]
	}
}
