package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/netip"
)

// Enrolment is a host that asks to be let in.
type Enrolment struct {
	Token string // hash of the secret it showed
	From  netip.Addr
	Host  Host // the id and name it gets when it is new
	// Previous is the fingerprint of a certificate whose key it has proven;
	// empty for a new host.
	Previous string
	// Sign makes the certificate for the id the host is listed under; nil in
	// a test that needs none.
	Sign func(host string) (Certificate, error)
}

// Enrol spends one use of the token, lists the host and notes its certificate,
// in one transaction: all or nothing.
//
// A name that a living host has already gets a number behind it (web-1,
// web-1-2); the host is returned as it is listed. One that proves a
// certificate of ours keeps its id and name instead: it leaves quarantine, and
// whatever certificates it had are taken back, from every copy of it as well.
// The error is one of the ErrToken… when the token does not serve.
func (l *Ledger) Enrol(ctx context.Context, e Enrolment) (Host, error) {
	now, h := l.ms(), e.Host
	// Anybody can ask: who guesses tokens must not hold up those who write.
	if _, err := goodToken(ctx, l.read, &e, now); err != nil {
		return h, fmt.Errorf("enrol host %s: %w", h.Instance, err)
	}
	err := l.inTx(ctx, "enrol host "+h.Instance, func(tx *sql.Tx) error {
		token, err := spendToken(ctx, tx, &e, now)
		if err != nil {
			return err
		}
		var action string
		if h, action, err = list(ctx, tx, &e, &token, now); err != nil {
			return err
		}
		if err := noteTenure(ctx, tx, h.ID, now); err != nil {
			return err
		}
		if e.Sign != nil {
			c, err := e.Sign(h.ID)
			if err != nil {
				return err
			}
			if err := addCertificate(ctx, tx, c); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO token_uses (hash, host, used_at) VALUES ($1, $2, $3) ON CONFLICT (hash, host) DO NOTHING`, e.Token, h.ID, now); err != nil {
			return err
		}
		detail := h.Instance + " with token " + short(e.Token)
		if e.From.IsValid() {
			detail += " from " + e.From.String()
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: Actor, Action: action, Subject: "host " + h.ID, Detail: detail})
	})
	return h, err
}

// UseToken enrols a new host from anywhere, without a certificate.
func (l *Ledger) UseToken(ctx context.Context, hash string, h Host) (Host, error) {
	return l.Enrol(ctx, Enrolment{Token: hash, Host: h})
}

// list puts the host of e in the list, or finds it there.
func list(ctx context.Context, tx *sql.Tx, e *Enrolment, t *TokenState, now int64) (_ Host, action string, _ error) {
	before, err := livingHostOf(ctx, tx, e.Previous)
	switch {
	case err == nil:
		h, err := listAgain(ctx, tx, before, &e.Host, t, now)
		return h, "host.enrolled_again", err
	case errors.Is(err, ErrNotFound):
		h, err := listNew(ctx, tx, e.Host, t, now)
		return h, "host.enrolled", err
	}
	return Host{}, "", err
}

func listNew(ctx context.Context, tx *sql.Tx, h Host, t *TokenState, now int64) (Host, error) {
	name, err := freeName(ctx, tx, h.Instance)
	if err != nil {
		return h, err
	}
	h.Instance, h.EnrolledAt, h.Labels = name, now, t.Labels
	if t.Customer != "" {
		h.Customer = t.Customer
	}
	labels, err := writeLabels(h.Labels)
	if err != nil {
		return h, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO hosts (host, instance, customer, os, arch, version, enrolled_at, last_seen, last_sample, removed_at, labels)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, $8)`, h.ID, h.Instance, h.Customer, h.OS, h.Arch, h.Version, h.EnrolledAt, labels)
	return h, err
}

// listAgain keeps id, name and day of enrolment; the token's labels go over
// those it had, and its customer stays unless the token names one.
func listAgain(ctx context.Context, tx *sql.Tx, before Host, h *Host, t *TokenState, now int64) (Host, error) {
	if err := revokeCertificates(ctx, tx, before.ID, now); err != nil {
		return before, err
	}
	before.OS, before.Arch, before.Version = h.OS, h.Arch, h.Version
	before.QuarantinedAt, before.Quarantine = 0, ""
	maps.Copy(before.Labels, t.Labels)
	if t.Customer != "" {
		before.Customer = t.Customer
	}
	labels, err := writeLabels(before.Labels)
	if err != nil {
		return before, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE hosts SET customer = $1, os = $2, arch = $3, version = $4, labels = $5, quarantined_at = 0, quarantine = ''
		WHERE host = $6`, before.Customer, before.OS, before.Arch, before.Version, labels, before.ID)
	return before, err
}
