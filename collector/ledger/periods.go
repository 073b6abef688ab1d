package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// PeriodState is how a version of a closed period stands.
type PeriodState string

// The states. Closed and Accepted stand until a later version is accepted.
const (
	PeriodClosed     PeriodState = "closed"     // the first version
	PeriodProposed   PeriodState = "proposed"   // waits for an approver
	PeriodAccepted   PeriodState = "accepted"   // restates the period
	PeriodRejected   PeriodState = "rejected"   // an approver said no
	PeriodSuperseded PeriodState = "superseded" // a newer proposal took its place
)

// Period is one version of a customer's closed month. Instants are Unix ms.
type Period struct {
	Customer    string      `json:"customer"`
	Period      string      `json:"period"` // 2026-10
	Version     int64       `json:"version"`
	State       PeriodState `json:"state"`
	AsOf        int64       `json:"as_of"`
	MadeAt      int64       `json:"made_at"`
	MadeBy      string      `json:"made_by"`
	Reason      string      `json:"reason"`
	DecidedAt   int64       `json:"decided_at"`
	DecidedBy   string      `json:"decided_by"`
	Decision    string      `json:"decision"`
	Hash        string      `json:"hash"`        // SHA-256 of Frozen
	Differences string      `json:"differences"` // JSON
	Frozen      string      `json:"frozen"`      // JSON; empty in a list
}

// Stands tells whether the version is one that counted from when it was made
// or decided.
func (p *Period) Stands() bool { return p.State == PeriodClosed || p.State == PeriodAccepted }

// Since is when the version began to count; 0 when it never did.
func (p *Period) Since() int64 {
	switch p.State {
	case PeriodClosed:
		return p.MadeAt
	case PeriodAccepted:
		return p.DecidedAt
	}
	return 0
}

// Why a version is not written.
var (
	ErrPeriodClosed = errors.New("the period is closed already")
	ErrPeriodOpen   = errors.New("the period is not closed")
	ErrNoProposal   = errors.New("the version is no proposal that waits for a decision")
)

func periodSubject(customer, period string, version int64) string {
	return fmt.Sprintf("period %s of %q, version %d", period, customer, version)
}

const periodColumns = `customer, period, version, state, as_of, made_at, made_by, reason, decided_at, decided_by, decision, hash, differences`

func scanPeriod(s scanner) (p Period, err error) {
	err = s.Scan(&p.Customer, &p.Period, &p.Version, &p.State, &p.AsOf, &p.MadeAt, &p.MadeBy, &p.Reason, &p.DecidedAt, &p.DecidedBy, &p.Decision, &p.Hash, &p.Differences, &p.Frozen)
	return p, err
}

