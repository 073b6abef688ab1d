package series

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// quarantineDir holds damaged blocks. Nothing reads it; a person may.
const quarantineDir = "quarantine"

// damaged gives the blocks of dir that cannot be opened or differ from their
// seals, with the reason.
// Those a compacted block has replaced are left out: the TSDB removes them.
func damaged(dir string) (map[string]error, error) {
	names, err := blockNames(dir)
	if err != nil {
		return nil, err
	}
	replaced := map[string]bool{}
	bad := map[string]error{}
	for _, name := range names {
		meta, err := probe(filepath.Join(dir, name))
		if err != nil {
			bad[name] = err
			continue
		}
		for _, p := range meta.Compaction.Parents {
			replaced[p.ULID.String()] = true
		}
	}
	for name := range bad {
		if replaced[name] {
			delete(bad, name)
		}
	}
	return bad, nil
}

// Damaged is a block that goes into quarantine.
type Damaged struct {
	Block    string
	From, To int64 // Unix ms, To excluded, of its samples; 0 where its seal is damaged, too
	Samples  uint64
	Cause    error
}

// quarantine tells of the blocks bad of dir and moves them aside, so that the
// store starts with the rest.
func quarantine(dir string, bad map[string]error, tell func(Damaged), log *slog.Logger) error {
	to := filepath.Join(dir, quarantineDir)
	if err := os.MkdirAll(to, 0o750); err != nil {
		return fmt.Errorf("make quarantine: %w", err)
	}
	for name, cause := range bad {
		from, until := "unknown", "unknown"
		told := Damaged{Block: name, Cause: cause}
		if was, err := readSeal(filepath.Join(dir, name)); err == nil {
			told.From, told.To, told.Samples = was.MinTime, was.MaxTime, was.Stats.NumSamples
			from, until = time.UnixMilli(was.MinTime).UTC().Format(time.RFC3339), time.UnixMilli(was.MaxTime).UTC().Format(time.RFC3339)
		}
		tell(told)
		target := filepath.Join(to, name)
		for n := 2; ; n++ { // a copy that somebody put back may be damaged again
			if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
				break
			}
			target = filepath.Join(to, fmt.Sprintf("%s-%d", name, n))
		}
		if err := os.Rename(filepath.Join(dir, name), target); err != nil {
			return fmt.Errorf("move block to quarantine: %w", err)
		}
		log.Error("moved a damaged block to quarantine; between these times samples are unknown unless the journal still has them",
			"block", name, "from", from, "until", until, "to", target, "err", cause)
	}
	return durable.SyncDir(dir)
}

// blockNames lists the blocks of dir.
func blockNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read series directory: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, err := ulid.ParseStrict(e.Name()); err == nil && e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// quarantinedBlocks counts the blocks in quarantine, those of earlier runs
// included: they are missing until a person has looked at them.
func quarantinedBlocks(dir string) int {
	entries, err := os.ReadDir(filepath.Join(dir, quarantineDir))
	if err != nil {
		return 0
	}
	return len(entries)
}

// probe opens and closes the block in dir and compares it with its seal.
func probe(dir string) (meta tsdb.BlockMeta, err error) {
	defer func() { // the TSDB's readers were not made for rotten files
		if p := recover(); p != nil {
			err = fmt.Errorf("open block: %v", p)
		}
	}()
	if err := checkBlock(dir, false); err != nil {
		return tsdb.BlockMeta{}, err
	}
	b, err := tsdb.OpenBlock(nil, dir, nil, nil)
	if err != nil {
		return tsdb.BlockMeta{}, err
	}
	return b.Meta(), b.Close()
}

// admitPresent marks each block that ends after limit (Unix ms) as made of
// out-of-order samples. The TSDB takes no sample in order that is older than
// the end of the youngest block without that mark; after a clock that was
// ahead for a while, nothing would be in order for as long.
func admitPresent(dir string, limit int64) error {
	names, err := blockNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := markOutOfOrder(filepath.Join(dir, name, "meta.json"), limit); err != nil {
			return err
		}
	}
	return nil
}

func markOutOfOrder(path string, limit int64) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read block meta: %w", err)
	}
	var meta tsdb.BlockMeta
	if err := json.Unmarshal(data, &meta); err != nil {
		return fmt.Errorf("decode block meta: %w", err)
	}
	if meta.MaxTime <= limit || meta.Compaction.FromOutOfOrder() {
		return nil
	}
	meta.Compaction.SetOutOfOrder()
	out, err := json.MarshalIndent(&meta, "", "\t")
	if err != nil {
		return fmt.Errorf("encode block meta: %w", err)
	}
	if err := durable.WriteFile(path, out, 0o644); err != nil {
		return fmt.Errorf("replace block meta: %w", err)
	}
	return nil
}

// expired names the blocks that retention no longer covers. Age is counted in
// time that younger blocks cover, not by any clock: a clock that is a year
// ahead for a minute must not delete the history.
func expired(metas []tsdb.BlockMeta, retentionMs int64) []ulid.ULID {
	metas = slices.Clone(metas)
	slices.SortFunc(metas, func(a, b tsdb.BlockMeta) int {
		switch {
		case a.MaxTime > b.MaxTime:
			return -1
		case a.MaxTime < b.MaxTime:
			return 1
		}
		return 0
	})
	var gone []ulid.ULID
	var covered int64
	var edge int64 // start of what is covered so far
	for i, m := range metas {
		if i > 0 && covered >= retentionMs && m.MaxTime <= edge {
			gone = append(gone, m.ULID)
			continue
		}
		if i == 0 {
			edge = m.MaxTime
		}
		if m.MinTime < edge {
			covered += min(edge, m.MaxTime) - m.MinTime
			edge = m.MinTime
		}
	}
	return gone
}
