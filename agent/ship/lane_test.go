package ship

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
	"pgregory.net/rapid"
)

// TestLanes: whatever comes in and whenever a delivery fails or the agent is
// started again, the cursor never passes a record that was not delivered, and
// in the end all are.
func TestLanes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "lanes-*")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		buffer, _, err := journal.Open(journal.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer buffer.Close()
		todo := newLanes(buffer, 0, false)
		delivered := map[journal.Position]bool{}
		acked := journal.Position(0)
		deliver := func() bool {
			rec, from, err := todo.next()
			if err != nil {
				t.Fatal(err)
			}
			if rec == nil {
				return false
			}
			if string(rec.Data) != "x" {
				t.Fatalf("record %d is %q", rec.Pos, rec.Data)
			}
			delivered[rec.Pos] = true
			from.pass()
			if now := todo.delivered(); now < acked {
				t.Fatalf("the cursor went back from %d to %d", acked, now)
			} else {
				acked = now
			}
			for p := journal.Position(1); p <= acked; p++ {
				if !delivered[p] {
					t.Fatalf("the cursor stands at %d, %d was not delivered", acked, p)
				}
			}
			return true
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"append", "append", "deliver", "fail", "restart"}).Draw(t, "step") {
			case "append":
				for range rapid.IntRange(1, 9).Draw(t, "n") {
					if _, err := buffer.Append([]byte("x")); err != nil {
						t.Fatal(err)
					}
				}
			case "deliver":
				for range rapid.IntRange(1, 9).Draw(t, "n") {
					deliver()
				}
			case "fail":
				if _, _, err := todo.next(); err != nil {
					t.Fatal(err)
				}
			case "restart":
				if err := todo.close(); err != nil {
					t.Fatal(err)
				}
				todo = newLanes(buffer, acked, false)
			}
		}
		for deliver() {
		}
		if acked != buffer.Last() || todo.waiting() != 0 {
			t.Fatalf("ended at %d of %d with %d waiting", acked, buffer.Last(), todo.waiting())
		}
		if err := todo.close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestLongAbsenceIsOneLane: however long the collector is away, the backlog
// stays one run of records.
func TestLongAbsenceIsOneLane(t *testing.T) {
	buffer, _, err := journal.Open(journal.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer buffer.Close()
	todo := newLanes(buffer, 0, false)
	for range 300 {
		if _, err := buffer.Append([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := todo.next(); err != nil { // looked at, never delivered
			t.Fatal(err)
		}
	}
	if len(todo.older) != 1 {
		t.Errorf("%d lanes, want 1", len(todo.older))
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"":                              0,
		"3":                             3 * time.Second,
		"0":                             0,
		"-1":                            0,
		"soon":                          0,
		"99999999":                      maxRetryAfter,
		"Sun, 01 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Sun, 01 Nov 2026 11:00:00 GMT": 0,
	} {
		h := http.Header{}
		if text != "" {
			h.Set("Retry-After", text)
		}
		if got := retryAfter(h, now); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestBackoff(t *testing.T) {
	b := Backoff{Min: time.Second, Max: 30 * time.Second}
	for n, ceiling := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 4: 16 * time.Second, 5: 30 * time.Second, 1000: 30 * time.Second} {
		low, high := ceiling, time.Duration(0)
		for range 500 {
			d := b.wait(n)
			low, high = min(low, d), max(high, d)
		}
		if high > ceiling || high < ceiling*3/4 || low > ceiling/4 {
			t.Errorf("after %d failures between %v and %v, want all of 0 to %v", n, low, high, ceiling)
		}
	}
}
