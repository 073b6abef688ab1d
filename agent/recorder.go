package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

	untold *wire.Note // the note of the start, until it is on disk

	lostMu sync.Mutex
	lost   []wire.LossNote // records that did not get into the buffer and were not told yet, by run, this one last
	missed uint64          // of them in this run
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

// start appends the note of the start, which must not be lost. While the buffer
// takes nothing it waits in memory, and goes in front of the next collection.
func (r *recorder) start(n wire.Note) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.untold = &n
	_, err := r.tell(&r.untold)
	return err
}

// tell writes a note if there is one, and forgets it once the buffer took it.
// mu is held.
func (r *recorder) tell(n **wire.Note) (told bool, err error) {
	if *n == nil {
		return true, nil
	}
	body, err := json.Marshal(*n)
	if err != nil {
		return false, fmt.Errorf("encode note: %w", err)
	}
	if refused, err := r.put(wire.KindNote, body); err != nil || refused != nil {
		return false, err
	}
	*n = nil
	return true, nil
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
	if n := len(r.lost); n == 0 || r.lost[n-1].MissedRun != r.run {
		r.lost = append(r.lost, wire.LossNote{FromAt: at, MissedRun: r.run, MissedFrom: r.missed})
	}
	l := &r.lost[len(r.lost)-1]
	l.Records++
	l.ToAt, l.MissedTo = at, r.missed
	l.Reason = "not taken by the buffer: " + refused.Error()
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
// did not get into the buffer, and records the buffer gave up. What cannot be
// told now stays where it is counted, and is told with what is lost meanwhile.
func (r *recorder) losses(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if told, err := r.tell(&r.untold); err != nil || !told {
		return err
	}
	for _, l := range r.untoldLosses() {
		note := &wire.Note{At: now.UnixMilli(), Loss: &l}
		if told, err := r.tell(&note); err != nil || !told {
			return err
		}
		r.lostMu.Lock()
		r.lost = r.lost[1:] // appends are under mu: nothing was added since
		r.lostMu.Unlock()
	}
	lost := r.buffer.TakeLosses()
	for i, l := range lost {
		n := lossNote(l)
		note := &wire.Note{At: now.UnixMilli(), Loss: &n}
		if told, err := r.tell(&note); err != nil || !told {
			r.buffer.ReturnLosses(lost[i:])
			return err
		}
	}
	return nil
}

// untoldLosses is what did not get into the buffer and was not told yet.
func (r *recorder) untoldLosses() []wire.LossNote {
	r.lostMu.Lock()
	defer r.lostMu.Unlock()
	return slices.Clone(r.lost)
}

// allUntold is all that the next run has to tell if this one ends now: beside what
// did not get into the buffer, what the buffer gave up. The buffer keeps that in
// its index, too, but cannot write one on a full disk.
func (r *recorder) allUntold() []wire.LossNote {
	all := r.untoldLosses()
	given := r.buffer.TakeLosses()
	r.buffer.ReturnLosses(given)
	for _, l := range given {
		all = append(all, lossNote(l))
	}
	return all
}

func lossNote(l journal.Loss) wire.LossNote {
	n := wire.LossNote{Records: int64(l.Records), FromSeq: uint64(l.From), ToSeq: uint64(l.To), Reason: l.Reason}
	if l.Of != "" { // what another note told of that was dropped
		n.FromSeq, n.ToSeq, n.MissedRun, n.MissedFrom, n.MissedTo = 0, 0, l.Of, n.FromSeq, n.ToSeq
	}
	if !l.FromAt.IsZero() {
		n.FromAt = l.FromAt.UnixMilli()
	}
	if !l.ToAt.IsZero() {
		n.ToAt = l.ToAt.UnixMilli()
	}
	return n
}

// taking tells whether the buffer took the last record.
func (r *recorder) taking() bool {
	bad, _ := r.well.Failing()
	return bad == ""
}

// rescue returns the loss a record of the buffer tells of, if it does: the
// buffer is about to drop it.
func rescue(rec journal.Record) []journal.Loss {
	env, body, err := wire.Split(rec.Data)
	if err != nil || env.Kind != wire.KindNote {
		return nil
	}
	var n wire.Note
	if err := json.Unmarshal(body, &n); err != nil || n.Loss == nil || n.Loss.Records <= 0 {
		return nil
	}
	l := journal.Loss{Records: uint64(n.Loss.Records), From: journal.Position(n.Loss.FromSeq), To: journal.Position(n.Loss.ToSeq), Reason: n.Loss.Reason}
	if n.Loss.MissedRun != "" {
		l.Of, l.From, l.To = n.Loss.MissedRun, journal.Position(n.Loss.MissedFrom), journal.Position(n.Loss.MissedTo)
	}
	if n.Loss.FromAt != 0 {
		l.FromAt = time.UnixMilli(n.Loss.FromAt)
	}
	if n.Loss.ToAt != 0 {
		l.ToAt = time.UnixMilli(n.Loss.ToAt)
	}
	return []journal.Loss{l}
}

// missedRecords is how many records did not get into the buffer in this run.
func (r *recorder) missedRecords() uint64 {
	r.lostMu.Lock()
	defer r.lostMu.Unlock()
	return r.missed
}
