// Package figures is the one engine behind page, API, PromQL, board and
// report: whoever shows a number asks here, so numbers cannot differ.
//
//	ledger: streaks ─┐
//	catalogue ───────┼─▶ availability.Evaluate ─▶ Month, Period, States, timelines
//	instant (as of) ─┘                       └──▶ Queryable: plimsoll_… series for PromQL
//	samples ─────────▶ capacity thresholds ─────▶ Usages
//
// Nothing computed is stored: the same facts, catalogue and instant give the
// same figure whenever it is asked for. Forecasts are the exception: what was
// said before a month must not change by what came in it.
package figures

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
)

// Ledger gives the streaks of components (all when none is named) that touch
// [from, to) in Unix milliseconds, with each observer's neighbours.
type Ledger interface {
	Streaks(ctx context.Context, components []string, from, to int64) (map[string][]availability.Streak, error)
	// KnownStreaks are all streaks as they were known at an instant, that began before it.
	KnownStreaks(ctx context.Context, asOf int64) (map[string][]availability.Streak, error)
}

// Options are what an engine computes from.
type Options struct {
	Ledger    Ledger
	Catalogue func() *catalogue.Catalogue // the one in force
	Samples   Samples                     // nil: there are no resources
	Records   Records                     // nil: there are no records
	Hosts     Hosts                       // nil: there are no hosts
	Decided   Decided                     // nil: nothing but what the catalogue says
	// FactBefore makes outages' earliest instants exact where streaks do not
	// know them; nil: they are the earliest they can be.
	FactBefore availability.FactBefore
	// Closed gives, by customer, what stands of a closed month (2026-10) at
	// asOf; nil: no month is closed.
	Closed  func(ctx context.Context, month string, asOf time.Time) (map[string][]availability.Explanation, error)
	Entered Entered // nil: nobody enters values
	Raw     Raw     // nil: there are no samples to measure by
	// Forecasts keeps what was forecast; nil: nothing is kept.
	Forecasts Forecasts
	Now       func() time.Time
}

// Engine computes figures. It is safe for concurrent use.
type Engine struct {
	o Options

	mu     sync.Mutex
	fresh  map[int64]*snapshot // by instant asked about
	agreed merged

	past  memory
	used  days
	given given
}

// New makes an engine.
func New(o Options) *Engine {
	return &Engine{o: o, fresh: map[int64]*snapshot{}, past: memory{points: map[int64]point{}}}
}

// Catalogue is the one in force.
func (e *Engine) Catalogue() *catalogue.Catalogue { return e.o.Catalogue() }

// Streaks are what was seen of components, also while it is not in the ledger yet.
func (e *Engine) Streaks(ctx context.Context, components []string, from, to int64) (map[string][]availability.Streak, error) {
	return e.o.Ledger.Streaks(ctx, components, from, to)
}

// snapshot is everything known at one instant, and what was computed of it.
// A page asks for a dozen figures of one instant: they share one.
type snapshot struct {
	made   time.Time
	cat    *catalogue.Catalogue
	agreed *availability.Catalogue // cat's, with what people decided
	asOf   int64

	mu      sync.Mutex
	streaks map[string][]availability.Streak
	month   []availability.Figures
	lines   *lines
	days    map[string][]availability.Day // see LastDays
}

// lifetime is how long a snapshot is shared; maxSnapshots how many there are.
const (
	lifetime     = time.Second
	maxSnapshots = 64
)

// at returns the snapshot of an instant, made now or less than a second ago.
func (e *Engine) at(ctx context.Context, asOf time.Time) (*snapshot, error) {
	key, now := asOf.UnixMilli(), e.o.Now()
	cat, agreed, err := e.decided(ctx)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	s := e.fresh[key]
	e.mu.Unlock()
	if s != nil && now.Sub(s.made) < lifetime && !now.Before(s.made) && s.agreed == agreed {
		return s, nil
	}
	// From the beginning: an outage's true start and the cap's use may lie far back.
	streaks, err := e.o.Ledger.KnownStreaks(ctx, key)
	if err != nil {
		return nil, err
	}
	s = &snapshot{made: now, cat: cat, agreed: agreed, asOf: key, streaks: streaks}
	e.mu.Lock()
	defer e.mu.Unlock()
	for k, old := range e.fresh {
		if now.Sub(old.made) >= lifetime || len(e.fresh) >= maxSnapshots {
			delete(e.fresh, k)
		}
	}
	e.fresh[key] = s
	return s, nil
}

