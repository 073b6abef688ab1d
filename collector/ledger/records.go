package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/plimsoll/plimsoll/collector/record"
)

// NewProblem is what opens a problem record, or amends the one that has its key.
type NewProblem struct {
	Record   record.Record // No, Version, State, Priority, Episode and Relates are filled in
	Evidence record.Evidence
	By       string      // a person; empty = the software
	Again    record.Text // the amendment's reason when the record is there already
}

// OpenProblem opens a record for p.Record.Key, exactly once: while a record
// holds the key it gets one occurrence more, an amendment and the evidence
// instead, and created is false. All in one transaction with the audit entry;
// the database's unique index is what makes a second record impossible.
func (l *Ledger) OpenProblem(ctx context.Context, p NewProblem) (r record.Record, created bool, err error) {
	now := l.ms()
	err = l.inTx(ctx, "open a problem record", func(tx *sql.Tx) error {
		r, created, err = openProblem(ctx, tx, p, now)
		return err
	})
	return r, created, err
}

func openProblem(ctx context.Context, tx *sql.Tx, p NewProblem, now int64) (record.Record, bool, error) {
	held, err := heldRecord(ctx, tx, p.Record.Key)
	if err == nil {
		r, err := repeatProblem(ctx, tx, held, p, now)
		return r, false, err
	}
	if !errors.Is(err, ErrNotFound) {
		return record.Record{}, false, err
	}
	r := p.Record
	year := time.UnixMilli(now).UTC().Year()
	n, err := nextNumber(ctx, tx, fmt.Sprintf("%s %d", r.Kind, year))
	if err != nil {
		return r, false, err
	}
	r.No, r.Version, r.State, r.StateSince = record.Number(r.Kind, year, n), 1, record.New, now
	r.Priority, r.Occurrences = record.Priority(r.Impact, r.Urgency), max(r.Occurrences, 1)
	err = tx.QueryRowContext(ctx, `SELECT no, episode FROM records WHERE dedup_key = $1 ORDER BY episode DESC LIMIT 1`, r.Key).Scan(&r.Relates, &r.Episode)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return r, false, fmt.Errorf("look for an earlier episode: %w", err)
	}
	r.Episode++
	body, err := json.Marshal(r)
	if err != nil {
		return r, false, fmt.Errorf("encode record %s: %w", r.No, err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO records (no, kind, customer, component, state, priority, detected_at, dedup_key, episode, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.No, string(r.Kind), r.Customer, primary(&r), string(r.State), r.Priority, r.DetectedAt, r.Key, r.Episode, string(body)); err != nil {
		return r, false, fmt.Errorf("insert record %s: %w", r.No, err)
	}
	if err := putEvidence(ctx, tx, r.No, p.Evidence); err != nil {
		return r, false, err
	}
	return r, true, auditRecord(ctx, tx, r.No, p.By, "record.opened", r.Title.English, now)
}

// repeatProblem adds an occurrence to a record that holds the key.
func repeatProblem(ctx context.Context, tx *sql.Tx, r record.Record, p NewProblem, now int64) (record.Record, error) {
	old := r.Occurrences
	r.Occurrences++
	r.LastSeen, r.Recovered, r.Unmeasured = p.Record.LastSeen, 0, 0
	r.Observed, r.Limit = p.Record.Observed, p.Record.Limit
	r.Urgency = min(r.Urgency, p.Record.Urgency)
	r.Priority = record.Priority(r.Impact, r.Urgency)
	if err := putEvidence(ctx, tx, r.No, p.Evidence); err != nil {
		return r, err
	}
	a := record.Amendment{At: now, By: orSelf(p.By), Field: "occurrences", Old: fmt.Sprint(old), New: fmt.Sprint(r.Occurrences), Reason: p.Again}
	return amend(ctx, tx, r, a, "record.repeated", now)
}

// amend stores r with one amendment more, and the audit entry.
func amend(ctx context.Context, tx *sql.Tx, r record.Record, a record.Amendment, action string, now int64) (record.Record, error) {
	var err error
	a.No = r.No
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) + 1 FROM amendments WHERE record_no = $1`, r.No).Scan(&a.Seq); err != nil {
		return r, fmt.Errorf("number the amendment of %s: %w", r.No, err)
	}
	reason, err := json.Marshal(a.Reason)
	if err != nil {
		return r, fmt.Errorf("encode an amendment of %s: %w", r.No, err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO amendments (record_no, seq, at, by_whom, field, old_value, new_value, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, a.No, a.Seq, a.At, a.By, a.Field, a.Old, a.New, string(reason)); err != nil {
		return r, fmt.Errorf("amend %s: %w", r.No, err)
	}
	r.Version++
	body, err := json.Marshal(r)
	if err != nil {
		return r, fmt.Errorf("encode record %s: %w", r.No, err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE records SET state = $1, priority = $2, body = $3 WHERE no = $4`,
		string(r.State), r.Priority, string(body), r.No); err != nil {
		return r, fmt.Errorf("amend %s: %w", r.No, err)
	}
	return r, auditRecord(ctx, tx, r.No, a.By, action, a.Field+": "+a.Old+" -> "+a.New, now)
}

