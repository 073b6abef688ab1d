package receive

import (
	"sync"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// Bounds of the ring: what consumers may lag behind without reading the journal.
const (
	ringBatches = 8192
	ringSamples = 1 << 18 // 6 MB
)

// ring holds the latest decoded batches by position. Puts come in nearly, not
// exactly, the order of positions.
type ring struct {
	mu      sync.Mutex
	slots   []*batch.Batch   // position modulo length
	low     journal.Position // the oldest position it may still hold
	high    journal.Position // the highest ever put
	samples int
	changed chan struct{} // closed and replaced by a put somebody waits for
	waiting bool
}

// newRing holds positions after last.
func newRing(last journal.Position) *ring {
	return &ring{slots: make([]*batch.Batch, ringBatches), low: last + 1, high: last, changed: make(chan struct{})}
}

func (r *ring) slot(pos journal.Position) **batch.Batch {
	return &r.slots[uint64(pos)%uint64(len(r.slots))]
}

// put adds a batch that is in the journal now. It never waits.
func (r *ring) put(b *batch.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b.Pos < r.low {
		return
	}
	r.high = max(r.high, b.Pos)
	r.samples += len(b.Samples)
	for r.high-r.low >= journal.Position(len(r.slots)) || r.samples > ringSamples && r.low < b.Pos {
		r.evict()
	}
	if b.Pos < r.low {
		r.samples -= len(b.Samples)
		return
	}
	*r.slot(b.Pos) = b
	if r.waiting {
		close(r.changed)
		r.changed, r.waiting = make(chan struct{}), false
	}
}

func (r *ring) evict() {
	if old := *r.slot(r.low); old != nil {
		r.samples -= len(old.Samples)
		*r.slot(r.low) = nil
	}
	r.low++
}

// get finds the batch at pos. When it is not there, old tells that it will
// not come (the journal has it), else wait is closed by the next put.
func (r *ring) get(pos journal.Position) (b *batch.Batch, old bool, wait <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if pos < r.low {
		return nil, true, r.wait()
	}
	if b := *r.slot(pos); b != nil && b.Pos == pos {
		return b, false, nil
	}
	return nil, false, r.wait()
}

func (r *ring) wait() <-chan struct{} {
	r.waiting = true
	return r.changed
}
