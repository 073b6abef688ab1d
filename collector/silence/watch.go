package silence

import (
	"slices"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// Thresholds, ms. What is shorter may be the way of a record, a busy host or
// a clock that is set by its time service.
const (
	lateAfter  = 45_000  // from making a record to receiving it
	sleptFor   = 5_000   // by which the boot clock ran ahead of the monotonic one
	stoodFor   = 15_000  // by which the time that passed exceeds the boot clock
	stallFor   = 60_000  // without a sample, and at least stallTimes the usual step
	joinLate   = 600_000 // late stretches nearer to each other are one
	stallTimes = 3
)

// maxEnds bounds how many ends of unbroken sequences a Watch remembers: a host
// has one, and two while it delivers a backlog beside what is new.
const maxEnds = 8

// Record is what is remembered of one delivery.
type Record struct {
	Run      string `json:"run"`
	Boot     string `json:"boot"`
	Seq      uint64 `json:"seq"`
	First    int64  `json:"first"`    // of its samples, corrected; of a note when it was made
	Made     int64  `json:"made"`     // corrected wall clock
	BootAt   int64  `json:"boot_at"`  // boot clock
	MonoAt   int64  `json:"mono_at"`  // monotonic clock
	Received int64  `json:"received"` // by the collector
	Shift    int64  `json:"shift"`    // of its wall clock
}

// recordOf makes a Record of an envelope; first is the time of its oldest sample, 0
// where it has none.
func recordOf(e *wire.Envelope, first int64) Record {
	made := e.Clocks.Wall + e.Shift
	if first == 0 {
		first = made
	}
	return Record{e.Run, e.Boot, e.Seq, first, made, e.Clocks.Boot, e.Clocks.Mono, e.ReceivedAt, e.Shift}
}

// Watch follows the envelopes of one host. It remembers the ends of unbroken
// sequences, so that records may come in any order.
type Watch struct {
	Begins []Record `json:"begins"` // of each sequence, as Ends
	Ends   []Record `json:"ends"`
	Late   *Silence `json:"late,omitempty"`
	Usual  int64    `json:"usual"` // the shortest step from record to record, ms
}

// See takes a record and gives what it proves. A late stretch that goes on is
// given again with its new end; From stays.
func (w *Watch) See(e *wire.Envelope, first int64) []Silence {
	if e.Seq == 0 || e.Clocks.Wall == 0 {
		return nil // not an agent's
	}
	r := recordOf(e, first)
	var found []Silence
	if s, ok := w.late(&r); ok {
		found = append(found, s)
	}
	for _, s := range w.join(r) {
		if s.Cause != "" {
			found = append(found, s)
		}
	}
	return found
}

// ShiftOf is by how much the wall clock of a run was corrected last.
func (w *Watch) ShiftOf(run string) (int64, bool) {
	for i := range w.Ends {
		if w.Ends[i].Run == run {
			return w.Ends[i].Shift, true
		}
	}
	return 0, false
}

func (r *Record) late() bool { return r.Received-r.Made > lateAfter }

// late begins or prolongs a stretch of late records.
func (w *Watch) late(r *Record) (Silence, bool) {
	if !r.late() {
		return Silence{}, false
	}
	if l := w.Late; l != nil && r.First >= l.From && r.First <= l.To+joinLate {
		if r.Made <= l.To {
			return Silence{}, false
		}
		l.To = r.Made
		return *l, true
	}
	w.Late = &Silence{Cause: Late, From: r.First, To: r.Made}
	// One instant is no stretch: a host that fell asleep between measuring and
	// sending has one such record, and was not late but asleep.
	return *w.Late, r.Made > r.First
}

// join puts the record behind, before or beside the sequences known, and gives
// what its neighbours prove.
func (w *Watch) join(r Record) (found [2]Silence) {
	behind := slices.IndexFunc(w.Ends, func(e Record) bool { return e.Seq+1 == r.Seq })
	before := slices.IndexFunc(w.Begins, func(b Record) bool { return b.Seq == r.Seq+1 })
	if behind >= 0 {
		found[0] = w.between(&w.Ends[behind], &r)
	}
	if before >= 0 {
		found[1] = w.between(&r, &w.Begins[before])
	}
	switch {
	case behind >= 0 && before >= 0:
		w.Ends[behind] = w.Ends[before]
		w.Begins, w.Ends = slices.Delete(w.Begins, before, before+1), slices.Delete(w.Ends, before, before+1)
	case behind >= 0:
		w.Ends[behind] = r
	case before >= 0:
		w.Begins[before] = r
	case slices.ContainsFunc(w.Ends, func(e Record) bool { return e.Seq == r.Seq }):
		// the same again
	default:
		if len(w.Ends) == maxEnds {
			w.Begins, w.Ends = w.Begins[1:], w.Ends[1:]
		}
		w.Begins, w.Ends = append(w.Begins, r), append(w.Ends, r)
	}
	return found
}

// between is what two records in a row of one run prove.
func (w *Watch) between(a, b *Record) Silence {
	if a.Run != b.Run || a.Boot != b.Boot {
		return Silence{} // the start note says more
	}
	boot, mono := b.BootAt-a.BootAt, b.MonoAt-a.MonoAt
	gap := b.First - a.Made
	switch {
	case boot < 0:
		return Silence{}
	case boot-mono > sleptFor:
		return Silence{Cause: Suspended, From: a.Made, To: b.First}
	case b.Made-a.Made-boot > stoodFor && !a.late() && !b.late():
		return Silence{Cause: Paused, From: a.Made, To: b.First}
	case w.Usual > 0 && gap > stallFor && gap > stallTimes*w.Usual:
		return Silence{Cause: Stalled, From: a.Made, To: b.First}
	}
	if gap > 1_000 && (w.Usual == 0 || gap < w.Usual) {
		w.Usual = gap
	}
	return Silence{}
}
