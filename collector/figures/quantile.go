package figures

import (
	"cmp"
	"context"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/series"
)

// nearestRank is the rank of a quantile among n values, the smallest is 1: the
// least that has at least the share q of the values at or below it.
func nearestRank(q *big.Rat, n int64) int64 {
	product := new(big.Rat).Mul(q, new(big.Rat).SetInt64(n))
	rank, rest := new(big.Int).DivMod(product.Num(), product.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		rank.Add(rank, big.NewInt(1))
	}
	return max(1, rank.Int64())
}

// coverage is how much of the time that counts is covered by samples.
type coverage struct {
	share *big.Rat // of the one covered least; nil: none has time that counts
	least string
}

// of takes in one more, with so many of all ms or instants covered.
func (c *coverage) of(name string, covered, all int64) {
	if all == 0 {
		return
	}
	if share := big.NewRat(covered, all); c.share == nil || share.Cmp(c.share) < 0 {
		c.share, c.least = share, name
	}
}

// enough tells whether samples cover what the agreement asks for, and says in
// the basis what they cover; why not is the basis's reason.
func (m *measuring) enough(c coverage, a *availability.Agreement, left availability.Set, b *availability.Basis) bool {
	limit, _ := a.Limit().Float64()
	b.Limit, b.Least = &limit, c.least
	if c.share == nil {
		b.Reason = availability.NotBegun
		return false
	}
	share, _ := c.share.Float64()
	b.Coverage = &share
	b.Aged = left[0].From < m.engine.o.Raw.Kept()
	if c.share.Cmp(a.Limit()) >= 0 {
		return true
	}
	if b.Reason = availability.FewSamples; b.Aged {
		b.Reason = availability.AgedOut
	}
	return false
}

// nothing says of time without any samples why: nothing is measured so, or
// nobody can tell any longer.
func (m *measuring) nothing(left availability.Set, b *availability.Basis) {
	if left[0].From < m.engine.o.Raw.Kept() {
		b.Reason = availability.AgedOut
	}
}

