package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/record"
)

// Breach is one stretch of time a resource instance stood in breach.
type Breach struct {
	ID          int64   `json:"id"`
	Key         string  `json:"dedup_key"`
	RuleID      string  `json:"rule_id"`
	Customer    string  `json:"customer"`
	Component   string  `json:"component"`
	Metric      string  `json:"metric"`
	Level       string  `json:"level"` // warning or critical
	Used        float64 `json:"used"`  // when it was found, or became critical
	Limit       float64 `json:"limit"`
	Threshold   float64 `json:"threshold"` // share of Limit
	Since       int64   `json:"since"`
	DetectedAt  int64   `json:"detected_at"`
	RecoveredAt int64   `json:"recovered_at"` // 0 while it stands
	RecordNo    string  `json:"record"`
}

// JudgeState is what the judge remembers of one resource instance.
type JudgeState struct {
	Key       string
	Resource  string
	Customer  string
	Component string
	Labels    [][2]string // the rest of its identity
	State     capacity.State
}

// Judgement is the outcome of one round of the judge. Each part names its
// instance by Record.Key.
type Judgement struct {
	At        int64
	States    []JudgeState
	Breached  []Breached
	Escalated []Change // from warning to critical
	Recovered []Change
}

// Breached opens a breach and its record, or amends the record that has the key.
type Breached struct {
	Breach  Breach
	Problem NewProblem
}

// Change is a standing breach that became critical or ended. Values are those
// of Breach; Note goes to the record.
type Change struct {
	Breach  Breach
	Urgency int // of the record from now on; for an escalation only
	Note    record.Text
}

// ApplyJudgement writes a round of the judge in one transaction: after a
// crash either all of it is there, and the judge goes on behind it, or nothing
// is, and the judge finds the same again. It returns the records it opened or
// changed. A breach that stands already is not opened twice.
func (l *Ledger) ApplyJudgement(ctx context.Context, j Judgement) (touched []record.Record, err error) {
	err = l.inTx(ctx, "write a judgement", func(tx *sql.Tx) error {
		touched = nil
		for i := range j.Breached {
			r, err := openBreach(ctx, tx, &j.Breached[i], j.At)
			if err != nil {
				return err
			}
			touched = append(touched, r...)
		}
		for i := range j.Escalated {
			r, err := changeBreach(ctx, tx, &j.Escalated[i], j.At, escalate)
			if err != nil {
				return err
			}
			touched = append(touched, r...)
		}
		for i := range j.Recovered {
			r, err := changeBreach(ctx, tx, &j.Recovered[i], j.At, recovered)
			if err != nil {
				return err
			}
			touched = append(touched, r...)
		}
		return putJudgeStates(ctx, tx, j.States)
	})
	return touched, err
}

