package figures

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/forecast"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

// Forecasts keeps forecasts. What it has of a service and month stays.
type Forecasts interface {
	Forecasts(ctx context.Context, service string) ([]ledger.Forecast, error)
	ForecastMonths(ctx context.Context) (map[string]map[string]bool, error)
	AddForecasts(ctx context.Context, all []ledger.Forecast) (added int, err error)
}

// expected is what is kept of a forecast.
type expected struct {
	Forecast forecast.Forecast `json:"forecast"`
	Naive    forecast.Naive    `json:"naive"`
}

// Foretold is a forecast that was kept, and what came.
type Foretold struct {
	Month     string // 2026-11, in the agreement's zone
	Agreement string
	Version   int
	From, To  availability.Instant
	MadeAt    int64 // Unix ms
	Forecast  forecast.Forecast
	Naive     forecast.Naive
	Came      *Came // nil: the month is not over, or its agreement is gone
}

// Late tells whether the forecast was made when its month was over already: of
// the facts before the month all the same, but nobody read it in time.
func (f *Foretold) Late() bool { return f.MadeAt >= f.To.MS }

// Came is how a month that was forecast came out, as known at the instant asked about.
type Came struct {
	Availability *float64                    // nil: no value
	State        availability.IndicatorState // of the availability indicator; empty: none is agreed
	KnownS       float64                     // of the month
	Score        *forecast.Score
}

// behind is how many months before the running one are forecast afterwards,
// where nobody did it in time, from facts before each.
const behind = 12

// Foretell keeps a forecast of the running month of each service under an
// agreement that has none, and of the months before it, made of facts before
// each month alone. It looks at no more than so many in one call, so that
// other work goes on, and tells whether it is done.
func (e *Engine) Foretell(ctx context.Context, atMost int) (added int, done bool, err error) {
	if e.o.Forecasts == nil {
		return 0, true, nil
	}
	have, err := e.o.Forecasts.ForecastMonths(ctx)
	if err != nil {
		return 0, false, err
	}
	_, agreed, err := e.decided(ctx)
	if err != nil {
		return 0, false, err
	}
	now := e.o.Now()
	var made []ledger.Forecast
	done = true
	// By months, the running one first: services of one zone share a snapshot.
	for back := range behind + 1 {
		for _, service := range services(agreed) {
			month, ok := monthBack(agreed, service, now, back)
			if !ok || have[service][month.name] || e.given.up(service, month.name, now) {
				continue
			}
			if atMost--; atMost < 0 {
				done = false
				break
			}
			kept, ok, err := e.foretold(ctx, service, month)
			if err != nil {
				return 0, false, err
			}
			if !ok {
				e.given.note(service, month.name, now)
				continue
			}
			kept.MadeAt = now.UnixMilli()
			made = append(made, kept)
		}
	}
	if len(made) == 0 {
		return 0, done, nil
	}
	added, err = e.o.Forecasts.AddForecasts(ctx, made)
	return added, done, err
}

