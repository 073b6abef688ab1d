package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"

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
	At        int64 // when it is written
	States    []JudgeState
	Breached  []Breached
	Escalated []Change // from warning to critical
	Recovered []Change
	Vanished  []Change // no longer measured
	// Returned are measured again and still in breach. Where a person has ended
	// the record meanwhile the breach ends, too, and the level kept in JudgeStates
	// becomes clear, so that it counts as a new one: the judge reads them again.
	Returned []Change
}

// Breached opens a breach and its record, or amends the record that has the
// key. Breach.DetectedAt is when it was found; 0: at the Judgement's instant.
type Breached struct {
	Breach  Breach
	Problem NewProblem
}

// Change is a standing breach that became critical, ended, or is measured no
// longer or again. Values are those of Breach; Note goes to the record.
type Change struct {
	Breach  Breach
	At      int64 // when it was found; 0: at the Judgement's instant
	Since   int64 // of Vanished only: the last instant with a value
	Urgency int   // of the record from now on; for an escalation only
	Note    record.Text
}

// ApplyJudgement writes a round of the judge in one transaction: after a
// crash either all of it is there, and the judge goes on behind it, or nothing
// is, and the judge finds the same again. It returns the records it opened or
// changed, in the order in which things were found: a round may find that a
// breach ended and that the next began. A breach that stands already is not
// opened twice, and no change is made twice.
func (l *Ledger) ApplyJudgement(ctx context.Context, j Judgement) (touched []record.Record, err error) {
	err = l.inTx(ctx, "write a judgement", func(tx *sql.Tx) error {
		touched = nil
		for _, step := range steps(&j) {
			r, err := step.apply(ctx, tx)
			if err != nil {
				return err
			}
			touched = append(touched, r...)
		}
		if err := putJudgeStates(ctx, tx, j.States); err != nil {
			return err
		}
		return endForgotten(ctx, tx, j.Returned, j.At)
	})
	return touched, err
}

// step is one finding of a judgement.
type step struct {
	at    int64
	apply func(ctx context.Context, tx *sql.Tx) ([]record.Record, error)
}

// steps are the findings of a judgement in the order of their instants.
func steps(j *Judgement) []step {
	var all []step
	for i := range j.Breached {
		b := &j.Breached[i]
		at := cmp.Or(b.Breach.DetectedAt, j.At)
		all = append(all, step{at, func(ctx context.Context, tx *sql.Tx) ([]record.Record, error) {
			return openBreach(ctx, tx, b, at, j.At)
		}})
	}
	for _, kind := range []struct {
		changes []Change
		how     change
	}{{j.Escalated, escalate}, {j.Recovered, recovered}, {j.Vanished, vanished}, {j.Returned, returned}} {
		for i := range kind.changes {
			c := &kind.changes[i]
			at := cmp.Or(c.At, j.At)
			all = append(all, step{at, func(ctx context.Context, tx *sql.Tx) ([]record.Record, error) {
				return changeBreach(ctx, tx, c, at, j.At, kind.how)
			}})
		}
	}
	slices.SortStableFunc(all, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	return all
}

// openBreach opens what was found at the instant at; now is when that is written.
func openBreach(ctx context.Context, tx *sql.Tx, b *Breached, at, now int64) ([]record.Record, error) {
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
		v.ID, v.Key, v.RuleID, v.Customer, v.Component, v.Metric, v.Level, v.Used, v.Limit, v.Threshold, v.Since, at, r.No)
	if err != nil {
		return nil, fmt.Errorf("insert the breach of %s: %w", v.Component, err)
	}
	return []record.Record{r}, nil
}

// change applies c, found at the instant at, to a breach and its record, and
// returns what amends the record and the audit's name of it; no name: it was
// applied before.
type change func(b *Breach, r *record.Record, c *Change, at int64) (a record.Amendment, action string)

