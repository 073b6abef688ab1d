package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"
)

// Policy is what a journal does when it is full.
type Policy uint8

// The policies.
const (
	DropOldest Policy = iota // the oldest segment goes, and the loss is counted
	Refuse                   // Append returns ErrFull
)

// Errors that callers tell apart.
var (
	ErrFull     = errors.New("journal is full")
	ErrTooLarge = errors.New("record is too large for the journal")
	ErrClosed   = errors.New("journal is closed")
	ErrLocked   = errors.New("journal is in use by another process")
)

// Options say where a journal lies and how large it may grow.
type Options struct {
	Dir string
	FS  FS               // nil: the real one
	Now func() time.Time // nil: time.Now

	// SegmentBytes is the size at which a new file is begun. 0: 64 MiB, and at
	// most a 64th of MaxBytes but not below 64 KiB.
	SegmentBytes int64
	// MaxBytes bounds all segments together; 0: no bound.
	MaxBytes int64
	// MaxAge is how long a record is kept; 0: for ever. Whole segments age
	// out, so a record may stay up to a seventh longer. Only with DropOldest.
	MaxAge time.Duration
	// MaxFreeShare (0 to 1) bounds the segments to this share of the space that
	// is free or theirs, so that a host's disk is never filled by its journal;
	// the two youngest segments stay. 0: no bound. Only with DropOldest.
	MaxFreeShare float64
	// ReserveBytes is held on the disk from the start and given up when it is
	// full; 0: none. Only with DropOldest.
	ReserveBytes int64
	// MinFree is the free space below which nothing is taken, bytes; 0: none.
	// Only with Refuse.
	MinFree  int64
	WhenFull Policy
	// Rescue is asked for each record that is dropped before every cursor has
	// passed it, just before its file goes. A record that told of losses
	// returns them, and TakeLosses tells them again: else the news of a loss
	// would be lost with the next one. It must not call the journal. nil: none.
	Rescue func(Record) []Loss
	// MaxRecordBytes bounds one record; 0: 32 MiB.
	MaxRecordBytes int
	// AtLeast is the highest position a consumer is known to have seen: if the
	// journal ends before it (a damaged or deleted directory), appends go on
	// after it, so that no new record hides behind that consumer's cursor.
	AtLeast Position
}

// fill sets the defaults and corrects sizes that contradict each other.
func (o *Options) fill() error {
	if o.Dir == "" {
		return errors.New("open journal: no directory given")
	}
	if o.WhenFull == Refuse && (o.MaxAge != 0 || o.MaxFreeShare != 0 || o.ReserveBytes != 0) {
		return errors.New("open journal: MaxAge, MaxFreeShare and ReserveBytes are for dropping records, which WhenFull Refuse forbids")
	}
	if o.WhenFull == DropOldest && o.MinFree != 0 {
		return errors.New("open journal: MinFree refuses records, which WhenFull DropOldest does not")
	}
	if o.FS == nil {
		o.FS = OS{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 64 << 20
		if o.MaxBytes > 0 {
			o.SegmentBytes = min(o.SegmentBytes, max(o.MaxBytes/64, 64<<10))
		}
	}
	if o.MaxBytes > 0 {
		o.SegmentBytes = min(o.SegmentBytes, max(o.MaxBytes/2, 1))
	}
	if o.MaxRecordBytes <= 0 {
		o.MaxRecordBytes = 32 << 20
	}
	return nil
}

// Journal is an open journal. All methods may be called by many goroutines.
//
// Locks are taken in the order commitMu, indexMu, mu.
type Journal struct {
	opt    Options
	fs     FS
	opened time.Time // its monotonic reading makes ages immune to clock steps
	lock   io.Closer // nil where the file system has none

	commitMu sync.Mutex // held by the one goroutine that writes a batch
	active   File       // the last segment, when it is not sealed; by commitMu
	reserve  reserve    // by commitMu
	room     room       // by commitMu

	indexMu sync.Mutex // one writer of the index

	mu       sync.Mutex
	closed   bool
	segments []*segment // by position; the last may be unsealed
	last     Position   // every position up to here has been used
	floor    Position   // positions below are gone for good
	pending  *batch     // being filled, not yet taken by its leader
	flying   int64      // bytes of the batch being written
	spare    []byte     // buffer of a batch that is written
	wake     chan struct{}
	holes    []span // damaged records already counted
	losses   []Loss
	cursors  map[string]*cursorState
	stats    Stats
}

// Segment describes one file of a journal.
type Segment struct {
	First, Last     Position // Last is First-1 while it is empty
	Bytes           int64
	FirstAt, LastAt time.Time // oldest and latest append in it
	Sealed          bool      // no more records will be added
}

// Stats are the figures of a journal. The first three are of now, the others
// count since Open.
type Stats struct {
	Bytes       int64
	Records     uint64
	OldestAt    time.Time // zero when empty
	Appends     uint64    // records acknowledged
	Fsyncs      uint64    // of segments
	Dropped     uint64    // records lost, for whatever reason
	Quarantined uint64    // files written to quarantine/
}

// Open opens or creates the journal in o.Dir. Damage never stops it: what
// cannot be read is skipped, counted and copied to quarantine/. It fails only
// when the directory itself cannot be used, or with ErrLocked.
func Open(o Options) (*Journal, Recovery, error) {
	if err := o.fill(); err != nil {
		return nil, Recovery{}, err
	}
	if err := o.FS.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, Recovery{}, fmt.Errorf("create journal directory: %w", err)
	}
	j := &Journal{opt: o, fs: o.FS, opened: o.Now(), cursors: map[string]*cursorState{}}
	if l, ok := o.FS.(locker); ok {
		lock, err := l.Lock(j.path("LOCK"))
		if err != nil {
			return nil, Recovery{}, fmt.Errorf("lock journal %s: %w", o.Dir, err)
		}
		j.lock = lock
	}
	rec, err := j.restore()
	if err == nil && o.WhenFull == DropOldest {
		j.findReserve(j.opened)
	}
	if err != nil {
		j.unlock()
		return nil, Recovery{}, err
	}
	return j, rec, nil
}

