package figures

import (
	"context"
	"math/big"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
)

// Decided is what people decided beside the catalogue's file: windows of
// approved changes, and approved corrections. Each says when it was approved,
// so one answer serves every instant asked about. Revision is another number
// whenever the answer is another.
type Decided interface {
	Decided(ctx context.Context) (windows []availability.Window, adjustments []availability.Adjustment, revision int64, err error)
}

// merged is the catalogue in force with what was decided, made once.
type merged struct {
	cat      *catalogue.Catalogue
	revision int64
	all      *availability.Catalogue
}

// decided is the catalogue in force, and its agreements with what people
// decided; the same pointers as long as neither changed.
func (e *Engine) decided(ctx context.Context) (*catalogue.Catalogue, *availability.Catalogue, error) {
	cat := e.o.Catalogue()
	if e.o.Decided == nil {
		return cat, cat.Availability, nil
	}
	windows, adjustments, revision, err := e.o.Decided.Decided(ctx)
	if err != nil {
		return nil, nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.agreed.cat == cat && e.agreed.revision == revision {
		return cat, e.agreed.all, nil
	}
	all := *cat.Availability
	all.Windows = slices.Concat(all.Windows, windows)
	all.Adjustments = slices.Concat(all.Adjustments, adjustments)
	e.agreed = merged{cat, revision, &all}
	return cat, &all, nil
}

// Agreed is the catalogue in force as its file says it.
func (e *Engine) Agreed() *availability.Catalogue { return e.o.Catalogue().Availability }

// Foresee tells what agreements will make of windows approved at an instant
// that is not after now.
func (e *Engine) Foresee(ctx context.Context, windows []availability.Window, at time.Time) ([]availability.Foresight, error) {
	s, err := e.at(ctx, at)
	if err != nil {
		return nil, err
	}
	return availability.Foresee(availability.Input{Catalogue: s.agreed, Streaks: s.streaks, AsOf: s.asOf}, windows)
}

// Shift is what an adjustment does to the figures of one agreement version in
// one month.
type Shift struct {
	Service   string               `json:"service"`
	Customer  string               `json:"customer"`
	Agreement string               `json:"agreement"`
	Version   int                  `json:"version"`
	From      availability.Instant `json:"from"`
	To        availability.Instant `json:"to"`
	Before    Standing             `json:"before"`
	After     Standing             `json:"after"`
}

// Standing is how a service stands in a period.
type Standing struct {
	Availability string  `json:"availability"` // exact, as a fraction; empty: no value
	DownS        float64 `json:"down_s"`       // that counts
	AdjustedS    float64 `json:"adjusted_s"`   // cut by adjustments
	AgreedS      float64 `json:"agreed_s"`
	State        string  `json:"state"` // of the availability indicator; empty: none is agreed
}

// Ratio is the availability; nil: no value.
func (s Standing) Ratio() *big.Rat {
	r, ok := new(big.Rat).SetString(s.Availability)
	if !ok {
		return nil
	}
	return r
}

func standing(f *availability.Figures) Standing {
	s := Standing{DownS: CountedDown(f), AdjustedS: f.Cut.AdjustedS, AgreedS: f.AgreedS}
	if f.Exact.Availability != nil {
		s.Availability = f.Exact.Availability.RatString()
	}
	if p := Promise(f); p != nil {
		s.State = p.State
	}
	return s
}

// WhatIf tells what an adjustment approved at an instant does to every month
// it touches, as known then. Nothing is kept.
func (e *Engine) WhatIf(ctx context.Context, a availability.Adjustment, at time.Time) ([]Shift, error) {
	s, err := e.at(ctx, at)
	if err != nil {
		return nil, err
	}
	a.ApprovedAt = availability.At(s.asOf)
	with := *s.agreed
	with.Adjustments = slices.Concat(with.Adjustments, []availability.Adjustment{a})
	names := slices.Concat(a.Services, a.Components)
	done := map[string]bool{}
	var out []Shift
	for i := range s.agreed.Agreements {
		agreed := &s.agreed.Agreements[i]
		if done[agreed.Service] || !s.agreed.Touches(agreed.Service, names) {
			continue
		}
		done[agreed.Service] = true
		for _, month := range months(a.From.In(agreed.Zone, s.asOf), a.To.In(agreed.Zone, s.asOf), agreed.Zone) {
			in := availability.Input{Catalogue: s.agreed, Streaks: s.streaks, From: month[0], To: month[1], AsOf: s.asOf, Service: agreed.Service}
			before, err := availability.Evaluate(in)
			if err != nil {
				return nil, err
			}
			in.Catalogue = &with
			after, err := availability.Evaluate(in)
			if err != nil {
				return nil, err
			}
			for k := range before {
				f := &before[k]
				out = append(out, Shift{f.Service, f.Customer, f.Agreement, f.Version, f.From, f.To, standing(f), standing(&after[k])})
			}
		}
	}
	return out, nil
}

// months are the calendar months of the zone that [from, to) touches.
func months(from, to int64, zone *time.Location) (out [][2]availability.Bound) {
	t := time.UnixMilli(from).In(zone)
	for y, m := t.Year(), t.Month(); ; m++ {
		first, next := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
		begin := availability.NewDate(first.Year(), int(first.Month()), 1)
		if begin.Begin(zone) >= to {
			return out
		}
		out = append(out, [2]availability.Bound{availability.On(begin), availability.On(availability.NewDate(next.Year(), int(next.Month()), 1))})
	}
}
