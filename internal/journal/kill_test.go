package journal_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
)

// childDir names the environment variable by which the test program starts
// itself as the appender that is to be killed.
const childDir = "PLIMSOLL_TEST_JOURNAL"

func TestMain(m *testing.M) {
	if d := os.Getenv(childDir); d != "" {
		appendForEver(d)
	}
	os.Exit(m.Run())
}

// appendForEver appends from several goroutines and prints each
// acknowledgement as "position text".
func appendForEver(dir string) {
	j, _, err := journal.Open(journal.Options{Dir: dir, SegmentBytes: 20_000})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	fmt.Println("ready")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				text := fmt.Sprintf("%d-%d-%d-%s", os.Getpid(), w, i, strings.Repeat("x", rand.IntN(300)))
				pos, err := j.Append([]byte(text))
				if err != nil {
					fmt.Println("append:", err)
					os.Exit(1)
				}
				fmt.Printf("%d %s\n", pos, text)
			}
		})
	}
	wg.Wait()
}

// TestKill kills a real process at random moments: every append it had
// acknowledged is there after the next start, in its place and unaltered.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := map[journal.Position]string{}
	for range 15 {
		for pos, text := range killed(t, dir) {
			if old, ok := acked[pos]; ok {
				t.Fatalf("position %d given to %q and to %q", pos, old, text)
			}
			acked[pos] = text
		}
	}
	begin := time.Now()
	j, rec := open(t, journal.Options{Dir: dir})
	t.Logf("%d acknowledged appends over 15 kills; opened in %v, %d torn bytes", len(acked), time.Since(begin), rec.Torn)
	if rec.Records > 0 {
		t.Errorf("recovery tells of losses: %+v", rec)
	}
	r := j.NewReader(0)
	defer func() { _ = r.Close() }()
	found := 0
	for want := journal.Position(1); ; want++ {
		rec, ok, err := r.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if rec.Pos != want {
			t.Fatalf("position %d after %d", rec.Pos, want-1)
		}
		if text, ok := acked[rec.Pos]; ok {
			found++
			if text != string(rec.Data) {
				t.Fatalf("position %d: read %q, acknowledged %q", rec.Pos, rec.Data, text)
			}
		}
	}
	if found != len(acked) {
		t.Errorf("%d of %d acknowledged records found", found, len(acked))
	}
}

// killed runs the child until a random moment and returns what it acknowledged.
func killed(t *testing.T, dir string) map[journal.Position]string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked := map[journal.Position]string{}
	stop := 1 + rand.IntN(200)
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == stop {
			_ = cmd.Process.Kill() // what it still printed is read below
		}
		var pos journal.Position
		var text string
		if _, err := fmt.Sscanf(lines.Text(), "%d %s", &pos, &text); err == nil {
			acked[pos] = text
		} else if lines.Text() != "ready" && n < stop {
			t.Fatalf("child says %q", lines.Text())
		}
	}
	_ = cmd.Wait() // killed
	return acked
}
