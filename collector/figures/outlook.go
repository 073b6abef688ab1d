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
	Impacts   []availability.Impact
}

// past is how far back an outlook looks.
const past = 365 * 24 * time.Hour

// Outlook forecasts the service's running and next month by the agreement in
// force at asOf, and analyses what each component's failure does. ok is false
// for a service without agreement.
func (e *Engine) Outlook(ctx context.Context, service string, asOf time.Time) (o Outlook, ok bool, err error) {
	s, err := e.at(ctx, asOf)
	if err != nil {
		return o, false, err
	}
	c := s.cat.Availability
	a, ok := c.AgreementAt(service, s.asOf)
	if !ok {
		return o, false, nil
	}
	local := asOf.In(a.Zone)
	date := func(months int) availability.Bound {
		first := time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, months, 0)
		return availability.On(availability.NewDate(first.Year(), int(first.Month()), 1))
	}
	in := availability.Input{Catalogue: c, Streaks: s.streaks, AsOf: s.asOf, Service: service}
	evaluate := func(from, to availability.Bound) ([]availability.Figures, error) {
		in.From, in.To = from, to
		found, err := availability.Evaluate(in)
		if err != nil {
			err = fmt.Errorf("compute the outlook of %s: %w", service, err)
		}
		return found, err
	}
	whole, err := evaluate(availability.At(s.asOf-past.Milliseconds()), availability.At(s.asOf))
	if err != nil {
		return o, false, err
	}
	h := history(whole)
	all, err := e.Month(ctx, asOf)
	if err != nil {
		return o, false, err
	}
	h.Fleet = history(all).Durations
	o = Outlook{Agreement: a.Number, Version: a.Version, Month: local.Format("2006-01")}
	now, err := evaluate(date(0), date(1))
	if err != nil {
		return o, false, err
	}
	o.Rest = expect(h, now, a, service+local.Format("2006-01"))
	next, err := evaluate(date(1), date(2))
	if err != nil {
		return o, false, err
	}
	o.Next = expect(h, next, a, service+local.AddDate(0, 0, 1-local.Day()).AddDate(0, 1, 0).Format("2006-01"))
	in.From, in.To = availability.At(s.asOf-past.Milliseconds()), availability.At(s.asOf)
	o.Impacts, err = availability.Impacts(in, service)
	return o, err == nil, err
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
	for i := range all {
		f := &all[i]
		if f.Agreement != a.Number || f.Version != a.Version {
			continue
		}
		p := forecast.Period{Left: f.AgreedPeriodS - f.AgreedS}
		p.Up, _ = f.Exact.Up.Float64()
		p.Down, _ = f.Exact.Down.Float64()
		if promise := Promise(f); promise != nil {
			p.Target = promise.Target
		}
		seed := fnv.New64a()
		_, _ = seed.Write([]byte(name)) // a hash never fails
		if out, ok := forecast.Of(h, p, seed.Sum64()); ok {
			return &out
		}
	}
	return nil
}
