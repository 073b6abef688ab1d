package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// Former is a streak as it was known until facts came that changed it.
type Former struct {
	availability.Streak
	From, Until int64 // Unix ms: known in [From, Until); From 0: since its facts are
}

const (
	streakColumns = `component, observer, first_at, last_at, state, facts, max_gap, hold`
	// knownThen is of former_streaks: those known at $1 that began before it.
	knownThen = `first_at < $1 AND known_from <= $1 AND known_until > $1`
)

func scanFormer(s scanner) (Former, error) {
	var out Former
	var err error
	out.Streak, err = scanStreak(extended{s, []any{&out.From, &out.Until}})
	return out, err
}

// extended scans further columns behind those it is asked for.
type extended struct {
	scanner
	more []any
}

func (e extended) Scan(into ...any) error { return e.scanner.Scan(append(into, e.more...)...) }

// FormerStreaks are the streaks that are no more as they were known at the
// instant, in Unix ms, that began before it.
func (l *Ledger) FormerStreaks(ctx context.Context, asOf int64) ([]Former, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT `+streakColumns+`, known_from, known_until FROM former_streaks WHERE `+knownThen, asOf)
	out, err := collect(rows, err, scanFormer)
	if err != nil {
		return nil, fmt.Errorf("read what streaks were: %w", err)
	}
	return out, nil
}

// KnownStreaks are all streaks as they were known at the instant, in Unix ms,
// that began before it, by component, and there by observer and time.
func (l *Ledger) KnownStreaks(ctx context.Context, asOf int64) (map[string][]availability.Streak, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT `+streakColumns+` FROM streaks WHERE first_at < $1 AND known_from <= $1
		UNION ALL SELECT `+streakColumns+` FROM former_streaks WHERE `+knownThen+`
		ORDER BY component, observer, first_at`, asOf)
	found, err := collect(rows, err, scanStreak)
	if err != nil {
		return nil, fmt.Errorf("read the streaks known then: %w", err)
	}
	out := map[string][]availability.Streak{}
	for _, s := range found {
		out[s.Component] = append(out[s.Component], s)
	}
	return out, nil
}

// KnownSince tells of each streak since when, in Unix ms, it is known as it is.
// Not told are those known since their facts are.
func (l *Ledger) KnownSince(ctx context.Context, tell func(k StreakKey, since int64)) error {
	rows, err := l.read.QueryContext(ctx, `SELECT component, observer, first_at, known_from FROM streaks WHERE known_from > 0`)
	return each(rows, err, "since when streaks are known", func(s scanner) error {
		var k StreakKey
		var since int64
		if err := s.Scan(&k.Component, &k.Observer, &k.First, &since); err != nil {
			return err
		}
		tell(k, since)
		return nil
	})
}

// CountFormer tells how many former streaks are kept of each observer of each component.
func (l *Ledger) CountFormer(ctx context.Context, tell func(component, observer string, n int)) error {
	rows, err := l.read.QueryContext(ctx, `SELECT component, observer, count(*) FROM former_streaks GROUP BY component, observer`)
	return each(rows, err, "how many former streaks there are", func(s scanner) error {
		var component, observer string
		var n int
		if err := s.Scan(&component, &observer, &n); err != nil {
			return err
		}
		tell(component, observer, n)
		return nil
	})
}

func each(rows *sql.Rows, err error, what string, scan func(scanner) error) error {
	if _, err = collect(rows, err, func(s scanner) (none struct{}, err error) { return none, scan(s) }); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// ForgetFormer gives up the oldest former streaks of an observer, so that at
// most keep are left. What was known after the instant it returns stays as it is;
// of any instant before, what was known at it counts as known. 0: nothing was given up.
func (l *Ledger) ForgetFormer(ctx context.Context, component, observer string, keep int) (until int64, left int, err error) {
	err = l.inTx(ctx, "give up what streaks were", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT known_until FROM former_streaks WHERE component = $1 AND observer = $2 ORDER BY known_until DESC`, component, observer)
		ends, err := collect(rows, err, func(s scanner) (end int64, err error) { return end, s.Scan(&end) })
		if left = len(ends); err != nil || left <= keep {
			return err
		}
		until = ends[keep]
		for left = keep; left > 0 && ends[left-1] == until; left-- {
			continue
		}
		for _, change := range []string{
			`DELETE FROM former_streaks WHERE component = $1 AND observer = $2 AND known_until <= $3`,
			`UPDATE former_streaks SET known_from = 0 WHERE component = $1 AND observer = $2 AND known_from <= $3`,
			`UPDATE streaks SET known_from = 0 WHERE component = $1 AND observer = $2 AND known_from <= $3`,
		} {
			if _, err := tx.ExecContext(ctx, change, component, observer, until); err != nil {
				return err
			}
		}
		return nil
	})
	return until, left, err
}

func putFormer(ctx context.Context, tx *sql.Tx, all []Former) error {
	for i := range all {
		f := &all[i]
		if _, err := tx.ExecContext(ctx, `INSERT INTO former_streaks (`+streakColumns+`, known_from, known_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			f.Component, f.Observer, f.First, f.Last, f.State.String(), f.Count, f.MaxGap, f.Hold, f.From, f.Until); err != nil {
			return fmt.Errorf("write what a streak of %s was: %w", f.Component, err)
		}
	}
	return nil
}

// putBack mends what was known when, after the clock was set back to an
// instant: all that is there was known by then.
func putBack(ctx context.Context, tx *sql.Tx, to int64) error {
	if to == 0 {
		return nil
	}
	for _, change := range []string{
		`DELETE FROM former_streaks WHERE known_from >= $1`,
		`UPDATE former_streaks SET known_until = $1 WHERE known_until > $1`,
		`UPDATE streaks SET known_from = $1 WHERE known_from > $1`,
	} {
		if _, err := tx.ExecContext(ctx, change, to); err != nil {
			return fmt.Errorf("set back what was known when: %w", err)
		}
	}
	return nil
}
