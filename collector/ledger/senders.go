package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Sender is a foreign sender: a Prometheus or the like that brings the samples
// of many hosts with a token.
type Sender struct {
	ID        string `json:"id"`
	Name      string `json:"name"` // the observer of its facts; no host has the same
	Kind      string `json:"for"`  // prometheus, vmagent, telegraf or otel
	Customer  string `json:"customer"`
	Labels    string `json:"labels"` // given to its series, as a=b,c=d; without customer
	CreatedAt int64  `json:"created_at"`
	CreatedBy string `json:"created_by"`
	LastSeen  int64  `json:"last_seen"`
	Hosts     int64  `json:"hosts"`  // that it brings
	Tokens    int64  `json:"tokens"` // that are good now
}

// SenderToken lets a sender in. Only the hash of its secret is kept.
type SenderToken struct {
	Hash      string
	CreatedBy string
	ExpiresAt int64 // 0: until it is revoked
}

// What a token or a name of a sender may be refused for.
var (
	ErrSenderName    = errors.New("a host is listed under that name")
	ErrSenderOther   = errors.New("the sender of that name is of another kind, customer or labels")
	ErrSenderUnknown = errors.New("no such sender token")
	ErrSenderExpired = errors.New("this sender token has expired")
	ErrSenderRevoked = errors.New("this sender token was revoked")
)

