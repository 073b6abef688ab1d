package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/closing"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
)

// Periods closes and restates months (collector/closing).
type Periods interface {
	Versions(ctx context.Context) ([]ledger.Period, error)
	Version(ctx context.Context, customer, month string, version int64) (ledger.Period, *closing.Frozen, error)
	Close(ctx context.Context, customer, month, by, reason string) (ledger.Period, error)
	Decide(ctx context.Context, customer, month string, version int64, accept bool, by, why string) (ledger.Period, error)
	Check(ctx context.Context) error
}

// PeriodBody is one version of a closed month.
type PeriodBody struct {
	Customer    string               `json:"customer"`
	Period      string               `json:"period"`
	Version     int64                `json:"version"`
	State       ledger.PeriodState   `json:"state" doc:"closed, proposed, accepted, rejected or superseded"`
	AsOf        *time.Time           `json:"as_of" doc:"what was known then"`
	MadeAt      *time.Time           `json:"made_at"`
	MadeBy      string               `json:"made_by"`
	Reason      string               `json:"reason"`
	DecidedAt   *time.Time           `json:"decided_at"`
	DecidedBy   string               `json:"decided_by"`
	Decision    string               `json:"decision"`
	SHA256      string               `json:"sha256" doc:"of what is frozen"`
	Differences []closing.Difference `json:"differences" doc:"against the version that stood when it was made"`
}

func periodBody(p *ledger.Period) (PeriodBody, error) {
	b := PeriodBody{Customer: p.Customer, Period: p.Period, Version: p.Version, State: p.State, AsOf: instant(p.AsOf), MadeAt: instant(p.MadeAt), MadeBy: p.MadeBy,
		Reason: p.Reason, DecidedAt: instant(p.DecidedAt), DecidedBy: p.DecidedBy, Decision: p.Decision, SHA256: p.Hash, Differences: []closing.Difference{}}
	if err := json.Unmarshal([]byte(p.Differences), &b.Differences); err != nil {
		return b, fmt.Errorf("read the differences of %s of %q: %w", p.Period, p.Customer, err)
	}
	return b, nil
}

// PeriodsBody lists versions, the newest period first.
type PeriodsBody struct {
	Periods []PeriodBody `json:"periods"`
}

// PeriodList answers with the closed months.
func (a *API) PeriodList(ctx context.Context, in *struct {
	Customer string `query:"customer"`
	Period   string `query:"period"`
}) (*struct{ Body PeriodsBody }, error) {
	all, err := a.o.Periods.Versions(ctx)
	if err != nil {
		return nil, a.answer(err, "periods")
	}
	body := PeriodsBody{Periods: []PeriodBody{}}
	for i := range all {
		if in.Customer != "" && all[i].Customer != in.Customer || in.Period != "" && all[i].Period != in.Period {
			continue
		}
		b, err := periodBody(&all[i])
		if err != nil {
			return nil, a.answer(err, "periods")
		}
		body.Periods = append(body.Periods, b)
	}
	return &struct{ Body PeriodsBody }{body}, nil
}

// PeriodFrozen answers with the very bytes that were frozen, whose SHA-256
// stands in the list.
func (a *API) PeriodFrozen(ctx context.Context, in *struct {
	Period   string `path:"period"`
	Version  int64  `path:"version"`
	Customer string `query:"customer"`
}) (*huma.StreamResponse, error) {
	p, _, err := a.o.Periods.Version(ctx, in.Customer, in.Period, in.Version)
	if err != nil {
		return nil, a.answer(err, fmt.Sprintf("version %d of %s of %q", in.Version, in.Period, in.Customer))
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "application/json")
		_, _ = h.BodyWriter().Write([]byte(p.Frozen)) // the reader may have gone
	}}, nil
}

// PeriodAsk says whose month is closed, and why.
type PeriodAsk struct {
	Customer string `json:"customer"`
	Reason   string `json:"reason,omitempty"`
}

// PeriodClose freezes a month.
func (a *API) PeriodClose(ctx context.Context, in *struct {
	Period string `path:"period"`
	Body   PeriodAsk
}) (*struct{ Body PeriodBody }, error) {
	return a.period(a.o.Periods.Close(ctx, in.Body.Customer, in.Period, by(ctx), in.Body.Reason))
}

// DecisionAsk decides about a proposal.
type DecisionAsk struct {
	Customer string `json:"customer"`
	Version  int64  `json:"version"`
	Accept   bool   `json:"accept"`
	Reason   string `json:"reason,omitempty"`
}

// PeriodDecide accepts or rejects a restatement.
func (a *API) PeriodDecide(ctx context.Context, in *struct {
	Period string `path:"period"`
	Body   DecisionAsk
}) (*struct{ Body PeriodBody }, error) {
	return a.period(a.o.Periods.Decide(ctx, in.Body.Customer, in.Period, in.Body.Version, in.Body.Accept, by(ctx), in.Body.Reason))
}

// PeriodCheck compares closed months with what comes out now, at once.
func (a *API) PeriodCheck(ctx context.Context, _ *struct{}) (*struct{ Body PeriodsBody }, error) {
	var refused *closing.Refusal
	switch err := a.o.Periods.Check(ctx); {
	case errors.As(err, &refused):
		return nil, huma.Error422UnprocessableEntity(refused.Why)
	case err != nil:
		return nil, a.answer(err, "periods")
	}
	return a.PeriodList(ctx, &struct {
		Customer string `query:"customer"`
		Period   string `query:"period"`
	}{})
}

func (a *API) period(p ledger.Period, err error) (*struct{ Body PeriodBody }, error) {
	var refused *closing.Refusal
	if errors.As(err, &refused) {
		return nil, huma.Error422UnprocessableEntity(refused.Why)
	}
	if err != nil {
		return nil, a.answer(err, "such version of the period")
	}
	b, err := periodBody(&p)
	if err != nil {
		return nil, a.answer(err, "period")
	}
	return &struct{ Body PeriodBody }{b}, nil
}

// by is who asks, as the audit chain names them.
func by(ctx context.Context) string {
	v, _ := people.From(ctx)
	return v.Actor()
}
