package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// Note is a small statement of an agent that is not a sample: why a check
// changed, how the last run ended, what its buffer lost.
type Note struct {
	Position   uint64 // in the journal; the same note again changes nothing
	Sub        int    // which of those that the collector itself makes of that record, 1 to MaxSub; 0: the record is the note
	Host       string
	Instance   string
	At         int64
	ReceivedAt int64
	Kind       string // start, change or loss
	Component  string // of a change; else empty
	Body       string // JSON of the wire.Note
}

// NoteFilter selects notes. Zero values do not narrow.
type NoteFilter struct {
	Component, Instance string
	Kind                string
	From, To            int64 // At in [From, To)
	Limit               int   // newest first
}

// MaxSub bounds how many notes the collector makes of one record.
const MaxSub = 1<<subBits - 1

const subBits = 10

// place is where a note lies in the table: those the collector makes lie
// below zero, so that they never take the place of an agent's.
func (n *Note) place() int64 {
	if n.Sub == 0 {
		return position(n.Position)
	}
	return -(position(n.Position)<<subBits | int64(n.Sub))
}

// takePlace reads what place wrote.
func (n *Note) takePlace(p int64) {
	if n.Position = uint64(p); p < 0 {
		n.Position, n.Sub = uint64(-p>>subBits), int(-p&MaxSub)
	}
}

// putNote keeps a note once, although an agent that got no answer, or lost its
// place in a power cut, delivers it again.
func putNote(ctx context.Context, tx *sql.Tx, n *Note) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO notes (position, host, instance, at, received_at, kind, component, body)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8
		WHERE NOT EXISTS (SELECT 1 FROM notes WHERE instance = $3 AND at = $4 AND kind = $6 AND component = $7 AND body = $8 AND host = $2)
		ON CONFLICT (position) DO NOTHING`,
		n.place(), n.Host, n.Instance, n.At, n.ReceivedAt, n.Kind, n.Component, n.Body)
	if err != nil {
		return fmt.Errorf("write a note of %s: %w", n.Instance, err)
	}
	return nil
}

// Notes returns notes, the newest first.
func (l *Ledger) Notes(ctx context.Context, f NoteFilter) ([]Note, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 1000
	}
	rows, err := l.read.QueryContext(ctx, `SELECT position, host, instance, at, received_at, kind, component, body FROM notes
		WHERE ($1 = '' OR component = $1) AND ($2 = '' OR instance = $2) AND ($3 = '' OR kind = $3) AND at >= $4 AND ($5 = 0 OR at < $5)
		ORDER BY at DESC, position DESC LIMIT $6`, f.Component, f.Instance, f.Kind, f.From, f.To, limit)
	out, err := collect(rows, err, func(s scanner) (n Note, err error) {
		var p int64
		err = s.Scan(&p, &n.Host, &n.Instance, &n.At, &n.ReceivedAt, &n.Kind, &n.Component, &n.Body)
		n.takePlace(p)
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the notes: %w", err)
	}
	return out, nil
}
