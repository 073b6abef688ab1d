package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// vouched is what the audit chain vouches for: records, catalogues, entries.
func vouched(t *testing.T, l *Ledger) string {
	t.Helper()
	entries, err := l.Entries(context.Background(), 0, 1000)
	if err != nil {
		return "entries: " + err.Error()
	}
	text, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRot damages the file of a ledger that was closed. It is refused with the
// file's name and the way out, or what the audit chain vouches for is as it
// was, or the chain says that it is not. The file itself is never changed by a
// refusal.
func TestRot(t *testing.T) {
	ctx := context.Background()
	sound := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(Options{Path: sound})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if err := l.Append(ctx, Entry{Action: "test.done", Subject: "S-" + strconv.Itoa(i), Detail: strings.Repeat("detail ", 20)}); err != nil {
			t.Fatal(err)
		}
	}
	want := vouched(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(sound)
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, a ledger of %d bytes", seed, len(whole))
	refused, told, same := 0, 0, 0
	rounds := need.Rounds(t, 200, 2000)
	for round := range uint64(rounds) {
		random := rand.New(rand.NewPCG(seed, round))
		b := append([]byte(nil), whole...)
		at := random.IntN(len(b))
		end := at + 1 + random.IntN(min(len(b)-at, 8192))
		switch random.IntN(4) {
		case 0:
			b[at] ^= 1 << random.IntN(8)
		case 1:
			b = b[:at]
		case 2:
			clear(b[at:end])
		case 3:
			to := random.IntN(len(b) - (end - at) + 1)
			copy(b[at:end], whole[to:])
			copy(b[to:], whole[at:end])
		}
		path := filepath.Join(t.TempDir(), "ledger.db")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(Options{Path: path})
		if err != nil {
			refused++
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewerSchema) || !strings.Contains(err.Error(), path) {
				t.Errorf("round %d: refused without the file or the way out: %v", round, err)
			}
			if after, _ := os.ReadFile(path); len(b) > 0 && len(after) == 0 {
				t.Errorf("round %d: the refused file was emptied", round)
			}
			continue
		}
		v, verr := l.Verify(ctx)
		switch got := vouched(t, l); {
		case verr != nil || len(v.Faults) > 0:
			told++
		case got == want:
			same++
		default:
			t.Errorf("round %d: other entries than were written, and the chain holds", round)
		}
		if err := l.Close(); err != nil {
			t.Errorf("round %d: close: %v", round, err)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d damages: %d refused, %d named by the audit chain, %d without effect on it", rounds, refused, told, same)
}
