package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Outage is a maximal down interval of one component. Its ID stays the same
// when late facts move its ends.
type Outage struct {
	ID        int64    `json:"id"`
	Component string   `json:"component"`
	From      int64    `json:"from"`
	To        int64    `json:"to"`       // 0 while it lasts
	Earliest  int64    `json:"earliest"` // the last fact before it that counts as up; 0 = none
	Bridged   bool     `json:"bridged"`  // a gap without facts lies in it, both ends down
	Observers []string `json:"observers"`
	// MergedInto is the outage that took this one in, WithdrawnAt when later
	// facts showed that it was none. Such outages are in no list and no figure.
	MergedInto  int64 `json:"merged_into"`
	WithdrawnAt int64 `json:"withdrawn_at"`
}

// OutageFilter selects outages. Zero values do not narrow.
type OutageFilter struct {
	Components []string
	From, To   int64 // those that touch [From, To)
	Ongoing    bool
	Limit      int // newest ones first come first
}

const selectOutages = `SELECT id, component, from_at, to_at, earliest, bridged, observers, merged_into, withdrawn_at FROM outages `

func scanOutage(s scanner) (Outage, error) {
	var o Outage
	var bridged int64
	var observers string
	if err := s.Scan(&o.ID, &o.Component, &o.From, &o.To, &o.Earliest, &bridged, &observers, &o.MergedInto, &o.WithdrawnAt); err != nil {
		return o, err
	}
	o.Bridged = bridged != 0
	if err := json.Unmarshal([]byte(observers), &o.Observers); err != nil {
		return o, fmt.Errorf("observers of outage %d: %w", o.ID, err)
	}
	return o, nil
}

// Outages returns standing outages, the newest first.
func (l *Ledger) Outages(ctx context.Context, f OutageFilter) ([]Outage, error) {
	where := []string{`withdrawn_at = 0 AND merged_into = 0`}
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	if len(f.Components) > 0 {
		marks := make([]string, len(f.Components))
		for i, c := range f.Components {
			marks[i] = arg(c)
		}
		where = append(where, `component IN (`+strings.Join(marks, ", ")+`)`)
	}
	if f.To != 0 {
		where = append(where, `from_at < `+arg(f.To))
	}
	if f.From != 0 {
		where = append(where, `(to_at = 0 OR to_at > `+arg(f.From)+`)`)
	}
	if f.Ongoing {
		where = append(where, `to_at = 0`)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = math.MaxInt32
	}
	rows, err := l.read.QueryContext(ctx, selectOutages+`WHERE `+strings.Join(where, " AND ")+
		` ORDER BY from_at DESC, component, id LIMIT `+arg(limit), args...)
	out, err := collect(rows, err, scanOutage)
	if err != nil {
		return nil, fmt.Errorf("read the outages: %w", err)
	}
	return out, nil
}

// Outage returns one outage, also a merged or withdrawn one; ErrNotFound.
func (l *Ledger) Outage(ctx context.Context, id int64) (Outage, error) {
	o, err := scanOutage(l.read.QueryRowContext(ctx, selectOutages+`WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return o, fmt.Errorf("read outage %d: %w", id, err)
	}
	return o, nil
}

// reconcile makes the standing outages of a component equal to the set. An outage that is known under a slightly different interval
// keeps its ID: of those that overlap, the oldest stands for the new one and
// the others are merged into it. What nothing overlaps any more is withdrawn.
func reconcile(ctx context.Context, tx *sql.Tx, component string, set OutageSet, now int64) error {
	want := set.Standing
	rows, err := tx.QueryContext(ctx, selectOutages+`WHERE component = $1 AND withdrawn_at = 0 AND merged_into = 0
		AND (to_at = 0 OR to_at >= $2) ORDER BY from_at, id`, component, set.Since)
	have, err := collect(rows, err, scanOutage)
	if err != nil {
		return fmt.Errorf("read the outages of %s: %w", component, err)
	}
	taken := make([]int64, len(have)) // the ID each known outage became part of
	for i := range want {
		w := want[i]
		w.Component = component
		for j := range have {
			if taken[j] != 0 || !overlap(&have[j], &w) {
				continue
			}
			if w.ID == 0 {
				w.ID = have[j].ID
			}
			taken[j] = w.ID
		}
		if err := putOutage(ctx, tx, &w, have); err != nil {
			return err
		}
	}
	for j := range have {
		switch taken[j] {
		case have[j].ID:
		case 0:
			if _, err := tx.ExecContext(ctx, `UPDATE outages SET withdrawn_at = $1 WHERE id = $2`, now, have[j].ID); err != nil {
				return fmt.Errorf("withdraw outage %d: %w", have[j].ID, err)
			}
		default:
			if _, err := tx.ExecContext(ctx, `UPDATE outages SET merged_into = $1 WHERE id = $2`, taken[j], have[j].ID); err != nil {
				return fmt.Errorf("merge outage %d: %w", have[j].ID, err)
			}
		}
	}
	return nil
}

// putOutage writes w, drawing an ID for a new one; an unchanged one costs nothing.
func putOutage(ctx context.Context, tx *sql.Tx, w *Outage, have []Outage) error {
	for j := range have {
		if have[j].ID == w.ID && same(&have[j], w) {
			return nil
		}
	}
	if w.ID == 0 {
		var err error
		if w.ID, err = nextNumber(ctx, tx, "outage"); err != nil {
			return err
		}
	}
	observers, err := json.Marshal(append([]string{}, w.Observers...))
	if err != nil {
		return fmt.Errorf("encode the observers of an outage: %w", err)
	}
	bridged := 0
	if w.Bridged {
		bridged = 1
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO outages (id, component, from_at, to_at, earliest, bridged, observers, merged_into, withdrawn_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)
		ON CONFLICT (id) DO UPDATE SET from_at = excluded.from_at, to_at = excluded.to_at, earliest = excluded.earliest,
		bridged = excluded.bridged, observers = excluded.observers`,
		w.ID, w.Component, w.From, w.To, w.Earliest, bridged, string(observers))
	if err != nil {
		return fmt.Errorf("write an outage of %s: %w", w.Component, err)
	}
	return nil
}

func end(o *Outage) int64 {
	if o.To == 0 {
		return math.MaxInt64
	}
	return o.To
}

func overlap(a, b *Outage) bool { return a.From < end(b) && b.From < end(a) }

func same(a, b *Outage) bool {
	return a.From == b.From && a.To == b.To && a.Earliest == b.Earliest && a.Bridged == b.Bridged &&
		strings.Join(a.Observers, "\x00") == strings.Join(b.Observers, "\x00")
}
