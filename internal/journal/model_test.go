package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/journal/crashfs"
)

// model is what a journal must be: records in order, some dropped at the
// front, a reader, and a cursor.
type model struct {
	fs  *crashfs.FS
	opt journal.Options
	j   *journal.Journal
	r   *journal.Reader
	c   *journal.Cursor

	records [][]byte                  // all ever appended; position i+1
	lost    map[journal.Position]bool // told by TakeLosses, some twice after a kill
	readTo  journal.Position
	ackedTo journal.Position
}

func (m *model) start(t *rapid.T) {
	var err error
	if m.j, _, err = journal.Open(m.opt); err != nil {
		t.Fatal(err)
	}
	m.r = m.j.NewReader(m.readTo)
	if m.c, err = m.j.Cursor("c"); err != nil {
		t.Fatal(err)
	}
	if m.c.Position() != m.ackedTo {
		t.Fatalf("cursor reopened at %d, want %d", m.c.Position(), m.ackedTo)
	}
}

// next takes a record from the reader and checks it.
func (m *model) next(t *rapid.T) bool {
	rec, ok, err := m.r.TryNext()
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return false
	}
	want := max(m.readTo+1, m.j.First())
	if rec.Pos != want || !bytes.Equal(rec.Data, m.records[rec.Pos-1]) {
		t.Fatalf("read %d %q, want %d %q", rec.Pos, rec.Data, want, m.records[want-1])
	}
	m.readTo = rec.Pos
	return true
}

// TestModel plays random calls, restarts and kills on a journal and on a slice.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{fs: crashfs.New(), lost: map[journal.Position]bool{}}
		m.opt = journal.Options{Dir: dir, FS: m.fs, SegmentBytes: int64(rapid.IntRange(40, 400).Draw(t, "segment"))}
		if rapid.Bool().Draw(t, "bounded") {
			m.opt.MaxBytes = int64(rapid.IntRange(400, 2000).Draw(t, "max"))
		}
		m.start(t)
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				data := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "data")
				pos, err := m.j.Append(data)
				m.records = append(m.records, bytes.Clone(data))
				if err != nil || pos != journal.Position(len(m.records)) {
					t.Fatalf("got position %d, %v, want %d", pos, err, len(m.records))
				}
			},
			"read": func(t *rapid.T) { m.next(t) },
			"read all": func(t *rapid.T) {
				for m.next(t) {
				}
				if m.readTo != m.j.Last() {
					t.Fatalf("reader ends at %d, journal at %d", m.readTo, m.j.Last())
				}
			},
			"acknowledge": func(t *rapid.T) {
				pos := journal.Position(rapid.IntRange(0, len(m.records)).Draw(t, "to"))
				if err := m.c.Ack(pos); err != nil {
					t.Fatal(err)
				}
				m.ackedTo = max(m.ackedTo, pos)
			},
			"trim": func(t *rapid.T) {
				if _, err := m.j.Trim(m.ackedTo); err != nil {
					t.Fatal(err)
				}
			},
			"restart": func(t *rapid.T) {
				if err := m.j.Close(); err != nil {
					t.Fatal(err)
				}
				m.start(t)
			},
			"kill": func(t *rapid.T) {
				m.fs = m.fs.Crash(crashfs.Kill, nil)
				m.opt.FS = m.fs
				m.start(t)
			},
			"": func(t *rapid.T) {
				if m.j.Last() != journal.Position(len(m.records)) || m.c.Position() != m.ackedTo {
					t.Fatalf("last %d, cursor %d, want %d, %d", m.j.Last(), m.c.Position(), len(m.records), m.ackedTo)
				}
				if m.opt.MaxBytes > 0 && m.j.Stats().Bytes > m.opt.MaxBytes {
					t.Fatalf("%d bytes, bound %d", m.j.Stats().Bytes, m.opt.MaxBytes)
				}
				m.lostOnlyUnread(t)
			},
		})
	})
}

// lostOnlyUnread checks that what TakeLosses tells is gone, and that it tells
// of everything that went unacknowledged.
func (m *model) lostOnlyUnread(t *rapid.T) {
	for _, l := range m.j.TakeLosses() {
		if l.To >= m.j.First() && m.j.First() > 0 || l.Records != uint64(l.To-l.From+1) {
			t.Fatalf("lost %+v, but the first is %d", l, m.j.First())
		}
		for pos := l.From; pos <= l.To; pos++ {
			m.lost[pos] = true
		}
	}
	if m.opt.MaxBytes == 0 && len(m.lost) > 0 {
		t.Fatalf("lost %d without a bound", len(m.lost))
	}
	for pos := m.ackedTo + 1; pos < m.j.First(); pos++ {
		if !m.lost[pos] {
			t.Fatalf("position %d is gone, was not acknowledged and is not told as lost", pos)
		}
	}
}

// ExampleJournal_Cursor shows the life of a record in an agent's buffer.
func ExampleJournal_Cursor() {
	fs := crashfs.New() // leave FS out for the real one
	j, _, err := journal.Open(journal.Options{Dir: "buffer", FS: fs, MaxBytes: 512 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = j.Close() }()
	_, _ = j.Append([]byte("envelope, "), []byte("body"))

	c, _ := j.Cursor("ship")
	rec, _ := c.Peek(context.Background())
	fmt.Printf("send %d: %s\n", rec.Pos, rec.Data)
	_ = c.Ack(rec.Pos) // when the collector answered 2xx
	_, _ = j.Trim(c.Position())
	// Output: send 1: envelope, body
}
