package figures

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// lastDays is how many days LastDays gives.
const lastDays = 90

// Days are the local days of [from, to) of a service, as known at asOf: what
// counted of each by its agreement, and what else it was. A service without an
// agreement has none.
func (e *Engine) Days(ctx context.Context, service string, from, to, asOf time.Time) ([]availability.Day, error) {
	s, err := e.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	all, err := availability.Days(availability.Input{Catalogue: s.agreed, Streaks: s.streaks, Service: service,
		From: availability.At(from.UnixMilli()), To: availability.At(to.UnixMilli()), AsOf: s.asOf})
	return all[service], err
}

// LastDays are, by service, the newest 90 local days that have begun at asOf.
func (e *Engine) LastDays(ctx context.Context, asOf time.Time) (map[string][]availability.Day, error) {
	s, err := e.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.days == nil {
		y, m, d := asOf.UTC().Date()
		today := availability.NewDate(y, int(m), d) // that of a zone is this, the one before or the one after
		all, err := availability.Days(availability.Input{Catalogue: s.agreed, Streaks: s.streaks,
			From: availability.On(today - lastDays), To: availability.On(today + 2), AsOf: s.asOf})
		if err != nil {
			return nil, err
		}
		for service, days := range all {
			all[service] = days[max(0, len(days)-lastDays):]
		}
		s.days = all
	}
	return s.days, nil
}
