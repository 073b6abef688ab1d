package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// ErrDamaged is wrapped by Open when the file is not a sound database.
var ErrDamaged = errors.New("the ledger is damaged")

// damagedError names the file and the way out. A ledger is never made anew by
// the software: it holds what people signed.
func damagedError(path, found string) error {
	return fmt.Errorf("%w: %s: %s; nothing was changed. Put the last good copy of that file in its place (with the files %s-wal and %s-shm removed) "+
		"and start again: what the journal still has is folded again. Keep the damaged file; sqlite3 %s .recover shows what can be read of it",
		ErrDamaged, path, found, path, path, path)
}

// maxFound bounds how many complaints of SQLite are repeated.
const maxFound = 5

// soundness runs a check of SQLite's own and returns what it complains of,
// "" when all is well. full also compares every index with its table.
func soundness(ctx context.Context, db *sql.DB, full bool) (found string, err error) {
	pragma := "quick_check"
	if full {
		pragma = "integrity_check"
	}
	rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA %s(%d)", pragma, maxFound))
	lines, err := collect(rows, err, func(s scanner) (line string, err error) { return line, s.Scan(&line) })
	if err != nil {
		return "", err
	}
	if len(lines) == 1 && lines[0] == "ok" {
		return "", nil
	}
	return strings.Join(strings.Fields(strings.Join(lines, "; ")), " "), nil
}

// Integrity compares everything in the database with everything: pages,
// indexes, constraints. It reads the whole file; nil is a sound ledger.
func (l *Ledger) Integrity(ctx context.Context) error {
	found, err := soundness(ctx, l.read, true)
	if err != nil {
		return fmt.Errorf("check the ledger: %w", err)
	}
	if found != "" {
		return fmt.Errorf("%w: %s", ErrDamaged, found)
	}
	return nil
}

// damagedOr turns an error by which SQLite says that the file is not in order
// into the one that names the way out, and leaves others as they are.
func damagedOr(path string, err error) error {
	for _, code := range [...]error{sqlite3.CORRUPT, sqlite3.NOTADB, sqlite3.IOERR_DATA} {
		if errors.Is(err, code) {
			return damagedError(path, err.Error())
		}
	}
	return err
}

// DamagedPages is how many pages were found since Open that do not fit their sums.
func (l *Ledger) DamagedPages() int { return l.pages.count() }

// LostEnd says what was left out of a damaged write-ahead log that Open found.
// What agents sent is folded again from the journal; what people did then, they
// have to do again. The log as it was is kept beside the ledger.
func (l *Ledger) LostEnd() LostEnd { return l.lost }

// keepLostEnd looks through the write-ahead log before SQLite writes over it.
func (l *Ledger) keepLostEnd(path string) (lost LostEnd, err error) {
	log := path + "-wal"
	if lost, err = lostEnd(log); err != nil || lost == (LostEnd{}) {
		return LostEnd{}, err
	}
	kept := fmt.Sprintf("%s-damaged-%d", log, l.ms())
	text, err := os.ReadFile(log)
	if err != nil {
		return LostEnd{}, err
	}
	if err := durable.WriteFile(kept, text, 0o600); err != nil {
		return LostEnd{}, err
	}
	l.log.Error("the write-ahead log of the ledger is damaged: what was written last is missing", "log", log, "lost", lost.String(), "kept_as", kept,
		"remedy", "do again what people did last (users, tokens, approvals, notes), or put a newer copy of the ledger in its place; outages and streaks come from the journal")
	return lost, nil
}
