package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/agent/fault"
	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// recorder puts batches and notes into the buffer under this run's envelope.
type recorder struct {
	buffer *journal.Journal
	run    string
	boot   string
	clocks func() wire.Clocks
	well   *fault.Condition

	mu      sync.Mutex
	encoder *sample.Encoder
	head    []byte

	untold []wire.Note // notes that must not be lost and are not on disk yet, oldest first

	lostMu sync.Mutex
	lost   wire.LossNote // records that did not get into the buffer and were not told yet
	missed uint64        // of them in all
}

func newRecorder(buffer *journal.Journal, run, boot string, read func() wire.Clocks, log *slog.Logger, now func() time.Time) *recorder {
	return &recorder{
		buffer: buffer, run: run, boot: boot, clocks: read, encoder: sample.NewEncoder(),
		well: fault.New(log, now, "the buffer takes records again"),
	}
}

// batch appends a set as one record. It returns once the record is on disk.
func (r *recorder) batch(set *sample.Set) error {
	if set.Len() == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := r.encoder.Encode(set)
	if err != nil {
		return err
	}
	return r.append(wire.KindBatch2, body)
}

// note appends a note as one record.
func (r *recorder) note(n wire.Note) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("encode note: %w", err)
	}
	return r.append(wire.KindNote, body)
}

// tell appends a note that must not be lost. While the buffer takes nothing it
// waits in memory, and goes in front of the next collection that is recorded.
func (r *recorder) tell(n wire.Note) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.untold = append(r.untold, n)
	return r.tellAll()
}

// tellAll writes the notes that wait, oldest first, until one is not taken. mu is held.
func (r *recorder) tellAll() error {
	for len(r.untold) > 0 {
		body, err := json.Marshal(r.untold[0])
		if err != nil {
			return fmt.Errorf("encode note: %w", err)
		}
		if refused, err := r.put(wire.KindNote, body); err != nil || refused != nil {
			return err
		}
		r.untold = r.untold[1:]
	}
	return nil
}

// append writes the record and counts it as lost when the buffer does not take
// it. mu is held.
func (r *recorder) append(kind wire.Kind, body []byte) error {
	refused, err := r.put(kind, body)
	if err != nil || refused == nil {
		return err
	}
	r.lostMu.Lock()
	defer r.lostMu.Unlock()
	at := r.clocks().Wall
	r.missed++
	r.lost.Records++
	if r.lost.FromAt == 0 {
		r.lost.FromAt = at
	}
	r.lost.ToAt = at
	r.lost.Reason = "not taken by the buffer: " + refused.Error()
	return nil
}

// put writes the record. refused is why the buffer did not take it; err ends
// the agent. mu is held.
func (r *recorder) put(kind wire.Kind, body []byte) (refused, err error) {
	// The sequence is the record's position, known once it is written; the
	// sender fills it in.
	env := wire.Envelope{Kind: kind, Run: r.run, Boot: r.boot, Clocks: r.clocks()}
	r.head = env.Append(r.head[:0])
	_, err = r.buffer.Append(r.head, body)
	if err == nil {
		r.well.OK()
		return nil, nil
	}
	if errors.Is(err, journal.ErrClosed) {
		return nil, err
	}
	r.well.Fail("the buffer does not take records; what is measured now is lost and counted", "err", err,
		"remedy", "make room on the disk of the data directory, or see why it cannot be written")
	return err, nil
}

// losses tells the collector what was lost since the last call: records that
// did not get into the buffer, and records the buffer gave up. As long as what
// was told before is not on disk, further losses are added up where they
// happen, so that a disk that stays full needs no memory.
func (r *recorder) losses(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.tellAll(); err != nil || len(r.untold) > 0 {
		return err
	}
	r.lostMu.Lock()
	if r.lost.Records > 0 {
		lost := r.lost
		r.untold = append(r.untold, wire.Note{At: now.UnixMilli(), Loss: &lost})
		r.lost = wire.LossNote{}
	}
	r.lostMu.Unlock()
	for _, l := range r.buffer.TakeLosses() {
		n := lossNote(l)
		r.untold = append(r.untold, wire.Note{At: now.UnixMilli(), Loss: &n})
	}
	return r.tellAll()
}

func lossNote(l journal.Loss) wire.LossNote {
	n := wire.LossNote{Records: int64(l.Records), FromSeq: uint64(l.From), ToSeq: uint64(l.To), Reason: l.Reason}
	if !l.FromAt.IsZero() {
		n.FromAt = l.FromAt.UnixMilli()
	}
	if !l.ToAt.IsZero() {
		n.ToAt = l.ToAt.UnixMilli()
	}
	return n
}

// missedRecords is how many records did not get into the buffer in this run.
func (r *recorder) missedRecords() uint64 {
	r.lostMu.Lock()
	defer r.lostMu.Unlock()
	return r.missed
}
