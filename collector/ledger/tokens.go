package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Token is a permission to enrol. Only the hash of its secret is kept.
type Token struct {
	Label     string            // who or what it is for
	Customer  string            // given to the hosts that enrol with it
	Labels    map[string]string // given to the hosts that enrol with it
	CIDR      []netip.Prefix    // where it may be used from; empty: anywhere
	Authority string            // fingerprint it carries
	CreatedBy string
	ExpiresAt int64
	Uses      int64 // how often it may be used; 0 = once
}

// TokenState is a token as it stands.
type TokenState struct {
	Token
	ID        string // the first 12 characters of its hash, which tell nothing of its secret
	CreatedAt int64
	UsesLeft  int64
	RevokedAt int64
	Hosts     []string // instances that enrolled with it
}

// Open tells whether it can still be used.
func (t *TokenState) Open(now int64) bool {
	return t.RevokedAt == 0 && t.UsesLeft > 0 && t.ExpiresAt > now
}

// EnrolToken keeps a token under the hash of its secret.
func (l *Ledger) EnrolToken(ctx context.Context, hash string, t Token) error {
	now := l.ms()
	labels, err := writeLabels(t.Labels)
	if err != nil {
		return err
	}
	return l.inTx(ctx, "keep an enrolment token", func(tx *sql.Tx) error {
		uses := max(t.Uses, 1)
		if _, err := tx.ExecContext(ctx, `INSERT INTO tokens (hash, label, customer, created_at, created_by, expires_at, uses_left, uses, labels, cidr, authority)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			hash, t.Label, t.Customer, now, t.CreatedBy, t.ExpiresAt, uses, uses, labels, joinPrefixes(t.CIDR), t.Authority); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: orSelf(t.CreatedBy), Action: "token.created", Subject: "token " + short(hash), Detail: t.Label})
	})
}

const selectTokens = `SELECT hash, label, customer, created_at, created_by, expires_at, uses_left, uses, labels, cidr, authority, revoked_at FROM tokens `

// scanToken reads a token; its ID is the whole hash yet.
func scanToken(s scanner) (t TokenState, err error) {
	var labels, cidr string
	if err = s.Scan(&t.ID, &t.Label, &t.Customer, &t.CreatedAt, &t.CreatedBy, &t.ExpiresAt, &t.UsesLeft, &t.Uses, &labels, &cidr, &t.Authority, &t.RevokedAt); err != nil {
		return t, err
	}
	if t.Labels, err = readLabels(labels); err != nil {
		return t, err
	}
	t.CIDR, err = splitPrefixes(cidr)
	return t, err
}

// EnrolTokens returns those made at or after an instant, newest first, with the
// hosts that enrolled with each.
func (l *Ledger) EnrolTokens(ctx context.Context, since int64) ([]TokenState, error) {
	rows, err := l.read.QueryContext(ctx, selectTokens+`WHERE created_at >= $1 ORDER BY created_at DESC, hash`, since)
	out, err := collect(rows, err, scanToken)
	for i := 0; err == nil && i < len(out); i++ {
		out[i].Hosts, err = l.enrolledWith(ctx, out[i].ID)
		out[i].ID = short(out[i].ID)
	}
	if err != nil {
		return nil, fmt.Errorf("read the enrolment tokens: %w", err)
	}
	return out, nil
}

func (l *Ledger) enrolledWith(ctx context.Context, hash string) ([]string, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT h.instance FROM token_uses u JOIN hosts h ON h.host = u.host WHERE u.hash = $1 ORDER BY h.instance`, hash)
	return collect(rows, err, func(s scanner) (name string, err error) { return name, s.Scan(&name) })
}

// RevokeEnrolToken ends an open token before its time; ErrNotFound when no open
// one has that ID.
func (l *Ledger) RevokeEnrolToken(ctx context.Context, id, by string) error {
	now := l.ms()
	return l.inTx(ctx, "revoke token "+id, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE tokens SET revoked_at = $1 WHERE substr(hash, 1, 12) = $2 AND revoked_at = 0 AND uses_left > 0 AND expires_at > $3`, now, id, now)
		if err := changedOne(res, err); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: orSelf(by), Action: "token.revoked", Subject: "token " + id})
	})
}

// queryer is a database or a transaction.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// goodToken reads the token of e and tells why it does not serve.
func goodToken(ctx context.Context, q queryer, e *Enrolment, now int64) (TokenState, error) {
	t, err := scanToken(q.QueryRowContext(ctx, selectTokens+`WHERE hash = $1`, e.Token))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t, ErrTokenUnknown
	case err != nil:
		return t, err
	case t.RevokedAt > 0:
		return t, ErrTokenRevoked
	case t.UsesLeft < 1:
		return t, ErrTokenUsed
	case t.ExpiresAt <= now:
		return t, ErrTokenExpired
	case !allowed(t.CIDR, e.From):
		return t, ErrTokenAddress
	}
	return t, nil
}

// spendToken takes one use off the token of e.
func spendToken(ctx context.Context, tx *sql.Tx, e *Enrolment, now int64) (TokenState, error) {
	t, err := goodToken(ctx, tx, e, now)
	if err != nil {
		return t, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE tokens SET uses_left = uses_left - 1 WHERE hash = $1`, e.Token)
	return t, err
}

// allowed tells whether an address lies in one of the prefixes; where there
// are none, all do.
func allowed(prefixes []netip.Prefix, from netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(from.Unmap()) {
			return true
		}
	}
	return len(prefixes) == 0
}

func joinPrefixes(prefixes []netip.Prefix) string {
	var texts []string
	for _, p := range prefixes {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ",")
}

func splitPrefixes(text string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("read the addresses of a token: %w", err)
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}
