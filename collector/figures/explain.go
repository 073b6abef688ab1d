package figures

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// Explain is Period with the reasons, for one service.
func (e *Engine) Explain(ctx context.Context, service, from, to string, asOf time.Time) ([]availability.Explanation, error) {
	closed, err := e.closed(ctx, from, to, asOf)
	if err != nil {
		return nil, err
	}
	found, err := e.live(ctx, service, from, to, asOf, closed, false)
	if err != nil || len(closed) == 0 {
		return found, err
	}
	return slices.DeleteFunc(withClosed(e.Catalogue().Availability, found, closed, func(x *availability.Explanation) *availability.Figures { return &x.Figures },
		func(x *availability.Explanation) availability.Explanation { return *x }), func(x availability.Explanation) bool { return x.Figures.Service != service }), nil
}

// Live explains the figures of all services as they come out now, whatever
// is closed.
func (e *Engine) Live(ctx context.Context, from, to string, asOf time.Time) ([]availability.Explanation, error) {
	return e.live(ctx, "", from, to, asOf, nil, true)
}

// live explains what comes out now. What is closed is not measured: what was
// frozen takes its place.
func (e *Engine) live(ctx context.Context, service, from, to string, asOf time.Time, closed map[string][]availability.Explanation, fresh bool) ([]availability.Explanation, error) {
	begin, err := availability.ParseBound(from)
	if err != nil {
		return nil, err
	}
	end, err := availability.ParseBound(to)
	if err != nil {
		return nil, err
	}
	s, err := e.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	all, err := availability.Explain(availability.Input{Catalogue: s.agreed, Streaks: s.streaks, From: begin, To: end, AsOf: s.asOf,
		FactBefore: e.o.FactBefore, Service: service})
	if err != nil {
		return nil, fmt.Errorf("explain figures: %w", err)
	}
	month := monthOf(from, to)
	for i := range all {
		f := &all[i].Figures
		if _, stands := closed[f.Customer]; stands {
			continue
		}
		if err := e.measure(ctx, measuring{cat: s.cat, asOf: s.asOf, month: month, fresh: fresh}, f); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// monthOf is the month that is exactly [from, to), 2026-10; empty: it is none.
func monthOf(from, to string) string {
	begin, err := time.Parse(time.DateOnly, from)
	if err != nil || begin.Day() != 1 || begin.AddDate(0, 1, 0).Format(time.DateOnly) != to {
		return ""
	}
	return begin.Format("2006-01")
}

// Fingerprint is a hash of all facts known now that began before an instant,
// the catalogue they are evaluated by, and the revision of what was decided: while it is the same, so is every
// figure of a period that ended before, but for approvals by the hour.
func (e *Engine) Fingerprint(ctx context.Context, before time.Time) (string, error) {
	s, err := e.at(ctx, e.o.Now())
	if err != nil {
		return "", err
	}
	revision := int64(0)
	if e.o.Decided != nil {
		if _, _, revision, err = e.o.Decided.Decided(ctx); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s %d %x", s.cat.Hash, revision, s.fingerprint(before.UnixMilli())), nil
}

// closed is what stands of the month that is exactly [from, to), by customer.
func (e *Engine) closed(ctx context.Context, from, to string, asOf time.Time) (map[string][]availability.Explanation, error) {
	if e.o.Closed == nil {
		return nil, nil
	}
	month := monthOf(from, to)
	if month == "" {
		return nil, nil
	}
	return e.o.Closed(ctx, month, asOf)
}

// withClosed puts what stands of closed months in the place of what comes out
// now, in the order of the catalogue.
func withClosed[T any](c *availability.Catalogue, found []T, closed map[string][]availability.Explanation, figures func(*T) *availability.Figures,
	frozen func(*availability.Explanation) T) []T {
	all := slices.DeleteFunc(found, func(t T) bool {
		_, ok := closed[figures(&t).Customer]
		return ok
	})
	for _, each := range closed {
		for i := range each {
			all = append(all, frozen(&each[i]))
		}
	}
	slices.SortStableFunc(all, func(a, b T) int { return rank(c, figures(&a)) - rank(c, figures(&b)) })
	return all
}
