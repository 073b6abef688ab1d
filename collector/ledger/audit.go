package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Entry is one link of the audit chain. Hash is the SHA-256 of all other
// fields, the previous entry's hash among them.
type Entry struct {
	Seq      int64  `json:"seq"` // 1, 2, 3 … without a hole
	At       int64  `json:"at"`
	Actor    string `json:"actor"`   // a person, or "plimsoll"
	Action   string `json:"action"`  // for instance record.opened
	Subject  string `json:"subject"` // for instance PRB-2026-000001
	Content  string `json:"content"` // SHA-256 of the subject as it is after the action; empty when it has none
	Detail   string `json:"detail"`
	Previous string `json:"previous"`
	Hash     string `json:"hash"`
}

// Actor is who acts when the software does something by itself.
const Actor = "plimsoll"

func (e *Entry) sum() string {
	text, _ := json.Marshal([]any{e.Seq, e.At, e.Actor, e.Action, e.Subject, e.Content, e.Detail, e.Previous})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// contentHash is the SHA-256 of v's JSON.
func contentHash(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode for the audit chain: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Append adds entries of the caller's, for what happened outside the ledger:
// all or none. Seq, Previous and Hash are filled in; At too where it is 0.
func (l *Ledger) Append(ctx context.Context, entries ...Entry) error {
	now := l.ms()
	return l.inTx(ctx, "append to the audit chain", func(tx *sql.Tx) error {
		for _, e := range entries {
			if e.At == 0 {
				e.At = now
			}
			if err := appendAudit(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// appendAudit chains e behind the newest entry, in the transaction of what it tells.
func appendAudit(ctx context.Context, tx *sql.Tx, e Entry) error {
	err := tx.QueryRowContext(ctx, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&e.Seq, &e.Previous)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the head of the audit chain: %w", err)
	}
	e.Seq++
	e.Hash = e.sum()
	_, err = tx.ExecContext(ctx, `INSERT INTO audit (seq, at, actor, action, subject, content, detail, previous, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, e.Seq, e.At, e.Actor, e.Action, e.Subject, e.Content, e.Detail, e.Previous, e.Hash)
	if err != nil {
		return fmt.Errorf("append to the audit chain: %w", err)
	}
	return nil
}

func scanEntry(s scanner) (e Entry, err error) {
	err = s.Scan(&e.Seq, &e.At, &e.Actor, &e.Action, &e.Subject, &e.Content, &e.Detail, &e.Previous, &e.Hash)
	return e, err
}

const selectAudit = `SELECT seq, at, actor, action, subject, content, detail, previous, hash FROM audit `

// Entries returns the entries behind seq after, oldest first, at most limit.
func (l *Ledger) Entries(ctx context.Context, after int64, limit int) ([]Entry, error) {
	rows, err := l.read.QueryContext(ctx, selectAudit+`WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit)
	out, err := collect(rows, err, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read the audit chain: %w", err)
	}
	return out, nil
}

// Verification is the result of Verify. Faults is empty when all is well.
type Verification struct {
	Entries int64    `json:"entries"`
	Head    string   `json:"head"` // hash of the newest entry
	Faults  []string `json:"faults"`
}

// maxFaults bounds Verification.Faults: one broken link is proof enough.
const maxFaults = 100

// Verify recomputes the whole chain, and compares each record and catalogue
// version with the newest entry that tells of it. What somebody changed,
// removed or inserted behind the ledger's back is named. Entries cut off at
// the end show only against a head that was printed elsewhere, for instance in
// a report, or when they told of something that is still there.
func (l *Ledger) Verify(ctx context.Context) (Verification, error) {
	v := Verification{Faults: []string{}}
	fault := func(format string, args ...any) {
		if len(v.Faults) < maxFaults {
			v.Faults = append(v.Faults, fmt.Sprintf(format, args...))
		}
	}
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return v, fmt.Errorf("verify the audit chain: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	rows, err := tx.QueryContext(ctx, selectAudit+`ORDER BY seq`)
	content := map[string]string{}
	_, err = collect(rows, err, func(s scanner) (struct{}, error) {
		e, err := scanEntry(s)
		if err != nil {
			return struct{}{}, err
		}
		if e.Seq != v.Entries+1 {
			fault("entry %d follows entry %d: some are missing", e.Seq, v.Entries)
		}
		if e.Previous != v.Head {
			fault("entry %d does not continue the entry before it", e.Seq)
		}
		if e.Hash != e.sum() {
			fault("entry %d was changed", e.Seq)
		}
		v.Entries, v.Head = e.Seq, e.Hash
		if e.Content != "" {
			content[e.Subject] = e.Content
		}
		return struct{}{}, nil
	})
	if err != nil {
		return v, fmt.Errorf("verify the audit chain: %w", err)
	}
	found, err := contents(ctx, tx)
	if err != nil {
		return v, fmt.Errorf("verify the audit chain: %w", err)
	}
	for _, c := range found {
		switch told, ok := content[c.subject]; {
		case !ok:
			fault("%s is in the ledger, but no entry tells of it", c.subject)
		case told != c.hash:
			fault("%s differs from what the chain says was written", c.subject)
		}
		delete(content, c.subject)
	}
	for _, subject := range sortedKeys(content) {
		fault("%s is told of, but no longer in the ledger", subject)
	}
	return v, nil
}
