package ledger

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// aLedger is a closed one with some outages in it.
func aLedger(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(2000) {
		if err := l.ApplyFold(t.Context(), Fold{Position: uint64(i + 1), Outages: map[string]OutageSet{
			"shop": {Since: i * 1000, Standing: []Outage{{Component: "shop", From: i*1000 + 1, To: i*1000 + 500, Observers: []string{"probe"}}}}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOpenRefusesDamage: what is not the ledger that was written is refused
// with what to do, and is left as it is.
func TestOpenRefusesDamage(t *testing.T) {
	whole := aLedger(t)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		change func([]byte) []byte
	}{
		{"another file in its place", func([]byte) []byte { return []byte(strings.Repeat("no database at all ", 1000)) }},
		{"cut to half", func(b []byte) []byte { return b[:len(b)/2/4096*4096] }},
		{"cut inside a page", func(b []byte) []byte { return b[:5000] }},
		{"a run of zeros", func(b []byte) []byte { clear(b[3*4096 : 9*4096]); return b }},
		{"pages exchanged", func(b []byte) []byte {
			page := append([]byte(nil), b[5*4096:6*4096]...)
			copy(b[5*4096:], b[8*4096:9*4096])
			copy(b[8*4096:], page)
			return b
		}},
		{"the header damaged", func(b []byte) []byte { b[3] ^= 0x40; return b }},
	} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		damaged := row.change(append([]byte(nil), text...))
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(Options{Path: path, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			_ = l.Close()
		}
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "backup") {
			t.Errorf("%s: got %v, want ErrDamaged with the file and the remedy", row.name, err)
		}
		after, err := os.ReadFile(path)
		if err != nil || string(after) != string(damaged) {
			t.Errorf("%s: the damaged file was changed: %v", row.name, err)
		}
	}
}

// TestRotOfTheLedger: a flipped bit anywhere is refused, or Integrity finds
// it, or it changed nothing that is read back.
func TestRotOfTheLedger(t *testing.T) {
	whole := aLedger(t)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	read := func(l *Ledger) ([]Outage, error) { return l.Outages(t.Context(), OutageFilter{Limit: 10_000}) }
	l, err := Open(Options{Path: whole, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	want, err := read(l)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	random, refused, harmless, silent := rand.New(rand.NewPCG(1, 5)), 0, 0, 0
	for range 200 {
		path := filepath.Join(t.TempDir(), "ledger.db")
		rotten := append([]byte(nil), text...)
		rotten[random.IntN(len(rotten))] ^= 1 << random.IntN(8)
		if err := os.WriteFile(path, rotten, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(Options{Path: path, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			refused++
			continue
		}
		got, err := read(l)
		same := err == nil && len(got) == len(want)
		for i := 0; same && i < len(got); i++ {
			same = got[i].ID == want[i].ID && got[i].From == want[i].From && got[i].To == want[i].To && got[i].Component == want[i].Component
		}
		if same {
			harmless++
		} else {
			silent++
		}
		_ = l.Close()
	}
	t.Logf("200 flipped bits: %d refused at the start, %d changed nothing that is read, %d changed a value inside a page that is well formed", refused, harmless, silent)
}
