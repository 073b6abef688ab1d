package collector

import (
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/collector/damage"
	"github.com/plimsoll/plimsoll/collector/series"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// openDamage opens the list of what was lost; the stores that may add to it
// come after it.
func (c *Collector) openDamage() (err error) {
	if c.damage, err = damage.Open(c.path("damage.json"), c.opt.Now()); err != nil {
		return err
	}
	if err := c.registry.Register(c.damage); err != nil {
		return fmt.Errorf("register what was lost: %w", err)
	}
	return nil
}

// damagedBlock puts the time of a block on the list, but for what the journal
// still has: that is read again. A sample comes after its time, so the journal
// has all those of the time it reaches back to.
func (c *Collector) damagedBlock(d series.Damaged) {
	now := c.opt.Now()
	r := damage.Range{Store: damage.Series, What: "block " + d.Block, Cause: d.Cause.Error(), From: d.From, To: d.To, Found: now.UnixMilli(), Lost: int64(d.Samples)}
	if d.To == 0 {
		r.To = r.Found
	}
	if oldest := c.journal.Stats().OldestAt; !oldest.IsZero() {
		r.To = min(r.To, max(oldest.UnixMilli(), now.Add(-series.OutOfOrder).UnixMilli()))
	}
	if r.From >= r.To {
		return // all of it comes back
	}
	c.noteDamage(r)
}

// lostRecords puts on the list what the journal lost before it was worked off.
// What is in blocks and in the ledger already, up to folded, is not missing.
func (c *Collector) lostRecords(folded journal.Position) {
	done := min(c.series.SafeTrim(), folded)
	for _, l := range c.journal.TakeLosses() {
		c.opt.Log.Warn("records of the journal cannot be read", "from", uint64(l.From), "to", uint64(l.To), "records", l.Records, "reason", l.Reason, "worked_off", l.To <= done)
		if l.To <= done {
			continue
		}
		now := c.opt.Now()
		r := damage.Range{Store: damage.Journal, What: fmt.Sprintf("records %d to %d", l.From, l.To), Cause: l.Reason, To: now.UnixMilli(), Found: now.UnixMilli(), Lost: int64(l.Records)}
		if !l.FromAt.IsZero() {
			r.From = l.FromAt.UnixMilli()
		}
		if !l.ToAt.IsZero() {
			r.To = l.ToAt.Add(time.Millisecond).UnixMilli()
		}
		c.noteDamage(r)
	}
}

func (c *Collector) noteDamage(r damage.Range) {
	if err := c.damage.Add(r); err != nil {
		c.opt.Log.Error("a stretch of time of which data was lost is known until the next stop only", "what", r.What, "from", r.From, "to", r.To, "err", err)
	}
}
