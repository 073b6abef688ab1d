package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/collector/people"
)

const selectSessions = `SELECT hash, user_name, created_at, last_seen, address, agent FROM sessions `

func scanSession(s scanner) (p people.Session, err error) {
	err = s.Scan(&p.Hash, &p.User, &p.CreatedAt, &p.LastSeen, &p.From, &p.Agent)
	return p, err
}

// AddSession keeps a session that a login began.
func (l *Ledger) AddSession(ctx context.Context, s people.Session, by people.Act) error {
	return l.inTx(ctx, "begin a session of "+s.User, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, user_name, created_at, last_seen, address, agent)
			VALUES ($1, $2, $3, $4, $5, $6)`, s.Hash, s.User, s.CreatedAt, s.LastSeen, s.From, s.Agent); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE users SET last_login = $1 WHERE name = $2`, s.CreatedAt, s.User); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: l.ms(), Actor: orSelf(by.Who), Action: "login", Subject: userSubject(s.User), Detail: origin("session "+short(s.Hash), by)})
	})
}

// Session returns the session with that hash; people.ErrSession.
func (l *Ledger) Session(ctx context.Context, hash string) (people.Session, error) {
	s, err := scanSession(l.read.QueryRowContext(ctx, selectSessions+`WHERE hash = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return s, people.ErrSession
	}
	if err != nil {
		return s, fmt.Errorf("read a session: %w", err)
	}
	return s, nil
}

// Sessions returns those of a user, the newest first.
func (l *Ledger) Sessions(ctx context.Context, user string) ([]people.Session, error) {
	rows, err := l.read.QueryContext(ctx, selectSessions+`WHERE user_name = $1 ORDER BY created_at DESC, hash`, user)
	out, err := collect(rows, err, scanSession)
	if err != nil {
		return nil, fmt.Errorf("read the sessions of %s: %w", user, err)
	}
	return out, nil
}

// SeenSession moves the last use of a session forward.
func (l *Ledger) SeenSession(ctx context.Context, hash string, at int64) error {
	return l.inTx(ctx, "note the use of a session", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sessions SET last_seen = $1 WHERE hash = $2 AND last_seen < $1`, at, hash)
		return err
	})
}

// EndSessions ends one session of the user, or all where hash is empty.
func (l *Ledger) EndSessions(ctx context.Context, user, hash string, by people.Act) error {
	return l.inTx(ctx, "end sessions of "+user, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_name = $1 AND ($2 = '' OR hash = $2)`, user, hash)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		detail := "session " + short(hash)
		if hash == "" {
			detail = fmt.Sprintf("all sessions: %d", n)
		}
		return appendAudit(ctx, tx, Entry{At: l.ms(), Actor: orSelf(by.Who), Action: "logout", Subject: userSubject(user), Detail: origin(detail, by)})
	})
}

// DropSessions forgets those begun or last seen at or before the instants.
func (l *Ledger) DropSessions(ctx context.Context, begun, seen int64) error {
	return l.inTx(ctx, "drop old sessions", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE created_at <= $1 OR last_seen <= $2`, begun, seen)
		return err
	})
}