// tree is every component that a service stands on, by way of services too,
// once each and in order.
func tree(c *availability.Catalogue, service string) []*availability.Component {
	seen := map[string]bool{}
	var walk func(name string)
	walk = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		s, ok := c.Service(name)
		if !ok {
			return
		}
		for _, needed := range s.Needs.Names() {
			walk(needed)
		}
	}
	walk(service)
	var out []*availability.Component
	for i := range c.Components {
		if seen[c.Components[i].Name] {
			out = append(out, &c.Components[i])
		}
	}
	slices.SortFunc(out, func(a, b *availability.Component) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// existing is the part of the set in which the component exists.
func existing(left availability.Set, c *availability.Component, a *availability.Agreement) availability.Set {
	return left.Within(c.From.In(a.Zone, math.MinInt64), c.Until.In(a.Zone, math.MaxInt64))
}

// latency is the quantile of how long checks took that were answered, in s,
// pooled over the components of the tree. A check covers the time until the
// next one, at most as long as its fact holds.
func (m *measuring) latency(ctx context.Context, a *availability.Agreement, i *availability.Indicator, left availability.Set) (*big.Rat, *availability.Basis, error) {
	b := &availability.Basis{Reason: availability.NoSource, Query: series.DurationName, Quantile: i.Quantile.RatString()}
	if m.engine.o.Raw == nil {
		return nil, b, nil
	}
	var values []float64
	var covered coverage
	for _, c := range tree(m.cat.Availability, a.Service) {
		exists := existing(left, c, a)
		if len(exists) == 0 {
			continue
		}
		longest := lasts(availability.Pace{Interval: c.Interval, Hold: c.Hold})
		for _, pace := range c.Paces {
			longest = max(longest, lasts(pace))
		}
		from, to := exists[0].From, exists[len(exists)-1].To
		var spans []availability.Span
		next, any := 0, false
		err := m.engine.o.Raw.Durations(ctx, c.Name, from-longest, to, func(d series.Duration) {
			any = true
			if d.First { // of the next observer, whose checks do not end what one of another covers
				next = 0
			}
			hold := lasts(c.PaceAt(d.At))
			if n := len(spans); n > 0 && !d.First && spans[n-1].From <= d.At && d.At <= spans[n-1].To {
				spans[n-1].To = d.At + hold
			} else {
				spans = append(spans, availability.Span{From: d.At, To: d.At + hold})
			}
			for next < len(exists) && exists[next].To <= d.At {
				next++
			}
			if next < len(exists) && exists[next].From <= d.At && d.Answered {
				values = append(values, d.Seconds)
			}
		})
		if err != nil {
			return nil, nil, err
		}
		if !any && !m.checked(c.Name) {
			continue // it is not checked: a host, or a series of somebody else's
		}
		b.Of = append(b.Of, c.Name)
		covered.of(c.Name, exists.Intersect(availability.NewSet(spans...)).Length(), exists.Length())
	}
	if len(b.Of) == 0 {
		m.nothing(left, b)
		return nil, b, nil
	}
	b.Samples = int64(len(values))
	if !m.enough(covered, a, left, b) {
		return nil, b, nil
	}
	if b.Reason = availability.NoValue; len(values) == 0 {
		return nil, b, nil
	}
	slices.Sort(values)
	b.Reason, b.Rank = availability.BySamples, nearestRank(i.Quantile, b.Samples)
	return exactly(values[b.Rank-1]), b, nil
}

// checked tells whether a check of the catalogue is about the component.
func (m *measuring) checked(component string) bool {
	return slices.ContainsFunc(m.cat.Checks, func(c catalogue.Check) bool { return c.Component == component })
}

// usualHold is how long a sample stands where nobody says how often one comes,
// in ms: as long as in PromQL.
const usualHold = 300_000

// lasts is how long a check's sample covers the time behind it, in ms.
func lasts(pace availability.Pace) int64 {
	if pace.Hold > 0 || pace.Interval > 0 {
		return pace.Lasts(0)
	}
	return usualHold
}

// capacity is the quantile of utilisation, used / limit, of the worst instance
// on the hosts and components of the tree, at each five minutes of the hour.
func (m *measuring) capacity(ctx context.Context, a *availability.Agreement, i *availability.Indicator, left availability.Set) (*big.Rat, *availability.Basis, error) {
	b := &availability.Basis{Reason: availability.NoSource, Quantile: i.Quantile.RatString()}
	r := resourceOf(m.cat, i.Resource)
	if r == nil || m.engine.o.Raw == nil {
		return nil, b, nil
	}
	b.Query = "(" + r.Used + ") / (" + r.Limit + ")"
	if len(instants(left)) == 0 {
		b.Reason = availability.NotBegun
		return nil, b, nil
	}
	found, err := m.utilisation(ctx, r, left)
	if err != nil {
		return nil, b, m.failed(err, b)
	}
	var covered coverage
	var worst *big.Rat
	for _, c := range tree(m.cat.Availability, a.Service) {
		exists := existing(left, c, a)
		grid := instants(exists)
		seen := map[int64]bool{}
		for _, u := range found {
			if !u.isOf(c.Name) {
				continue
			}
			values := make([]float64, 0, len(grid))
			for _, at := range grid {
				if v, ok := u.at[at]; ok {
					values = append(values, v)
					seen[at] = true
				}
			}
			if len(values) == 0 {
				continue
			}
			slices.Sort(values)
			n := int64(len(values))
			rank := nearestRank(i.Quantile, n)
			if v := steadily(values[rank-1]); worst == nil || v.Cmp(worst) > 0 {
				worst, b.Worst, b.Rank, b.Samples = v, u.name, rank, n
			}
		}
		if len(seen) > 0 {
			b.Of = append(b.Of, c.Name)
			covered.of(c.Name, int64(len(seen)), int64(len(grid)))
		}
	}
	if len(b.Of) == 0 {
		m.nothing(left, b)
		return nil, b, nil
	}
	if !m.enough(covered, a, left, b) {
		return nil, b, nil
	}
	b.Reason = availability.BySamples
	return worst, b, nil
}

func resourceOf(c *catalogue.Catalogue, name string) *capacity.Resource {
	all := Resources(c)
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

// isOf tells whether the instance is on the host or component: by its labels,
// or for what a foreign sender's job watches by the end of the component's name.
func (u *utilised) isOf(component string) bool {
	return u.component == component || u.instance == component || u.instance != "" && strings.HasSuffix(component, "/"+u.instance)
}
