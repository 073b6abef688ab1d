package journal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/journal/crashfs"
)

func cursor(t testing.TB, j *journal.Journal, name string) *journal.Cursor {
	t.Helper()
	c, err := j.Cursor(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// peek shows what a cursor sees: "1:a 2:b".
func peek(t testing.TB, c *journal.Cursor, n, bytes int) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // look, do not wait
	list, err := c.PeekN(ctx, n, bytes)
	if errors.Is(err, context.Canceled) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range list {
		out = append(out, fmt.Sprintf("%d:%s", r.Pos, r.Data))
	}
	return strings.Join(out, " ")
}

func TestCursorShowsUntilAcknowledged(t *testing.T) {
	fs := crashfs.New()
	o := journal.Options{Dir: dir, FS: fs, SegmentBytes: 70}
	j, _ := open(t, o)
	for _, s := range []string{"a", "b", "c", "d", "e"} {
		add(t, j, s)
	}
	c := cursor(t, j, "ship")
	want := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	ack := func(pos journal.Position) {
		t.Helper()
		if err := c.Ack(pos); err != nil {
			t.Error(err)
		}
	}
	want(peek(t, c, 1, 0), "1:a")
	want(peek(t, c, 1, 0), "1:a")
	want(peek(t, c, 3, 0), "1:a 2:b 3:c")
	want(peek(t, c, 9, 2), "1:a 2:b")
	ack(2)
	ack(1) // goes back nowhere
	want(peek(t, c, 2, 0), "3:c 4:d")
	if err := c.Ack(6); err == nil {
		t.Error("acknowledged what is not there")
	}
	if _, err := j.Cursor("ship"); err == nil {
		t.Error("opened a second time")
	}
	if _, err := j.Cursor("../ship"); err == nil {
		t.Error("opened with a path as its name")
	}
	// killed, not closed: the acknowledgement stands
	j2, _ := open(t, journal.Options{Dir: dir, FS: fs.Crash(crashfs.Kill, nil)})
	want(peek(t, cursor(t, j2, "ship"), 1, 0), "3:c")
	// after a power cut it may come again
	j3, _ := open(t, journal.Options{Dir: dir, FS: fs.Crash(crashfs.DropUnsynced, nil)})
	want(peek(t, cursor(t, j3, "ship"), 1, 0), "1:a")
	ack(5)
	want(peek(t, c, 1, 0), "")
	add(t, j, "f")
	want(peek(t, c, 1, 0), "6:f")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	j4, _ := open(t, journal.Options{Dir: dir, FS: fs.Crash(crashfs.DropUnsynced, nil)})
	want(peek(t, cursor(t, j4, "ship"), 1, 0), "6:f")
	c = cursor(t, j, "ship")
	want(peek(t, c, 1, 0), "6:f")
}

func TestCursorSkipsWhatWasDropped(t *testing.T) {
	j, _ := open(t, journal.Options{Dir: dir, FS: crashfs.New(), SegmentBytes: 68, MaxBytes: 136})
	add(t, j, "r1")
	c := cursor(t, j, "ship")
	if got := peek(t, c, 1, 0); got != "1:r1" {
		t.Errorf("got %q, want 1:r1", got)
	}
	for i := 2; i <= 5; i++ {
		add(t, j, fmt.Sprintf("r%d", i))
	}
	if got := peek(t, c, 1, 0); got != "3:r3" {
		t.Errorf("after the first segment was dropped: got %q, want 3:r3", got)
	}
	if got := lossText(j.TakeLosses()); got != "1-2 dropped oldest: full" {
		t.Errorf("losses: got %q", got)
	}
}

func TestPeekWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := open(t, journal.Options{Dir: dir, FS: crashfs.New()})
		c := cursor(t, j, "ship")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		time.AfterFunc(10*time.Second, func() { add(t, j, "late") })
		rec, err := c.Peek(ctx)
		if err != nil || string(rec.Data) != "late" || time.Since(begin) != 10*time.Second {
			t.Errorf("got %q, %v after %v, want late after 10s", rec.Data, err, time.Since(begin))
		}
		if err := c.Ack(rec.Pos); err != nil {
			t.Error(err)
		}
		if _, err := c.Peek(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("got %v after %v, want the deadline after 1m", err, time.Since(begin))
		}
		time.AfterFunc(time.Second, func() { _ = c.Close() })
		if _, err := c.Peek(t.Context()); !errors.Is(err, journal.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}
