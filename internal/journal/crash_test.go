package journal_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/journal/crashfs"
)

const dir = "data/journal"

// history is what the process under test was told, and what it told others:
// the oracle of every crash test.
type history struct {
	acked   map[journal.Position][]byte // Append returned without error
	tried   [][]byte                    // Append returned an error, or not at all
	trimmed journal.Position            // positions up to here may be gone
	told    []journal.Loss              // TakeLosses
	cursor  journal.Position            // the highest Ack begun
	synced  journal.Position            // the highest Ack that a Close made durable
}

// life is one start of a program that uses a journal: it opens it, appends,
// acknowledges and closes. It goes on after errors, as an agent does.
func life(h *history, fs *crashfs.FS, o journal.Options, rnd *rand.Rand, appends int) error {
	o.Dir, o.FS = dir, fs
	j, _, err := journal.Open(o)
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	h.told = append(h.told, j.TakeLosses()...)
	if err := h.see(j); err != nil {
		return err
	}
	c, err := j.Cursor("ship")
	if err != nil {
		return err
	}
	for range appends {
		data := payload(rnd)
		if pos, err := j.Append(data[:len(data)/2], data[len(data)/2:]); err != nil {
			h.tried = append(h.tried, data)
		} else {
			h.acked[pos] = data
		}
		if rnd.IntN(3) == 0 && c.Position() < j.Last() {
			pos := c.Position() + 1 + journal.Position(rnd.IntN(int(j.Last()-c.Position())))
			h.cursor = max(h.cursor, pos)
			_ = c.Ack(pos)
		}
		if rnd.IntN(8) == 0 {
			h.trimmed = max(h.trimmed, c.Position())
			_, _ = j.Trim(c.Position())
		}
		if rnd.IntN(8) == 0 {
			h.told = append(h.told, j.TakeLosses()...)
		}
	}
	h.told = append(h.told, j.TakeLosses()...)
	pos := c.Position()
	if c.Close() == nil {
		h.synced = pos
	}
	return j.Close()
}

// see reads what is there after a start: from now on it is as good as
// acknowledged, since a consumer may have acted on it.
func (h *history) see(j *journal.Journal) error {
	r := j.NewReader(0)
	defer func() { _ = r.Close() }()
	for {
		rec, ok, err := r.TryNext()
		if !ok {
			return err
		}
		if _, ok := h.acked[rec.Pos]; !ok {
			h.acked[rec.Pos] = bytes.Clone(rec.Data)
		}
	}
}

// payload is random in length, and sometimes contains what looks like records.
func payload(rnd *rand.Rand) []byte {
	data := make([]byte, rnd.IntN(120))
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	if len(data) > 40 && rnd.IntN(3) == 0 {
		copy(data[rnd.IntN(8):], "\xf3PJ\x01\x04\x00\x00\x00\x02")
	}
	return data
}

// check compares a disk with a history: nothing acknowledged may be lost
// without having been counted, nothing altered, and the journal goes on.
func (h *history) check(fs *crashfs.FS, o journal.Options) error {
	o.Dir, o.FS = dir, fs
	o.MaxBytes, o.MaxAge = 0, 0 // look, do not drop
	j, _, err := journal.Open(o)
	if err != nil {
		return fmt.Errorf("open after the crash: %w", err)
	}
	defer func() { _ = j.Close() }()
	kept, err := h.read(j)
	if err != nil {
		return err
	}
	if err := h.account(j, kept); err != nil {
		return err
	}
	c, err := j.Cursor("ship")
	if err != nil {
		return err
	}
	if pos := c.Position(); pos > h.cursor || pos < h.synced {
		return fmt.Errorf("cursor stands at %d, acknowledged were %d, durably %d", pos, h.cursor, h.synced)
	}
	pos, err := j.Append([]byte("after"))
	if err != nil {
		return fmt.Errorf("append after the crash: %w", err)
	}
	for used := range h.acked {
		if used >= pos {
			return fmt.Errorf("position %d given twice", pos)
		}
	}
	if err := j.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return h.again(o, kept, pos)
}

// again opens the journal once more, which must find the same.
func (h *history) again(o journal.Options, kept map[journal.Position]bool, last journal.Position) error {
	j, rec, err := journal.Open(o)
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	defer func() { _ = j.Close() }()
	if rec.Torn != 0 {
		return fmt.Errorf("%d torn bytes after a clean close", rec.Torn)
	}
	h.acked[last] = []byte("after")
	defer delete(h.acked, last)
	now, err := h.read(j)
	if err != nil {
		return fmt.Errorf("again: %w", err)
	}
	if len(now) != len(kept)+1 || !now[last] {
		return fmt.Errorf("%d records, after one more append and a restart %d", len(kept), len(now))
	}
	return nil
}

