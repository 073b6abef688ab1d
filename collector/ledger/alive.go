package ledger

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/collector/silence"
)

// Alive notes that the collector has taken records from one instant to
// another, Unix ms. The same from again moves the end.
func (l *Ledger) Alive(ctx context.Context, from, to int64) error {
	_, err := l.write.ExecContext(ctx, `INSERT INTO alive (from_at, to_at) VALUES ($1, $2)
		ON CONFLICT (from_at) DO UPDATE SET to_at = CASE WHEN alive.to_at < excluded.to_at THEN excluded.to_at ELSE alive.to_at END`, from, to)
	if err != nil {
		return fmt.Errorf("note that the collector is alive: %w", err)
	}
	return nil
}

// Away returns when the collector was not there, in order: the gaps between
// its stretches of being alive that touch [from, to). Before the first of them
// nothing is known.
func (l *Ledger) Away(ctx context.Context, from, to int64) ([]silence.Span, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT from_at, to_at FROM alive ORDER BY from_at`)
	there, err := collect(rows, err, func(s scanner) (a silence.Span, err error) {
		err = s.Scan(&a.From, &a.To)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("read when the collector was alive: %w", err)
	}
	var away []silence.Span
	for i := 1; i < len(there); i++ {
		if gap := (silence.Span{From: there[i-1].To, To: there[i].From}); gap.From < gap.To && gap.From < to && gap.To > from {
			away = append(away, gap)
		}
	}
	return away, nil
}
