package collector

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// trimEvery is how often the journal is asked to let go of what all have read.
	trimEvery = time.Minute
	// lookEvery is how often a running collector compares all of its ledger with
	// its sums; a page that rots is found while a good copy is still young.
	lookEvery = 24 * time.Hour
)

// each calls do at every interval, until ctx ends.
func each(ctx context.Context, interval time.Duration, do func()) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			do()
		}
	}
}

// trim removes journal segments that every consumer has passed.
func (c *Collector) trim(ctx context.Context) error {
	return each(ctx, trimEvery, func() {
		c.lostRecords(c.fold.Position())
		upTo := min(c.series.SafeTrim(), c.fold.Position())
		if removed, err := c.journal.Trim(upTo); err != nil {
			c.opt.Log.Error("trim the journal", "err", err)
		} else if removed > 0 {
			c.opt.Log.Debug("journal trimmed", "segments", removed, "up_to", uint64(upTo))
		}
	})
}

// lookThroughLedger reads the whole ledger once a day.
func (c *Collector) lookThroughLedger(ctx context.Context) error {
	return each(ctx, lookEvery, func() {
		if err := c.ledger.Integrity(ctx); err != nil && ctx.Err() == nil {
			c.opt.Log.Error("look through the ledger", "err", err, "remedy", "stop the collector and put the last good copy of ledger.db in its place")
		}
	})
}

// measureLedger counts what was found damaged in it.
func (c *Collector) measureLedger() {
	c.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "plimsoll_ledger_damaged_pages",
			Help: "Pages of the ledger found since the start that do not fit their sums; what needs them is refused."},
			func() float64 { return float64(c.ledger.DamagedPages()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "plimsoll_ledger_behind",
			Help: "1 when the ledger's write-ahead log was damaged at the start, so that what was written last is missing."},
			func() float64 {
				if c.ledger.LostEnd().String() != "" {
					return 1
				}
				return 0
			}))
}
