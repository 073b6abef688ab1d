package figures

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/forecast"
)

// Outlook is what to expect of a service and where it is weak.
type Outlook struct {
	Agreement string
	Version   int
	Month     string             // the running one, 2026-11, in the agreement's zone
	Rest      *forecast.Forecast // of the running month as a whole; nil: nothing to go by, or nothing to come
	Next      *forecast.Forecast // of the next month
	Foretold  []Foretold         // what was forecast of months before this one came, the newest first
	Impacts   []availability.Impact
}

// past is how far back an outlook looks.
const past = 365 * 24 * time.Hour

// Outlook forecasts the service's running and next month by the agreement in
// force at asOf, tells how earlier forecasts did, and analyses what each
// component's failure does. ok is false for a service without agreement.
func (e *Engine) Outlook(ctx context.Context, service string, asOf time.Time) (o Outlook, ok bool, err error) {
	s, err := e.at(ctx, asOf)
	if err != nil {
		return o, false, err
	}
	a, ok := s.agreed.AgreementAt(service, s.asOf)
	if !ok {
		return o, false, nil
	}
	h, err := e.history(ctx, s, service)
	if err != nil {
		return o, false, err
	}
	month := func(back int) (string, *forecast.Forecast, error) {
		name, from, to := calendarMonth(asOf.In(a.Zone), back)
		all, err := s.of(service, availability.On(from), availability.On(to))
		if err != nil {
			return name, nil, err
		}
		return name, expect(h, all, a, service+name), nil
	}
	o = Outlook{Agreement: a.Number, Version: a.Version}
	if o.Month, o.Rest, err = month(0); err != nil {
		return o, false, err
	}
	if _, o.Next, err = month(-1); err != nil {
		return o, false, err
	}
	if o.Foretold, err = e.foretelling(ctx, s, service); err != nil {
		return o, false, err
	}
	in := availability.Input{Catalogue: s.agreed, Streaks: s.streaks, AsOf: s.asOf, From: availability.At(s.asOf - past.Milliseconds()), To: availability.At(s.asOf)}
	o.Impacts, err = availability.Impacts(in, service)
	return o, err == nil, err
}

// of computes the figures of one service.
func (s *snapshot) of(service string, from, to availability.Bound) ([]availability.Figures, error) {
	found, err := availability.Evaluate(availability.Input{Catalogue: s.agreed, Streaks: s.streaks, AsOf: s.asOf, Service: service, From: from, To: to})
	if err != nil {
		return nil, fmt.Errorf("compute the outlook of %s: %w", service, err)
	}
	return found, nil
}

// history is what the service did in the year before the snapshot's instant,
// and what all did in its month.
func (e *Engine) history(ctx context.Context, s *snapshot, service string) (forecast.History, error) {
	whole, err := s.of(service, availability.At(s.asOf-past.Milliseconds()), availability.At(s.asOf))
	if err != nil {
		return forecast.History{}, err
	}
	h := history(whole)
	all, err := e.Month(ctx, time.UnixMilli(s.asOf))
	if err != nil {
		return forecast.History{}, err
	}
	h.Fleet = history(all).Durations
	return h, nil
}

// history pools the versions of an agreement: sums, never averages.
func history(all []availability.Figures) (h forecast.History) {
	for i := range all {
		f := &all[i]
		up, _ := f.Exact.Up.Float64()
		down, _ := f.Exact.Down.Float64()
		h.Known += up + down
		for _, o := range f.Outages {
			if o.DownS > 0 {
				h.Durations = append(h.Durations, o.DownS)
			}
		}
	}
	return h
}

// expect forecasts the version's part of a month.
func expect(h forecast.History, all []availability.Figures, a *availability.Agreement, name string) *forecast.Forecast {
	f := version(all, a.Number, a.Version)
	if f == nil {
		return nil
	}
	p := forecast.Period{Left: f.AgreedPeriodS - f.AgreedS}
	p.Up, _ = f.Exact.Up.Float64()
	p.Down, _ = f.Exact.Down.Float64()
	if promise := Promise(f); promise != nil {
		p.Target = promise.Target
	}
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(name)) // a hash never fails
	out, ok := forecast.Of(h, p, seed.Sum64())
	if !ok {
		return nil
	}
	return &out
}
