package series

import (
	"sync"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"
)

// gate keeps the writer and what a compaction does to the head apart.
//
// The TSDB lets both run at once. But a compaction of the out-of-order head
// first lists its chunks, series by series, and afterwards drops every chunk
// that was written to disk before the last one listed. A chunk that a commit
// fills meanwhile, in a series that was listed already, is older than the last
// one and on no list: its samples are dropped from memory without being in a
// block, and the next cursor says they are in one.
//
//	compaction  ██ list ██░░░ write block ░░░██ drop ██   █ gate held
//	writer                ▓ append … commit ▓             ░ gate open
//
// Therefore a transaction of the writer holds the gate from its first append
// to its commit, and a compaction holds it except while files of a block are
// written, which takes nearly all of its time and touches only what is listed.
type gate struct{ mu sync.Mutex }

// openCompactor opens the gate while its inner compactor writes. Its caller
// holds the gate.
type openCompactor struct {
	tsdb.Compactor
	gate *gate
}

func (c openCompactor) Write(dest string, b tsdb.BlockReader, mint, maxt int64, base *tsdb.BlockMeta) ([]ulid.ULID, error) {
	c.gate.mu.Unlock()
	defer c.gate.mu.Lock()
	return c.Compactor.Write(dest, b, mint, maxt, base)
}

func (c openCompactor) Compact(dest string, dirs []string, open []*tsdb.Block) ([]ulid.ULID, error) {
	c.gate.mu.Unlock()
	defer c.gate.mu.Lock()
	return c.Compactor.Compact(dest, dirs, open)
}

// compacts runs do, which compacts, with the gate held.
func (g *gate) compacts(do func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return do()
}
