package series

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/internal/journal"
)

// TestReach settles rows of (position, youngest) against a cursor (p, before).
func TestReach(t *testing.T) {
	type row struct {
		pos      journal.Position
		youngest int64
	}
	wide := func(youngest ...int64) (rows []row) { // one entry each
		for i, y := range youngest {
			rows = append(rows, row{journal.Position(i*reachSpan + 1), y})
		}
		return rows
	}
	for _, tc := range []struct {
		name   string
		rows   []row
		p      journal.Position
		before int64
		base   journal.Position
	}{
		{"nothing applied", nil, 0, 100, 0},
		{"all old enough", wide(10, 20, 30), 1000, 100, 2*reachSpan + 1},
		{"a young one in the middle stops", wide(10, 200, 30), 1000, 100, 1},
		{"as young as the edge is too young", wide(100), 1000, 100, 0},
		{"beyond the cursor stops", wide(10, 20, 30), reachSpan + 1, 100, reachSpan + 1},
		{"neighbours share an entry and its youngest", []row{{1, 10}, {2, 200}, {3, 10}}, 1000, 100, 0},
		{"an entry beyond the cursor in part stays", []row{{1, 10}, {2, 10}}, 1, 100, 0},
		{"records without samples are old", []row{{1, nothing}}, 1000, 100, 1},
		{"everything is in blocks", wide(10, 500), 1000, everything, 1000},
		{"holes in the positions", []row{{5, 10}, {900, 20}}, 1000, 100, 900},
		{"read again: nothing new", []row{{5, 10}, {4, 900}}, 1000, 100, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r reach
			for _, row := range tc.rows {
				r.add(row.pos, row.youngest)
			}
			r.settle(tc.p, tc.before)
			if r.base != tc.base {
				t.Errorf("base %d, want %d", r.base, tc.base)
			}
		})
	}
}

// TestReachNeverPromisesTooMuch compares with a table of every position.
func TestReachNeverPromisesTooMuch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r reach
		youngest := map[journal.Position]int64{}
		settled := map[journal.Position]bool{} // in blocks by one of the settlements
		pos := journal.Position(0)
		for range rapid.IntRange(1, 30).Draw(t, "rounds") {
			for range rapid.IntRange(0, 200).Draw(t, "records") {
				pos += journal.Position(rapid.IntRange(1, 3).Draw(t, "hole"))
				youngest[pos] = rapid.Int64Range(0, 1000).Draw(t, "youngest")
				r.add(pos, youngest[pos])
			}
			p := journal.Position(rapid.Uint64Range(0, uint64(pos)).Draw(t, "p"))
			before := rapid.Int64Range(0, 1100).Draw(t, "before")
			r.settle(p, before)
			for at, y := range youngest {
				settled[at] = settled[at] || at <= p && y < before
				if at <= r.base && !settled[at] {
					t.Fatalf("position %d of time %d lies before base %d, settled (%d, %d)", at, y, r.base, p, before)
				}
			}
		}
	})
}

// TestExpired: blocks as [from, to) in hours; retention is 10 hours.
func TestExpired(t *testing.T) {
	type span [2]int64
	for _, tc := range []struct {
		name   string
		blocks []span
		gone   []int // indices
	}{
		{"none", nil, nil},
		{"one longer than retention stays", []span{{0, 50}}, nil},
		{"exactly kept", []span{{0, 5}, {5, 10}}, nil},
		{"the oldest goes when the others cover it", []span{{0, 5}, {5, 10}, {10, 15}}, []int{0}},
		{"a hole is not age", []span{{0, 5}, {100, 105}}, nil},
		{"a block of next year deletes nothing", []span{{0, 5}, {8000, 8002}}, nil},
		{"overlapping blocks count once", []span{{0, 5}, {5, 10}, {5, 10}, {10, 14}}, nil},
		{"a late block at the edge stays with it", []span{{3, 5}, {4, 10}, {10, 14}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var metas []tsdb.BlockMeta
			for i, s := range tc.blocks {
				metas = append(metas, tsdb.BlockMeta{ULID: ulid.ULID{byte(i)}, MinTime: s[0], MaxTime: s[1]})
			}
			var got []int
			for _, id := range expired(metas, 10) {
				got = append(got, int(id[0]))
			}
			if diff := cmp.Diff(tc.gone, got); diff != "" {
				t.Errorf("gone (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCursorComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cursor")
	if got, err := loadCursor(path); err != nil || got != (cursor{Before: nothing}) {
		t.Errorf("without a file: %+v, %v", got, err)
	}
	for _, want := range []cursor{{Position: 12, Before: 34, Base: 5}, {Position: 13, Before: everything, Base: 13}, {Before: nothing}} {
		if err := saveCursor(path, want); err != nil {
			t.Fatal(err)
		}
		if got, err := loadCursor(path); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data { // one damaged byte never gives another cursor
		bad := append([]byte(nil), data...)
		bad[i] ^= 1
		if got, err := parseCursor(bad); err == nil && got != (cursor{Before: nothing}) {
			t.Errorf("byte %d damaged gives %+v", i, got)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, c := range []cursor{{}, {Position: 7, Before: time.Now().UnixMilli(), Base: 3}} {
		data, err := c.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseCursor(data)
		if err != nil && c != (cursor{Before: nothing}) {
			t.Errorf("an error comes with %+v, which would skip samples", c)
		}
		if c.Base > c.Position {
			t.Errorf("base %d behind position %d", c.Base, c.Position)
		}
	})
}
