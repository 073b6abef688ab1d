package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/plimsoll/plimsoll/collector/people"
)

const selectAPITokens = `SELECT id, name, hash, made_by, scopes, created_at, expires_at, revoked_at, last_used FROM api_tokens `

func scanAPIToken(s scanner) (t people.Token, err error) {
	var scopes string
	if err = s.Scan(&t.ID, &t.Name, &t.Hash, &t.By, &scopes, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt, &t.LastUsed); err != nil {
		return t, err
	}
	for _, scope := range strings.Split(scopes, ",") {
		t.Scopes = append(t.Scopes, people.Scope(scope))
	}
	return t, nil
}

func joinScopes(scopes []people.Scope) string {
	all := make([]string, len(scopes))
	for i, s := range scopes {
		all[i] = string(s)
	}
	return strings.Join(all, ",")
}

// AddToken keeps an API token under its id; only the hash of its secret.
func (l *Ledger) AddToken(ctx context.Context, t people.Token, by people.Act) error {
	return l.inTx(ctx, "keep an API token", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO api_tokens (id, name, hash, made_by, scopes, created_at, expires_at, revoked_at, last_used)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`, t.ID, t.Name, t.Hash, t.By, joinScopes(t.Scopes), t.CreatedAt, t.ExpiresAt); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: l.ms(), Actor: orSelf(by.Who), Action: "api_token.created", Subject: "API token " + t.ID,
			Detail: origin(t.Name+", scopes "+joinScopes(t.Scopes), by)})
	})
}

// Token returns the API token with that id; people.ErrToken.
func (l *Ledger) Token(ctx context.Context, id string) (people.Token, error) {
	t, err := scanAPIToken(l.read.QueryRowContext(ctx, selectAPITokens+`WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return t, people.ErrToken
	}
	if err != nil {
		return t, fmt.Errorf("read an API token: %w", err)
	}
	return t, nil
}

// Tokens returns all API tokens, the newest first.
func (l *Ledger) Tokens(ctx context.Context) ([]people.Token, error) {
	rows, err := l.read.QueryContext(ctx, selectAPITokens+`ORDER BY created_at DESC, id`)
	out, err := collect(rows, err, scanAPIToken)
	if err != nil {
		return nil, fmt.Errorf("read the API tokens: %w", err)
	}
	return out, nil
}

// SeenToken moves the last use of an API token forward.
func (l *Ledger) SeenToken(ctx context.Context, id string, at int64) error {
	return l.inTx(ctx, "note the use of an API token", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE api_tokens SET last_used = $1 WHERE id = $2 AND last_used < $1`, at, id)
		return err
	})
}

// RevokeToken shuts an API token out; people.ErrUnknown when it was not in use.
func (l *Ledger) RevokeToken(ctx context.Context, id string, by people.Act) error {
	now := l.ms()
	return l.inTx(ctx, "revoke an API token", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE api_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0`, now, id)
		if err := changedOne(res, err); errors.Is(err, ErrNotFound) {
			return people.ErrUnknown
		} else if err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: orSelf(by.Who), Action: "api_token.revoked", Subject: "API token " + id, Detail: origin("", by)})
	})
}
