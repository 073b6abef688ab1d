package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// Tenure is a time in which a host was listed with the same customer and
// labels.
type Tenure struct {
	Host     string
	Instance string
	Customer string
	Labels   map[string]string
	From     int64 // Unix ms
	Until    int64 // 0: it lasts
}

// noteTenure begins a new tenure of a host as it is listed now, or ends the
// last one when it is removed. Whatever changes the customer, the labels or
// the life of a host calls it, in the same transaction.
func noteTenure(ctx context.Context, tx *sql.Tx, host string, now int64) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO host_tenures (host, at, living, customer, labels)
		SELECT host, $1, CASE WHEN removed_at = 0 THEN 1 ELSE 0 END, customer, labels FROM hosts WHERE host = $2
		ON CONFLICT (host, at) DO UPDATE SET living = excluded.living, customer = excluded.customer, labels = excluded.labels`, now, host); err != nil {
		return fmt.Errorf("note the labels of host %s: %w", host, err)
	}
	return nil
}

// Tenures returns all tenures of all hosts, also of those removed, by host and
// beginning.
func (l *Ledger) Tenures(ctx context.Context) ([]Tenure, error) {
	type row struct {
		Tenure
		id     string
		living bool
	}
	rows, err := l.read.QueryContext(ctx, `SELECT t.host, h.instance, t.customer, t.labels, t.at, t.living
		FROM host_tenures t JOIN hosts h ON h.host = t.host ORDER BY t.host, t.at`)
	all, err := collect(rows, err, func(s scanner) (r row, err error) {
		var labels string
		if err = s.Scan(&r.id, &r.Instance, &r.Customer, &labels, &r.From, &r.living); err != nil {
			return r, err
		}
		r.Host = r.id
		r.Labels, err = readLabels(labels)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the labels hosts had: %w", err)
	}
	var out []Tenure
	for i, r := range all {
		if !r.living {
			continue
		}
		if i+1 < len(all) && all[i+1].id == r.id {
			r.Until = all[i+1].From
		}
		out = append(out, r.Tenure)
	}
	return out, nil
}

// TenureCount is another number whenever Tenures gives another answer, but for
// two changes of one host within the same millisecond.
func (l *Ledger) TenureCount(ctx context.Context) (n int64, err error) {
	if err = l.read.QueryRowContext(ctx, `SELECT count(*) FROM host_tenures`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the labels hosts had: %w", err)
	}
	return n, nil
}