// changeBreach updates the standing breach of a key by how, and notes it in
// the record while that still takes notes. No standing breach: nothing to do.
func changeBreach(ctx context.Context, tx *sql.Tx, c *Change, at, now int64, how change) ([]record.Record, error) {
	b, err := standingBreach(ctx, tx, c.Breach.Key)
	if err != nil || b == nil {
		return nil, err
	}
	r, err := recordIn(ctx, tx, b.RecordNo)
	if err != nil {
		return nil, fmt.Errorf("read record %s: %w", b.RecordNo, err)
	}
	a, action := how(b, &r, c, at)
	if action == "" {
		return nil, nil
	}
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

func escalate(b *Breach, r *record.Record, c *Change, at int64) (record.Amendment, string) {
	b.Level, b.Used, b.Limit, b.Threshold = c.Breach.Level, c.Breach.Used, c.Breach.Limit, c.Breach.Threshold
	a := record.Amendment{Field: "urgency", Old: fmt.Sprint(r.Urgency)}
	r.Urgency = min(r.Urgency, c.Urgency)
	r.Priority, r.LastSeen, r.Observed = record.Priority(r.Impact, r.Urgency), at, c.Breach.Used
	r.Limit = c.Breach.Threshold * c.Breach.Limit
	a.New = fmt.Sprint(r.Urgency)
	return a, "record.escalated"
}

func recovered(b *Breach, r *record.Record, _ *Change, at int64) (record.Amendment, string) {
	b.RecoveredAt = at
	r.Recovered, r.Unmeasured = at, 0
	return record.Amendment{Field: record.FieldNote}, "record.recovered"
}

// vanished leaves the breach standing: nobody has seen it end.
func vanished(_ *Breach, r *record.Record, c *Change, _ int64) (record.Amendment, string) {
	if r.Unmeasured != 0 {
		return record.Amendment{}, ""
	}
	r.Unmeasured = c.Since
	return record.Amendment{Field: record.FieldNote}, "record.unmeasured"
}

func returned(_ *Breach, r *record.Record, c *Change, at int64) (record.Amendment, string) {
	if r.Unmeasured == 0 || !r.State.Holds() { // of an ended record: endForgotten
		return record.Amendment{}, ""
	}
	r.Unmeasured, r.LastSeen, r.Observed = 0, at, c.Breach.Used
	return record.Amendment{Field: record.FieldNote}, "record.measured"
}

// endForgotten ends the breaches that returned after a person had ended their
// records: nobody would look at a note there. What stands becomes a new breach.
func endForgotten(ctx context.Context, tx *sql.Tx, back []Change, now int64) error {
	for i := range back {
		b, err := standingBreach(ctx, tx, back[i].Breach.Key)
		if err != nil {
			return err
		}
		if b == nil {
			continue
		}
		r, err := recordIn(ctx, tx, b.RecordNo)
		if err != nil {
			return fmt.Errorf("read record %s: %w", b.RecordNo, err)
		}
		if r.State.Holds() {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE breaches SET recovered_at = $1 WHERE id = $2`, cmp.Or(back[i].At, now), b.ID); err != nil {
			return fmt.Errorf("end breach %d: %w", b.ID, err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE judge_states SET level = $1 WHERE dedup_key = $2`, capacity.Clear.String(), b.Key); err != nil {
			return fmt.Errorf("end breach %d: %w", b.ID, err)
		}
	}
	return nil
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
	return out, l.readUnmeasured(ctx, out)
}

// readUnmeasured fills in since when instances in breach are not measured: it
// is kept once, in the record that says so.
func (l *Ledger) readUnmeasured(ctx context.Context, states []JudgeState) error {
	rows, err := l.read.QueryContext(ctx, `SELECT body FROM records WHERE no IN (SELECT record_no FROM breaches WHERE recovered_at = 0)`)
	records, err := collect(rows, err, scanRecord)
	if err != nil {
		return fmt.Errorf("read the records of standing breaches: %w", err)
	}
	since := make(map[string]int64, len(records))
	for i := range records {
		since[records[i].Key] = records[i].Unmeasured
	}
	for i := range states {
		states[i].State.Unmeasured = since[states[i].Key]
	}
	return nil
}
