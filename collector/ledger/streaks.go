package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// StreakKey names one streak: an observer of a component has at most one that
// begins at an instant.
type StreakKey struct {
	Component, Observer string
	First               int64
}

const selectStreaks = `SELECT ` + streakColumns + ` FROM streaks `

func scanStreak(s scanner) (availability.Streak, error) {
	var k availability.Streak
	var state string
	if err := s.Scan(&k.Component, &k.Observer, &k.First, &k.Last, &state, &k.Count, &k.MaxGap, &k.Hold); err != nil {
		return k, err
	}
	var err error
	if k.State, err = availability.ParseState(state); err != nil {
		return k, fmt.Errorf("streak of %s by %s at %d: %w", k.Component, k.Observer, k.First, err)
	}
	return k, nil
}

// Streaks returns the streaks that touch [from, to), and of each observer the
// one before and the one after, by component and there by observer and time.
// All components when none is named. An outage may have begun long before the
// streaks next to a period: who needs its true beginning asks from 0.
func (l *Ledger) Streaks(ctx context.Context, components []string, from, to int64) (map[string][]availability.Streak, error) {
	out := map[string][]availability.Streak{}
	if len(components) == 0 {
		components = []string{""}
	}
	for _, c := range components {
		rows, err := l.read.QueryContext(ctx, selectStreaks+`AS s WHERE ($1 = '' OR component = $1)
			AND (last_at >= $2 OR last_at = (SELECT max(b.last_at) FROM streaks AS b WHERE b.component = s.component AND b.observer = s.observer AND b.last_at < $2))
			AND (first_at < $3 OR first_at = (SELECT min(a.first_at) FROM streaks AS a WHERE a.component = s.component AND a.observer = s.observer AND a.first_at >= $3))
			ORDER BY component, observer, first_at`, c, from, to)
		found, err := collect(rows, err, scanStreak)
		if err != nil {
			return nil, fmt.Errorf("read the streaks: %w", err)
		}
		for _, s := range found {
			out[s.Component] = append(out[s.Component], s)
		}
	}
	return out, nil
}

// OpenStreaks returns the newest streak of each observer of each component:
// those that the next fact may prolong.
func (l *Ledger) OpenStreaks(ctx context.Context) ([]availability.Streak, error) {
	rows, err := l.read.QueryContext(ctx, selectStreaks+`AS s WHERE first_at =
		(SELECT max(n.first_at) FROM streaks AS n WHERE n.component = s.component AND n.observer = s.observer)
		ORDER BY component, observer`)
	out, err := collect(rows, err, scanStreak)
	if err != nil {
		return nil, fmt.Errorf("read the open streaks: %w", err)
	}
	return out, nil
}

// StreaksOf returns all streaks of one component by observer and time.
func (l *Ledger) StreaksOf(ctx context.Context, component string) ([]availability.Streak, error) {
	rows, err := l.read.QueryContext(ctx, selectStreaks+`WHERE component = $1 ORDER BY observer, first_at`, component)
	out, err := collect(rows, err, scanStreak)
	if err != nil {
		return nil, fmt.Errorf("read the streaks of %s: %w", component, err)
	}
	return out, nil
}

// Components returns the names of all components that ever had a fact.
func (l *Ledger) Components(ctx context.Context) ([]string, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT DISTINCT component FROM streaks ORDER BY component`)
	out, err := collect(rows, err, func(s scanner) (c string, err error) {
		err = s.Scan(&c)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the components: %w", err)
	}
	return out, nil
}

func putStreaks(ctx context.Context, tx *sql.Tx, drop []StreakKey, put []availability.Streak, origins map[StreakKey]Origin, known map[StreakKey]int64) error {
	for _, k := range drop {
		if _, err := tx.ExecContext(ctx, `DELETE FROM streaks WHERE component = $1 AND observer = $2 AND first_at = $3`,
			k.Component, k.Observer, k.First); err != nil {
			return fmt.Errorf("drop a streak of %s: %w", k.Component, err)
		}
	}
	if len(put) == 0 {
		return nil
	}
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO streaks (`+streakColumns+`,
		born_position, born_received, grown_position, grown_received, known_from)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (component, observer, first_at) DO UPDATE SET
		last_at = excluded.last_at, state = excluded.state, facts = excluded.facts, max_gap = excluded.max_gap, hold = excluded.hold,
		grown_position = excluded.grown_position, grown_received = excluded.grown_received, known_from = excluded.known_from`)
	if err != nil {
		return fmt.Errorf("write streaks: %w", err)
	}
	defer func() { _ = stmt.Close() }()
	for i := range put {
		s := &put[i]
		o := origins[StreakKey{s.Component, s.Observer, s.First}]
		if _, err := stmt.ExecContext(ctx, s.Component, s.Observer, s.First, s.Last, s.State.String(), s.Count, s.MaxGap, s.Hold,
			position(o.Born.Position), o.Born.Received, position(o.Grown.Position), o.Grown.Received, known[StreakKey{s.Component, s.Observer, s.First}]); err != nil {
			return fmt.Errorf("write a streak of %s: %w", s.Component, err)
		}
	}
	return nil
}

// position stores a journal position, which is unsigned, in a signed column.
func position(p uint64) int64 { return int64(min(p, math.MaxInt64)) }
