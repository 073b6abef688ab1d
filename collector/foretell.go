package collector

import (
	"context"
	"time"
)

// How often months without a forecast are looked for, and how many are looked
// at in one go: with a thousand services a month that has begun is done in
// four minutes.
const (
	foretellEvery = 20 * time.Second
	foretellMost  = 100
)

// foretell keeps a forecast of each service's month once it has begun. What is
// kept stays, so nothing is while facts that have arrived are not folded yet.
func (c *Collector) foretell(ctx context.Context) error {
	tick := time.NewTicker(foretellEvery)
	defer tick.Stop()
	for {
		arrived := c.journal.Last()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if c.fold.Folded() < arrived {
			continue
		}
		added, done, err := c.figures.Foretell(ctx, foretellMost)
		if err != nil && ctx.Err() == nil {
			c.opt.Log.Error("keep forecasts of the month", "err", err)
		}
		if added > 0 {
			c.opt.Log.Info("forecasts are kept", "added", added, "done", done)
		}
	}
}
