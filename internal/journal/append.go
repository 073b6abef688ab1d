package journal

import (
	"fmt"
	"os"
	"time"
)

// batch is what shares one write and one fsync.
type batch struct {
	buf    []byte // records, headers still blank
	starts []int  // where each begins in buf
	taken  chan struct{}
	done   chan struct{}
	first  Position
	err    error
}

// maxBatchBytes is how much may wait for one fsync before appenders wait for
// the next.
const maxBatchBytes = 8 << 20

// maxSpare is the largest buffer, in bytes, that is kept for the next batch.
const maxSpare = 256 << 10

// Append adds one record, the parts put together, and returns when it is
// fsynced. Who calls at the same time shares a fsync; nobody waits for company.
//
// Errors: ErrTooLarge; ErrFull under Refuse, with the cause; ErrClosed; an
// error of the disk, after a second attempt in a new file. With an error the
// record is not taken (after a crash it may be there all the same). parts may
// be used again after the return.
func (j *Journal) Append(parts ...[]byte) (Position, error) {
	size := headerBytes
	for _, p := range parts {
		size += len(p)
	}
	if size-headerBytes > j.opt.MaxRecordBytes || j.opt.MaxBytes > 0 && int64(size) > j.opt.MaxBytes {
		return 0, fmt.Errorf("%w: %d bytes", ErrTooLarge, size-headerBytes)
	}
	b, i, err := j.join(size, parts)
	if err != nil {
		return 0, err
	}
	if i == 0 { // the first of a batch leads it
		j.lead(b)
	} else {
		<-b.done
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.first + Position(i), nil
}

// join copies a record into the batch being filled and returns its place there.
func (j *Journal) join(size int, parts [][]byte) (*batch, int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		if j.closed {
			return nil, 0, ErrClosed
		}
		b := j.pending
		if b == nil {
			b = &batch{buf: j.spare[:0], taken: make(chan struct{}), done: make(chan struct{})}
			j.pending, j.spare = b, nil
		}
		if len(b.buf) > 0 && int64(len(b.buf)+size) > j.batchLimit() {
			j.mu.Unlock()
			<-b.taken
			j.mu.Lock()
			continue
		}
		if j.opt.WhenFull == Refuse && j.opt.MaxBytes > 0 &&
			j.bytes()+j.flying+int64(len(b.buf)+size) > j.opt.MaxBytes {
			if len(b.buf) == 0 {
				j.pending = nil
			}
			return nil, 0, fmt.Errorf("%w: its %d bytes are used; consumers have to catch up, or raise the bound",
				ErrFull, j.opt.MaxBytes)
		}
		b.starts = append(b.starts, len(b.buf))
		b.buf = append(b.buf, make([]byte, headerBytes)...)
		for _, p := range parts {
			b.buf = append(b.buf, p...)
		}
		return b, len(b.starts) - 1, nil
	}
}

func (j *Journal) batchLimit() int64 {
	if j.opt.MaxBytes > 0 {
		return min(maxBatchBytes, j.opt.SegmentBytes)
	}
	return maxBatchBytes
}

// bytes is the size of all segments. mu is held.
func (j *Journal) bytes() int64 {
	var n int64
	for _, s := range j.segments {
		n += s.size
	}
	return n
}

// lead waits for the batch before b, closes b to others and writes it.
func (j *Journal) lead(b *batch) {
	j.commitMu.Lock()
	defer j.commitMu.Unlock()
	j.mu.Lock()
	j.pending = nil
	j.flying = int64(len(b.buf))
	closed := j.closed
	j.mu.Unlock()
	close(b.taken)
	if closed {
		b.err = ErrClosed
	} else {
		b.err = j.commit(b)
	}
	j.mu.Lock()
	j.flying = 0
	if cap(b.buf) <= maxSpare {
		j.spare, b.buf = b.buf, nil
	}
	j.mu.Unlock()
	close(b.done)
}

