package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/need"
)

// dump is everything in a ledger, every value of every row.
func dump(t *testing.T, l *Ledger) string {
	t.Helper()
	ctx := context.Background()
	tables, err := l.read.QueryContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	names, err := collect(tables, err, func(s scanner) (name string, err error) { return name, s.Scan(&name) })
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range names {
		rows, err := l.read.QueryContext(ctx, `SELECT * FROM "`+name+`"`)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		lines, err := collect(rows, nil, func(s scanner) (string, error) {
			values, refs := make([]any, len(columns)), make([]any, len(columns))
			for i := range refs {
				refs[i] = &values[i]
			}
			err := s.Scan(refs...)
			return fmt.Sprintf("%s %#v\n", name, values), err
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(lines)
		b.WriteString(strings.Join(lines, ""))
	}
	return b.String()
}

// filled is the file of a ledger that was filled and closed.
func filled(t *testing.T) (path, content string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return path, fill(t, l)
}

// fill puts a little of everything in a ledger that is long, short, numbered
// and large, and closes it.
func fill(t *testing.T, l *Ledger) (content string) {
	t.Helper()
	ctx := context.Background()
	if _, err := l.write.ExecContext(ctx, `CREATE TABLE passing AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000) SELECT i, hex(i) AS text FROM n`); err != nil {
		t.Fatal(err)
	}
	var f Fold
	for i := range int64(2000) {
		f.Put = append(f.Put, streak(fmt.Sprint("c", i%40), "x", availability.Up, i*10, i*10+5))
	}
	if err := l.ApplyFold(ctx, f); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := l.Append(ctx, Entry{Action: "test.done", Subject: "S-" + strconv.Itoa(i), Detail: strings.Repeat("detail ", 20)}); err != nil {
			t.Fatal(err)
		}
	}
	// A text longer than a page, and pages that are free again.
	if err := l.Append(ctx, Entry{Action: "test.done", Subject: "long", Detail: strings.Repeat("a long detail ", 3000)}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.write.ExecContext(ctx, `DROP TABLE passing`); err != nil {
		t.Fatal(err)
	}
	content = dump(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return content
}

// TestRot damages the file of a ledger that was closed. It is refused with the
// file's name and the way out, or every value in it is as it was: then the
// damage hit a page that nothing is on. The file itself is never changed by a
// refusal.
func TestRot(t *testing.T) {
	sound, want := filled(t)
	whole, err := os.ReadFile(sound)
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, a ledger of %d bytes", seed, len(whole))
	refused, same := 0, 0
	rounds := need.Rounds(t, 150, 2000)
	dir := t.TempDir()
	for round := range uint64(rounds) {
		random := rand.New(rand.NewPCG(seed, round))
		b := slices.Clone(whole)
		at := random.IntN(len(b))
		end := at + 1 + random.IntN(min(len(b)-at, 8192))
		page, other := random.IntN(len(b)/pageSize)*pageSize, random.IntN(len(b)/pageSize)*pageSize
		switch random.IntN(7) {
		case 0:
			b[at] ^= 1 << random.IntN(8)
		case 1:
			b = b[:at]
		case 2:
			b = b[:page]
		case 3:
			clear(b[at:end])
		case 4:
			clear(b[page : page+pageSize])
		case 5:
			to := random.IntN(len(b) - (end - at) + 1)
			copy(b[at:end], whole[to:])
			copy(b[to:], whole[at:end])
		case 6: // two whole pages, each with its sum
			copy(b[page:], whole[other:other+pageSize])
			copy(b[other:], whole[page:page+pageSize])
		}
		path := filepath.Join(dir, "ledger.db")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(Options{Path: path, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			refused++
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
				t.Errorf("round %d: refused without the file or the way out: %v", round, err)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, b) {
				t.Errorf("round %d: the refused file was changed", round)
			}
		} else {
			same++
			if dump(t, l) != want && len(b) > 0 {
				t.Errorf("round %d: other values than were written", round)
			}
			if err := l.Close(); err != nil {
				t.Errorf("round %d: close: %v", round, err)
			}
		}
		for _, more := range []string{"-wal", "-shm"} {
			if err := os.Remove(path + more); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d damages: %d refused, %d without effect", rounds, refused, same)
}

// TestEveryPageIsSummed turns one bit of each page in use: none is accepted.
func TestEveryPageIsSummed(t *testing.T) {
	sound, want := filled(t)
	whole, err := os.ReadFile(sound)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	free := 0
	for page := 0; page < len(whole); page += pageSize {
		b := slices.Clone(whole)
		b[page+pageSize/2] ^= 4
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(Options{Path: path, Log: slog.New(slog.DiscardHandler)})
		if errors.Is(err, ErrDamaged) {
			continue
		}
		if err != nil || dump(t, l) != want {
			t.Fatalf("page %d: accepted, or refused for another reason: %v", page/pageSize+1, err)
		}
		free++
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if free == 0 || free > 40 {
		t.Errorf("%d of %d pages hold nothing, the dropped table had about 10", free, len(whole)/pageSize)
	}
}

// TestDamageWhileRunning: a page that rots under a running ledger costs the
// questions that need it, and is counted.
func TestDamageWhileRunning(t *testing.T) {
	path, _ := filled(t)
	log := new(strings.Builder)
	l, err := Open(Options{Path: path, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := int64(bytes.Index(text, []byte("a long detail a long")))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{'A'}, at+2); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Integrity(context.Background()); !errors.Is(err, ErrDamaged) {
		t.Errorf("the whole is looked through: %v", err)
	}
	if _, err := l.Entries(context.Background(), 0, 1000); !errors.Is(err, sqlite3.IOERR_DATA) {
		t.Errorf("entries: %v, want no value of the damaged page", err)
	}
	if _, err := l.Entries(context.Background(), 0, 50); err != nil {
		t.Errorf("entries on other pages: %v", err)
	}
	if n := l.DamagedPages(); n != 1 || strings.Count(log.String(), "does not fit its sum") != 1 {
		t.Errorf("%d damaged pages, want 1, told once: %s", n, log)
	}
}

// TestRotOfTheLog damages the write-ahead log that a killed ledger leaves. What
// is accepted is a state the ledger had; whenever more than the newest two
// transactions are missing from it, that is told, in the audit chain too. (One
// that is damaged looks like one that a crash tore, and when the damage hits
// where it ends, the next cannot be told from its rest.)
func TestRotOfTheLog(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	l, err := Open(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	const written = 30
	for i := range written {
		if err := l.Append(ctx, Entry{Action: "test.done", Subject: "S-" + strconv.Itoa(i), Detail: strings.Repeat("detail ", 20)}); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := l.Entries(ctx, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	main, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, a log of %d bytes", seed, len(log))
	told, whole, last, refused := 0, 0, 0, 0
	for round := range uint64(need.Rounds(t, 50, 2000)) {
		random := rand.New(rand.NewPCG(seed, round))
		b := slices.Clone(log)
		at := random.IntN(len(b))
		switch end := at + 1 + random.IntN(min(len(b)-at, pageSize)); random.IntN(3) {
		case 0:
			b[at] ^= 1 << random.IntN(8)
		case 1:
			clear(b[at:end])
		case 2:
			copy(b[at:end], log[random.IntN(len(b)-(end-at)+1):])
		}
		killed := filepath.Join(t.TempDir(), "ledger.db")
		for name, text := range map[string][]byte{killed: main, killed + "-wal": b} {
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l, err := Open(Options{Path: killed, Log: slog.New(slog.DiscardHandler)})
		if errors.Is(err, ErrDamaged) {
			refused++
			continue
		}
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got, err := l.Entries(ctx, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if l.LostEnd() != (LostEnd{}) {
			told++
			if n := len(got); n == 0 || got[n-1].Action != "ledger.behind" {
				t.Errorf("round %d: the audit chain does not tell what was lost", round)
			} else {
				got = got[:n-1]
			}
			if kept, err := filepath.Glob(killed + "-wal-damaged-*"); len(kept) != 1 {
				t.Errorf("round %d: the damaged log was not kept: %v %v", round, kept, err)
			}
		} else if missing := len(entries) - len(got); missing > 2 {
			t.Errorf("round %d: %d entries are missing and nothing is told", round, missing)
		} else if missing > 0 {
			last++
		} else {
			whole++
		}
		for i, e := range got {
			if e != entries[i] {
				t.Errorf("round %d: entry %d is another: %+v", round, i, e)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d told, %d whole, %d without the newest one or two, %d refused", told, whole, last, refused)
}
