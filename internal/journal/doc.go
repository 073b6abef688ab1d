// Package journal is an append-only, checksummed, fsynced log of records in
// one directory. It is the agent's buffer (full: the oldest goes, counted) and
// the collector's journal (full: nothing more is taken).
//
//	Append ─▶ batch ─▶ one write, one fsync ─▶ Position       Reader, Cursor
//	          (all who wait share it)                            ▲
//	                                                             │ durable records only
//	DIR/00000000000000000001.seg   sealed ───────────────────────┤
//	    00000000000000004711.seg   active: its name is its first position
//	    index                      hint: sealed segments, known holes, losses not yet told
//	    cursor-NAME                two slots, the newer valid one counts
//	    quarantine/                copies of damaged bytes, bounded
//	    reserve        space to give up when the disk is full, if asked for
//	    LOCK                       one process at a time
//
// A record on disk, integers little-endian:
//
//	 0  magic     4   0xF3 'P' 'J' 0x01; the last byte is the version
//	 4  length    4   of the payload, bytes
//	 8  sequence  8   the Position: 1, 2, 3 …
//	16  time      8   of the append, Unix milliseconds
//	24  head sum  4   CRC-32C of bytes 0 to 23, continued from the record's offset in its file
//	28  body sum  4   CRC-32C of the payload, continued from the head sum
//	32  payload
//
// The head sum makes the length trustworthy, so a damaged payload costs exactly
// its record; a damaged head costs a search for the next head that is valid at
// its very offset, so that bytes inside a payload, or a block that came to lie
// elsewhere, are never taken for a record.
//
// What Append acknowledged is on disk. After a crash the end of the last
// segment may be torn; it was never acknowledged and is cut off. A failed write
// or fsync says nothing about what reached the disk, hence the segment is given
// up at its last good byte and the records go into a new one (their positions
// unchanged: records at or beyond the next segment's first are void).
//
// Everything beside the segments can be deleted: the index is rebuilt by
// reading, a cursor starts again at the oldest record, and reading twice is
// harmless to every consumer.
package journal