// Periods lists the versions of closed periods, the newest period first and
// there by customer and version, without what is frozen. period
// empty: all.
func (l *Ledger) Periods(ctx context.Context, period string) ([]Period, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT `+periodColumns+`, '' FROM periods WHERE $1 = '' OR period = $1 ORDER BY period DESC, customer, version`, period)
	out, err := collect(rows, err, scanPeriod)
	if err != nil {
		return nil, fmt.Errorf("read the closed periods: %w", err)
	}
	return out, nil
}

// PeriodVersion returns one version with what is frozen; ErrNotFound.
func (l *Ledger) PeriodVersion(ctx context.Context, customer, period string, version int64) (Period, error) {
	return periodVersion(ctx, l.read, customer, period, version)
}

func periodVersion(ctx context.Context, q querier, customer, period string, version int64) (Period, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+periodColumns+`, frozen FROM periods WHERE customer = $1 AND period = $2 AND version = $3`, customer, period, version)
	found, err := collect(rows, err, scanPeriod)
	switch {
	case err != nil:
		return Period{}, fmt.Errorf("read a closed period: %w", err)
	case len(found) == 0:
		return Period{}, ErrNotFound
	}
	return found[0], nil
}

// ClosePeriod writes the first version of a period, which counts from now on;
// ErrPeriodClosed when there is one. Version and State are filled in.
func (l *Ledger) ClosePeriod(ctx context.Context, p Period) (Period, error) {
	p.Version, p.State = 1, PeriodClosed
	return p, l.inTx(ctx, "close the period", func(tx *sql.Tx) error {
		last, err := lastVersion(ctx, tx, p.Customer, p.Period)
		switch {
		case err != nil:
			return err
		case last > 0:
			return ErrPeriodClosed
		}
		return addPeriod(ctx, tx, p, "period.closed")
	})
}

// ProposePeriod writes the next version of a closed period as a proposal, in
// the place of one that waits; ErrPeriodOpen. Version and State are filled in.
func (l *Ledger) ProposePeriod(ctx context.Context, p Period) (Period, error) {
	p.State = PeriodProposed
	err := l.inTx(ctx, "propose a restatement", func(tx *sql.Tx) error {
		last, err := lastVersion(ctx, tx, p.Customer, p.Period)
		switch {
		case err != nil:
			return err
		case last == 0:
			return ErrPeriodOpen
		}
		if err := supersede(ctx, tx, p.Customer, p.Period, p.MadeAt, p.MadeBy, fmt.Sprintf("version %d took its place", last+1)); err != nil {
			return err
		}
		p.Version = last + 1
		return addPeriod(ctx, tx, p, "period.proposed")
	})
	return p, err
}

// WithdrawProposal ends a proposal that waits, because the period comes out
// as it stands again. None is no fault.
func (l *Ledger) WithdrawProposal(ctx context.Context, customer, period string, at int64, by, why string) error {
	return l.inTx(ctx, "withdraw a proposal", func(tx *sql.Tx) error {
		return supersede(ctx, tx, customer, period, at, by, why)
	})
}

// DecidePeriod accepts or rejects a proposal; ErrNotFound, ErrNoProposal.
func (l *Ledger) DecidePeriod(ctx context.Context, customer, period string, version int64, accept bool, at int64, by, why string) (p Period, err error) {
	return p, l.inTx(ctx, "decide about a restatement", func(tx *sql.Tx) error {
		if p, err = periodVersion(ctx, tx, customer, period, version); err != nil {
			return err
		}
		if p.State != PeriodProposed {
			return ErrNoProposal
		}
		p.State = PeriodRejected
		if accept {
			p.State = PeriodAccepted
		}
		p.DecidedAt, p.DecidedBy, p.Decision = at, by, why
		return changePeriod(ctx, tx, p, "period."+string(p.State))
	})
}

func lastVersion(ctx context.Context, tx *sql.Tx, customer, period string) (last int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COALESCE(max(version), 0) FROM periods WHERE customer = $1 AND period = $2`, customer, period).Scan(&last)
	return last, err
}

func supersede(ctx context.Context, tx *sql.Tx, customer, period string, at int64, by, why string) error {
	rows, err := tx.QueryContext(ctx, `SELECT `+periodColumns+`, frozen FROM periods WHERE customer = $1 AND period = $2 AND state = $3`, customer, period, PeriodProposed)
	waiting, err := collect(rows, err, scanPeriod)
	if err != nil {
		return err
	}
	for _, p := range waiting {
		p.State, p.DecidedAt, p.DecidedBy, p.Decision = PeriodSuperseded, at, by, why
		if err := changePeriod(ctx, tx, p, "period.superseded"); err != nil {
			return err
		}
	}
	return nil
}

func addPeriod(ctx context.Context, tx *sql.Tx, p Period, action string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO periods (`+periodColumns+`, frozen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		p.Customer, p.Period, p.Version, p.State, p.AsOf, p.MadeAt, p.MadeBy, p.Reason, p.DecidedAt, p.DecidedBy, p.Decision, p.Hash, p.Differences, p.Frozen)
	if err != nil {
		return err
	}
	return tellPeriod(ctx, tx, p, p.MadeAt, p.MadeBy, action, p.Reason)
}

func changePeriod(ctx context.Context, tx *sql.Tx, p Period, action string) error {
	_, err := tx.ExecContext(ctx, `UPDATE periods SET state = $1, decided_at = $2, decided_by = $3, decision = $4 WHERE customer = $5 AND period = $6 AND version = $7`,
		p.State, p.DecidedAt, p.DecidedBy, p.Decision, p.Customer, p.Period, p.Version)
	if err != nil {
		return err
	}
	return tellPeriod(ctx, tx, p, p.DecidedAt, p.DecidedBy, action, p.Decision)
}

func tellPeriod(ctx context.Context, tx *sql.Tx, p Period, at int64, by, action, detail string) error {
	hash, err := contentHash(p)
	if err != nil {
		return err
	}
	return appendAudit(ctx, tx, Entry{At: at, Actor: by, Action: action, Subject: periodSubject(p.Customer, p.Period, p.Version), Content: hash, Detail: detail})
}

// periodContents hashes every version, for the audit chain.
func periodContents(ctx context.Context, q querier) ([]content, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+periodColumns+`, frozen FROM periods ORDER BY customer, period, version`)
	return collect(rows, err, func(s scanner) (content, error) {
		p, err := scanPeriod(s)
		if err != nil {
			return content{}, err
		}
		hash, err := contentHash(p)
		return content{periodSubject(p.Customer, p.Period, p.Version), hash}, err
	})
}
