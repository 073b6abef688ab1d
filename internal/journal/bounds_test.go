package journal_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/journal/crashfs"
)

// A record "rN" takes 34 bytes; two go into a segment of 68.
const twoRecords = 68

func TestDropOldest(t *testing.T) {
	j, _ := open(t, journal.Options{Dir: dir, FS: crashfs.New(), Now: clock(), SegmentBytes: twoRecords, MaxBytes: 3 * twoRecords})
	for i := 1; i <= 9; i++ {
		add(t, j, fmt.Sprintf("r%d", i))
	}
	if got := contents(t, j); got != "5:r5 6:r6 7:r7 8:r8 9:r9" {
		t.Errorf("kept %q", got)
	}
	losses := j.TakeLosses()
	if got := lossText(losses); got != "1-4 dropped oldest: full" {
		t.Errorf("losses: got %q", got)
	}
	if d := losses[0].ToAt.Sub(losses[0].FromAt); d != 3*time.Second || losses[0].Bytes != 2*twoRecords {
		t.Errorf("the loss spans %v and %d bytes, want 3s and %d", d, losses[0].Bytes, 2*twoRecords)
	}
	if j.First() != 5 || j.Last() != 9 {
		t.Errorf("first and last: got %d and %d, want 5 and 9", j.First(), j.Last())
	}
}

// TestDropOldestCountsUnreadOnly has a cursor that has seen a part.
func TestDropOldestCountsUnreadOnly(t *testing.T) {
	j, _ := open(t, journal.Options{Dir: dir, FS: crashfs.New(), SegmentBytes: twoRecords, MaxBytes: 2 * twoRecords})
	c := cursor(t, j, "ship")
	for i := 1; i <= 4; i++ {
		add(t, j, fmt.Sprintf("r%d", i))
	}
	if err := c.Ack(3); err != nil {
		t.Fatal(err)
	}
	for i := 5; i <= 7; i++ {
		add(t, j, fmt.Sprintf("r%d", i))
	}
	if got := lossText(j.TakeLosses()); got != "4-4 dropped oldest: full" {
		t.Errorf("got %q, want the one record of 1 to 4 that was not acknowledged", got)
	}
}

func TestRefuse(t *testing.T) {
	fs := crashfs.New()
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, SegmentBytes: twoRecords, MaxBytes: 3 * twoRecords, WhenFull: journal.Refuse})
	for i := 1; i <= 6; i++ {
		add(t, j, fmt.Sprintf("r%d", i))
	}
	if _, err := j.Append([]byte("r7")); !errors.Is(err, journal.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if n, err := j.Trim(3); n != 1 || err != nil {
		t.Errorf("trim to 3: removed %d, %v, want the one segment 1-2", n, err)
	}
	if pos := add(t, j, "r7"); pos != 7 {
		t.Errorf("got position %d, want 7", pos)
	}
	if got := contents(t, j); got != "3:r3 4:r4 5:r5 6:r6 7:r7" {
		t.Errorf("kept %q", got)
	}
	if n, _ := j.Trim(99); n != 2 {
		t.Errorf("trim of everything: removed %d, want the two sealed segments", n)
	}
	if got := lossText(j.TakeLosses()); got != "" {
		t.Errorf("trimmed counts as lost: %q", got)
	}
}

func TestMinFree(t *testing.T) {
	fs := crashfs.New()
	fs.Capacity = 1000
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, WhenFull: journal.Refuse, MinFree: 800})
	taken := 0
	for range 10 {
		_, err := j.Append([]byte("r1"))
		if err == nil {
			taken++
		} else if !errors.Is(err, journal.ErrFull) {
			t.Fatalf("got %v, want ErrFull", err)
		}
	}
	if free, _ := fs.FreeSpace(""); free < 800 || free >= 834 {
		t.Errorf("%d appends taken and %d bytes left, want just above 800", taken, free)
	}
	fs.Capacity = 2000 // room again: no restart needed
	add(t, j, "r1")
}

