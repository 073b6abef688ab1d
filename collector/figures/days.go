package figures

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// LastDays is how many days Engine.LastDays gives.
const LastDays = 90

// LastDays are, by service, the newest local days that have begun at asOf, as
// availability.Days gives them.
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
			From: availability.On(today - LastDays), To: availability.On(today + 2), AsOf: s.asOf})
		if err != nil {
			return nil, err
		}
		for service, days := range all {
			all[service] = days[max(0, len(days)-LastDays):]
		}
		s.days = all
	}
	return s.days, nil
}
