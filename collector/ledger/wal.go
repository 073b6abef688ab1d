package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// Sizes and numbers of SQLite's write-ahead log, https://sqlite.org/fileformat.html#walformat.
const (
	walHeader      = 32
	walFrameHeader = 24
	walMagic       = 0x377f0682 // the lowest bit says that sums read big-endian words
)

// LostEnd is what a damaged write-ahead log left out when a ledger was opened.
type LostEnd struct {
	At    int // byte at which the log is damaged
	Bytes int // of the whole log, left out when its first bytes are damaged; else 0
	Pages int // at least so many that were committed behind At are left out
}

// String says it in English; "" when nothing was lost.
func (l LostEnd) String() string {
	switch {
	case l.Bytes > 0:
		return fmt.Sprintf("its first bytes are damaged, all of its %d bytes are left out", l.Bytes)
	case l.Pages > 0:
		return fmt.Sprintf("it is damaged at byte %d, and what was committed behind that is left out, more than %d pages", l.At, l.Pages)
	}
	return ""
}

// lostEnd reads a write-ahead log as SQLite does when it opens a ledger that
// was not closed: up to the first frame that does not fit the sums, which it
// takes for a torn write of a crash. A crash tears only the last transaction:
// each is synced before the next begins. When more than that lies behind the
// place, the log was damaged, and lost says what is left out of it; nothing is of a log
// that is whole, torn by a crash, or not there.
//
// A damaged last transaction looks like a torn one and is not told, nor is the
// one before when the place where it was committed cannot be read.
func lostEnd(path string) (lost LostEnd, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return LostEnd{}, nil
	}
	if err != nil {
		return LostEnd{}, err
	}
	defer func() { _ = f.Close() }()
	log, err := io.ReadAll(f)
	if err != nil {
		return LostEnd{}, err
	}
	if len(log) < walHeader+walFrameHeader+pageSize {
		return LostEnd{}, nil // no transaction fits in it
	}
	head := log[:walHeader]
	var order binary.ByteOrder = binary.LittleEndian
	if head[3]&1 != 0 {
		order = binary.BigEndian
	}
	s := walSum{order: order}
	s.add(head[:24])
	if binary.BigEndian.Uint32(head)&^1 != walMagic || binary.BigEndian.Uint32(head[8:]) != pageSize || !s.fits(head[24:]) {
		return LostEnd{Bytes: len(log)}, nil
	}
	salt := string(head[16:24])
	bad, committed, more := -1, false, 0
	for at := walHeader; at+walFrameHeader+pageSize <= len(log); at += walFrameHeader + pageSize {
		frame := log[at : at+walFrameHeader]
		current := string(frame[8:16]) == salt
		if bad < 0 {
			s.add(frame[:8])
			s.add(log[at+walFrameHeader : at+walFrameHeader+pageSize])
			if current && s.fits(frame[16:24]) {
				continue
			}
			bad = at
		}
		if !current {
			continue // of a turn before, or damaged itself
		}
		if committed {
			more++
		}
		committed = committed || binary.BigEndian.Uint32(frame[4:8]) != 0
	}
	if more == 0 {
		return LostEnd{}, nil // the last transaction was torn
	}
	return LostEnd{At: bad, Pages: more}, nil
}

// walSum is the running sum of a write-ahead log.
type walSum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

// add takes a multiple of eight bytes.
func (s *walSum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		s.s0 += s.order.Uint32(b) + s.s1
		s.s1 += s.order.Uint32(b[4:]) + s.s0
	}
}

func (s *walSum) fits(b []byte) bool {
	return binary.BigEndian.Uint32(b) == s.s0 && binary.BigEndian.Uint32(b[4:]) == s.s1
}
