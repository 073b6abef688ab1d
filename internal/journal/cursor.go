package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"sync"
)

// Cursor is a consumer's place in the journal that survives a restart: look at
// a record, deliver it, acknowledge it. A record is shown again until it is
// acknowledged.
//
// Ack writes at once, without a fsync: a killed process loses nothing of it. A
// fsync comes with every 64th Ack and with Close, so a power cut can take back
// up to 63 acknowledgements, and the records come again, which is harmless to
// every consumer. One slot of the file is always a fsynced one.
type Cursor struct {
	j     *Journal
	name  string
	state *cursorState

	mu     sync.Mutex
	file   File
	reader *Reader
	ahead  []Record // after the position, their data copied
	slot   int64    // that Ack writes to; the other one is fsynced
	dirty  int      // Acks since the last fsync
	closed bool
}

// cursorState is what the journal knows of a cursor, open or not. Guarded by
// Journal.mu.
type cursorState struct {
	pos  Position
	open *Cursor
}

const (
	cursorPrefix = "cursor-"
	cursorMagic  = "PJCURSR1"
	slotBytes    = 8 + 8 + 4 // magic, position, CRC-32C of both
	slotDistance = 4096      // in different blocks, so that no write can hurt both
	ackSyncEvery = 64
)

// Cursor opens or creates the durable cursor of that name (a-z, 0-9, '-', at
// most 64). A new one stands before the oldest record. Until it is closed it
// cannot be opened again.
func (j *Journal) Cursor(name string) (*Cursor, error) {
	if !cursorName(name) {
		return nil, fmt.Errorf("open cursor %q: a name has 1 to 64 of a-z, 0-9 and '-'", name)
	}
	c := &Cursor{j: j, name: name}
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil, ErrClosed
	}
	c.state = j.cursors[name]
	known := c.state != nil
	if !known {
		c.state = &cursorState{}
		j.cursors[name] = c.state
	}
	if c.state.open != nil {
		j.mu.Unlock()
		return nil, fmt.Errorf("open cursor %s: it is already open", name)
	}
	c.state.open = c
	j.mu.Unlock()
	if err := c.create(); err != nil {
		j.mu.Lock()
		c.state.open = nil
		if !known {
			delete(j.cursors, name)
		}
		j.mu.Unlock()
		return nil, fmt.Errorf("open cursor %s: %w", name, err)
	}
	c.reader = j.NewReader(c.Position())
	return c, nil
}

