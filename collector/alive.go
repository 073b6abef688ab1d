package collector

import (
	"context"
	"time"
)

// aliveEvery is how often the collector notes that it takes records. A gap in
// these notes is why agents that measured were not heard.
const aliveEvery = 10 * time.Second

// alive notes it until ctx ends. A clock that was set begins a new stretch:
// it must not look as if the collector had been there all along.
func (c *Collector) alive(ctx context.Context) error {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	from := c.opt.Now()
	last := from
	for {
		now := c.opt.Now()
		if passed := now.Round(0).Sub(last.Round(0)); passed < 0 || passed > 3*aliveEvery {
			from = now
		}
		last = now
		if err := c.ledger.Alive(ctx, from.UnixMilli(), now.UnixMilli()); err != nil && ctx.Err() == nil {
			c.opt.Log.Error("note that the collector is alive; trying again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
