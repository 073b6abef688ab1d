package batch

import "encoding/binary"

// Wire types of protobuf.
const (
	wireVarint = 0
	wireI64    = 1
	wireBytes  = 2
	wireI32    = 5
)

// uvarint reads a varint of b at i and returns where it ends; -1 when it does
// not end or overflows 64 bits.
func uvarint(b []byte, i int) (v uint64, next int) {
	if i < len(b) && b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	if i >= len(b) {
		return 0, -1
	}
	v, n := binary.Uvarint(b[i:])
	if n <= 0 {
		return 0, -1
	}
	return v, i + n
}

// chunk reads a length and that many bytes of b at i; next is -1 when they
// are not there.
func chunk(b []byte, i int) (from, next int) {
	n, i := uvarint(b, i)
	if i < 0 || n > uint64(len(b)-i) {
		return 0, -1
	}
	return i, i + int(n)
}

// skip passes over a field whose tag ended at i; -1 when it is cut short or a
// group, which remote write has none of.
func skip(b []byte, i int, tag uint64) int {
	switch tag & 7 {
	case wireVarint:
		_, i = uvarint(b, i)
		return i
	case wireI64:
		i += 8
	case wireBytes:
		_, i = chunk(b, i)
		return i
	case wireI32:
		i += 4
	default:
		return -1
	}
	if i > len(b) {
		return -1
	}
	return i
}

// tag makes the tag of a field.
func tag(field, wireType uint64) uint64 { return field<<3 | wireType }
