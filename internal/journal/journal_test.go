package journal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/journal/crashfs"
)

// open opens a journal that the test closes at its end.
func open(t testing.TB, o journal.Options) (*journal.Journal, journal.Recovery) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	j, rec, err := journal.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, rec
}

func add(t testing.TB, j *journal.Journal, text string) journal.Position {
	t.Helper()
	pos, err := j.Append([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return pos
}

// contents reads all that is there, as "1:text 2:text".
func contents(t testing.TB, j *journal.Journal) string {
	t.Helper()
	r := j.NewReader(0)
	defer func() { _ = r.Close() }()
	out := ""
	for {
		rec, ok, err := r.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		if out != "" {
			out += " "
		}
		out += fmt.Sprintf("%d:%s", rec.Pos, rec.Data)
	}
}

func TestAppendReadReopen(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, journal.Options{Dir: dir})
	for _, s := range []string{"a", "", "ccc"} {
		add(t, j, s)
	}
	if _, err := j.Append([]byte("d"), []byte("e")); err != nil {
		t.Fatal(err)
	}
	const want = "1:a 2: 3:ccc 4:de"
	if got := contents(t, j); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, _, err := journal.Open(journal.Options{Dir: dir}); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("second opener: got %v, want ErrLocked", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, rec := open(t, journal.Options{Dir: dir})
	if got := contents(t, j); got != want {
		t.Errorf("reopened: got %q, want %q", got, want)
	}
	if rec.Records != 0 || rec.Torn != 0 {
		t.Errorf("recovery of a healthy journal: %+v", rec)
	}
	if pos := add(t, j, "f"); pos != 5 {
		t.Errorf("position after reopening: got %d, want 5", pos)
	}
}

func TestManyAppendersShareFsyncs(t *testing.T) {
	j, _ := open(t, journal.Options{SegmentBytes: 4096})
	const writers, each = 32, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := j.Append(fmt.Appendf(nil, "%d/%d", w, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]int{}
	next := map[string]int{}
	r := j.NewReader(0)
	defer func() { _ = r.Close() }()
	for want := journal.Position(1); want <= writers*each; want++ {
		rec, err := r.Next(context.Background())
		if err != nil || rec.Pos != want {
			t.Fatalf("got position %d, error %v, want %d", rec.Pos, err, want)
		}
		var w string
		var i int
		if _, err := fmt.Sscanf(string(rec.Data), "%1s", &w); err != nil {
			t.Fatal(err)
		}
		seen[string(rec.Data)]++
		w, i = writer(string(rec.Data))
		if i != next[w] {
			t.Fatalf("writer %s: got its record %d, want %d", w, i, next[w])
		}
		next[w]++
	}
	wg.Wait()
	if len(seen) != writers*each {
		t.Errorf("got %d different records, want %d", len(seen), writers*each)
	}
	st := j.Stats()
	if st.Appends != writers*each || st.Fsyncs >= st.Appends || st.Fsyncs == 0 {
		t.Errorf("got %d appends with %d fsyncs, want %d with fewer", st.Appends, st.Fsyncs, writers*each)
	}
}

func writer(data string) (w string, i int) {
	for at := range data {
		if data[at] == '/' {
			_, _ = fmt.Sscan(data[at+1:], &i)
			return data[:at], i
		}
	}
	return "", -1
}

// TestLargeBatchesWait has appenders whose records do not fit into one batch.
func TestLargeBatchesWait(t *testing.T) {
	j, _ := open(t, journal.Options{SegmentBytes: 10_000, MaxBytes: 400_000})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				if _, err := j.Append(make([]byte, 4000)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	st := j.Stats()
	if st.Appends != 320 || st.Records+st.Dropped != 320 || st.Bytes > 400_000 {
		t.Errorf("got %+v, want 320 appends, kept or dropped, in 400 000 bytes", st)
	}
	r := j.NewReader(0)
	defer func() { _ = r.Close() }()
	rec, ok, err := r.TryNext()
	if err != nil || !ok || rec.Pos != j.First() {
		t.Errorf("got %d, %v, %v, want the first, %d", rec.Pos, ok, err, j.First())
	}
}

// TestRefuseAtOnce has many appenders at the bound: what is refused is not
// there, what is taken is.
func TestRefuseAtOnce(t *testing.T) {
	j, _ := open(t, journal.Options{SegmentBytes: 1000, MaxBytes: 20_000, WhenFull: journal.Refuse})
	var mu sync.Mutex
	taken := map[string]bool{}
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 40 {
				text := fmt.Sprintf("%d/%d", w, i)
				_, err := j.Append([]byte(text))
				if err != nil && !errors.Is(err, journal.ErrFull) {
					t.Error(err)
				}
				mu.Lock()
				taken[text] = err == nil
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r := j.NewReader(0)
	defer func() { _ = r.Close() }()
	n := 0
	for {
		rec, ok, err := r.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		n++
		if !taken[string(rec.Data)] {
			t.Errorf("%q was refused and is there", rec.Data)
		}
	}
	if st := j.Stats(); uint64(n) != st.Appends || st.Bytes > 20_000 || st.Bytes < 19_000 {
		t.Errorf("%d records read, %+v", n, st)
	}
}

// TestFileRemovedByHand removes a sealed file below a running journal.
func TestFileRemovedByHand(t *testing.T) {
	fs := crashfs.New()
	j, _ := open(t, journal.Options{Dir: dir, FS: fs, SegmentBytes: twoRecords})
	for i := 1; i <= 6; i++ {
		add(t, j, fmt.Sprintf("r%d", i))
	}
	_ = fs.Remove(segmentPath(3))
	if got := contents(t, j); got != "1:r1 2:r2 5:r5 6:r6" {
		t.Errorf("got %q", got)
	}
	if got := lossText(j.TakeLosses()); got != "3-4 missing" {
		t.Errorf("losses: got %q", got)
	}
}

func TestOptionsThatContradict(t *testing.T) {
	for _, c := range []struct {
		opt  journal.Options
		want string
	}{
		{journal.Options{}, "open journal: no directory given"},
		{journal.Options{Dir: dir, WhenFull: journal.Refuse, MaxAge: 1},
			"open journal: MaxAge, MaxFreeShare and ReserveBytes are for dropping records, which WhenFull Refuse forbids"},
		{journal.Options{Dir: dir, MinFree: 1}, "open journal: MinFree refuses records, which WhenFull DropOldest does not"},
	} {
		if _, _, err := journal.Open(c.opt); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestRealDisk drops, trims and asks for free space on the real file system.
func TestRealDisk(t *testing.T) {
	d := t.TempDir()
	j, _ := open(t, journal.Options{Dir: d, SegmentBytes: twoRecords, MaxBytes: 3 * twoRecords, MaxFreeShare: 1})
	for i := 1; i <= 9; i++ {
		add(t, j, fmt.Sprintf("r%d", i))
	}
	if n, err := j.Trim(6); n != 1 || err != nil {
		t.Errorf("trim: removed %d, %v, want 1", n, err)
	}
	if got := contents(t, j); got != "7:r7 8:r8 9:r9" {
		t.Errorf("got %q", got)
	}
	if got := lossText(j.TakeLosses()); got != "1-4 dropped oldest: full" {
		t.Errorf("losses: got %q", got)
	}
}
