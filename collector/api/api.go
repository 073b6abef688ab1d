// Package api answers programs: JSON under /api/v1, described by OpenAPI 3.1
// at /api/v1/openapi.json, and the Prometheus query API under
// /prometheus/api/v1 (prom.go). Errors of /api/v1 are RFC 9457 problem details.
//
//	?as_of=2026-11-25T12:00:00Z   what was known then; now by default; in each answer
//
// The routes stand in collector/web, routes.go, beside those of the pages.
package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/damage"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/report"
	"github.com/plimsoll/plimsoll/collector/silence"
	"github.com/plimsoll/plimsoll/collector/words"
)

// Figures is what of collector/figures the API answers with.
type Figures interface {
	Catalogue() *catalogue.Catalogue
	Measured(ctx context.Context, service string, asOf time.Time) ([]availability.Figures, error)
	PeriodOf(ctx context.Context, service, from, to string, asOf time.Time) ([]availability.Figures, error)
	Suppliers(ctx context.Context, from, to string, asOf time.Time) (figures.Supplied, error)
	Explain(ctx context.Context, service, from, to string, asOf time.Time) ([]availability.Explanation, error)
	Outlook(ctx context.Context, service string, asOf time.Time) (figures.Outlook, bool, error)
	States(ctx context.Context, at time.Time) (figures.States, error)
	Usages(ctx context.Context, at time.Time) ([]figures.Usage, error)
	Streaks(ctx context.Context, components []string, from, to int64) (map[string][]availability.Streak, error)
}

// Store is what of the ledger the API answers with.
type Store interface {
	Hosts(ctx context.Context) ([]ledger.Host, error)
	Outages(ctx context.Context, f ledger.OutageFilter) ([]ledger.Outage, error)
	Outage(ctx context.Context, id int64) (ledger.Outage, error)
	Notes(ctx context.Context, f ledger.NoteFilter) ([]ledger.Note, error)
	Silences(ctx context.Context, instance string, from, to int64) ([]silence.Silence, error)
	Records(ctx context.Context, f ledger.RecordFilter) ([]record.Record, error)
	Record(ctx context.Context, no string) (ledger.File, error)
	Verify(ctx context.Context) (ledger.Verification, error)
	Origins(ctx context.Context, component string, from, to int64) (map[ledger.StreakKey]ledger.Origin, error)
	Catalogue(ctx context.Context) (ledger.CatalogueVersion, error)
}

// FactSource gives the raw facts in [from, to), of those that were known at
// asOf where that is not 0; all in Unix milliseconds.
type FactSource interface {
	Facts(ctx context.Context, from, to, asOf int64, each func(availability.Fact) error) error
}

// Options are what the API is made of.
type Options struct {
	Figures Figures
	Store   Store
	Facts   FactSource
	// Report writes the report of a customer and month as html.
	Report func(ctx context.Context, w io.Writer, customer, period, lang string, asOf time.Time) error
	// Damage gives what was lost of [from, to) and known at asOf, Unix ms; nil: nothing ever is.
	Damage func(from, to, asOf int64) []damage.Range
	// NewSender makes and keeps a token of a foreign sender.
	NewSender func(ctx context.Context, ask SenderAsk) (SenderToken, error)
	Senders   Senders
	// Admission lets hosts in and out.
	Admission Admission
	Periods   Periods
	// Reload reads the catalogue again; settings.Faults where it has any.
	Reload func(ctx context.Context) (Reloaded, error)
	// People are users and API tokens.
	People People
	// Work is planned and approved, Corrections are asked for and decided.
	Work        Work
	Corrections Corrections
	// Values are entered for indicators that no machine measures.
	Values Values
	// Words are the texts of answers; nil: answers have none.
	Words   words.Shelf
	Version string
	Now     func() time.Time
	Log     *slog.Logger
}

// API holds the handlers; collector/web gives them their routes.
type API struct{ o Options }

// New makes the handlers.
func New(o Options) *API { return &API{o} }

// Describe is the OpenAPI document that operations are added to, served by m.
func (a *API) Describe(m humago.Mux) huma.API {
	c := huma.DefaultConfig("Plimsoll", a.o.Version)
	c.Info.Description = "States, figures, outages and problem records. Every figure is computed from facts by the same engine as pages, PromQL and reports."
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "/api/v1/openapi", "", "/api/v1/schemas"
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "made by plimsoll-collector token create; not needed on loopback while there is no user"}}
	c.Security = []map[string][]string{{"token": {}}}
	c.CreateHooks = nil // no $schema member in each answer
	c.RejectUnknownQueryParameters = true
	return humago.New(m, c)
}