// TestMaxFreeShare has a disk whose other users grow.
func TestMaxFreeShare(t *testing.T) {
	fs := crashfs.New()
	fs.Capacity = 100_000
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, SegmentBytes: twoRecords, MaxFreeShare: 0.05})
	for range 400 {
		add(t, j, "rr")
	}
	if n := j.Stats().Bytes; n < 4500 || n > 5000 {
		t.Errorf("got %d bytes, want nearly 5 %% of 100 000", n)
	}
	fs.SetContents(dir+"/../other", make([]byte, 80_000))
	add(t, j, "rr")
	if n := j.Stats().Bytes; n > 1000 {
		t.Errorf("got %d bytes after the disk filled, want at most 5 %% of 20 000", n)
	}
}

// TestAge runs ten days at a record an hour.
func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := open(t, journal.Options{Dir: dir, FS: crashfs.New(), MaxAge: 7 * 24 * time.Hour})
		for range 240 {
			add(t, j, "rr")
			time.Sleep(time.Hour)
		}
		kept := time.Since(j.Stats().OldestAt)
		if kept < 7*24*time.Hour || kept > 8*24*time.Hour+2*time.Hour {
			t.Errorf("the oldest record is %v old, want 7 to 8 days", kept)
		}
		for _, l := range j.TakeLosses() {
			if l.Reason != journal.ReasonAged {
				t.Errorf("reason: got %q", l.Reason)
			}
		}
	})
}

func TestTooLargeAndClosed(t *testing.T) {
	j, _ := open(t, journal.Options{MaxRecordBytes: 3})
	add(t, j, "abc")
	if _, err := j.Append([]byte("ab"), []byte("cd")); !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	_ = j.Close()
	if _, err := j.Append(nil); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if _, err := j.Cursor("c"); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// TestDiskFullDropOldest fills a small disk again and again: the journal never
// refuses, and what is kept, lost and acknowledged adds up.
func TestDiskFullDropOldest(t *testing.T) {
	fs := crashfs.New()
	fs.Capacity = 20_000
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, SegmentBytes: 1000})
	lost, appended := 0, 0
	for cycle := range 200 {
		fs.SetContents(dir+"/other", make([]byte, (cycle%2)*15_000)) // another program takes the space and gives it back
		for range 50 {
			add(t, j, "some text of some length")
			appended++
		}
		for _, l := range j.TakeLosses() {
			if l.Reason != journal.ReasonNoSpace {
				t.Fatalf("reason: got %q", l.Reason)
			}
			lost += int(l.Records)
		}
	}
	if kept := int(j.Stats().Records); kept+lost != appended || lost == 0 {
		t.Errorf("%d kept and %d lost of %d", kept, lost, appended)
	}
}

// TestReserve has a disk that fills up while everything is delivered and
// trimmed: there is nothing to drop, and still room for a while.
func TestReserve(t *testing.T) {
	fs := crashfs.New()
	fs.Capacity = 100_000
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, SegmentBytes: 1000, ReserveBytes: 4000, Now: func() time.Time { return at }})
	fill := func() {
		free, _ := fs.FreeSpace("")
		fs.SetContents(dir+"/../other", make([]byte, int64(len(fs.Contents(dir+"/../other")))+free))
	}
	fill()
	for range 50 { // 50 x 34 bytes and the index
		add(t, j, "rr")
	}
	if got := lossText(j.TakeLosses()); got != "" {
		t.Errorf("lost %s with a reserve", got)
	}
	if fs.Contents(dir+"/reserve") != nil {
		t.Error("the reserve was not given up")
	}
	fs.SetContents(dir+"/../other", nil)
	at = at.Add(time.Minute)
	add(t, j, "rr")
	if n := len(fs.Contents(dir + "/reserve")); n != 4000 {
		t.Errorf("with room again the reserve has %d bytes, want 4000", n)
	}
	_ = j.Close()
	_, _ = open(t, journal.Options{Dir: dir, FS: fs})
	if fs.Contents(dir+"/reserve") != nil {
		t.Error("a reserve that is not wanted any more is kept")
	}
}

