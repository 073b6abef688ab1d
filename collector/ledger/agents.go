package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
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

	Labels        map[string]string `json:"labels"`         // of the token it enrolled with: site, role, owner …
	RemovedWhy    string            `json:"removed_why"`    // in the words of who removed it
	QuarantinedAt int64             `json:"quarantined_at"` // nothing of it is taken since then
	Quarantine    string            `json:"quarantine"`     // why
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
	COALESCE((SELECT s.name FROM foreign_hosts f JOIN senders s ON s.id = f.sender WHERE f.host = hosts.host), ''),
	labels, removed_why, quarantined_at, quarantine FROM hosts `

func scanHost(s scanner) (h Host, err error) {
	var labels string
	if err = s.Scan(&h.ID, &h.Instance, &h.Customer, &h.OS, &h.Arch, &h.Version, &h.EnrolledAt, &h.LastSeen, &h.LastSample, &h.RemovedAt, &h.Sender,
		&labels, &h.RemovedWhy, &h.QuarantinedAt, &h.Quarantine); err != nil {
		return h, err
	}
	h.Labels, err = readLabels(labels)
	return h, err
}

func readLabels(text string) (map[string]string, error) {
	labels := map[string]string{}
	if err := json.Unmarshal([]byte(text), &labels); err != nil {
		return nil, fmt.Errorf("read labels %q: %w", text, err)
	}
	return labels, nil
}

func writeLabels(labels map[string]string) (string, error) {
	if labels == nil {
		labels = map[string]string{}
	}
	text, err := json.Marshal(labels)
	if err != nil {
		return "", fmt.Errorf("write labels: %w", err)
	}
	return string(text), nil
}

// oneHost reads the host that was asked for by value.
func oneHost(row *sql.Row, value string) (Host, error) {
	h, err := scanHost(row)
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
	return oneHost(l.often.hostByID.QueryRowContext(ctx, id), id)
}

// HostByInstance returns the living host listed under that name; ErrNotFound.
func (l *Ledger) HostByInstance(ctx context.Context, instance string) (Host, error) {
	return oneHost(l.read.QueryRowContext(ctx, selectHosts+`WHERE instance = $1 AND removed_at = 0`, instance), instance)
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

// RemoveHost takes a host out of the list and its certificates back; what is
// known of it stays. why is for the audit chain. ErrNotFound when no living
// host has that id.
func (l *Ledger) RemoveHost(ctx context.Context, id, by, why string) error {
	now := l.ms()
	return l.inTx(ctx, "remove host "+id, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE hosts SET removed_at = $1, removed_why = $2 WHERE host = $3 AND removed_at = 0`, now, why, id)
		if err := changedOne(res, err); err != nil {
			return err
		}
		if err := noteTenure(ctx, tx, id, now); err != nil {
			return err
		}
		if err := revokeCertificates(ctx, tx, id, now); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: orSelf(by), Action: "host.removed", Subject: "host " + id, Detail: why})
	})
}

// QuarantineHost has nothing more taken of a host until it enrols again. A
// host that is in quarantine, or not there, stays as it is: ErrNotFound.
func (l *Ledger) QuarantineHost(ctx context.Context, id, why string) error {
	now := l.ms()
	return l.inTx(ctx, "quarantine host "+id, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE hosts SET quarantined_at = $1, quarantine = $2
			WHERE host = $3 AND removed_at = 0 AND quarantined_at = 0`, now, why, id)
		if err := changedOne(res, err); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: now, Actor: Actor, Action: "host.quarantined", Subject: "host " + id, Detail: why})
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
