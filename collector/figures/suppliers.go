package figures

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// Supplied is what suppliers came to in a period: their components under
// contract, and what of the downtime of services is theirs. It is computed from
// what is known at the instant asked for, also of months that are closed.
type Supplied struct {
	Contracts    []availability.Serviceability
	Attributions []availability.Attribution
}

// Suppliers computes the figures of underpinning contracts of [from, to), as
// Period takes them, or where both are empty of the calendar month that contains
// asOf in the zone of each contract and agreement.
func (e *Engine) Suppliers(ctx context.Context, from, to string, asOf time.Time) (Supplied, error) {
	s, err := e.at(ctx, asOf)
	if err != nil {
		return Supplied{}, err
	}
	in := availability.Input{Catalogue: s.agreed, Streaks: s.streaks, AsOf: s.asOf, FactBefore: e.o.FactBefore}
	if from != "" || to != "" {
		if in.From, err = availability.ParseBound(from); err != nil {
			return Supplied{}, err
		}
		if in.To, err = availability.ParseBound(to); err != nil {
			return Supplied{}, err
		}
		return supplied(in)
	}
	var out Supplied
	of := localMonths(s.agreed, s.asOf)
	done := map[localMonth]bool{}
	for _, month := range of {
		if done[month] {
			continue
		}
		done[month] = true
		in.From, in.To = availability.On(month.first), availability.On(month.next)
		found, err := supplied(in)
		if err != nil {
			return Supplied{}, err
		}
		for i := range found.Contracts {
			if of[found.Contracts[i].Together.From.Zone] == month {
				out.Contracts = append(out.Contracts, found.Contracts[i])
			}
		}
		for i := range found.Attributions {
			if of[found.Attributions[i].From.Zone] == month {
				out.Attributions = append(out.Attributions, found.Attributions[i])
			}
		}
	}
	out.order(s.agreed)
	return out, nil
}

func supplied(in availability.Input) (out Supplied, err error) {
	if len(in.Catalogue.Contracts) == 0 {
		return out, nil
	}
	if out.Contracts, err = availability.Serviceabilities(in); err != nil {
		return out, fmt.Errorf("compute figures of suppliers: %w", err)
	}
	out.Attributions, err = availability.Attributions(in)
	return out, err
}

// localMonth is one in some zone, its end excluded.
type localMonth struct{ first, next availability.Date }

// localMonths is the month of asOf (ms) in the zone of each contract and
// agreement. An instant on the edge belongs to the month that ends there.
func localMonths(c *availability.Catalogue, asOf int64) map[*time.Location]localMonth {
	of := map[*time.Location]localMonth{}
	for _, zone := range c.Zones() {
		if _, known := of[zone]; known {
			continue
		}
		y, m, _ := time.UnixMilli(asOf - 1).In(zone).Date()
		next := time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
		of[zone] = localMonth{availability.NewDate(y, int(m), 1), availability.NewDate(next.Year(), int(next.Month()), 1)}
	}
	return of
}

// order puts what was computed month by month back into the catalogue's order.
func (s *Supplied) order(c *availability.Catalogue) {
	contract := func(x *availability.Serviceability) int {
		return slices.IndexFunc(c.Contracts, func(k availability.Contract) bool {
			return k.Terms.Number == x.Contract && k.Terms.Version == x.Together.Version
		})
	}
	slices.SortStableFunc(s.Contracts, func(a, b availability.Serviceability) int { return contract(&a) - contract(&b) })
	suppliers := c.Suppliers()
	agreement := func(x *availability.Attribution) int {
		at := slices.IndexFunc(c.Agreements, func(a availability.Agreement) bool { return a.Number == x.Agreement && a.Version == x.Version })
		return slices.Index(suppliers, x.Supplier)*len(c.Agreements) + at
	}
	slices.SortStableFunc(s.Attributions, func(a, b availability.Attribution) int { return agreement(&a) - agreement(&b) })
}