func openBreach(ctx context.Context, tx *sql.Tx, b *Breached, now int64) ([]record.Record, error) {
	standing, err := standingBreach(ctx, tx, b.Breach.Key)
	if err != nil || standing != nil {
		return nil, err
	}
	r, _, err := openProblem(ctx, tx, b.Problem, now)
	if err != nil {
		return nil, err
	}
	v := b.Breach
	if v.ID, err = nextNumber(ctx, tx, "breach"); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO breaches (id, dedup_key, rule_id, customer, component, metric, level, used, limit_value, threshold,
		since, detected_at, recovered_at, record_no) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13)`,
		v.ID, v.Key, v.RuleID, v.Customer, v.Component, v.Metric, v.Level, v.Used, v.Limit, v.Threshold, v.Since, now, r.No)
	if err != nil {
		return nil, fmt.Errorf("insert the breach of %s: %w", v.Component, err)
	}
	return []record.Record{r}, nil
}

// changeBreach updates the standing breach of a key by how, and notes it in
// the record while that still takes notes. No standing breach: nothing to do.
func changeBreach(ctx context.Context, tx *sql.Tx, c *Change, now int64,
	how func(b *Breach, r *record.Record, c *Change, now int64) (record.Amendment, string)) ([]record.Record, error) {
	b, err := standingBreach(ctx, tx, c.Breach.Key)
	if err != nil || b == nil {
		return nil, err
	}
	r, err := recordIn(ctx, tx, b.RecordNo)
	if err != nil {
		return nil, fmt.Errorf("read record %s: %w", b.RecordNo, err)
	}
	a, action := how(b, &r, c, now)
	a.At, a.By, a.Reason = now, Actor, c.Note
	if _, err := tx.ExecContext(ctx, `UPDATE breaches SET level = $1, used = $2, limit_value = $3, threshold = $4, recovered_at = $5 WHERE id = $6`,
		b.Level, b.Used, b.Limit, b.Threshold, b.RecoveredAt, b.ID); err != nil {
		return nil, fmt.Errorf("change breach %d: %w", b.ID, err)
	}
	r, err = amend(ctx, tx, r, a, action, now)
	if err != nil {
		return nil, err
	}
	return []record.Record{r}, nil
}

func escalate(b *Breach, r *record.Record, c *Change, now int64) (record.Amendment, string) {
	b.Level, b.Used, b.Limit, b.Threshold = c.Breach.Level, c.Breach.Used, c.Breach.Limit, c.Breach.Threshold
	a := record.Amendment{Field: "urgency", Old: fmt.Sprint(r.Urgency)}
	r.Urgency = min(r.Urgency, c.Urgency)
	r.Priority, r.LastSeen, r.Observed = record.Priority(r.Impact, r.Urgency), now, c.Breach.Used
	r.Limit = c.Breach.Threshold * c.Breach.Limit
	a.New = fmt.Sprint(r.Urgency)
	return a, "record.escalated"
}

func recovered(b *Breach, r *record.Record, c *Change, now int64) (record.Amendment, string) {
	b.RecoveredAt = now
	r.Recovered = now
	return record.Amendment{Field: record.FieldNote}, "record.recovered"
}

const selectBreaches = `SELECT id, dedup_key, rule_id, customer, component, metric, level, used, limit_value, threshold, since, detected_at, recovered_at, record_no FROM breaches `

func scanBreach(s scanner) (b Breach, err error) {
	err = s.Scan(&b.ID, &b.Key, &b.RuleID, &b.Customer, &b.Component, &b.Metric, &b.Level, &b.Used, &b.Limit, &b.Threshold,
		&b.Since, &b.DetectedAt, &b.RecoveredAt, &b.RecordNo)
	return b, err
}

func standingBreach(ctx context.Context, q querier, key string) (*Breach, error) {
	rows, err := q.QueryContext(ctx, selectBreaches+`WHERE dedup_key = $1 AND recovered_at = 0`, key)
	found, err := collect(rows, err, scanBreach)
	if err != nil {
		return nil, fmt.Errorf("look for a standing breach: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return &found[0], nil
}

// BreachFilter selects breaches. Zero values do not narrow.
type BreachFilter struct {
	Component string
	RecordNo  string
	Standing  bool
	Limit     int
}

// Breaches returns breaches, the newest first.
func (l *Ledger) Breaches(ctx context.Context, f BreachFilter) ([]Breach, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = math.MaxInt32
	}
	rows, err := l.read.QueryContext(ctx, selectBreaches+`WHERE ($1 = '' OR component = $1) AND ($2 = '' OR record_no = $2)
		AND ($3 = 0 OR recovered_at = 0) ORDER BY detected_at DESC, id DESC LIMIT $4`, f.Component, f.RecordNo, flag(f.Standing), limit)
	out, err := collect(rows, err, scanBreach)
	if err != nil {
		return nil, fmt.Errorf("read the breaches: %w", err)
	}
	return out, nil
}

func putJudgeStates(ctx context.Context, tx *sql.Tx, states []JudgeState) error {
	if len(states) == 0 {
		return nil
	}
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO judge_states (dedup_key, resource, customer, component, labels, level,
		over_warning, over_critical, under_clear, seen_at, used, limit_value)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (dedup_key) DO UPDATE SET level = excluded.level, over_warning = excluded.over_warning,
		over_critical = excluded.over_critical, under_clear = excluded.under_clear, seen_at = excluded.seen_at,
		used = excluded.used, limit_value = excluded.limit_value`)
	if err != nil {
		return fmt.Errorf("write the judge's states: %w", err)
	}
	defer func() { _ = stmt.Close() }()
	for i := range states {
		s := &states[i]
		labels, err := json.Marshal(append([][2]string{}, s.Labels...))
		if err != nil {
			return fmt.Errorf("encode the labels of %s: %w", s.Component, err)
		}
		if _, err := stmt.ExecContext(ctx, s.Key, s.Resource, s.Customer, s.Component, string(labels), s.State.Level.String(),
			s.State.OverWarning, s.State.OverCritical, s.State.UnderClear, s.State.Seen, s.State.Used, s.State.Limit); err != nil {
			return fmt.Errorf("write the judge's state of %s: %w", s.Component, err)
		}
	}
	return nil
}

// JudgeStates returns all that the judge remembers, by resource and component.
func (l *Ledger) JudgeStates(ctx context.Context) ([]JudgeState, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT dedup_key, resource, customer, component, labels, level,
		over_warning, over_critical, under_clear, seen_at, used, limit_value FROM judge_states ORDER BY resource, component, labels`)
	out, err := collect(rows, err, func(s scanner) (j JudgeState, err error) {
		var labels, level string
		st := &j.State
		if err = s.Scan(&j.Key, &j.Resource, &j.Customer, &j.Component, &labels, &level,
			&st.OverWarning, &st.OverCritical, &st.UnderClear, &st.Seen, &st.Used, &st.Limit); err != nil {
			return j, err
		}
		st.Level = capacity.ParseLevel(level)
		return j, json.Unmarshal([]byte(labels), &j.Labels)
	})
	if err != nil {
		return nil, fmt.Errorf("read the judge's states: %w", err)
	}
	return out, nil
}