// MoveProblem moves a record along its life cycle; an illegal step is a clear error.
func (l *Ledger) MoveProblem(ctx context.Context, no string, to record.State, by, reason string) (record.Record, error) {
	var r record.Record
	now := l.ms()
	err := l.inTx(ctx, "move "+no, func(tx *sql.Tx) error {
		var err error
		if r, err = recordIn(ctx, tx, no); err != nil {
			return err
		}
		if err := record.Move(r.State, to); err != nil {
			return err
		}
		a := record.Amendment{At: now, By: orSelf(by), Field: "state", Old: string(r.State), New: string(to), Reason: record.Text{English: reason, Chinese: reason}}
		r.State, r.StateSince = to, now
		r, err = amend(ctx, tx, r, a, "record.moved", now)
		return err
	})
	return r, err
}

// NoteProblem adds a note to a record.
func (l *Ledger) NoteProblem(ctx context.Context, no, by string, note record.Text) (record.Record, error) {
	var r record.Record
	now := l.ms()
	err := l.inTx(ctx, "note to "+no, func(tx *sql.Tx) error {
		var err error
		if r, err = recordIn(ctx, tx, no); err != nil {
			return err
		}
		r, err = amend(ctx, tx, r, record.Amendment{At: now, By: orSelf(by), Field: record.FieldNote, Reason: note}, "record.noted", now)
		return err
	})
	return r, err
}

func scanRecord(s scanner) (r record.Record, err error) {
	var body string
	if err = s.Scan(&body); err != nil {
		return r, err
	}
	if err = json.Unmarshal([]byte(body), &r); err != nil {
		return r, fmt.Errorf("decode a record: %w", err)
	}
	return r, nil
}

// querier is a transaction or a pool.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func recordIn(ctx context.Context, q querier, no string) (record.Record, error) {
	r, err := scanRecord(q.QueryRowContext(ctx, `SELECT body FROM records WHERE no = $1`, no))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return r, err
}

// heldRecord is the record that holds a key, ErrNotFound when none does.
func heldRecord(ctx context.Context, q querier, key string) (record.Record, error) {
	r, err := scanRecord(q.QueryRowContext(ctx, `SELECT body FROM records
		WHERE dedup_key = $1 AND state NOT IN ('closed', 'duplicate', 'rejected')`, key))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("look for an open record: %w", err)
	}
	return r, nil
}

// RecordFilter selects records. Zero values do not narrow.
type RecordFilter struct {
	Customer  string
	Component string // the primary one
	OpenOnly  bool   // those people still have work with
	From, To  int64  // detected in [From, To)
	Limit     int
}

// Records returns records: open ones by priority first, then the newest first.
func (l *Ledger) Records(ctx context.Context, f RecordFilter) ([]record.Record, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = math.MaxInt32
	}
	rows, err := l.read.QueryContext(ctx, `SELECT body FROM records
		WHERE ($1 = '' OR customer = $1) AND ($2 = '' OR component = $2) AND detected_at >= $3 AND ($4 = 0 OR detected_at < $4)
		AND ($5 = 0 OR state IN ('new', 'assessing', 'rca', 'known_error', 'fix_in_progress'))
		ORDER BY CASE WHEN state IN ('new', 'assessing', 'rca', 'known_error', 'fix_in_progress') THEN priority ELSE 9 END, detected_at DESC, no DESC
		LIMIT $6`, f.Customer, f.Component, f.From, f.To, flag(f.OpenOnly), limit)
	out, err := collect(rows, err, scanRecord)
	if err != nil {
		return nil, fmt.Errorf("read the records: %w", err)
	}
	return out, nil
}

// File is a record with all that belongs to it.
type File struct {
	Record     record.Record
	Amendments []record.Amendment // oldest first
	Evidence   []record.Evidence  // oldest first
}

