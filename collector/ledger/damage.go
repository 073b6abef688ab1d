package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// ErrDamaged is wrapped by Open when the file is not what was written. Open
// changes nothing then, and nobody ever makes a new ledger in its place: what
// it held is the evidence behind every figure.
var ErrDamaged = errors.New("the ledger is damaged")

// quickCheckBytes is up to which size a ledger is looked through at each
// start; SQLite reads about half a gigabyte a second, and a collector
// acknowledges within two seconds of its start. Verify looks at a larger one.
const quickCheckBytes = 256 << 20

// damaged says what to do about a file that cannot be trusted.
func damaged(path, what string) error {
	return fmt.Errorf("%w: %s: %s; nothing was changed: stop here, put the newest backup of the data directory's ledger in its place "+
		"(what the journal still holds is folded again), or ask for help with a copy of the file", ErrDamaged, path, what)
}

// asDamage tells damage from other errors of opening: SQLite calls a file that
// is none of its own, or whose pages contradict each other, by these words.
func asDamage(path string, err error) error {
	for _, sign := range []string{"file is not a database", "database disk image is malformed", "unsupported file format"} {
		if err != nil && strings.Contains(err.Error(), sign) {
			return damaged(path, err.Error())
		}
	}
	return err
}

// quickCheck looks through a ledger of moderate size.
func quickCheck(db *sql.DB, path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > quickCheckBytes {
		return nil // a new one, or one that is left to Integrity
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	faults, err := check(ctx, db, "quick_check")
	if err != nil {
		return asDamage(path, fmt.Errorf("look through ledger %s: %w", path, err))
	}
	if len(faults) > 0 {
		return damaged(path, strings.Join(faults, "; "))
	}
	return nil
}

// Integrity runs SQLite's whole check, indexes included. It returns what is
// wrong, nothing when the ledger is sound.
func (l *Ledger) Integrity(ctx context.Context) ([]string, error) {
	return check(ctx, l.read, "integrity_check")
}

// maxDamage bounds how many faults a check lists.
const maxDamage = 5

func check(ctx context.Context, db *sql.DB, pragma string) ([]string, error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA %s(%d)", pragma, maxDamage))
	faults, err := collect(rows, err, func(s scanner) (fault string, err error) {
		err = s.Scan(&fault)
		return fault, err
	})
	if len(faults) == 1 && faults[0] == "ok" {
		faults = nil
	}
	return faults, err
}
