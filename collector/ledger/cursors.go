package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/silence"
)

// Cursor returns the journal position a consumer has reached, 0 at first.
func (l *Ledger) Cursor(ctx context.Context, name string) (uint64, error) {
	var p int64
	err := l.read.QueryRowContext(ctx, `SELECT position FROM cursors WHERE name = $1`, name).Scan(&p)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read cursor %s: %w", name, err)
	}
	return uint64(p), nil
}

// FoldCursor is the name of the fold's cursor, which ApplyFold moves.
const FoldCursor = "fold"

// Fold is what the fold made of the journal up to Position.
type Fold struct {
	Position uint64
	Drop     []StreakKey           // streaks that are no more
	Put      []availability.Streak // streaks that are new or have grown
	Origins  map[StreakKey]Origin  // of Put, where they are known
	Known    map[StreakKey]int64   // since when those of Put are known as they are, Unix ms; none: since their facts are
	Former   []Former              // what streaks were that are no more, or are otherwise now
	Back     int64                 // Unix ms: what the clock was set back to, before the changes; 0: it was not
	Outages  map[string]OutageSet  // per component
	Notes    []Note
	Seen     map[string]Seen           // by host id
	Senders  map[string]int64          // when something of a foreign sender came, by its id
	Watches  map[string]*silence.Watch // what is remembered of envelopes, by host id
	Silences map[SilenceKey]int64      // what they proved, and up to when, Unix ms
}

// OutageSet is all standing outages of a component that end at or after
// Since, without IDs. Older ones are left as they are.
type OutageSet struct {
	Since    int64
	Standing []Outage
}

// ApplyFold writes f and moves the fold's cursor, all in one transaction.
// Applying the same again changes nothing. The cursor never moves back.
func (l *Ledger) ApplyFold(ctx context.Context, f Fold) error {
	now := l.ms()
	return l.inTx(ctx, "write what was folded", func(tx *sql.Tx) error {
		if err := putBack(ctx, tx, f.Back); err != nil {
			return err
		}
		if err := putStreaks(ctx, tx, f.Drop, f.Put, f.Origins, f.Known); err != nil {
			return err
		}
		if err := putFormer(ctx, tx, f.Former); err != nil {
			return err
		}
		for _, c := range sortedKeys(f.Outages) {
			if err := reconcile(ctx, tx, c, f.Outages[c], now); err != nil {
				return err
			}
		}
		for i := range f.Notes {
			if err := putNote(ctx, tx, &f.Notes[i]); err != nil {
				return err
			}
		}
		if err := putSeen(ctx, tx, f.Seen); err != nil {
			return err
		}
		if err := putSenderSeen(ctx, tx, f.Senders); err != nil {
			return err
		}
		if err := putWatches(ctx, tx, f.Watches, f.Silences); err != nil {
			return err
		}
		return moveCursor(ctx, tx, FoldCursor, f.Position)
	})
}

func moveCursor(ctx context.Context, tx *sql.Tx, name string, to uint64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO cursors (name, position) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE cursors.position < excluded.position`, name, position(to))
	if err != nil {
		return fmt.Errorf("move cursor %s: %w", name, err)
	}
	return nil
}
