package web

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/closing"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/series"
	"github.com/plimsoll/plimsoll/collector/silence"
)

// Figures is the one engine all numbers come from (collector/figures).
type Figures interface {
	Catalogue() *catalogue.Catalogue
	Month(ctx context.Context, asOf time.Time) ([]availability.Figures, error)
	PeriodOf(ctx context.Context, service, from, to string, asOf time.Time) ([]availability.Figures, error)
	Period(ctx context.Context, from, to string, asOf time.Time) ([]availability.Figures, error)
	Suppliers(ctx context.Context, from, to string, asOf time.Time) (figures.Supplied, error)
	Explain(ctx context.Context, service, from, to string, asOf time.Time) ([]availability.Explanation, error)
	Outlook(ctx context.Context, service string, asOf time.Time) (figures.Outlook, bool, error)
	States(ctx context.Context, at time.Time) (figures.States, error)
	LastDays(ctx context.Context, asOf time.Time) (map[string][]availability.Day, error)
	ServiceTimeline(ctx context.Context, service string, from, to, asOf time.Time) (availability.Timeline, error)
	ComponentTimeline(ctx context.Context, component string, from, to, asOf time.Time) (availability.Timeline, error)
	Streaks(ctx context.Context, components []string, from, to int64) (map[string][]availability.Streak, error)
	Usages(ctx context.Context, at time.Time) ([]figures.Usage, error)
}

// Store is what of the ledger pages read.
type Store interface {
	Hosts(ctx context.Context) ([]ledger.Host, error)
	Outages(ctx context.Context, f ledger.OutageFilter) ([]ledger.Outage, error)
	Outage(ctx context.Context, id int64) (ledger.Outage, error)
	Notes(ctx context.Context, f ledger.NoteFilter) ([]ledger.Note, error)
	Silences(ctx context.Context, instance string, from, to int64) ([]silence.Silence, error)
	Records(ctx context.Context, f ledger.RecordFilter) ([]record.Record, error)
	Record(ctx context.Context, no string) (ledger.File, error)
	Origins(ctx context.Context, component string, from, to int64) (map[ledger.StreakKey]ledger.Origin, error)
}

// Periods closes and restates months (collector/closing).
type Periods interface {
	Versions(ctx context.Context) ([]ledger.Period, error)
	Status(ctx context.Context, customer, month string, asOf time.Time) (closing.Status, error)
	Close(ctx context.Context, customer, month, by, reason string) (ledger.Period, error)
	Decide(ctx context.Context, customer, month string, version int64, accept bool, by, why string) (ledger.Period, error)
}

// Samples answers PromQL.
type Samples interface {
	Instant(ctx context.Context, expr string, at time.Time) ([]series.Value, error)
	Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]series.Line, error)
}
