package series

import (
	"context"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/need"
)

// ranges are the blocks of a store with the time they cover.
type ranges map[string][2]int64

// TestRot damages one file of a store whose journal is gone: bits flipped,
// ends cut off, zeros, parts exchanged, whole blocks' files exchanged. The
// store opens, no value it gives is wrong, and what is missing lies in one
// block, which is in quarantine and counted.
func TestRot(t *testing.T) {
	sound := t.TempDir()
	feed := newTape()
	s := start(t, small(t, sound, feed, nowAt(t0)), feed)
	var last journal.Position
	for i := range int64(900) {
		var at []batch.Sample
		for n := range 12 {
			at = append(at, batch.Sample{Series: newSeries("m", n), T: t0 + i*1000, V: float64(i*100 + int64(n))})
		}
		last = feed.append(at...)
	}
	s.until(t, last)
	if err := s.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	blocks := ranges{}
	for _, b := range s.db.Blocks() {
		blocks[filepath.Base(b.Dir())] = [2]int64{b.MinTime(), b.MaxTime()}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(sound, "chunks_head")); err != nil {
		t.Fatal(err)
	}
	var files []string
	err := filepath.WalkDir(sound, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, strings.TrimPrefix(path, sound+"/"))
		}
		return err
	})
	if err != nil || len(files) < 10 || len(blocks) < 3 {
		t.Fatalf("%d files in %d blocks: %v", len(files), len(blocks), err)
	}
	want := rotted(t, sound, blocks, nil, "")
	lost := 0
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d; %d samples in %d blocks, %d files", seed, len(want), len(blocks), len(files))
	rounds := need.Rounds(t, 300, 4000)
	for round := range uint64(rounds) {
		random := rand.New(rand.NewPCG(seed, round))
		dir := filepath.Join(t.TempDir(), "series")
		if err := os.CopyFS(dir, os.DirFS(sound)); err != nil {
			t.Fatal(err)
		}
		name := files[random.IntN(len(files))]
		what := rot(t, dir, name, files, random)
		if len(rotted(t, dir, blocks, want, what+" of "+name)) < len(want) {
			lost++
		}
		if t.Failed() {
			t.Fatalf("round %d: %s of %s", round, what, name)
		}
		_ = os.RemoveAll(dir)
	}
	t.Logf("%d damages: %d cost a block, none gave a wrong value or kept the store from opening", rounds, lost)
}

// rotted opens a damaged store as a collector does and compares.
func rotted(t *testing.T, dir string, blocks ranges, want history, what string) history {
	t.Helper()
	feed := newTape()
	s, err := Open(small(t, dir, feed, nowAt(t0)))
	if err != nil {
		t.Fatalf("%s: open: %v", what, err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	got, err := gather(s)
	if err != nil && s.verify(context.Background(), true) {
		// As PromQL does: a query that fails on what it reads makes the store look.
		if err := s.reopen(context.Background()); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got, err = gather(s)
	}
	if err != nil {
		t.Errorf("%s: query: %v", what, err)
	}
	missing := map[string]int{}
	for k, v := range want {
		switch g, ok := got[k]; {
		case !ok:
			for name, r := range blocks {
				if k.t >= r[0] && k.t < r[1] {
					missing[name]++
				}
			}
		case g != v:
			t.Errorf("%s: wrong value %v of %v, want %v", what, g, k, v)
		}
	}
	if want != nil && len(got) > len(want) {
		t.Errorf("%s: %d samples, more than the %d there were", what, len(got), len(want))
	}
	counted := quarantinedBlocks(dir)
	if exchanged := strings.HasPrefix(what, "exchange"); len(missing) > 1 && !exchanged || len(missing) > 2 || len(missing) > counted {
		t.Errorf("%s: samples of %d blocks are missing, %d in quarantine", what, len(missing), counted)
	}
	return got
}

// gather reads all samples, and what hinders it.
func gather(s *Store) (history, error) {
	q, err := s.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	defer func() { _ = q.Close() }()
	got := history{}
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, nameLabel, ".+"))
	for set.Next() {
		name, it := set.At().Labels().String(), set.At().Iterator(nil)
		for it.Next() == chunkenc.ValFloat {
			at, v := it.At()
			got[key{name, at}] = v
		}
		if err := it.Err(); err != nil {
			return got, err
		}
	}
	return got, set.Err()
}

// rot damages a file and says how.
func rot(t *testing.T, dir, name string, files []string, random *rand.Rand) string {
	t.Helper()
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kind := random.IntN(6)
	if len(b) == 0 {
		kind = 5
	}
	what := ""
	switch kind {
	case 0:
		b[random.IntN(len(b))] ^= 1 << random.IntN(8)
		what = "flip"
	case 1:
		b, what = b[:random.IntN(len(b))], "truncation"
	case 2:
		at := random.IntN(len(b))
		clear(b[at : at+1+random.IntN(len(b)-at)])
		what = "zeros"
	case 3:
		n := 1 + random.IntN(max(len(b)/4, 1))
		if 2*n > len(b) {
			b[0] ^= 1
			return write(t, path, b, "flip")
		}
		x := make([]byte, n)
		copy(x, b[:n])
		copy(b[:n], b[len(b)-n:])
		copy(b[len(b)-n:], x)
		what = "swap"
	case 4: // with the same file of another block, or another file of this one
		other := filepath.Join(dir, files[random.IntN(len(files))])
		o, err := os.ReadFile(other)
		if err != nil {
			t.Fatal(err)
		}
		write(t, other, b, "")
		b, what = o, "exchange with "+other
	case 5:
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return "removal"
	}
	return write(t, path, b, what)
}

func write(t *testing.T, path string, b []byte, what string) string {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return what
}
