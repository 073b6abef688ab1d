package series

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"

	"github.com/plimsoll/plimsoll/internal/durable"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// everything as a cursor's Before means that all samples up to its position
// are in blocks, whatever their time.
const everything int64 = math.MaxInt64

// nothing as a floor lets every sample pass.
const nothing int64 = math.MinInt64

// cursor is what the blocks are known to hold.
type cursor struct {
	// Position and Before: each sample at a position up to Position and older
	// than Before (Unix ms) is in blocks.
	Position journal.Position `json:"position"`
	Before   int64            `json:"before"`
	// Base: each sample at a position up to Base is in blocks, whatever its
	// time. Reading starts behind it. Never above Position.
	Base journal.Position `json:"base"`
}

// floor is the time from which samples at pos are not known to be in blocks.
func (c cursor) floor(pos journal.Position) int64 {
	if pos <= c.Base {
		return everything
	}
	if pos <= c.Position {
		return c.Before
	}
	return nothing
}

// cursorFile is the cursor on disk with the checksum of its JSON.
type cursorFile struct {
	Cursor json.RawMessage `json:"cursor"`
	CRC32  uint32          `json:"crc32"`
}

// loadCursor reads the cursor at path. A file that is absent gives the zero
// cursor; one that cannot be understood gives it with an error, and reading
// the whole journal again is right in both cases.
func loadCursor(path string) (cursor, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return cursor{Before: nothing}, nil
	}
	if err != nil {
		return cursor{Before: nothing}, fmt.Errorf("read series cursor: %w", err)
	}
	return parseCursor(data)
}

func parseCursor(data []byte) (cursor, error) {
	zero := cursor{Before: nothing}
	var f cursorFile
	if err := json.Unmarshal(data, &f); err != nil {
		return zero, fmt.Errorf("decode series cursor: %w", err)
	}
	if crc32.ChecksumIEEE(f.Cursor) != f.CRC32 {
		return zero, errors.New("series cursor: checksum does not fit")
	}
	var c cursor
	if err := json.Unmarshal(f.Cursor, &c); err != nil {
		return zero, fmt.Errorf("decode series cursor: %w", err)
	}
	if c.Base > c.Position {
		return zero, fmt.Errorf("series cursor: base %d lies behind position %d", c.Base, c.Position)
	}
	return c, nil
}

// encode gives the bytes of the file.
func (c cursor) encode() ([]byte, error) {
	inner, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return json.Marshal(cursorFile{Cursor: inner, CRC32: crc32.ChecksumIEEE(inner)})
}

// saveCursor replaces the file at path.
func saveCursor(path string, c cursor) error {
	data, err := c.encode()
	if err != nil {
		return fmt.Errorf("encode series cursor: %w", err)
	}
	if err := durable.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("save series cursor: %w", err)
	}
	return nil
}