// Record returns one record with its history; ErrNotFound.
func (l *Ledger) Record(ctx context.Context, no string) (File, error) {
	f, err := file(ctx, l.read, no)
	if err != nil {
		return f, fmt.Errorf("read record %s: %w", no, err)
	}
	return f, nil
}

func file(ctx context.Context, q querier, no string) (f File, err error) {
	if f.Record, err = recordIn(ctx, q, no); err != nil {
		return f, err
	}
	rows, err := q.QueryContext(ctx, `SELECT record_no, seq, at, by_whom, field, old_value, new_value, reason FROM amendments WHERE record_no = $1 ORDER BY seq`, no)
	f.Amendments, err = collect(rows, err, func(s scanner) (a record.Amendment, err error) {
		var reason string
		if err = s.Scan(&a.No, &a.Seq, &a.At, &a.By, &a.Field, &a.Old, &a.New, &reason); err != nil {
			return a, err
		}
		return a, json.Unmarshal([]byte(reason), &a.Reason)
	})
	if err != nil {
		return f, err
	}
	rows, err = q.QueryContext(ctx, `SELECT body FROM evidence WHERE record_no = $1 ORDER BY seq`, no)
	f.Evidence, err = collect(rows, err, func(s scanner) (e record.Evidence, err error) {
		var body string
		if err = s.Scan(&body); err != nil {
			return e, err
		}
		return e, json.Unmarshal([]byte(body), &e)
	})
	return f, err
}

func putEvidence(ctx context.Context, tx *sql.Tx, no string, e record.Evidence) error {
	e.No = no
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) + 1 FROM evidence WHERE record_no = $1`, no).Scan(&e.Seq); err != nil {
		return fmt.Errorf("number the evidence of %s: %w", no, err)
	}
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode the evidence of %s: %w", no, err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO evidence (record_no, seq, body) VALUES ($1, $2, $3)`, no, e.Seq, string(body)); err != nil {
		return fmt.Errorf("keep the evidence of %s: %w", no, err)
	}
	return nil
}

// auditRecord chains an entry with the hash of the record's whole file.
func auditRecord(ctx context.Context, tx *sql.Tx, no, by, action, detail string, now int64) error {
	f, err := file(ctx, tx, no)
	if err != nil {
		return fmt.Errorf("read back %s: %w", no, err)
	}
	hash, err := contentHash(f)
	if err != nil {
		return err
	}
	return appendAudit(ctx, tx, Entry{At: now, Actor: orSelf(by), Action: action, Subject: no, Content: hash, Detail: detail})
}

// content is one audited thing as it is in the database.
type content struct{ subject, hash string }

// contents hashes all that the audit chain vouches for.
func contents(ctx context.Context, q querier) ([]content, error) {
	rows, err := q.QueryContext(ctx, `SELECT no FROM records ORDER BY no`)
	numbers, err := collect(rows, err, func(s scanner) (no string, err error) {
		err = s.Scan(&no)
		return no, err
	})
	if err != nil {
		return nil, err
	}
	var out []content
	for _, no := range numbers {
		f, err := file(ctx, q, no)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", no, err)
		}
		hash, err := contentHash(f)
		if err != nil {
			return nil, err
		}
		out = append(out, content{no, hash})
	}
	rows, err = q.QueryContext(ctx, `SELECT number, source FROM catalogues ORDER BY number`)
	versions, err := collect(rows, err, func(s scanner) (c content, err error) {
		var number int64
		var source string
		err = s.Scan(&number, &source)
		return content{catalogueSubject(number), sourceHash(source)}, err
	})
	if err != nil {
		return nil, err
	}
	rows, err = q.QueryContext(ctx, selectUsers+`ORDER BY name`)
	users, err := collect(rows, err, func(s scanner) (content, error) {
		u, err := scanUser(s)
		if err != nil {
			return content{}, err
		}
		hash, err := userContent(u)
		return content{userSubject(u.Name), hash}, err
	})
	if err != nil {
		return nil, err
	}
	papers, err := paperContents(ctx, q)
	if err != nil {
		return nil, err
	}
	periods, err := periodContents(ctx, q)
	if err != nil {
		return nil, err
	}
	forecasts, err := forecastContents(ctx, q)
	return slices.Concat(out, versions, users, papers, periods, forecasts), err
}

func primary(r *record.Record) string {
	if len(r.Components) == 0 {
		return ""
	}
	return r.Components[0]
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
