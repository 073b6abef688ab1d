package series

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// clockSlack is how far the youngest sample may lie ahead of the clock before
// the head is taken for poisoned. The receiver lets pass 10 minutes.
const clockSlack = 15 * time.Minute

// openDB opens the TSDB in the store's directory with an empty head. The
// caller holds mu or is alone.
func (s *Store) openDB() error {
	// Old files of the head are of no use without a log of its own, and
	// opening does not remove them.
	if err := os.RemoveAll(filepath.Join(s.opts.Dir, "chunks_head")); err != nil {
		return fmt.Errorf("empty the head's directory: %w", err)
	}
	if err := admitPresent(s.opts.Dir, s.opts.Now().Add(clockSlack).UnixMilli()); err != nil {
		return err
	}
	merges, stop := context.WithCancel(context.Background())
	db, err := tsdb.Open(s.opts.Dir, slog.New(demoted{s.opts.Log.Handler()}), s.metrics.generation(), s.tsdbOptions(merges), nil)
	if err != nil {
		stop()
		return fmt.Errorf("open series store: %w", err)
	}
	db.DisableCompactions()
	s.db, s.stopMerges = db, stop
	s.epoch++
	return nil
}

// Bounds of one file of chunks, bytes. The TSDB claims the whole of it before
// it writes a block, so on a small disk no block could be written at all with
// its own 512 MiB.
const (
	minChunkFile = 8 << 20
	maxChunkFile = 512 << 20
)

// chunkFile is a sixteenth of what is free, within bounds.
func (s *Store) chunkFile() int64 {
	free, err := s.opts.Free()
	if err != nil {
		return maxChunkFile
	}
	return min(max(free/16, minChunkFile), maxChunkFile)
}

func (s *Store) closeDB() error {
	if s.db == nil {
		return nil
	}
	s.stopMerges()
	err := s.db.Close()
	s.db = nil
	if err != nil {
		return fmt.Errorf("close series store: %w", err)
	}
	return nil
}

func (s *Store) tsdbOptions(merges context.Context) *tsdb.Options {
	o := tsdb.DefaultOptions()
	o.WALSegmentSize = -1
	o.NoLockfile = true // the collector holds the lock of its data directory
	o.MinBlockDuration = s.opts.BlockRange.Milliseconds()
	o.MaxBlockDuration = max(s.opts.Retention.Milliseconds()/10, o.MinBlockDuration)
	o.OutOfOrderTimeWindow = s.opts.OutOfOrder.Milliseconds()
	o.StripeSize = 1 << 12
	o.MaxBlockChunkSegmentSize = s.chunkFile()
	retention := s.opts.Retention.Milliseconds()
	o.BlocksToDelete = func(blocks []*tsdb.Block) map[ulid.ULID]struct{} {
		metas := make([]tsdb.BlockMeta, len(blocks))
		gone := map[ulid.ULID]struct{}{}
		for i, b := range blocks {
			metas[i] = b.Meta()
			if metas[i].Compaction.Deletable { // emptied by a compaction
				gone[metas[i].ULID] = struct{}{}
			}
		}
		for _, id := range expired(metas, retention) {
			gone[id] = struct{}{}
		}
		return gone
	}
	o.NewCompactorFunc = func(_ context.Context, r prometheus.Registerer, l *slog.Logger, ranges []int64, pool chunkenc.Pool, opts *tsdb.Options) (tsdb.Compactor, error) {
		c, err := tsdb.NewLeveledCompactorWithOptions(merges, r, l, ranges, pool, tsdb.LeveledCompactorOptions{
			MaxBlockChunkSegmentSize:    opts.MaxBlockChunkSegmentSize,
			EnableOverlappingCompaction: opts.EnableOverlappingCompaction,
			PD:                          opts.PostingsDecoderFactory,
		})
		if err != nil {
			return nil, err
		}
		return openCompactor{Compactor: c, gate: &s.gate}, nil
	}
	return o
}

// demoted passes on errors of the TSDB and turns its other lines into debug:
// what a person must know of it the store says itself.
type demoted struct{ slog.Handler }

func (d demoted) Enabled(ctx context.Context, l slog.Level) bool {
	if l < slog.LevelError {
		l = slog.LevelDebug
	}
	return d.Handler.Enabled(ctx, l)
}

func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelError {
		r.Level = slog.LevelDebug
	}
	return d.Handler.Handle(ctx, r)
}

func (d demoted) WithAttrs(a []slog.Attr) slog.Handler { return demoted{d.Handler.WithAttrs(a)} }

func (d demoted) WithGroup(name string) slog.Handler { return demoted{d.Handler.WithGroup(name)} }