// commit writes b, in the active segment if it can, and makes it visible.
// commitMu is held.
func (j *Journal) commit(b *batch) error {
	now := j.opt.Now()
	failed := 0
	for {
		if err := j.makeRoom(int64(len(b.buf)), now); err != nil {
			return err
		}
		err := j.write(b, toMillis(now))
		if err == nil {
			return nil
		}
		j.abandon()
		switch {
		case noSpace(err) && j.opt.WhenFull == Refuse:
			return fmt.Errorf("%w: no space in %s; free some: %w", ErrFull, j.opt.Dir, err)
		case noSpace(err):
			if !j.giveReserve(now) && !j.dropOldest(ReasonNoSpace) {
				return fmt.Errorf("append to journal: nothing left to drop in %s; free some space: %w", j.opt.Dir, err)
			}
		case failed > 0:
			return fmt.Errorf("append to journal: %w", err)
		default:
			failed++
		}
	}
}

// write puts b into the active segment, fsyncs and publishes it. commitMu is held.
func (j *Journal) write(b *batch, at int64) error {
	if err := j.begin(); err != nil {
		return err
	}
	j.mu.Lock()
	seg, first := j.segments[len(j.segments)-1], j.last+1
	off := seg.size
	j.mu.Unlock()
	for i, start := range b.starts {
		end := len(b.buf)
		if i+1 < len(b.starts) {
			end = b.starts[i+1]
		}
		seal(b.buf[start:end], off+int64(start), first+Position(i), at)
	}
	if _, err := j.active.Write(b.buf); err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	if err := j.active.Sync(); err != nil {
		return fmt.Errorf("fsync segment: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	b.first = first
	for i, start := range b.starts {
		end := len(b.buf)
		if i+1 < len(b.starts) {
			end = b.starts[i+1]
		}
		seg.add(first+Position(i), 1, int64(end-start), at)
	}
	j.last = seg.last
	j.stats.Appends += uint64(len(b.starts))
	j.stats.Fsyncs++
	j.broadcast()
	return nil
}

// begin makes sure that there is an active segment. commitMu is held.
func (j *Journal) begin() error {
	if j.active != nil {
		return nil
	}
	j.mu.Lock()
	first := j.last + 1
	j.mu.Unlock()
	name := j.path(segmentName(first))
	// It may exist, given up before anything in it was acknowledged.
	f, err := j.fs.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("create segment: %w", err)
	}
	if err := j.fs.SyncDir(j.opt.Dir); err != nil {
		_ = f.Close()
		return fmt.Errorf("fsync journal directory: %w", err)
	}
	j.active = f
	j.mu.Lock()
	j.segments = append(j.segments, &segment{first: first, last: first - 1})
	j.mu.Unlock()
	_ = j.writeIndex() // a hint: without it the next Open reads more
	return nil
}

// sealActive ends the active segment; the next append begins another. An empty
// one leaves the list but not the disk: its name keeps the positions before it
// from being used again. commitMu and mu are held.
func (j *Journal) sealActive() {
	if j.active == nil {
		return
	}
	_ = j.active.Close() // all that counts in it is fsynced
	j.active = nil
	seg := j.segments[len(j.segments)-1]
	seg.sealed = true
	if seg.size == 0 {
		seg.gone = true
		j.segments = j.segments[:len(j.segments)-1]
	}
}

// abandon gives up the active segment after a failure: what was acknowledged
// in it stays, the rest is cut off if the disk lets us. commitMu is held.
func (j *Journal) abandon() {
	if j.active == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = j.active.Truncate(j.segments[len(j.segments)-1].size)
	j.sealActive()
}

// makeRoom rotates when the active segment is large or old enough, and keeps
// the bounds for n more bytes. commitMu is held.
func (j *Journal) makeRoom(n int64, now time.Time) error {
	age := j.age(now)
	j.mu.Lock()
	if len(j.segments) > 0 && j.active != nil {
		s := j.segments[len(j.segments)-1]
		full := s.size+n > j.opt.SegmentBytes
		old := j.opt.MaxAge > 0 && age(s.firstAt) > j.opt.MaxAge/7
		if s.size > 0 && (full || old) {
			j.sealActive()
		}
	}
	j.mu.Unlock()
	if j.opt.WhenFull == Refuse {
		if j.opt.MinFree > 0 {
			free, err := j.freeSpace(now)
			j.room.written += n
			if err == nil && free-n < j.opt.MinFree {
				return fmt.Errorf("%w: %d bytes free in %s, %d are kept for other work; free some space",
					ErrFull, free, j.opt.Dir, j.opt.MinFree)
			}
		}
		return nil
	}
	j.keepReserve(now)
	for {
		j.mu.Lock()
		reason := j.mustDrop(n, age)
		j.mu.Unlock()
		if reason == "" || !j.dropOldest(reason) {
			return nil
		}
	}
}

// room is what was known of the free space, and when.
type room struct {
	free    int64 // bytes
	at      time.Time
	written int64 // bytes since then, of ours
}

// askSpace is how often the file system is asked for its free space while
// there is twice as much of it as has to stay free; a fsync later it is asked
// again when there is not.
const askSpace = time.Second

// freeSpace is what is free, in bytes. commitMu is held.
func (j *Journal) freeSpace(now time.Time) (int64, error) {
	left := j.room.free - j.room.written
	if passed := now.Sub(j.room.at); left >= 2*j.opt.MinFree && passed >= 0 && passed < askSpace {
		return left, nil
	}
	free, err := j.fs.FreeSpace(j.opt.Dir)
	if err != nil {
		j.room = room{}
		return 0, err
	}
	j.room = room{free: free, at: now}
	return free, nil
}

// age returns how old an append is, by a clock that was read once at Open and
// goes on steadily whatever happens to the wall clock.
func (j *Journal) age(now time.Time) func(at int64) time.Duration {
	steady := toMillis(j.opened) + now.Sub(j.opened).Milliseconds()
	return func(at int64) time.Duration { return time.Duration(steady-at) * time.Millisecond }
}

// mustDrop tells why the oldest segment has to go before n more bytes, "" when
// it need not. mu is held.
func (j *Journal) mustDrop(n int64, age func(int64) time.Duration) string {
	if len(j.segments) == 0 || len(j.segments) == 1 && j.segments[0].size == 0 {
		return ""
	}
	oldest, total := j.segments[0], j.bytes()+n
	if j.opt.MaxBytes > 0 && total > j.opt.MaxBytes {
		return ReasonFull
	}
	if j.opt.MaxAge > 0 && oldest.sealed && age(oldest.lastAt) > j.opt.MaxAge {
		return ReasonAged
	}
	if j.opt.MaxFreeShare > 0 && len(j.segments) > 2 {
		free, err := j.fs.FreeSpace(j.opt.Dir)
		if err == nil && float64(total) > j.opt.MaxFreeShare*float64(free+total-n) {
			return ReasonNoSpace
		}
	}
	return ""
}

// dropOldest removes the oldest segment, counts what nobody had read of it and
// tells whether there was one. commitMu is held.
func (j *Journal) dropOldest(reason string) bool {
	j.mu.Lock()
	if len(j.segments) == 1 && j.active != nil {
		j.sealActive()
	}
	if len(j.segments) == 0 {
		j.mu.Unlock()
		return false
	}
	if len(j.segments) == 1 { // a successor first: its name keeps the positions from being used again
		j.mu.Unlock()
		_ = j.begin()
		j.mu.Lock()
	}
	oldest, after := j.segments[0], Position(0)
	if pos, ok := j.slowest(); ok {
		after = pos
	}
	j.mu.Unlock()
	rescued := j.rescue(oldest, after)
	j.mu.Lock()
	seg := j.unlinkOldest()
	j.retell(rescued)
	j.loseSegment(seg, reason)
	j.broadcast()
	j.mu.Unlock()
	return j.removeFiles(seg) == nil
}
