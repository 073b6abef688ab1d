package journal_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/journal/crashfs"
)

// segmentPath is where the segment that begins with a position lies.
func segmentPath(first int) string { return filepath.Join(dir, fmt.Sprintf("%020d.seg", first)) }

// written returns a disk with records "r1" to "rN", 34 bytes each, n of them
// in a segment, after a clean close.
func written(t testing.TB, records, perSegment int) *crashfs.FS {
	t.Helper()
	fs := crashfs.New()
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, SegmentBytes: int64(perSegment * 34), Now: clock()})
	for i := range records {
		add(t, j, fmt.Sprintf("r%d", i+1))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return fs
}

// lossText shows losses as "2-3 damaged record".
func lossText(list []journal.Loss) string {
	var out []string
	for _, l := range list {
		text := fmt.Sprintf("%d-%d %s", l.From, l.To, l.Reason)
		if l.Records != uint64(l.To-l.From+1) {
			text = fmt.Sprintf("%d of %s", l.Records, text)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// TestDamage damages nine records, three in each of three segments, each
// record 34 bytes long, and says what is left and what is counted.
func TestDamage(t *testing.T) {
	const (
		header = 32
		size   = 34
	)
	flip := func(first, at int) func(*crashfs.FS) {
		return func(fs *crashfs.FS) {
			b := fs.Contents(segmentPath(first))
			b[at] ^= 0x10
			fs.SetContents(segmentPath(first), b)
		}
	}
	edit := func(first int, f func([]byte) []byte) func(*crashfs.FS) {
		return func(fs *crashfs.FS) { fs.SetContents(segmentPath(first), f(fs.Contents(segmentPath(first)))) }
	}
	noIndex := func(f func(*crashfs.FS)) func(*crashfs.FS) {
		return func(fs *crashfs.FS) { f(fs); _ = fs.Remove(filepath.Join(dir, "index")) }
	}
	for _, c := range []struct {
		name   string
		damage func(*crashfs.FS)
		left   string // the numbers of the records that can be read
		losses string
	}{
		{"nothing", func(*crashfs.FS) {}, "123456789", ""},
		{"a bit of a payload", flip(4, size+header), "12346789", "5-5 damaged record"},
		{"a bit of a magic", flip(4, size), "12346789", "5-5 damaged record"},
		{"a bit of a length", flip(4, size+4), "12346789", "5-5 damaged record"},
		{"a bit of a sequence", flip(4, size+8), "12346789", "5-5 damaged record"},
		{"a bit of a time", flip(4, size+16), "12346789", "5-5 damaged record"},
		{"a bit of a sum", flip(4, size+28), "12346789", "5-5 damaged record"},
		{"the first record of all", flip(1, 0), "23456789", "1-1 damaged record"},
		{"the last of a sealed segment", flip(4, 2*size), "12345789", "6-6 damaged record"},
		{"the last of a sealed segment, no index", noIndex(flip(4, 2*size)), "12345789", "6-6 damaged record"},
		{"the last of all", flip(7, 2*size), "12345678", "9-9 damaged record"},
		{"the last of all, no index: as a torn write", noIndex(flip(7, 2*size)), "12345678", ""},
		{"a sealed segment emptied", edit(4, func(b []byte) []byte { return nil }), "123789", "4-6 missing"},
		{"a sealed segment cut at a record", edit(4, func(b []byte) []byte { return b[:size] }), "1234789", "5-6 missing"},
		{"a sealed segment cut in a record", edit(4, func(b []byte) []byte { return b[:size+9] }), "1234789", "5-6 damaged record"},
		{"zeros over two records", edit(4, func(b []byte) []byte { clear(b[5 : size+5]); return b }), "1236789", "4-5 damaged record"},
		{"zeros over a segment", edit(4, func(b []byte) []byte { clear(b); return b }), "123789", "4-6 damaged record"},
		{"two records exchanged", edit(4, func(b []byte) []byte {
			return bytes.Join([][]byte{b[size : 2*size], b[:size], b[2*size:]}, nil)
		}), "1236789", "4-5 damaged record"},
		{"a record written twice", edit(4, func(b []byte) []byte {
			return bytes.Join([][]byte{b[:size], b[:size], b[2*size:]}, nil)
		}), "12346789", "5-5 damaged record"},
		{"garbage behind the end", edit(7, func(b []byte) []byte { return append(b, "xxxxx"...) }), "123456789", ""},
		{"a file removed", func(fs *crashfs.FS) { _ = fs.Remove(segmentPath(4)) }, "123789", "4-6 missing"},
		{"the last file removed", func(fs *crashfs.FS) { _ = fs.Remove(segmentPath(7)) }, "123456", "7-9 missing"},
		{"the first file removed", func(fs *crashfs.FS) { _ = fs.Remove(segmentPath(1)) }, "456789", "1-3 missing"},
		{"the index damaged", func(fs *crashfs.FS) { fs.SetContents(filepath.Join(dir, "index"), []byte("plimsoll")) }, "123456789", ""},
		{"two segments exchanged", func(fs *crashfs.FS) {
			a, b := fs.Contents(segmentPath(1)), fs.Contents(segmentPath(4))
			fs.SetContents(segmentPath(1), b)
			fs.SetContents(segmentPath(4), a)
		}, "789", "1-6 damaged record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fs := written(t, 9, 3)
			c.damage(fs)
			j, rec := open(t, journal.Options{Dir: dir, FS: fs})
			left := ""
			for _, s := range strings.Fields(contents(t, j)) {
				n, text, _ := strings.Cut(s, ":r")
				if n != text {
					t.Errorf("position %s holds record %s", n, text)
				}
				left += text
			}
			if left != c.left {
				t.Errorf("read %s, want %s", left, c.left)
			}
			losses := j.TakeLosses()
			if got := lossText(losses); got != c.losses {
				t.Errorf("losses: got %q, want %q", got, c.losses)
			}
			var found uint64
			for _, l := range losses {
				found += l.Records
			}
			if rec.Records > found {
				t.Errorf("recovery tells of %d losses, TakeLosses of %d", rec.Records, found)
			}
			if st := j.Stats(); st.Records != uint64(len(c.left)) || st.Dropped != found {
				t.Errorf("stats: got %d records and %d dropped, want %d and %d", st.Records, st.Dropped, len(c.left), found)
			}
			if strings.Contains(c.losses, "damaged") && len(quarantined(fs)) == 0 {
				t.Error("no copy in quarantine")
			}
			_ = contents(t, j) // a second reader meets the same damage and counts nothing
			if again := lossText(j.TakeLosses()); again != "" {
				t.Errorf("counted twice: %s", again)
			}
			last := j.Last()
			if pos := add(t, j, "more"); pos != last+1 {
				t.Errorf("next position: got %d, want %d", pos, last+1)
			}
			_ = j.Close()
			j, _ = open(t, journal.Options{Dir: dir, FS: fs})
			_ = contents(t, j)
			if again := lossText(j.TakeLosses()); again != "" {
				t.Errorf("counted again after a restart: %s", again)
			}
		})
	}
}

func quarantined(fs *crashfs.FS) (names []string) {
	for _, n := range fs.Names() {
		if strings.Contains(n, "quarantine") {
			names = append(names, n)
		}
	}
	return names
}

var rots = flag.Int("rots", 1000, "how many random damages TestRot does")

// TestRot does random damage to random files: the journal opens, reads nothing
// wrong, and counts every record it cannot read.
func TestRot(t *testing.T) {
	for seed := range uint64(*rots) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		fs := written(t, 20, 4)
		names := fs.Names()
		name := names[rnd.IntN(len(names))]
		what := rot(fs, name, rnd)
		j, _, err := journal.Open(journal.Options{Dir: dir, FS: fs})
		if err != nil {
			t.Fatalf("seed %d: %s of %s: %v", seed, what, name, err)
		}
		read := map[string]bool{}
		for _, s := range strings.Fields(contents(t, j)) {
			n, text, _ := strings.Cut(s, ":r")
			if n != text {
				t.Fatalf("seed %d: %s of %s: position %s holds %q", seed, what, name, n, text)
			}
			read[text] = true
		}
		lost := 0
		for _, l := range j.TakeLosses() {
			lost += int(l.Records)
		}
		if len(read)+lost != 20 {
			t.Fatalf("seed %d: %s of %s: %d records read, %d counted as lost, of 20", seed, what, name, len(read), lost)
		}
		if pos := add(t, j, "x"); pos != 21 {
			t.Fatalf("seed %d: %s of %s: next position %d, want 21", seed, what, name, pos)
		}
		_ = j.Close()
	}
}

// rot damages a file and says how.
func rot(fs *crashfs.FS, name string, rnd *rand.Rand) string {
	b := fs.Contents(name)
	if len(b) == 0 {
		return "nothing"
	}
	at := rnd.IntN(len(b))
	end := at + 1 + rnd.IntN(len(b)-at)
	defer func() { fs.SetContents(name, b) }()
	switch rnd.IntN(4) {
	case 0:
		b[at] ^= 1 << rnd.IntN(8)
		return "flip"
	case 1:
		b = b[:at]
		return "truncation"
	case 2:
		clear(b[at:end])
		return "zeros"
	}
	to := rnd.IntN(len(b) - (end - at) + 1)
	old := bytes.Clone(b[at:end])
	copy(b[at:end], b[to:])
	copy(b[to:], old)
	return "swap"
}
