// Package series is the store of samples: the Prometheus TSDB without a log
// of its own, fed from the journal.
//
//	Feed (journal, in order) ─▶ one writer ─▶ head ──compaction──▶ blocks
//	                             │             ▲ in order │ out of order
//	                             │             │          ▼
//	                             └── applied   └── cursor (P, T) on disk
//
// The cursor says: every sample at a position up to P and older than T is in
// blocks. It is written after a compaction of the head and of the out-of-order
// head, never at any other moment. After a stop, of whatever kind, the
// in-memory head is gone; it comes back by reading the journal again: up to P
// only what is not older than T, after P everything. The same sample twice
// changes nothing, so there is no state that could disagree with the journal.
//
// The writer and what a compaction does to the head exclude each other (gate):
// the TSDB alone would now and then drop a sample from memory that came while
// the compaction listed the head's chunks, and that no block has.
//
// Nothing here decides what is taken: a sample that is in the journal was
// acknowledged. What the store cannot hold (a changed value at an instant it
// has already, a sample older than the out-of-order window) is counted.
//
// The store survives a damaged block (moved to quarantine, said, and derived
// again from the journal as far as that reaches) and a clock that jumped: a
// head that lies in the future would refuse the present, therefore it is
// written to blocks and a new one begins.
package series
