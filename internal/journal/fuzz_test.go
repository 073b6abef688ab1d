package journal

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

// segmentOf returns a segment file with these payloads.
func segmentOf(payloads ...string) []byte {
	var b []byte
	for i, p := range payloads {
		start := len(b)
		b = append(b, make([]byte, headerBytes)...)
		b = append(b, p...)
		seal(b[start:], int64(start), Position(i+1), 1000+int64(i))
	}
	return b
}

// FuzzSegment scans arbitrary bytes: it ends, stays within them, positions
// rise, and every record it returns verifies where it lies.
func FuzzSegment(f *testing.F) {
	f.Add(segmentOf("a", "", "ccc"))
	f.Add(segmentOf("a", string(segmentOf("inside")), "b")[3:])
	f.Add([]byte(recordMagic + recordMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := scanner{src: bytes.NewReader(b), end: int64(len(b)), max: maxPosition, maxRecord: 1 << 20}
		var prev Position
		var seen int64
		for {
			rec, off, skipped, ok := s.next()
			seen += skipped
			if !ok {
				break
			}
			if off != seen || rec.Pos <= prev {
				t.Fatalf("record %d at %d after record %d and %d bytes", rec.Pos, off, prev, seen)
			}
			prev = rec.Pos
			again := make([]byte, headerBytes+len(rec.Data))
			copy(again[headerBytes:], rec.Data)
			at := int64(0)
			if h, ok := parseHeader(b[off:], off); ok {
				at = h.at
			}
			seal(again, off, rec.Pos, at)
			if !bytes.Equal(again, b[off:off+int64(len(again))]) {
				t.Fatalf("record %d at %d does not verify", rec.Pos, off)
			}
			seen += int64(len(again))
		}
		if seen != int64(len(b)) {
			t.Fatalf("%d of %d bytes accounted for", seen, len(b))
		}
	})
}

// FuzzIndex decodes arbitrary bytes; what is accepted is written the same.
func FuzzIndex(f *testing.F) {
	x := index{mark: 9, floor: 3,
		segments: map[Position]*segment{3: {first: 3, last: 8, records: 5, size: 170, firstAt: 1, lastAt: 2, sealed: true}},
		holes:    []span{{4, 4}},
		losses: []Loss{{Records: 1, From: 4, To: 4, FromAt: time.UnixMilli(1).UTC(), ToAt: time.UnixMilli(2).UTC(),
			Bytes: 34, Reason: ReasonDamaged},
			{Records: 2, From: 1, To: 2, Reason: `not taken: "no space"`, Of: `run "a"`}},
	}
	if got, ok := decodeIndex(x.encode()); !ok || !reflect.DeepEqual(got, x) {
		f.Fatalf("got %+v, %v, want %+v", got, ok, x)
	}
	f.Add(x.encode())
	f.Add((&index{}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		x, ok := decodeIndex(b)
		if !ok {
			return
		}
		if y, ok := decodeIndex(x.encode()); !ok || !reflect.DeepEqual(x, y) {
			t.Fatalf("got %+v, want %+v", y, x)
		}
	})
}

// FuzzCursor reads arbitrary bytes as a cursor's file.
func FuzzCursor(f *testing.F) {
	f.Add([]byte(cursorMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, _, err := readCursor(bytes.NewReader(b)); p > maxPosition || err != nil {
			t.Fatalf("position %d, %v", p, err)
		}
	})
}

// TestEmbeddedRecordsAreNotFound damages the head of a record whose payload is
// itself a segment: none of what lies inside may surface.
func TestEmbeddedRecordsAreNotFound(t *testing.T) {
	b := segmentOf("first", string(segmentOf("x", "y", "z", "x", "y", "z")), "third")
	b[headerBytes+len("first")] ^= 1
	s := scanner{src: bytes.NewReader(b), end: int64(len(b)), max: 3, maxRecord: 1 << 20}
	var got []string
	for {
		rec, _, _, ok := s.next()
		if !ok {
			break
		}
		got = append(got, string(rec.Data))
	}
	if !reflect.DeepEqual(got, []string{"first", "third"}) {
		t.Errorf("got %q, want first and third", got)
	}
}