// Missing answers for paths below /api that are none.
func (a *API) Missing(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"title":"Not Found","status":404,"detail":"there is no such address; /api/v1/openapi.json lists those there are"}`+"\n") // the caller may have gone
}

// AsOf is the instant a caller asks about.
type AsOf struct {
	AsOf string `query:"as_of" format:"date-time" doc:"what was known at this instant (RFC 3339), not after now; default: now"`
}

// asOf is now where none was given, to the millisecond that figures have. An
// instant after now is refused: nobody knows yet what will be known then, and
// the answer would be another one once it is past.
func (a *API) asOf(p AsOf) (time.Time, error) {
	now := a.o.Now().UTC().Truncate(time.Millisecond)
	if p.AsOf == "" {
		return now, nil
	}
	t, err := time.Parse(time.RFC3339Nano, p.AsOf)
	if err != nil {
		return t, huma.Error422UnprocessableEntity("as_of is an instant, written like 2026-11-25T12:00:00Z", err)
	}
	if t = t.UTC().Truncate(time.Millisecond); t.After(now) {
		return t, huma.Error422UnprocessableEntity(fmt.Sprintf("as_of %s is after now (%s): what will be known then is not known yet; leave as_of out for now", p.AsOf, now.Format(time.RFC3339)))
	}
	return t, nil
}

// Span is a period: a month, or from and to.
type Span struct {
	Period string `query:"period" doc:"a month, 2026-11; default: the month of as_of in each agreement's zone" pattern:"^[0-9]{4}-[0-9]{2}$"`
	From   string `query:"from" doc:"a date, local to each agreement, or an instant"`
	To     string `query:"to" doc:"the end, excluded"`
}

// figures of the span asked for, of one service; "": of all.
func (a *API) figures(ctx context.Context, service string, p Span, asOf time.Time) ([]availability.Figures, error) {
	if p == (Span{}) {
		return a.o.Figures.Measured(ctx, service, asOf)
	}
	from, to, err := a.bounds(p)
	if err != nil {
		return nil, err
	}
	return a.o.Figures.PeriodOf(ctx, service, from, to, asOf)
}

// bounds are the ends of the span asked for, as figures take them.
func (a *API) bounds(p Span) (begin, end string, err error) {
	switch {
	case p.Period != "" && (p.From != "" || p.To != "") || (p.From == "") != (p.To == ""):
		return "", "", huma.Error400BadRequest("give period, or both from and to")
	case p.Period != "":
		month, err := words.ParseMonth(p.Period)
		if err != nil {
			return "", "", huma.Error400BadRequest("period " + err.Error())
		}
		p.From, p.To = month.Format(time.DateOnly), month.AddDate(0, 1, 0).Format(time.DateOnly)
	}
	from, err := availability.ParseBound(p.From)
	if err != nil {
		return "", "", huma.Error400BadRequest(err.Error())
	}
	to, err := availability.ParseBound(p.To)
	if err != nil {
		return "", "", huma.Error400BadRequest(err.Error())
	}
	for _, zone := range a.o.Figures.Catalogue().Availability.Zones() {
		if from.In(zone, 0) >= to.In(zone, 0) {
			return "", "", huma.Error400BadRequest("the period is empty: from is not before to in " + zone.String())
		}
	}
	if to.In(time.UTC, 0)-from.In(time.UTC, 0) > maxPeriod.Milliseconds() {
		return "", "", huma.Error400BadRequest("the period is longer than 20 years: ask for a shorter one, or compute it with plimsoll-collector evaluate")
	}
	return p.From, p.To, nil
}

// maxPeriod bounds a period that one request asks for: each day of it is
// looked up in the calendar of each agreement.
const maxPeriod = 20 * 366 * 24 * time.Hour

// answer turns an error of the store into a status; what is not known to be
// the caller's fault is logged and stays inside.
func (a *API) answer(err error, what string) error {
	var told huma.StatusError
	var refused *report.Refusal
	var refusal *words.Refusal
	switch {
	case errors.As(err, &refused):
		return huma.Error422UnprocessableEntity(refused.Why)
	case errors.As(err, &refusal):
		return huma.Error422UnprocessableEntity(refusal.Error())
	case errors.Is(err, ledger.ErrNotFound):
		return huma.Error404NotFound("there is no " + what)
	case errors.Is(err, ErrConflict):
		return huma.Error409Conflict(strings.TrimPrefix(err.Error(), ErrConflict.Error()+": "))
	case errors.As(err, &told):
		return err
	}
	a.o.Log.Error("answer a request", "what", what, "err", err)
	return huma.Error500InternalServerError("the collector could not answer; its log says why")
}