// TestDiskFullRefuse does the same to a journal that must not drop.
func TestDiskFullRefuse(t *testing.T) {
	fs := crashfs.New()
	fs.Capacity = 5_000
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, SegmentBytes: 1000, WhenFull: journal.Refuse})
	var last journal.Position
	for cycle := range 200 {
		for {
			pos, err := j.Append([]byte("some text of some length"))
			if errors.Is(err, journal.ErrFull) && errors.Is(err, syscall.ENOSPC) {
				break
			}
			if err != nil || pos != last+1 {
				t.Fatalf("cycle %d: got position %d, %v, want %d", cycle, pos, err, last+1)
			}
			last = pos
		}
		if _, err := j.Trim(j.Last()); err != nil {
			t.Fatal(err)
		}
	}
	if last < 200 {
		t.Errorf("took only %d records in 200 cycles", last)
	}
}

// TestTrimmedStaysGone brings a trimmed file back, as a crash before the
// removal was durable would.
func TestTrimmedStaysGone(t *testing.T) {
	fs := crashfs.New()
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, SegmentBytes: twoRecords})
	for i := 1; i <= 5; i++ {
		add(t, j, fmt.Sprintf("r%d", i))
	}
	first := fs.Contents(segmentPath(1))
	if n, err := j.Trim(2); n != 1 || err != nil {
		t.Fatalf("removed %d, %v", n, err)
	}
	_ = j.Close()
	fs.SetContents(segmentPath(1), first)
	j, _ = open(t, journal.Options{Dir: dir, FS: fs})
	if got := contents(t, j); got != "3:r3 4:r4 5:r5" {
		t.Errorf("got %q, want 3 to 5", got)
	}
	if fs.Contents(segmentPath(1)) != nil {
		t.Error("the file is still there")
	}
}

// TestCursorKeepsPositions deletes everything but a cursor: no new record may
// hide behind it.
func TestCursorKeepsPositions(t *testing.T) {
	fs := crashfs.New()
	j, _ := open(t, journal.Options{Dir: dir, FS: fs})
	for range 5 {
		add(t, j, "rr")
	}
	c := cursor(t, j, "ship")
	if err := c.Ack(4); err != nil {
		t.Fatal(err)
	}
	_ = j.Close()
	_ = fs.Remove(segmentPath(1))
	_ = fs.Remove(dir + "/index")
	j, _ = open(t, journal.Options{Dir: dir, FS: fs})
	if pos := add(t, j, "new"); pos != 5 {
		t.Errorf("position: got %d, want 5, after the cursor's 4", pos)
	}
	if got := peek(t, cursor(t, j, "ship"), 1, 0); got != "5:new" {
		t.Errorf("the cursor sees %q", got)
	}
}

// TestSegments describes the files.
func TestSegments(t *testing.T) {
	j, _ := open(t, journal.Options{Dir: dir, FS: crashfs.New(), SegmentBytes: twoRecords, Now: clock()})
	for i := 1; i <= 3; i++ {
		add(t, j, fmt.Sprintf("r%d", i))
	}
	got := ""
	for _, s := range j.Segments() {
		got += fmt.Sprintf("%d-%d %d bytes %v sealed=%v\n", s.First, s.Last, s.Bytes, s.LastAt.Sub(s.FirstAt), s.Sealed)
	}
	want := "1-2 68 bytes 1s sealed=true\n3-3 34 bytes 0s sealed=false\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestAdvance is a journal whose directory was deleted below consumers that
// remember.
func TestAdvance(t *testing.T) {
	fs := crashfs.New()
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, AtLeast: 100})
	if pos := add(t, j, "a"); pos != 101 {
		t.Errorf("with AtLeast 100: got %d, want 101", pos)
	}
	r := j.NewReader(200)
	if pos := add(t, j, "b"); pos != 201 {
		t.Errorf("with a reader after 200: got %d, want 201", pos)
	}
	if rec, ok, err := r.TryNext(); !ok || err != nil || string(rec.Data) != "b" {
		t.Errorf("that reader got %q, %v, %v", rec.Data, ok, err)
	}
	if got := lossText(j.TakeLosses()); got != "1-100 missing, 102-200 missing" {
		t.Errorf("losses: got %q", got)
	}
	_ = j.Close()
	j, rec := open(t, journal.Options{Dir: dir, FS: fs, AtLeast: 150})
	if got := contents(t, j); got != "101:a 201:b" || rec.Records != 0 {
		t.Errorf("after a restart: got %q, %d lost", got, rec.Records)
	}
}