// read reads everything and returns the positions found.
func (h *history) read(j *journal.Journal) (map[journal.Position]bool, error) {
	r := j.NewReader(0)
	defer func() { _ = r.Close() }()
	kept, prev := map[journal.Position]bool{}, journal.Position(0)
	for {
		rec, ok, err := r.TryNext()
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		if !ok {
			return kept, nil
		}
		if rec.Pos <= prev {
			return nil, fmt.Errorf("position %d after %d", rec.Pos, prev)
		}
		prev = rec.Pos
		kept[rec.Pos] = true
		if want, ok := h.acked[rec.Pos]; ok && !bytes.Equal(rec.Data, want) {
			return nil, fmt.Errorf("position %d: read %q, appended %q", rec.Pos, rec.Data, want)
		} else if !ok && !h.attempted(rec.Data) {
			return nil, fmt.Errorf("position %d: read %q, which nobody appended", rec.Pos, rec.Data)
		}
	}
}

func (h *history) attempted(data []byte) bool {
	for _, t := range h.tried {
		if bytes.Equal(t, data) {
			return true
		}
	}
	return false
}

// account checks that what is missing was trimmed, acknowledged or counted.
func (h *history) account(j *journal.Journal, kept map[journal.Position]bool) error {
	losses := append(j.TakeLosses(), h.told...)
	for pos := range h.acked {
		counted := kept[pos] || pos <= h.trimmed || pos <= h.cursor
		for _, l := range losses {
			counted = counted || l.From <= pos && pos <= l.To
		}
		if !counted {
			return fmt.Errorf("position %d is lost and nobody counted it (losses %+v)", pos, losses)
		}
	}
	return nil
}

// setup is a journal small enough that every mechanism comes into play.
type setup struct {
	name     string
	opt      journal.Options
	capacity int64
}

func setups() []setup {
	return []setup{
		{"unbounded", journal.Options{SegmentBytes: 500}, 0},
		{"drop oldest", journal.Options{SegmentBytes: 300, MaxBytes: 1200}, 0},
		{"refuse", journal.Options{SegmentBytes: 300, MaxBytes: 1500, WhenFull: journal.Refuse}, 0},
		{"small disk, drop oldest", journal.Options{SegmentBytes: 400}, 6500},
		{"small disk with a reserve", journal.Options{SegmentBytes: 400, ReserveBytes: 500}, 7000},
		{"small disk, refuse", journal.Options{SegmentBytes: 400, WhenFull: journal.Refuse}, 6500},
	}
}

// clock is a Now that goes on by a second each time.
func clock() func() time.Time {
	t := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	return func() time.Time { t = t.Add(time.Second); return t }
}

// run plays two lives on a new disk with a fault, and returns disk and history.
func run(s setup, seed uint64, fault func(*crashfs.FS)) (*crashfs.FS, *history) {
	fs := crashfs.New()
	fs.Capacity = s.capacity
	h := &history{acked: map[journal.Position][]byte{}}
	fault(fs)
	rnd := rand.New(rand.NewPCG(seed, 0))
	s.opt.Now = clock()
	for range 2 {
		if err := life(h, fs, s.opt, rnd, 15); errors.Is(err, crashfs.ErrCrashed) {
			break
		}
	}
	return fs, h
}

var crashSeeds = flag.Int("crash-seeds", 2, "how many histories the exhaustive crash test plays")

// TestCrashAtEveryOperation stops the program at each operation of its life in
// turn, lets each kind of crash decide what the disk holds, and checks it.
func TestCrashAtEveryOperation(t *testing.T) {
	points := 0
	for _, s := range setups() {
		for seed := range uint64(*crashSeeds) {
			for n := 1; ; n += stride {
				fs, h := run(s, seed, func(fs *crashfs.FS) { fs.CrashAt(n) })
				for _, kind := range crashfs.Kinds() {
					points++
					disk := fs.Crash(kind, rand.New(rand.NewPCG(seed, uint64(n))))
					disk.Capacity = 0
					if err := h.check(disk, s.opt); err != nil {
						t.Fatalf("%s, seed %d, crash (%v) at operation %d: %v", s.name, seed, kind, n, err)
					}
				}
				if !fs.Crashed() {
					break
				}
			}
		}
	}
	t.Logf("%d crash points", points)
}

// TestErrorAtEveryOperation makes each operation fail in turn, once or for
// good, then crashes at the end.
func TestErrorAtEveryOperation(t *testing.T) {
	points := 0
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC, crashfs.ErrShortWrite} {
		for _, every := range []bool{false, true} {
			for i := range len(setups()) * max(*crashSeeds/2, 1) {
				s, seed := setups()[i%len(setups())], uint64(7+i/len(setups()))
				for n := 1; ; n += stride {
					fs, h := run(s, seed, func(fs *crashfs.FS) { fs.FailAt(n, every, fault) })
					fs.FailAt(0, false, nil)
					for _, kind := range []crashfs.Kind{crashfs.Kill, crashfs.DropUnsynced, crashfs.KeepSubset} {
						points++
						disk := fs.Crash(kind, rand.New(rand.NewPCG(uint64(n), 1)))
						disk.Capacity = 0
						if err := h.check(disk, s.opt); err != nil {
							t.Fatalf("%s, seed %d, %v (for good: %v) at operation %d, then %v: %v", s.name, seed, fault, every, n, kind, err)
						}
					}
					if n > fs.Ops() {
						break
					}
				}
			}
		}
	}
	t.Logf("%d points", points)
}

