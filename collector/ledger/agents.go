package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Host is a managed host: what enrolled, under which name.
type Host struct {
	ID         string `json:"host"`     // the stable id in its certificate
	Instance   string `json:"instance"` // the name it is listed under; unique among living hosts
	Customer   string `json:"customer"`
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	Version    string `json:"version"` // of its agent
	EnrolledAt int64  `json:"enrolled_at"`
	LastSeen   int64  `json:"last_seen"`   // something of it was received then
	LastSample int64  `json:"last_sample"` // its newest sample
	RemovedAt  int64  `json:"removed_at"`
	Sender     string `json:"sender"` // the foreign sender that brings it; empty for an enrolled host
}

// Token is a one-time permission to enrol. Only the hash of its secret is kept.
type Token struct {
	Label     string // who or what it is for
	Customer  string // given to the hosts that enrol with it
	CreatedBy string
	ExpiresAt int64
	Uses      int64 // how often it may be used; 0 = once
}

// EnrolToken keeps a token under the hash of its secret.
func (l *Ledger) EnrolToken(ctx context.Context, hash string, t Token) error {
	now := l.ms()
	return l.inTx(ctx, "keep an enrolment token", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO tokens (hash, label, customer, created_at, created_by, expires_at, uses_left)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, hash, t.Label, t.Customer, now, t.CreatedBy, t.ExpiresAt, max(t.Uses, 1)); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: orSelf(t.CreatedBy), Action: "token.created", Subject: "token " + short(hash), Detail: t.Label})
	})
}

// UseToken spends one use of the token with that hash and lists h as a host,
// in one transaction: a token cannot be spent twice, nor a host come without
// one. A name that a living host has already gets a number behind it (web-1,
// web-1-2); the host is returned as it is listed. The error is
// ErrTokenUnknown, ErrTokenUsed or ErrTokenExpired when the token does not serve.
func (l *Ledger) UseToken(ctx context.Context, hash string, h Host) (Host, error) {
	h.EnrolledAt = l.ms()
	err := l.inTx(ctx, "enrol host "+h.Instance, func(tx *sql.Tx) error {
		if err := spendToken(ctx, tx, hash, &h); err != nil {
			return err
		}
		name, err := freeName(ctx, tx, h.Instance)
		if err != nil {
			return err
		}
		h.Instance = name
		if _, err := tx.ExecContext(ctx, `INSERT INTO hosts (host, instance, customer, os, arch, version, enrolled_at, last_seen, last_sample, removed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0)`, h.ID, h.Instance, h.Customer, h.OS, h.Arch, h.Version, h.EnrolledAt); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO token_uses (hash, host, used_at) VALUES ($1, $2, $3)`, hash, h.ID, h.EnrolledAt); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: h.EnrolledAt, Actor: Actor, Action: "host.enrolled", Subject: "host " + h.ID,
			Detail: h.Instance + " with token " + short(hash)})
	})
	return h, err
}

func spendToken(ctx context.Context, tx *sql.Tx, hash string, h *Host) error {
	var left, expires int64
	var customer string
	err := tx.QueryRowContext(ctx, `SELECT uses_left, expires_at, customer FROM tokens WHERE hash = $1`, hash).Scan(&left, &expires, &customer)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrTokenUnknown
	case err != nil:
		return err
	case left < 1:
		return ErrTokenUsed
	case expires <= h.EnrolledAt:
		return ErrTokenExpired
	}
	if customer != "" {
		h.Customer = customer
	}
	_, err = tx.ExecContext(ctx, `UPDATE tokens SET uses_left = uses_left - 1 WHERE hash = $1`, hash)
	return err
}

func freeName(ctx context.Context, tx *sql.Tx, name string) (string, error) {
	for n := 1; ; n++ {
		candidate := name
		if n > 1 {
			candidate = fmt.Sprintf("%s-%d", name, n)
		}
		taken, err := nameTaken(ctx, tx, candidate)
		if err != nil {
			return "", err
		}
		if !taken {
			return candidate, nil
		}
	}
}

const selectHosts = `SELECT host, instance, customer, os, arch, version, enrolled_at, last_seen, last_sample, removed_at,
	COALESCE((SELECT s.name FROM foreign_hosts f JOIN senders s ON s.id = f.sender WHERE f.host = hosts.host), '') FROM hosts `

func scanHost(s scanner) (h Host, err error) {
	err = s.Scan(&h.ID, &h.Instance, &h.Customer, &h.OS, &h.Arch, &h.Version, &h.EnrolledAt, &h.LastSeen, &h.LastSample, &h.RemovedAt, &h.Sender)
	return h, err
}

func (l *Ledger) host(ctx context.Context, where, value string) (Host, error) {
	h, err := scanHost(l.read.QueryRowContext(ctx, selectHosts+where, value))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return h, fmt.Errorf("read host %s: %w", value, err)
	}
	return h, nil
}

// HostByID returns the host with that stable id, living or removed; ErrNotFound.
func (l *Ledger) HostByID(ctx context.Context, id string) (Host, error) {
	return l.host(ctx, `WHERE host = $1`, id)
}

// HostByInstance returns the living host listed under that name; ErrNotFound.
func (l *Ledger) HostByInstance(ctx context.Context, instance string) (Host, error) {
	return l.host(ctx, `WHERE instance = $1 AND removed_at = 0`, instance)
}

// Hosts returns the living hosts by name.
func (l *Ledger) Hosts(ctx context.Context) ([]Host, error) {
	rows, err := l.read.QueryContext(ctx, selectHosts+`WHERE removed_at = 0 ORDER BY instance`)
	out, err := collect(rows, err, scanHost)
	if err != nil {
		return nil, fmt.Errorf("read the hosts: %w", err)
	}
	return out, nil
}

// RemoveHost takes a host out of the list; what is known of it stays.
func (l *Ledger) RemoveHost(ctx context.Context, id, by string) error {
	now := l.ms()
	return l.inTx(ctx, "remove host "+id, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE hosts SET removed_at = $1 WHERE host = $2 AND removed_at = 0`, now, id)
		if err := changedOne(res, err); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: orSelf(by), Action: "host.removed", Subject: "host " + id})
	})
}

