package series

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// sealName is the file in a block's directory that says what the block was
// like when it was written. The TSDB checks the sums of its chunks and index
// entries when it reads them; its meta.json has none, and a block that was
// exchanged or cut at the right place is as good as any to it.
const sealName = "seal.json"

// seal is the content of that file.
type seal struct {
	MinTime int64            `json:"min_time"` // Unix ms
	MaxTime int64            `json:"max_time"` // Unix ms, excluded
	Stats   tsdb.BlockStats  `json:"stats"`
	Parents []string         `json:"parents"`
	Files   map[string]piece `json:"files"`
}

// piece is one file of a block.
type piece struct {
	Bytes int64  `json:"bytes"`
	Sum   uint32 `json:"crc32c"`
}

// sealFile is a seal on disk with the checksum of its JSON.
type sealFile struct {
	Seal  json.RawMessage `json:"seal"`
	CRC32 uint32          `json:"crc32"`
}

// errNoSeal means that a block has no seal one could believe.
var errNoSeal = errors.New("no seal")

// readMeta reads meta.json and compares it with the name of its directory.
func readMeta(dir string) (meta tsdb.BlockMeta, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if err != nil {
		return meta, err
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return meta, fmt.Errorf("decode meta.json: %w", err)
	}
	if meta.ULID.String() != filepath.Base(dir) {
		return meta, fmt.Errorf("meta.json is of block %s", meta.ULID)
	}
	return meta, nil
}

func parentsOf(meta *tsdb.BlockMeta) []string {
	parents := []string{}
	for _, p := range meta.Compaction.Parents {
		parents = append(parents, p.ULID.String())
	}
	return parents
}

// pieces are the files of the block whose bytes never change, with their
// sizes and, if asked for, their sums.
func pieces(dir string, sums bool) (map[string]piece, error) {
	names, err := filepath.Glob(filepath.Join(dir, "chunks", "*"))
	if err != nil {
		return nil, err
	}
	all := map[string]piece{}
	for _, name := range append(names, filepath.Join(dir, "index")) {
		p, err := pieceOf(name, sums)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return nil, err
		}
		all[filepath.ToSlash(rel)] = p
	}
	return all, nil
}

func pieceOf(name string, sum bool) (p piece, err error) {
	f, err := os.Open(name)
	if err != nil {
		return p, err
	}
	defer func() { _ = f.Close() }() // only read from
	if !sum {
		info, err := f.Stat()
		if err != nil {
			return p, err
		}
		return piece{Bytes: info.Size()}, nil
	}
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	p.Bytes, err = io.Copy(h, f)
	p.Sum = h.Sum32()
	return p, err
}

// sealBlock writes down what the block in dir is like now.
func sealBlock(dir string) error {
	meta, err := readMeta(dir)
	if err != nil {
		return fmt.Errorf("seal block: %w", err)
	}
	files, err := pieces(dir, true)
	if err != nil {
		return fmt.Errorf("seal block: %w", err)
	}
	inner, err := json.Marshal(seal{MinTime: meta.MinTime, MaxTime: meta.MaxTime, Stats: meta.Stats, Parents: parentsOf(&meta), Files: files})
	if err != nil {
		return fmt.Errorf("seal block: %w", err)
	}
	text, err := json.Marshal(sealFile{Seal: inner, CRC32: crc32.ChecksumIEEE(inner)})
	if err != nil {
		return fmt.Errorf("seal block: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(dir, sealName), text, 0o644); err != nil {
		return fmt.Errorf("seal block: %w", err)
	}
	return nil
}

// readSeal reads the seal of a block; errNoSeal where there is none or it is
// damaged itself.
func readSeal(dir string) (s seal, err error) {
	text, err := os.ReadFile(filepath.Join(dir, sealName))
	if errors.Is(err, fs.ErrNotExist) {
		return s, errNoSeal
	}
	if err != nil {
		return s, err
	}
	var f sealFile
	if json.Unmarshal(text, &f) != nil || crc32.ChecksumIEEE(f.Seal) != f.CRC32 || json.Unmarshal(f.Seal, &s) != nil {
		return s, errNoSeal
	}
	return s, nil
}

// checkBlock compares the block in dir with its seal; with sums every byte of
// it, else sizes and meta.json. One without a seal is read through by the
// TSDB's own sums and sealed. The error is what is wrong with the block.
func checkBlock(dir string, sums bool) error {
	meta, err := readMeta(dir)
	if err != nil {
		return err
	}
	s, err := readSeal(dir)
	if errors.Is(err, errNoSeal) {
		if err := walkBlock(dir); err != nil {
			return err
		}
		_ = sealBlock(dir) // on a full disk the next start reads through again
		return nil
	}
	if err != nil {
		return err
	}
	if meta.MinTime != s.MinTime || meta.MaxTime != s.MaxTime || meta.Stats != s.Stats || !slices.Equal(parentsOf(&meta), s.Parents) {
		return errors.New("meta.json differs from what was written")
	}
	now, err := pieces(dir, sums)
	if err != nil {
		return err
	}
	if !sums {
		for name, p := range s.Files {
			s.Files[name] = piece{Bytes: p.Bytes}
		}
	}
	if !maps.Equal(now, s.Files) {
		for name, p := range s.Files {
			if now[name] != p {
				return fmt.Errorf("%s differs from what was written", name)
			}
		}
		return errors.New("there are files that were not written")
	}
	return nil
}

// walkBlock reads all of a block and compares it with its meta.json.
func walkBlock(dir string) (err error) {
	defer func() { // the TSDB's readers were not made for rotten files
		if p := recover(); p != nil {
			err = fmt.Errorf("read block: %v", p)
		}
	}()
	b, err := tsdb.OpenBlock(nil, dir, nil, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	entries, err := b.Index()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, entries.Close()) }()
	data, err := b.Chunks()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	name, value := index.AllPostingsKey()
	postings, err := entries.Postings(context.Background(), name, value)
	if err != nil {
		return err
	}
	meta := b.Meta()
	var found tsdb.BlockStats
	var builder labels.ScratchBuilder
	var metas []chunks.Meta
	for postings.Next() {
		if err := entries.Series(postings.At(), &builder, &metas); err != nil {
			return err
		}
		found.NumSeries++
		for _, m := range metas {
			c, _, err := data.ChunkOrIterable(m)
			if err != nil {
				return err
			}
			if m.MinTime < meta.MinTime || m.MaxTime >= meta.MaxTime {
				return errors.New("meta.json does not cover the samples")
			}
			found.NumChunks++
			found.NumSamples += uint64(c.NumSamples())
		}
	}
	if err := postings.Err(); err != nil {
		return err
	}
	if found.NumSeries != meta.Stats.NumSeries || found.NumChunks != meta.Stats.NumChunks || found.NumSamples != meta.Stats.NumSamples {
		return errors.New("meta.json counts other samples than there are")
	}
	return nil
}
