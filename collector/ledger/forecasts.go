package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// Forecast is what was expected of one service in one month. It is written
// once and never changed.
type Forecast struct {
	Service   string          `json:"service"`
	Month     string          `json:"month"` // 2026-11, in the agreement's zone
	Agreement string          `json:"agreement"`
	Version   int             `json:"version"`
	BeginsAt  int64           `json:"begins_at"` // the month's first instant, Unix ms; made of facts before it alone
	EndsAt    int64           `json:"ends_at"`
	MadeAt    int64           `json:"made_at"`
	Body      json.RawMessage `json:"body"`
}

const forecastColumns = `service, month, agreement, version, begins_at, ends_at, made_at, body`

func scanForecast(s scanner) (f Forecast, err error) {
	var body string
	err = s.Scan(&f.Service, &f.Month, &f.Agreement, &f.Version, &f.BeginsAt, &f.EndsAt, &f.MadeAt, &body)
	f.Body = json.RawMessage(body)
	return f, err
}

func forecastSubject(f *Forecast) string {
	return fmt.Sprintf("forecast of %q for %s", f.Service, f.Month)
}

// AddForecasts writes those of services and months that have none yet, and
// returns how many these are. What is there already stays as it is.
func (l *Ledger) AddForecasts(ctx context.Context, all []Forecast) (added int, err error) {
	return added, l.inTx(ctx, "keep forecasts", func(tx *sql.Tx) error {
		for i := range all {
			f := &all[i]
			result, err := tx.ExecContext(ctx, `INSERT INTO forecasts (`+forecastColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (service, month) DO NOTHING`,
				f.Service, f.Month, f.Agreement, f.Version, f.BeginsAt, f.EndsAt, f.MadeAt, string(f.Body))
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				if err != nil {
					return err
				}
				continue
			}
			hash, err := contentHash(f)
			if err != nil {
				return err
			}
			if err := appendAudit(ctx, tx, Entry{At: f.MadeAt, Actor: Actor, Action: "forecast.made", Subject: forecastSubject(f), Content: hash}); err != nil {
				return err
			}
			added++
		}
		return nil
	})
}

// Forecasts lists those of a service, the newest month first; service empty:
// of all.
func (l *Ledger) Forecasts(ctx context.Context, service string) ([]Forecast, error) {
	return forecasts(ctx, l.read, service)
}

func forecasts(ctx context.Context, q querier, service string) ([]Forecast, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+forecastColumns+` FROM forecasts WHERE $1 = '' OR service = $1 ORDER BY month DESC, service`, service)
	out, err := collect(rows, err, scanForecast)
	if err != nil {
		return nil, fmt.Errorf("read the forecasts: %w", err)
	}
	return out, nil
}

// ForecastMonths tells which months of which services have a forecast.
func (l *Ledger) ForecastMonths(ctx context.Context) (map[string]map[string]bool, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT service, month FROM forecasts`)
	all, err := collect(rows, err, func(s scanner) (k [2]string, err error) { return k, s.Scan(&k[0], &k[1]) })
	if err != nil {
		return nil, fmt.Errorf("read which forecasts there are: %w", err)
	}
	out := map[string]map[string]bool{}
	for _, k := range all {
		if out[k[0]] == nil {
			out[k[0]] = map[string]bool{}
		}
		out[k[0]][k[1]] = true
	}
	return out, nil
}

// forecastContents hashes every forecast, for the audit chain.
func forecastContents(ctx context.Context, q querier) ([]content, error) {
	all, err := forecasts(ctx, q, "")
	out := make([]content, len(all))
	for i := range all {
		hash, err := contentHash(&all[i])
		if err != nil {
			return nil, err
		}
		out[i] = content{forecastSubject(&all[i]), hash}
	}
	return out, err
}
