package journal

import (
	"fmt"
	"io"
	"math/bits"
	"sort"
	"strings"
)

// segment is one file of records. Its fields are guarded by Journal.mu; what
// they say of size and last is durable.
type segment struct {
	first   Position // its name: the smallest position it may hold
	last    Position // first-1 while it is empty
	records uint64
	size    int64 // bytes that count; the file may be longer after a crash
	firstAt int64 // Unix milliseconds, of the oldest and
	lastAt  int64 // the latest append in it
	sealed  bool
	gone    bool // trimmed or dropped: readers move on
	marks   []mark
}

// mark remembers where a record starts, so that a reader need not begin at the
// front of the file.
type mark struct {
	pos Position
	off int64
}

// markEvery is the distance of marks, bytes.
const markEvery = 256 << 10

// add notes n records of together size bytes, the first of which is at pos.
func (s *segment) add(pos Position, n int, size, at int64) {
	if len(s.marks) == 0 || s.size-s.marks[len(s.marks)-1].off >= markEvery {
		s.marks = append(s.marks, mark{pos, s.size})
	}
	if s.records == 0 {
		s.firstAt, s.lastAt = at, at
	}
	s.firstAt, s.lastAt = min(s.firstAt, at), max(s.lastAt, at)
	s.records += uint64(n)
	s.last = pos + Position(n) - 1
	s.size += size
}

// seek returns the latest mark at or before pos.
func (s *segment) seek(pos Position) mark {
	i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].pos > pos })
	if i == 0 {
		return mark{s.first, 0}
	}
	return s.marks[i-1]
}

const segmentSuffix = ".seg"

func segmentName(first Position) string { return fmt.Sprintf("%020d%s", uint64(first), segmentSuffix) }

// parseSegmentName is the inverse of segmentName.
func parseSegmentName(name string) (Position, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	var p uint64
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' || p > (1<<63)/10 {
			return 0, false
		}
		p = p*10 + uint64(c-'0')
	}
	return Position(p), p > 0
}

// scanner walks the records of one segment and steps over what is not one.
type scanner struct {
	src       io.ReaderAt
	off, end  int64    // the next byte to look at, and the first not to
	prev, max Position // only prev < sequence <= max is genuine
	maxRecord int64

	window     []byte // bytes of the file from windowOff on
	windowOff  int64
	unreadable bool // some bytes could not be read; they count as damaged
}

// windowBytes is how much is read at once, blockBytes what is tried alone when
// that fails.
const (
	windowBytes = 256 << 10
	blockBytes  = 4 << 10
)

// next returns the next genuine record, where it starts and how many bytes
// before it belong to none. At the end ok is false, and skipped counts the
// bytes up to the end that belong to no record. Data is valid until the next
// call.
func (s *scanner) next() (rec Record, off, skipped int64, ok bool) {
	start := s.off
	for s.end-s.off >= headerBytes {
		h, found := parseHeader(s.bytes(headerBytes), s.off)
		if !found {
			s.search()
			continue
		}
		size := headerBytes + h.length
		if h.length > s.maxRecord || size > s.end-s.off {
			s.off++ // a valid head whose payload is cut off, or not ours
			s.search()
			continue
		}
		data := s.bytes(int(size))[headerBytes:]
		off = s.off
		s.off += size
		if h.pos > s.prev && h.pos <= s.max && h.intact(data) {
			s.prev = h.pos
			return Record{Pos: h.pos, At: fromMillis(h.at), Data: data}, off, off - start, true
		}
	}
	s.off = s.end
	return Record{}, s.end, s.end - start, false
}

// search moves off to the next place where a record could start.
func (s *scanner) search() {
	if at := indexMagic(s.bytes(len(recordMagic))); at == 0 {
		s.off++
	}
	for s.end-s.off >= headerBytes {
		b := s.bytes(int(min(s.end-s.off, blockBytes)))
		if at := indexMagic(b); at >= 0 {
			s.off += int64(at)
			return
		}
		s.off += int64(len(b) - len(recordMagic) + 1)
	}
	s.off = s.end
}

// bytes returns the n bytes at off, which lie before end.
func (s *scanner) bytes(n int) []byte {
	from := s.off - s.windowOff
	if from < 0 || from+int64(n) > int64(len(s.window)) {
		s.fill(n)
		from = 0
	}
	return s.window[from : from+int64(n)]
}

// fill reads at least n bytes at off into the window. Bytes that cannot be
// read become zero, which is no record.
func (s *scanner) fill(n int) {
	size := int(min(max(int64(n), windowBytes), s.end-s.off))
	if cap(s.window) < size {
		s.window = make([]byte, 1<<bits.Len(uint(size-1)))
	}
	s.window, s.windowOff = s.window[:size], s.off
	if got, _ := s.src.ReadAt(s.window, s.off); got == size {
		return
	}
	for at := 0; at < size; at += blockBytes {
		block := s.window[at:min(at+blockBytes, size)]
		if got, err := s.src.ReadAt(block, s.off+int64(at)); got < len(block) {
			clear(block[got:])
			s.unreadable = s.unreadable || err != io.EOF
		}
	}
}