// create opens the file and makes sure that one slot is a fsynced one.
func (c *Cursor) create() error {
	f, err := c.j.fs.OpenFile(c.path(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	c.file = f
	var pos Position
	pos, c.slot, err = readCursor(f)
	if err == nil {
		c.j.mu.Lock()
		pos = max(pos, c.state.pos)
		c.state.pos = pos
		c.j.mu.Unlock()
		err = c.put(pos)
	}
	if err == nil {
		err = c.sync()
	}
	if err == nil {
		err = c.j.fs.SyncDir(c.j.opt.Dir)
	}
	if err != nil {
		_ = f.Close()
	}
	return err
}

func (c *Cursor) path() string { return c.j.path(cursorPrefix + c.name) }

// Position returns the last position acknowledged, 0 for none.
func (c *Cursor) Position() Position {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return c.state.pos
}

// Peek waits for the record after the position and returns it; again and again
// the same one until Ack.
func (c *Cursor) Peek(ctx context.Context) (Record, error) {
	list, err := c.PeekN(ctx, 1, 0)
	if err != nil {
		return Record{}, err
	}
	return list[0], nil
}

// PeekN waits for one record after the position and returns it with those that
// follow at once, at most n and, from the second on, of together at most
// maxBytes (0: no bound). Their data is valid until they are acknowledged.
func (c *Cursor) PeekN(ctx context.Context, n, maxBytes int) ([]Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	c.forget()
	size := 0
	for i := 0; ; i++ {
		if i == len(c.ahead) {
			if i >= max(n, 1) {
				break
			}
			rec, ok, err := c.reader.TryNext()
			if err == nil && !ok && i == 0 {
				rec, err = c.wait(ctx)
				ok = err == nil
			}
			if err != nil && i == 0 {
				return nil, err
			}
			if !ok {
				break
			}
			rec.Data = append([]byte(nil), rec.Data...)
			c.ahead = append(c.ahead, rec)
		}
		size += len(c.ahead[i].Data)
		if i > 0 && (i >= n || maxBytes > 0 && size > maxBytes) {
			return append([]Record(nil), c.ahead[:i]...), nil
		}
	}
	return append([]Record(nil), c.ahead...), nil
}

// wait is Next with the cursor open to others meanwhile. mu is held.
func (c *Cursor) wait(ctx context.Context) (Record, error) {
	r := c.reader
	for {
		c.j.mu.Lock()
		changed := c.j.changed()
		c.j.mu.Unlock()
		rec, ok, err := r.TryNext()
		if ok || err != nil {
			return rec, err
		}
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		c.mu.Lock()
		if c.closed {
			err = ErrClosed
		}
		if err != nil {
			return Record{}, err
		}
	}
}

// forget drops from ahead what was acknowledged or has gone. mu is held.
func (c *Cursor) forget() {
	first, pos := c.j.First(), c.Position()
	for len(c.ahead) > 0 && (c.ahead[0].Pos <= pos || c.ahead[0].Pos < first) {
		c.ahead = c.ahead[1:]
	}
	if len(c.ahead) == 0 {
		c.ahead = nil
		c.reader.pos = max(c.reader.pos, pos)
	}
}

// Ack moves the position to pos: everything up to it is delivered. A position
// at or before the present one changes nothing; one beyond Last is an error.
// When the write fails the position has moved in this process all the same.
func (c *Cursor) Ack(pos Position) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	c.j.mu.Lock()
	last, now := c.j.last, c.state.pos
	if pos > now && pos <= last {
		c.state.pos = pos
	}
	c.j.mu.Unlock()
	if pos > last {
		return fmt.Errorf("acknowledge %d: the journal ends at %d", pos, last)
	}
	if pos <= now {
		return nil
	}
	c.forget()
	err := c.put(pos)
	if c.dirty++; err == nil && c.dirty >= ackSyncEvery {
		err = c.sync()
	}
	if err != nil {
		return fmt.Errorf("write cursor %s: %w", c.name, err)
	}
	return nil
}

// Close makes the position durable. The cursor can be opened again.
func (c *Cursor) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	var err error
	if c.dirty > 0 {
		if err = c.put(c.Position()); err == nil { // once more: the last one may have failed
			err = c.sync()
		}
	}
	err = errors.Join(err, c.file.Close(), c.reader.Close())
	c.ahead = nil
	c.j.mu.Lock()
	c.state.open = nil
	c.j.broadcast()
	c.j.mu.Unlock()
	if err != nil {
		return fmt.Errorf("close cursor %s: %w", c.name, err)
	}
	return nil
}

// put writes pos into the slot in use.
func (c *Cursor) put(pos Position) error {
	b := make([]byte, 0, slotBytes)
	b = append(b, cursorMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(pos))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
	if _, err := c.file.Seek(c.slot, io.SeekStart); err != nil {
		return err
	}
	_, err := c.file.Write(b)
	return err
}

// sync makes the slot in use durable and changes to the other one.
func (c *Cursor) sync() error {
	if err := c.file.Sync(); err != nil {
		return err
	}
	c.dirty = 0
	c.slot = slotDistance - c.slot
	return nil
}

// readCursor returns the position a cursor's file holds, 0 when no slot is
// legible, and where the slot is that Ack may write to: not the one that counts.
func readCursor(f io.ReaderAt) (pos Position, free int64, err error) {
	for _, off := range []int64{0, slotDistance} {
		p, ok, err := readSlot(f, off)
		if err != nil {
			return 0, 0, err
		}
		if ok && p >= pos {
			pos, free = p, slotDistance-off
		}
	}
	return pos, free, nil
}

// readSlot decodes the slot at off; ok is false when it holds no position.
func readSlot(f io.ReaderAt, off int64) (pos Position, ok bool, err error) {
	b := make([]byte, slotBytes)
	for range 2 { // a fault may pass
		if _, err = f.ReadAt(b, off); err == nil {
			break
		}
		if err == io.EOF {
			return 0, false, nil
		}
	}
	if err != nil {
		return 0, false, err
	}
	pos = Position(binary.LittleEndian.Uint64(b[8:]))
	sum := crc32.Checksum(b[:16], castagnoli())
	return pos, string(b[:8]) == cursorMagic && pos <= maxPosition && sum == binary.LittleEndian.Uint32(b[16:]), nil
}

func cursorName(s string) bool {
	return len(s) >= 1 && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
