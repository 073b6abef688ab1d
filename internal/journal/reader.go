package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"
	"time"
)

// Reader reads the durable records in order, from any position on. It is for
// one goroutine; any number of readers may be open.
type Reader struct {
	j    *Journal
	pos  Position // of the last record returned
	seg  *segment // being read, nil between segments
	file File
	scan scanner
	at   time.Time // of the last record seen in seg
}

// NewReader returns a reader of the records after a position; 0 starts with
// the oldest. A position beyond Last proves that it was in use once: appends
// then go on after it (see Advance).
func (j *Journal) NewReader(after Position) *Reader {
	j.Advance(after)
	return &Reader{j: j, pos: after}
}

// Next returns the record after the last one read and waits for it to be
// durable. Positions that were dropped or damaged are stepped over. It returns
// the context's error, ErrClosed after the journal's Close, or that of opening
// a segment, after which the same call may be tried again.
func (r *Reader) Next(ctx context.Context) (Record, error) {
	for {
		r.j.mu.Lock()
		changed := r.j.changed()
		r.j.mu.Unlock()
		rec, ok, err := r.TryNext()
		if ok || err != nil {
			return rec, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Record{}, ctx.Err()
		}
	}
}

// TryNext is Next without waiting: false when there is no further record yet.
func (r *Reader) TryNext() (Record, bool, error) {
	for {
		more, err := r.position()
		if err != nil || !more {
			return Record{}, false, err
		}
		if rec, ok := r.read(); ok {
			return rec, true, nil
		}
	}
}

// Close gives the reader's file back.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file, r.seg = nil, nil
	return err
}

// position makes r.scan stand in a segment that has something to read after
// r.pos; false when there is none yet.
func (r *Reader) position() (bool, error) {
	for {
		j := r.j
		j.mu.Lock()
		if j.closed {
			j.mu.Unlock()
			return false, errors.Join(r.Close(), ErrClosed)
		}
		if r.seg != nil && !r.seg.gone && r.seg.last > r.pos {
			r.scan.end, r.scan.max = r.seg.size, r.seg.last
			j.mu.Unlock()
			return true, nil
		}
		i := sort.Search(len(j.segments), func(i int) bool { return j.segments[i].last > r.pos })
		if i == len(j.segments) {
			j.mu.Unlock()
			return false, nil
		}
		seg := j.segments[i]
		from := seg.seek(r.pos + 1)
		end, last := seg.size, seg.last
		j.mu.Unlock()
		_ = r.Close()
		f, err := j.fs.OpenFile(j.path(segmentName(seg.first)), os.O_RDONLY, 0)
		if errors.Is(err, fs.ErrNotExist) {
			if err := j.vanished(seg); err != nil {
				return false, err
			}
			continue // removed meanwhile: by us, or by a stranger and now counted
		}
		if err != nil {
			return false, fmt.Errorf("open segment: %w", err)
		}
		r.seg, r.file, r.at = seg, f, time.Time{}
		r.scan = scanner{src: f, off: from.off, end: end, prev: from.pos - 1, max: last,
			maxRecord: maxRecordLength, window: r.scan.window[:0]}
		return true, nil
	}
}

// maxRecordLength is what a reader accepts, whatever Options.MaxRecordBytes was
// when the record was appended.
const maxRecordLength = 1<<31 - 1

// read returns the next record after r.pos; false when the segment, as far as
// it is known, has none.
func (r *Reader) read() (Record, bool) {
	for {
		prev := r.scan.prev
		rec, off, skipped, ok := r.scan.next()
		if skipped > 0 {
			d := damage{seg: r.seg, file: r.file, off: off - skipped, bytes: skipped,
				lost: span{prev + 1, r.scan.max}, fromAt: r.at}
			if ok {
				d.lost.to, d.toAt = rec.Pos-1, rec.At
			}
			if _, lost := r.j.damaged(d); lost > 0 {
				r.j.mu.Lock()
				r.seg.records -= min(r.seg.records, lost)
				r.j.mu.Unlock()
			}
		}
		if !ok {
			r.pos = max(r.pos, r.scan.max)
			r.scan.prev = r.scan.max
			return Record{}, false
		}
		r.at = rec.At
		if rec.Pos > r.pos {
			r.pos = rec.Pos
			return rec, true
		}
	}
}

// vanished takes out of the list a segment whose file is gone although nobody
// removed it here, and counts it.
func (j *Journal) vanished(seg *segment) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seg.gone {
		return nil
	}
	if !seg.sealed {
		return fmt.Errorf("open segment %s: its file was removed; restart to go on with a new one", segmentName(seg.first))
	}
	for i, s := range j.segments {
		if s == seg {
			j.segments = append(j.segments[:i:i], j.segments[i+1:]...)
			break
		}
	}
	seg.gone = true
	j.loseSegment(seg, ReasonMissing)
	return nil
}