// Month computes the figures of the calendar month that contains asOf, in the
// zone of each agreement, as known at asOf.
func (e *Engine) Month(ctx context.Context, asOf time.Time) ([]availability.Figures, error) {
	s, err := e.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.month == nil {
		if s.month, err = e.monthsOf(s.agreed, s.streaks, s.asOf); err != nil {
			return nil, err
		}
	}
	return slices.Clone(s.month), nil
}

// Measured is Month with the indicators that facts do not give, for one
// service; "": for all.
func (e *Engine) Measured(ctx context.Context, service string, asOf time.Time) ([]availability.Figures, error) {
	all, err := e.Month(ctx, asOf)
	if err != nil {
		return nil, err
	}
	s, err := e.at(ctx, asOf)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(f availability.Figures) bool { return service != "" && f.Service != service })
	for i := range all {
		f := &all[i]
		m := measuring{cat: s.cat, asOf: s.asOf, month: time.UnixMilli(s.asOf - 1).In(f.From.Zone).Format("2006-01")}
		if err := e.measure(ctx, m, f); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// monthsOf evaluates each agreement over the month asOf lies in for its zone.
func (e *Engine) monthsOf(c *availability.Catalogue, streaks map[string][]availability.Streak, asOf int64) ([]availability.Figures, error) {
	of := localMonths(c, asOf)
	var months []localMonth
	for i := range c.Agreements {
		if month := of[c.Agreements[i].Zone]; !slices.Contains(months, month) {
			months = append(months, month)
		}
	}
	var all []availability.Figures
	for _, each := range months {
		found, err := e.evaluate(availability.Input{Catalogue: c, Streaks: streaks, From: availability.On(each.first), To: availability.On(each.next), AsOf: asOf})
		if err != nil || len(months) == 1 {
			return found, err
		}
		for i := range found {
			if of[found[i].From.Zone] == each {
				all = append(all, found[i])
			}
		}
	}
	// Back into the catalogue's order.
	slices.SortStableFunc(all, func(a, b availability.Figures) int { return rank(c, &a) - rank(c, &b) })
	return all, nil
}

func rank(c *availability.Catalogue, f *availability.Figures) int {
	return slices.IndexFunc(c.Agreements, func(a availability.Agreement) bool { return a.Number == f.Agreement && a.Version == f.Version })
}

// Period computes the figures of [from, to), dates or instants as the
// evaluate command takes them, as known at asOf.
func (e *Engine) Period(ctx context.Context, from, to string, asOf time.Time) ([]availability.Figures, error) {
	return e.PeriodOf(ctx, "", from, to, asOf)
}

// PeriodOf is Period for one service; "": for all.
func (e *Engine) PeriodOf(ctx context.Context, service, from, to string, asOf time.Time) ([]availability.Figures, error) {
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
	found, err := e.evaluate(availability.Input{Catalogue: s.agreed, Streaks: s.streaks, From: begin, To: end, AsOf: s.asOf, Service: service})
	if err != nil {
		return nil, err
	}
	closed, err := e.closed(ctx, from, to, asOf)
	if err != nil {
		return nil, err
	}
	month := monthOf(from, to)
	for i := range found {
		if _, stands := closed[found[i].Customer]; stands {
			continue // what was frozen takes its place
		}
		if err := e.measure(ctx, measuring{cat: s.cat, asOf: s.asOf, month: month}, &found[i]); err != nil {
			return nil, err
		}
	}
	if len(closed) == 0 {
		return found, nil
	}
	all := withClosed(s.agreed, found, closed, func(f *availability.Figures) *availability.Figures { return f },
		func(x *availability.Explanation) availability.Figures { return x.Figures })
	return slices.DeleteFunc(all, func(f availability.Figures) bool { return service != "" && f.Service != service }), nil
}

func (e *Engine) evaluate(in availability.Input) ([]availability.Figures, error) {
	in.FactBefore = e.o.FactBefore
	found, err := availability.Evaluate(in)
	if err != nil {
		return nil, fmt.Errorf("compute figures: %w", err)
	}
	return found, nil
}
