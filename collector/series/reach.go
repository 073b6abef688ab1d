package series

import "github.com/plimsoll/plimsoll/internal/journal"

// reachSpan is how many positions share one entry of a reach.
const reachSpan = 64

// reach remembers, for the positions that were applied, how young their
// samples are. It answers up to which position everything is in blocks and
// the journal's segments may therefore go.
//
//	base │ ≤64 positions │ ≤64 positions │ …            applied
//	     │ youngest 12:03│ youngest 12:04│
type reach struct {
	base    journal.Position // everything up to here is in blocks
	entries []reachEntry     // in order of position
}

type reachEntry struct {
	first, last journal.Position
	youngest    int64 // Unix ms; nothing when there is no sample
}

// add notes that the record at pos was applied and youngest is its latest
// timestamp. Positions come in order; one that is not beyond what is known
// already (read again after a reopening) widens nothing.
func (r *reach) add(pos journal.Position, youngest int64) {
	if pos <= r.base {
		return
	}
	if n := len(r.entries); n > 0 {
		e := &r.entries[n-1]
		if pos <= e.last {
			return
		}
		if pos < e.first+reachSpan {
			e.last = pos
			e.youngest = max(e.youngest, youngest)
			return
		}
	}
	r.entries = append(r.entries, reachEntry{first: pos, last: pos, youngest: youngest})
}

// settle moves the base by what a compaction achieved: each sample at a
// position up to p and older than before is in blocks.
func (r *reach) settle(p journal.Position, before int64) {
	n := 0
	for _, e := range r.entries {
		if e.last > p || e.youngest >= before {
			break
		}
		r.base = e.last
		n++
	}
	r.entries = r.entries[:copy(r.entries, r.entries[n:])]
	if before == everything {
		r.base = max(r.base, p)
	}
}
