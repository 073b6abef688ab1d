package journal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/internal/journal"
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