// Seen is the newest sign of a host, in Unix milliseconds.
type Seen struct {
	Received int64  // by the collector's clock
	Sample   int64  // by the host's own, corrected
	Version  string // of the agent; empty when not known
}

// SeenHosts moves the hosts' last signs forward; older ones change nothing,
// and ids that are not listed are passed over.
func (l *Ledger) SeenHosts(ctx context.Context, seen map[string]Seen) error {
	return l.inTx(ctx, "note the hosts seen", func(tx *sql.Tx) error { return putSeen(ctx, tx, seen) })
}

func putSeen(ctx context.Context, tx *sql.Tx, seen map[string]Seen) error {
	if len(seen) == 0 {
		return nil
	}
	stmt, err := tx.PrepareContext(ctx, `UPDATE hosts SET
		last_seen = CASE WHEN last_seen < $1 THEN $1 ELSE last_seen END,
		last_sample = CASE WHEN last_sample < $2 THEN $2 ELSE last_sample END,
		version = CASE WHEN $3 = '' THEN version ELSE $3 END
		WHERE host = $4`)
	if err != nil {
		return fmt.Errorf("note the hosts seen: %w", err)
	}
	defer func() { _ = stmt.Close() }()
	for id, s := range seen {
		if _, err := stmt.ExecContext(ctx, s.Received, s.Sample, s.Version, id); err != nil {
			return fmt.Errorf("note host %s seen: %w", id, err)
		}
	}
	return nil
}

// Certificate is one that was issued to a host.
type Certificate struct {
	Fingerprint string // SHA-256 of the DER, hex
	Host        string
	NotBefore   int64
	NotAfter    int64
	RevokedAt   int64
}

// AddCertificate notes that c was issued.
func (l *Ledger) AddCertificate(ctx context.Context, c Certificate) error {
	return l.inTx(ctx, "note the certificate of host "+c.Host, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO certificates (fingerprint, host, not_before, not_after, revoked_at)
			VALUES ($1, $2, $3, $4, $5) ON CONFLICT (fingerprint) DO NOTHING`, c.Fingerprint, c.Host, c.NotBefore, c.NotAfter, c.RevokedAt)
		return err
	})
}

// Certificates returns what was issued to a host, newest first.
func (l *Ledger) Certificates(ctx context.Context, host string) ([]Certificate, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT fingerprint, host, not_before, not_after, revoked_at FROM certificates
		WHERE host = $1 ORDER BY not_before DESC`, host)
	out, err := collect(rows, err, func(s scanner) (c Certificate, err error) {
		err = s.Scan(&c.Fingerprint, &c.Host, &c.NotBefore, &c.NotAfter, &c.RevokedAt)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the certificates of host %s: %w", host, err)
	}
	return out, nil
}

// changedOne turns an update that met no row into ErrNotFound.
func changedOne(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

func orSelf(who string) string {
	if who == "" {
		return Actor
	}
	return who
}

// short is enough of a hash to tell tokens apart.
func short(hash string) string { return hash[:min(len(hash), 12)] }
