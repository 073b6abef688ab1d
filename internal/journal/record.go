package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// Position is the sequence number of a record: 1, 2, 3 … one more for each
// append; 0 is before the first.
type Position uint64

// Record is one record as it was appended.
type Record struct {
	Pos  Position
	At   time.Time // when it was appended, to the millisecond, UTC
	Data []byte    // valid until the next call on the reader or cursor it came from
}

// headerBytes is the size of a record's header.
const headerBytes = 32

// recordMagic starts every record; its last byte is the version of the layout.
const recordMagic = "\xf3PJ\x01"

// header is the decoded header of a record.
type header struct {
	length int64
	pos    Position
	at     int64 // Unix milliseconds
	head   uint32
	body   uint32
}

// castagnoli returns the CRC-32C table (hash/crc32 keeps one and uses the
// processor's instruction for it).
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// headSum is the checksum of the first 24 bytes of a header that lies at off,
// which the sum starts from: elsewhere below 4 GiB it is never the same.
func headSum(off int64, h []byte) uint32 {
	return crc32.Update(uint32(off)^uint32(off>>32), castagnoli(), h[:24])
}

// seal writes the header of the record in rec (header space, then payload),
// which will lie at off in its segment.
func seal(rec []byte, off int64, pos Position, at int64) {
	copy(rec, recordMagic)
	binary.LittleEndian.PutUint32(rec[4:], uint32(len(rec)-headerBytes))
	binary.LittleEndian.PutUint64(rec[8:], uint64(pos))
	binary.LittleEndian.PutUint64(rec[16:], uint64(at))
	head := headSum(off, rec)
	binary.LittleEndian.PutUint32(rec[24:], head)
	binary.LittleEndian.PutUint32(rec[28:], crc32.Update(head, castagnoli(), rec[headerBytes:]))
}

// parseHeader decodes a header that lies at off; ok is false unless magic and
// head sum are right. b holds at least headerBytes.
func parseHeader(b []byte, off int64) (h header, ok bool) {
	if string(b[:4]) != recordMagic {
		return header{}, false
	}
	h.head = binary.LittleEndian.Uint32(b[24:])
	if h.head != headSum(off, b) {
		return header{}, false
	}
	h.length = int64(binary.LittleEndian.Uint32(b[4:]))
	h.pos = Position(binary.LittleEndian.Uint64(b[8:]))
	h.at = int64(binary.LittleEndian.Uint64(b[16:]))
	h.body = binary.LittleEndian.Uint32(b[28:])
	return h, true
}

// intact tells whether payload is the one h was written for.
func (h header) intact(payload []byte) bool {
	return crc32.Update(h.head, castagnoli(), payload) == h.body
}

// indexMagic returns where the next record could start in b, or -1.
func indexMagic(b []byte) int { return bytes.Index(b, []byte(recordMagic)) }

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
