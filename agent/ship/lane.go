package ship

import (
	"context"

	"github.com/plimsoll/plimsoll/internal/journal"
)

const (
	// liveBehind is how many records the live lane may be behind before it
	// jumps to the youngest and leaves the rest to an older lane.
	liveBehind = 4
	// maxLanes bounds the older lanes; beyond it the two youngest are joined
	// and what lies between them is sent again.
	maxLanes = 32
)

// lane is a run of records that are still to be delivered, read in order.
type lane struct {
	reader *journal.Reader
	after  journal.Position // all up to here is delivered
	upTo   journal.Position // the last one of the lane; 0 = it grows for ever
	head   *journal.Record  // read and not delivered yet
}

func newLane(buffer *journal.Journal, after, upTo journal.Position) *lane {
	return &lane{reader: buffer.NewReader(after), after: after, upTo: upTo}
}

// peek returns the next record of the lane, the same one until it is passed.
func (l *lane) peek() (*journal.Record, error) {
	if l.head != nil {
		return l.head, nil
	}
	rec, ok, err := l.reader.TryNext()
	if err != nil || !ok {
		return nil, err
	}
	return l.take(rec), nil
}

// wait is peek, except that it waits for a record to come.
func (l *lane) wait(ctx context.Context) (*journal.Record, error) {
	if l.head != nil {
		return l.head, nil
	}
	rec, err := l.reader.Next(ctx)
	if err != nil {
		return nil, err
	}
	return l.take(rec), nil
}

func (l *lane) take(rec journal.Record) *journal.Record {
	if l.upTo > 0 && rec.Pos > l.upTo {
		l.after = l.upTo // the rest of the lane is gone from the buffer
		return nil
	}
	l.head = &rec
	return l.head
}

// pass notes that the head is delivered.
func (l *lane) pass() {
	l.after, l.head = l.head.Pos, nil
}

func (l *lane) done() bool { return l.upTo > 0 && l.after >= l.upTo }

// lanes are all that is still to be delivered.
type lanes struct {
	buffer  *journal.Journal
	inOrder bool // there is only the one that is called live
	live    *lane
	older   []*lane // oldest first, apart from each other
}

func newLanes(buffer *journal.Journal, after journal.Position, inOrder bool) *lanes {
	return &lanes{buffer: buffer, inOrder: inOrder, live: newLane(buffer, after, 0)}
}

// next returns the record to deliver now and its lane; nil when there is none.
func (s *lanes) next() (*journal.Record, *lane, error) {
	if err := s.jump(); err != nil {
		return nil, nil, err
	}
	if rec, err := s.live.peek(); rec != nil || err != nil {
		return rec, s.live, err
	}
	for len(s.older) > 0 {
		oldest := s.older[0]
		if !oldest.done() {
			if rec, err := oldest.peek(); rec != nil || err != nil {
				return rec, oldest, err
			}
			oldest.after = oldest.upTo // nothing of it is left in the buffer
		}
		if err := oldest.reader.Close(); err != nil {
			return nil, nil, err
		}
		s.older = s.older[1:]
	}
	return nil, nil, nil
}

// jump takes the live lane to the youngest record when it has fallen behind.
func (s *lanes) jump() error {
	last := s.buffer.Last()
	if s.inOrder || last <= s.live.after+liveBehind {
		return nil
	}
	behind := s.live
	s.live = newLane(s.buffer, last-1, 0)
	n := len(s.older)
	if n > 0 && (s.older[n-1].upTo == behind.after || n == maxLanes) {
		s.older[n-1].upTo = last - 1
		return behind.reader.Close()
	}
	behind.upTo = last - 1
	s.older = append(s.older, behind)
	return nil
}

// delivered is the position up to which everything is delivered.
func (s *lanes) delivered() journal.Position {
	for _, l := range s.older {
		if !l.done() {
			return l.after
		}
	}
	return s.live.after
}

// waiting is how many positions are not delivered yet.
func (s *lanes) waiting() uint64 {
	n := uint64(s.buffer.Last() - min(s.live.after, s.buffer.Last()))
	for _, l := range s.older {
		n += uint64(l.upTo - min(l.after, l.upTo))
	}
	return n
}

func (s *lanes) close() error {
	err := s.live.reader.Close()
	for _, l := range s.older {
		if closeErr := l.reader.Close(); err == nil {
			err = closeErr
		}
	}
	return err
}