func (j *Journal) path(name string) string { return filepath.Join(j.opt.Dir, name) }

func (j *Journal) unlock() {
	if j.lock != nil {
		_ = j.lock.Close()
	}
}

// Last returns the highest position in use, 0 in a new journal. All records up
// to it are durable.
func (j *Journal) Last() Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// First returns the oldest position still kept, 0 when there is none.
func (j *Journal) First() Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.last >= s.first {
			return s.first
		}
	}
	return 0
}

// Segments describes the files, oldest first.
func (j *Journal) Segments() []Segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := make([]Segment, len(j.segments))
	for i, s := range j.segments {
		list[i] = Segment{First: s.first, Last: s.last, Bytes: s.size, Sealed: s.sealed,
			FirstAt: fromMillis(s.firstAt), LastAt: fromMillis(s.lastAt)}
	}
	return list
}

// Stats returns the figures of now.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	st := j.stats
	for _, s := range j.segments {
		st.Bytes += s.size
		st.Records += s.records
		if s.records > 0 && st.OldestAt.IsZero() {
			st.OldestAt = fromMillis(s.firstAt)
		}
	}
	return st
}

// Close waits for the batch being written, makes the cursors durable and ends
// every waiting reader with ErrClosed. A second Close does nothing.
func (j *Journal) Close() error {
	j.commitMu.Lock()
	defer j.commitMu.Unlock()
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	j.broadcast()
	var open []*Cursor
	for _, c := range j.cursors {
		if c.open != nil {
			open = append(open, c.open)
		}
	}
	j.mu.Unlock()
	var errs []error
	for _, c := range open {
		errs = append(errs, c.Close())
	}
	errs = append(errs, j.writeIndex())
	if j.active != nil {
		errs = append(errs, j.active.Close())
		j.active = nil
	}
	j.unlock()
	return errors.Join(errs...)
}

// Trim removes the sealed segments whose last record is at or before upTo and
// says how many they were. Nothing in them counts as lost.
func (j *Journal) Trim(upTo Position) (removed int, err error) {
	j.commitMu.Lock()
	defer j.commitMu.Unlock()
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return 0, ErrClosed
	}
	if n := len(j.segments); n > 0 && j.segments[n-1].sealed && j.segments[n-1].last <= upTo {
		j.mu.Unlock()
		_ = j.begin() // a successor: its name keeps the positions from being used again
		j.mu.Lock()
	}
	var gone []*segment
	for len(j.segments) > 1 && j.segments[0].sealed && j.segments[0].last <= upTo {
		gone = append(gone, j.unlinkOldest())
	}
	j.mu.Unlock()
	if len(gone) == 0 {
		return 0, nil
	}
	if err := j.removeFiles(gone...); err != nil {
		return len(gone), fmt.Errorf("trim journal: %w", err)
	}
	return len(gone), nil
}

// removeFiles deletes the files of segments that left the list. The index goes
// first: after a crash in between the next Open removes the rest. A full disk
// may have no room for it before they are gone; then the next one written tells.
func (j *Journal) removeFiles(gone ...*segment) error {
	indexed := j.writeIndex()
	var errs []error
	for _, s := range gone {
		if err := j.fs.Remove(j.path(segmentName(s.first))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if indexed != nil {
		_ = j.writeIndex()
	}
	return errors.Join(errs...)
}

// unlinkOldest takes the oldest segment out of the list. mu is held.
func (j *Journal) unlinkOldest() *segment {
	s := j.segments[0]
	j.segments = j.segments[1:]
	s.gone, s.sealed = true, true
	j.floor = max(j.floor, s.last+1)
	return s
}

// broadcast wakes all who wait for a change. mu is held.
func (j *Journal) broadcast() {
	if j.wake != nil {
		close(j.wake)
		j.wake = nil
	}
}

// changed returns a channel that is closed at the next change. mu is held.
func (j *Journal) changed() <-chan struct{} {
	if j.wake == nil {
		j.wake = make(chan struct{})
	}
	return j.wake
}

// Advance makes appends continue after pos when the journal ends before it;
// see Options.AtLeast, which it serves for consumers that come later. The
// positions in between count as missing.
func (j *Journal) Advance(pos Position) {
	if j.Last() >= pos || pos > maxPosition {
		return
	}
	j.commitMu.Lock()
	defer j.commitMu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.last >= pos || j.closed {
		return
	}
	j.lose(Loss{Records: uint64(pos - j.last), From: j.last + 1, To: pos, Reason: ReasonMissing})
	j.last = pos
	j.sealActive()
	j.broadcast()
}

// maxPosition is beyond every journal: 10 000 appends a second for 7 million years.
const maxPosition = 1 << 61
