package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Certificate is one that was issued to a host.
type Certificate struct {
	Fingerprint string // SHA-256 of the DER, hex
	Host        string
	NotBefore   int64
	NotAfter    int64
	RevokedAt   int64
	Authority   string // fingerprint of the authority that signed it; empty when not known
}

// keepCertificates is how long a certificate is remembered after its end.
const keepCertificates = 400 * 24 * time.Hour

// AddCertificate notes that c was issued, with an audit entry. What of that
// host ended more than 400 days ago is forgotten. with is the fingerprint of
// the certificate that was renewed. ErrNotFound when the host is no longer to
// have another: it was removed, is in quarantine, or with was taken back.
func (l *Ledger) AddCertificate(ctx context.Context, c Certificate, with string) error {
	now := l.ms()
	return l.inTx(ctx, "note the certificate of host "+c.Host, func(tx *sql.Tx) error {
		var may int64
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM hosts WHERE host = $1 AND removed_at = 0 AND quarantined_at = 0
			AND NOT EXISTS (SELECT 1 FROM certificates WHERE fingerprint = $2 AND revoked_at > 0)`, c.Host, with).Scan(&may); err != nil {
			return err
		}
		if may == 0 {
			return ErrNotFound
		}
		if err := addCertificate(ctx, tx, c); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM certificates WHERE host = $1 AND not_after < $2`, c.Host, now-keepCertificates.Milliseconds()); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: Actor, Action: "certificate.issued", Subject: "host " + c.Host,
			Detail: fmt.Sprintf("certificate %s until %s", short(c.Fingerprint), time.UnixMilli(c.NotAfter).UTC().Format(time.RFC3339))})
	})
}

func addCertificate(ctx context.Context, tx *sql.Tx, c Certificate) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO certificates (fingerprint, host, not_before, not_after, revoked_at, authority)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (fingerprint) DO NOTHING`, c.Fingerprint, c.Host, c.NotBefore, c.NotAfter, c.RevokedAt, c.Authority)
	return err
}

func revokeCertificates(ctx context.Context, tx *sql.Tx, host string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE certificates SET revoked_at = $1 WHERE host = $2 AND revoked_at = 0`, now, host)
	return err
}

// Certificates returns what was issued to a host, newest first.
func (l *Ledger) Certificates(ctx context.Context, host string) ([]Certificate, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT fingerprint, host, not_before, not_after, revoked_at, authority FROM certificates
		WHERE host = $1 ORDER BY not_before DESC`, host)
	out, err := collect(rows, err, func(s scanner) (c Certificate, err error) {
		err = s.Scan(&c.Fingerprint, &c.Host, &c.NotBefore, &c.NotAfter, &c.RevokedAt, &c.Authority)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the certificates of host %s: %w", host, err)
	}
	return out, nil
}

const selectDenied = `SELECT fingerprint FROM certificates WHERE host = $1 AND revoked_at > 0 AND not_after >= $2`

// Denied returns the fingerprints of a host's certificates that were taken
// back and end no earlier than since.
func (l *Ledger) Denied(ctx context.Context, host string, since int64) ([]string, error) {
	rows, err := l.often.denied.QueryContext(ctx, host, since)
	out, err := collect(rows, err, func(s scanner) (f string, err error) { return f, s.Scan(&f) })
	if err != nil {
		return nil, fmt.Errorf("read the denied certificates of host %s: %w", host, err)
	}
	return out, nil
}

// HangingOn returns the living hosts that could still come with a certificate
// of that authority, ended no earlier than since, and have none of a newer
// one. A host of which no certificate is known is among them.
func (l *Ledger) HangingOn(ctx context.Context, authority string, since int64) ([]Host, error) {
	rows, err := l.read.QueryContext(ctx, selectHosts+`WHERE removed_at = 0 AND NOT EXISTS (
			SELECT 1 FROM certificates c WHERE c.host = hosts.host AND c.revoked_at = 0 AND c.authority NOT IN ('', $1)
		) AND (EXISTS (
			SELECT 1 FROM certificates c WHERE c.host = hosts.host AND c.revoked_at = 0 AND c.not_after >= $2
		) OR NOT EXISTS (SELECT 1 FROM certificates c WHERE c.host = hosts.host)) ORDER BY instance`, authority, since)
	out, err := collect(rows, err, scanHost)
	if err != nil {
		return nil, fmt.Errorf("read the hosts of authority %s: %w", short(authority), err)
	}
	return out, nil
}

// livingHostOf is the living host a certificate of ours was issued to, unless
// it was taken back; ErrNotFound.
func livingHostOf(ctx context.Context, tx *sql.Tx, fingerprint string) (Host, error) {
	h, err := scanHost(tx.QueryRowContext(ctx, selectHosts+`WHERE removed_at = 0 AND host IN (
		SELECT host FROM certificates WHERE fingerprint = $1 AND revoked_at = 0)`, fingerprint))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return h, err
}