// AddSender keeps a token for the sender of that name, making the sender when
// there is none yet: two good tokens of one sender let it change them without
// a gap. ErrSenderName when a host has the name, ErrSenderOther when the sender
// differs in more than its token.
func (l *Ledger) AddSender(ctx context.Context, s Sender, t SenderToken) (Sender, error) {
	now := l.ms()
	err := l.inTx(ctx, "let sender "+s.Name+" in", func(tx *sql.Tx) error {
		known, err := scanSender(tx.QueryRowContext(ctx, selectSenders+`WHERE s.name = $2`, now, s.Name))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			if err := addSender(ctx, tx, &s, now); err != nil {
				return err
			}
		case err != nil:
			return err
		case known.Kind != s.Kind || known.Customer != s.Customer || known.Labels != s.Labels:
			return fmt.Errorf("%w: it is for %s, customer %q, labels %q", ErrSenderOther, known.Kind, known.Customer, known.Labels)
		default:
			s = known
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO sender_tokens (hash, sender, created_at, created_by, expires_at, revoked_at)
			VALUES ($1, $2, $3, $4, $5, 0)`, t.Hash, s.ID, now, t.CreatedBy, t.ExpiresAt); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: orSelf(t.CreatedBy), Action: "sender.token", Subject: "sender " + s.Name,
			Detail: fmt.Sprintf("token %s for %s, customer %q, labels %q", short(t.Hash), s.Kind, s.Customer, s.Labels)})
	})
	return s, err
}

func addSender(ctx context.Context, tx *sql.Tx, s *Sender, now int64) error {
	var taken int64
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM hosts WHERE instance = $1 AND removed_at = 0`, s.Name).Scan(&taken); err != nil {
		return err
	}
	if taken > 0 {
		return ErrSenderName
	}
	s.CreatedAt = now
	_, err := tx.ExecContext(ctx, `INSERT INTO senders (id, name, kind, customer, labels, created_at, created_by, last_seen)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`, s.ID, s.Name, s.Kind, s.Customer, s.Labels, now, s.CreatedBy)
	return err
}

const selectSenders = `SELECT s.id, s.name, s.kind, s.customer, s.labels, s.created_at, s.created_by, s.last_seen,
	(SELECT count(*) FROM foreign_hosts f JOIN hosts h ON h.host = f.host WHERE f.sender = s.id AND h.removed_at = 0),
	(SELECT count(*) FROM sender_tokens t WHERE t.sender = s.id AND t.revoked_at = 0 AND (t.expires_at = 0 OR t.expires_at > $1))
	FROM senders s `

func scanSender(s scanner) (out Sender, err error) {
	err = s.Scan(&out.ID, &out.Name, &out.Kind, &out.Customer, &out.Labels, &out.CreatedAt, &out.CreatedBy, &out.LastSeen, &out.Hosts, &out.Tokens)
	return out, err
}

// Senders returns all senders by name.
func (l *Ledger) Senders(ctx context.Context) ([]Sender, error) {
	rows, err := l.read.QueryContext(ctx, selectSenders+`ORDER BY s.name`, l.ms())
	out, err := collect(rows, err, scanSender)
	if err != nil {
		return nil, fmt.Errorf("read the senders: %w", err)
	}
	return out, nil
}

// SenderByToken returns the sender a token lets in. The error is
// ErrSenderUnknown, ErrSenderExpired or ErrSenderRevoked when it lets nobody in.
func (l *Ledger) SenderByToken(ctx context.Context, hash string) (Sender, error) {
	var id string
	var expires, revoked int64
	now := l.ms()
	err := l.read.QueryRowContext(ctx, `SELECT sender, expires_at, revoked_at FROM sender_tokens WHERE hash = $1`, hash).Scan(&id, &expires, &revoked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Sender{}, ErrSenderUnknown
	case err != nil:
		return Sender{}, fmt.Errorf("read a sender's token: %w", err)
	case revoked != 0:
		return Sender{}, ErrSenderRevoked
	case expires != 0 && expires <= now:
		return Sender{}, ErrSenderExpired
	}
	s, err := scanSender(l.read.QueryRowContext(ctx, selectSenders+`WHERE s.id = $2`, now, id))
	if err != nil {
		return Sender{}, fmt.Errorf("read sender %s: %w", id, err)
	}
	return s, nil
}

// RevokeSender makes every token of the sender useless and returns how many
// there were; ErrNotFound when there is no such sender. Its hosts stay.
func (l *Ledger) RevokeSender(ctx context.Context, name, by string) (revoked int64, err error) {
	now := l.ms()
	err = l.inTx(ctx, "revoke the tokens of sender "+name, func(tx *sql.Tx) error {
		var id string
		err := tx.QueryRowContext(ctx, `SELECT id FROM senders WHERE name = $1`, name).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE sender_tokens SET revoked_at = $1 WHERE sender = $2 AND revoked_at = 0`, now, id)
		if err != nil {
			return err
		}
		if revoked, err = res.RowsAffected(); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: orSelf(by), Action: "sender.revoked", Subject: "sender " + name, Detail: fmt.Sprintf("%d tokens", revoked)})
	})
	return revoked, err
}

// SenderNames returns under which name each instance of a sender is listed.
func (l *Ledger) SenderNames(ctx context.Context, sender string) (map[string]string, error) {
	rows, err := l.read.QueryContext(ctx, selectNames, sender)
	pairs, err := collect(rows, err, func(s scanner) (p [2]string, err error) {
		err = s.Scan(&p[0], &p[1])
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the hosts of sender %s: %w", sender, err)
	}
	out := make(map[string]string, len(pairs))
	for _, p := range pairs {
		out[p[0]] = p[1]
	}
	return out, nil
}

const selectNames = `SELECT f.instance, h.instance FROM foreign_hosts f JOIN hosts h ON h.host = f.host WHERE f.sender = $1 AND h.removed_at = 0`

// ForeignName is under which name an instance of a sender is listed when
// another host has its own already.
func ForeignName(instance, sender string) string { return instance + "@" + sender }

// ListForeign lists instances of a sender as hosts, all in one transaction. A
// name that another living host has gets the sender's behind it: nobody can
// write as a host that is not his. id gives the id of a host by its name; one
// that was listed once and removed comes back.
func (l *Ledger) ListForeign(ctx context.Context, s Sender, instances []string, id func(listed string) string) error {
	now := l.ms()
	return l.inTx(ctx, "list the hosts of sender "+s.Name, func(tx *sql.Tx) error {
		for _, instance := range instances {
			if err := listForeign(ctx, tx, &s, instance, id, now); err != nil {
				return fmt.Errorf("list %s: %w", instance, err)
			}
		}
		return nil
	})
}

func listForeign(ctx context.Context, tx *sql.Tx, s *Sender, instance string, id func(string) string, now int64) error {
	var listed int64
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM foreign_hosts f JOIN hosts h ON h.host = f.host
		WHERE f.sender = $1 AND f.instance = $2 AND h.removed_at = 0`, s.ID, instance).Scan(&listed); err != nil || listed > 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM foreign_hosts WHERE sender = $1 AND instance = $2`, s.ID, instance); err != nil {
		return err
	}
	name := instance
	if taken, err := nameTaken(ctx, tx, name); err != nil {
		return err
	} else if taken {
		if name, err = freeName(ctx, tx, ForeignName(instance, s.Name)); err != nil {
			return err
		}
	}
	host := id(name)
	if _, err := tx.ExecContext(ctx, `INSERT INTO hosts (host, instance, customer, os, arch, version, enrolled_at, last_seen, last_sample, removed_at)
		VALUES ($1, $2, $3, '', '', '', $4, 0, 0, 0) ON CONFLICT (host) DO UPDATE SET removed_at = 0`, host, name, s.Customer, now); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO foreign_hosts (host, sender, instance) VALUES ($1, $2, $3)
		ON CONFLICT (host) DO UPDATE SET instance = excluded.instance`, host, s.ID, instance); err != nil {
		return err
	}
	if err := noteTenure(ctx, tx, host, now); err != nil {
		return err
	}
	detail := "by sender " + s.Name
	if name != instance {
		detail += fmt.Sprintf(" as %s: another host has the name %s", name, instance)
	}
	return appendAudit(ctx, tx, Entry{At: now, Actor: Actor, Action: "host.listed", Subject: "host " + host, Detail: name + " " + detail})
}

// nameTaken tells whether a living host or a sender has the name.
func nameTaken(ctx context.Context, tx *sql.Tx, name string) (bool, error) {
	var taken int64
	err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM hosts WHERE instance = $1 AND removed_at = 0) +
		(SELECT count(*) FROM senders WHERE name = $1)`, name).Scan(&taken)
	return taken > 0, err
}

// putSenderSeen moves the senders' last signs forward.
func putSenderSeen(ctx context.Context, tx *sql.Tx, seen map[string]int64) error {
	for id, at := range seen {
		if _, err := tx.ExecContext(ctx, `UPDATE senders SET last_seen = $1 WHERE id = $2 AND last_seen < $1`, at, id); err != nil {
			return fmt.Errorf("note sender %s seen: %w", id, err)
		}
	}
	return nil
}
