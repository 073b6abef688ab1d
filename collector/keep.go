package collector

import (
	"context"
	"time"
)

// trimEvery is how often the journal is asked to let go of what all have read.
const trimEvery = time.Minute

// trim removes journal segments that every consumer has passed.
func (c *Collector) trim(ctx context.Context) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			c.lostRecords(c.fold.Position())
			upTo := min(c.series.SafeTrim(), c.fold.Position())
			if removed, err := c.journal.Trim(upTo); err != nil {
				c.opt.Log.Error("trim the journal", "err", err)
			} else if removed > 0 {
				c.opt.Log.Debug("journal trimmed", "segments", removed, "up_to", uint64(upTo))
			}
		}
	}
}
