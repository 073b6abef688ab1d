package collector

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/correction"
	"github.com/plimsoll/plimsoll/collector/maintenance"
)

// openDesks opens what people decide: planned work and corrections.
func (c *Collector) openDesks() {
	c.work = maintenance.NewDesk(c.ledger, c.figures, c.opt.Now)
	c.corrections = correction.NewDesk(c.ledger, c.figures, closedMonths{c}, c.opt.Now)
}

// closedMonths tells corrections which months stand.
type closedMonths struct{ c *Collector }

// Closed names the first closed month of an agreement of the service that
// meets [from, to), Unix ms; empty where all are open.
func (m closedMonths) Closed(ctx context.Context, service string, from, to int64) (string, error) {
	agreements := m.c.agreed().Agreements
	for i := range agreements {
		a := &agreements[i]
		if a.Service != service {
			continue
		}
		for at := time.UnixMilli(from).In(a.Zone); at.UnixMilli() < to; at = time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, a.Zone) {
			closed, err := m.c.closing.Closed(ctx, m.c.customer(service), at, a.Zone)
			if err != nil {
				return "", err
			}
			if closed {
				return at.Format("2006-01"), nil
			}
		}
	}
	return "", nil
}

// customer is whose service it is.
func (c *Collector) customer(service string) string {
	services := c.agreed().Services
	for i := range services {
		if services[i].Name == service {
			return services[i].Customer
		}
	}
	return ""
}

// decisions lets figures ask the desks that in turn ask figures.
type decisions struct{ c *Collector }

// Decided is what of planned work and corrections was ever approved.
func (d decisions) Decided(ctx context.Context) ([]availability.Window, []availability.Adjustment, int64, error) {
	revision, err := d.c.ledger.PaperCount(ctx)
	if err != nil || revision == 0 {
		return nil, nil, revision, err
	}
	if kept := d.c.decided.Load(); kept != nil && kept.revision == revision {
		return kept.windows, kept.adjustments, revision, nil
	}
	now := &decided{revision: revision}
	if now.windows, err = d.c.work.Windows(ctx); err != nil {
		return nil, nil, 0, err
	}
	if now.adjustments, err = d.c.corrections.Entries(ctx); err != nil {
		return nil, nil, 0, err
	}
	d.c.decided.Store(now)
	return now.windows, now.adjustments, revision, nil
}

// decided is what was made of so many papers. A paper written between counting
// and reading is in it already; the next count makes it anew.
type decided struct {
	revision    int64
	windows     []availability.Window
	adjustments []availability.Adjustment
}