// services are those some agreement is about, sorted.
func services(c *availability.Catalogue) []string {
	names := map[string]bool{}
	for i := range c.Agreements {
		names[c.Agreements[i].Service] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// monthOfAgreement is one calendar month of an agreement.
type monthOfAgreement struct {
	name      string // 2026-11
	begin     int64  // its first instant, ms
	end       int64
	from, to  availability.Bound
	agreement *availability.Agreement // in force at begin
}

// calendarMonth is the month that lies so many before the one of the date.
func calendarMonth(of time.Time, back int) (name string, from, to availability.Date) {
	first := time.Date(of.Year(), of.Month()-time.Month(back), 1, 0, 0, 0, 0, time.UTC)
	next := first.AddDate(0, 1, 0)
	return first.Format("2006-01"), availability.NewDate(first.Year(), int(first.Month()), 1), availability.NewDate(next.Year(), int(next.Month()), 1)
}

// monthBack is the month so many before the running one, in the zone of the
// agreement that was in force when it began; ok is false without one.
func monthBack(c *availability.Catalogue, service string, now time.Time, back int) (m monthOfAgreement, ok bool) {
	a, ok := c.AgreementAt(service, now.UnixMilli())
	if !ok {
		return m, false
	}
	name, from, to := calendarMonth(now.In(a.Zone), back)
	a, ok = c.AgreementAt(service, from.Begin(a.Zone))
	if !ok {
		return m, false
	}
	return monthOfAgreement{name, from.Begin(a.Zone), to.Begin(a.Zone), availability.On(from), availability.On(to), a}, true
}

// foretold forecasts a month of what was known of the time before it.
func (e *Engine) foretold(ctx context.Context, service string, m monthOfAgreement) (f ledger.Forecast, ok bool, err error) {
	asOf := time.UnixMilli(m.begin)
	s, err := e.at(ctx, asOf)
	if err != nil {
		return f, false, err
	}
	h, err := e.history(ctx, s, service)
	if err != nil || h.Known < forecast.Least {
		return f, false, err
	}
	whole, err := s.of(service, m.from, m.to)
	if err != nil {
		return f, false, err
	}
	found := expect(h, whole, m.agreement, service+m.name)
	if found == nil {
		return f, false, nil
	}
	var before []*float64
	for back := 1; back <= 12; back++ {
		_, from, to := calendarMonth(time.UnixMilli(m.begin).In(m.agreement.Zone), back)
		all, err := s.of(service, availability.On(from), availability.On(to))
		if err != nil {
			return f, false, err
		}
		before = append(before, pooled(all, agreedOf(whole)/2))
	}
	body, err := json.Marshal(expected{*found, forecast.NaiveOf(before, target(whole, m.agreement))})
	if err != nil {
		return f, false, fmt.Errorf("keep the forecast of %s: %w", service, err)
	}
	return ledger.Forecast{Service: service, Month: m.name, Agreement: m.agreement.Number, Version: m.agreement.Version, BeginsAt: m.begin, EndsAt: m.end, Body: body}, true, nil
}

// agreedOf is the agreed time of the period over all versions, s.
func agreedOf(all []availability.Figures) (sum float64) {
	for i := range all {
		sum += all[i].AgreedPeriodS
	}
	return sum
}

// pooled is the availability over all versions; nil: less than so many seconds
// are known, too little to go by.
func pooled(all []availability.Figures, least float64) *float64 {
	up, known := 0.0, 0.0
	for i := range all {
		u, _ := all[i].Exact.Up.Float64()
		d, _ := all[i].Exact.Down.Float64()
		up += u
		known += u + d
	}
	if known == 0 || known < least {
		return nil
	}
	a := up / known
	return &a
}

func target(all []availability.Figures, a *availability.Agreement) *float64 {
	if f := version(all, a.Number, a.Version); f != nil {
		if p := Promise(f); p != nil {
			return p.Target
		}
	}
	return nil
}

// version finds the figures of one agreement version; nil: there are none.
func version(all []availability.Figures, number string, version int) *availability.Figures {
	for i := range all {
		if all[i].Agreement == number && all[i].Version == version {
			return &all[i]
		}
	}
	return nil
}

// foretelling gives the forecasts kept of a service that were made by the snapshot's
// instant, the newest month first, and how those whose month is over came out.
func (e *Engine) foretelling(ctx context.Context, s *snapshot, service string) ([]Foretold, error) {
	if e.o.Forecasts == nil {
		return nil, nil
	}
	kept, err := e.o.Forecasts.Forecasts(ctx, service)
	if err != nil {
		return nil, err
	}
	out := []Foretold{}
	for i := range kept {
		k := &kept[i]
		if k.MadeAt > s.asOf || len(out) > behind {
			continue
		}
		var body expected
		if err := json.Unmarshal(k.Body, &body); err != nil {
			return nil, fmt.Errorf("read the forecast of %s for %s: %w", service, k.Month, err)
		}
		zone := time.UTC
		for a := range s.agreed.Agreements {
			if s.agreed.Agreements[a].Number == k.Agreement {
				zone = s.agreed.Agreements[a].Zone
			}
		}
		f := Foretold{Month: k.Month, Agreement: k.Agreement, Version: k.Version, From: availability.Instant{MS: k.BeginsAt, Zone: zone}, To: availability.Instant{MS: k.EndsAt, Zone: zone},
			MadeAt: k.MadeAt, Forecast: body.Forecast, Naive: body.Naive}
		if k.EndsAt <= s.asOf {
			if f.Came, err = e.came(ctx, s, service, &f); err != nil {
				return nil, err
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// came is how the month came out: as it was closed, if it is.
func (e *Engine) came(ctx context.Context, s *snapshot, service string, f *Foretold) (*Came, error) {
	first, err := time.Parse("2006-01", f.Month)
	if err != nil {
		return nil, fmt.Errorf("read the month of a forecast: %w", err)
	}
	_, from, to := calendarMonth(first, 0)
	all, err := s.of(service, availability.On(from), availability.On(to))
	if err != nil {
		return nil, err
	}
	closed, err := e.closed(ctx, from.String(), to.String(), time.UnixMilli(s.asOf))
	if err != nil {
		return nil, err
	}
	if len(closed) > 0 {
		all = withClosed(s.agreed, all, closed, func(f *availability.Figures) *availability.Figures { return f },
			func(x *availability.Explanation) availability.Figures { return x.Figures })
	}
	found := version(all, f.Agreement, f.Version)
	if found == nil || found.Service != service {
		return nil, nil
	}
	up, _ := found.Exact.Up.Float64()
	down, _ := found.Exact.Down.Float64()
	c := &Came{Availability: found.Availability, KnownS: up + down}
	outcome := forecast.Outcome{}
	if p := Promise(found); p != nil {
		c.State = p.State
		if p.State != availability.InsufficientData && p.State != availability.NotApplicable {
			met := p.State == availability.Met
			outcome.Met = &met
		}
	}
	if c.Availability != nil && c.State != availability.InsufficientData {
		outcome.Availability = *c.Availability
		score := forecast.ScoreOf(f.Forecast, f.Naive, outcome)
		c.Score = &score
	}
	return c, nil
}

// Scores pools the scores of what was foretold.
func Scores(all []Foretold) forecast.Summary {
	var scores []forecast.Score
	for i := range all {
		if all[i].Came != nil && all[i].Came.Score != nil {
			scores = append(scores, *all[i].Came.Score)
		}
	}
	return forecast.Sum(scores)
}