// TestManyCrashes plays lives with a fault each, one after the other on the same
// disk, each ended by a crash of a random kind at a random operation.
func TestManyCrashes(t *testing.T) {
	for seed := range uint64(*crashSeeds * 250 / stride) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		s := setups()[rnd.IntN(len(setups()))]
		s.opt.Now = clock()
		fs := crashfs.New()
		h := &history{acked: map[journal.Position][]byte{}}
		for crash := range 6 {
			fs.Capacity = s.capacity
			fs.CrashAt(1 + rnd.IntN(250))
			if rnd.IntN(2) == 0 {
				fs.FailAt(1+rnd.IntN(100), false, []error{syscall.EIO, syscall.ENOSPC, crashfs.ErrShortWrite}[rnd.IntN(3)])
			}
			_ = life(h, fs, s.opt, rnd, 15)
			kind := crashfs.Kinds()[rnd.IntN(len(crashfs.Kinds()))]
			fs = fs.Crash(kind, rnd)
			copied := fs.Crash(crashfs.Kill, rnd)
			copied.Capacity = 0
			if err := h.check(copied, s.opt); err != nil {
				t.Fatalf("seed %d, %s, after crash %d (%v): %v", seed, s.name, crash, kind, err)
			}
		}
	}
}

// TestReadAfterKillIsDurable kills an appender at each operation, starts again
// with a fault at each operation of Open, reads, and cuts the power: what was
// read once is still there.
func TestReadAfterKillIsDurable(t *testing.T) {
	o := journal.Options{Dir: dir, SegmentBytes: 100}
	for n := 1; ; n += stride {
		fs := crashfs.New()
		fs.CrashAt(n)
		o.FS = fs
		if j, _, err := journal.Open(o); err == nil {
			for i := range 6 {
				_, _ = j.Append(fmt.Appendf(nil, "record %d", i))
			}
		}
		if !fs.Crashed() {
			break
		}
		for m := range 40 {
			kept := fs.Crash(crashfs.Kill, nil)
			kept.FailAt(m, false, syscall.EIO)
			o.FS = kept
			j, _, err := journal.Open(o)
			if err != nil {
				continue // said so
			}
			kept.FailAt(0, false, nil)
			saw := contents(t, j)
			for _, kind := range []crashfs.Kind{crashfs.DropUnsynced, crashfs.LoseNames} {
				after := kept.Crash(kind, rand.New(rand.NewPCG(1, 1)))
				j, _ := open(t, journal.Options{Dir: dir, FS: after})
				if got := contents(t, j); got != saw {
					t.Fatalf("killed at operation %d, fault at %d of Open, then %v: read %q before, %q after", n, m, kind, saw, got)
				}
			}
		}
	}
}

// TestOneFaultIsSurvived says what a passing fault may cost while the program
// runs: nothing that is needed for appending is tried only once.
func TestOneFaultIsSurvived(t *testing.T) {
	for _, fault := range []error{syscall.EIO, crashfs.ErrShortWrite} {
		for n := 1; ; n++ {
			fs := crashfs.New()
			j, _, err := journal.Open(journal.Options{Dir: dir, FS: fs, SegmentBytes: 300})
			if err != nil {
				t.Fatal(err)
			}
			before := fs.Ops()
			fs.FailAt(n, false, fault)
			for i := range 10 {
				if _, err := j.Append(fmt.Appendf(nil, "record %d", i)); err != nil {
					t.Fatalf("%v at operation %d: append %d: %v", fault, n, i, err)
				}
			}
			done := n > fs.Ops()-before
			fs.FailAt(0, false, nil)
			want := "1:record 0 2:record 1 3:record 2 4:record 3 5:record 4 6:record 5 7:record 6 8:record 7 9:record 8 10:record 9"
			if got := contents(t, j); got != want {
				t.Fatalf("%v at operation %d: got %q", fault, n, got)
			}
			_ = j.Close()
			if done {
				break
			}
		}
	}
}

// TestReaderFollowsAnAppender checks that a waiting reader wakes.
func TestReaderFollowsAnAppender(t *testing.T) {
	j, _ := open(t, journal.Options{})
	r := j.NewReader(0)
	got := make(chan string)
	go func() {
		rec, err := r.Next(context.Background())
		got <- fmt.Sprint(string(rec.Data), err)
	}()
	add(t, j, "x")
	if s := <-got; s != "x<nil>" {
		t.Errorf("got %s", s)
	}
	go func() {
		_, err := r.Next(context.Background())
		got <- fmt.Sprint(err)
	}()
	_ = j.Close()
	if s := <-got; s != journal.ErrClosed.Error() {
		t.Errorf("after Close: got %s", s)
	}
}
