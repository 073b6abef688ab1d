package figures

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/series"
)

// utilised is the utilisation of one instance at instants of the grid.
type utilised struct {
	name, instance, component string
	at                        map[int64]float64 // by Unix ms
}

// grid is how far apart utilisation is looked at, in ms: whole multiples of it
// since 1970. A value counts at the first instant at or after its sample.
const (
	grid  = 300_000
	dayMS = 86_400_000
)

// instants are those of the grid in the set.
func instants(s availability.Set) []int64 {
	var out []int64
	for _, span := range s {
		for t := (span.From + grid - 1) / grid * grid; t < span.To; t += grid {
			out = append(out, t)
		}
	}
	return out
}

// days remembers what resources were used of days that are over. The zero
// value is ready to use.
type days struct {
	mu    sync.Mutex
	known map[dayKey]daySeen
	size  int // values
}

type dayKey struct {
	used, limit string
	day         int64
}

type daySeen struct {
	made time.Time
	all  map[string]*utilised
}

// lateFor is how long what is remembered of a day stands before late samples
// are looked for; maxUtilised bounds the values remembered.
const (
	lateFor     = 10 * time.Minute
	maxUtilised = 1_000_000
)

// utilisation is that of all instances at the instants of the set, by name.
func (m *measuring) utilisation(ctx context.Context, r *capacity.Resource, left availability.Set) ([]*utilised, error) {
	all := map[string]*utilised{}
	first, last := left[0].From/dayMS, (left[len(left)-1].To-1)/dayMS
	for day := first; day <= last; day++ {
		part := left.Within(day*dayMS, (day+1)*dayMS)
		if len(instants(part)) == 0 {
			continue
		}
		found, err := m.engine.usedOn(ctx, r, day, m.asOf, m.fresh)
		if err != nil {
			return nil, err
		}
		for name, u := range found {
			if all[name] == nil {
				all[name] = &utilised{u.name, u.instance, u.component, map[int64]float64{}}
			}
			for at, v := range u.at {
				all[name].at[at] = v
			}
		}
	}
	out := make([]*utilised, 0, len(all))
	for _, u := range all {
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b *utilised) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// usedOn is the utilisation of a day of UTC, up to as_of.
func (e *Engine) usedOn(ctx context.Context, r *capacity.Resource, day, asOf int64, fresh bool) (map[string]*utilised, error) {
	from, to := day*dayMS, min((day+1)*dayMS, asOf)-1
	key, whole, now := dayKey{r.Used, r.Limit, day}, (day+1)*dayMS <= asOf, e.o.Now()
	e.used.mu.Lock()
	seen, ok := e.used.known[key]
	e.used.mu.Unlock()
	if ok && whole && !fresh && now.Sub(seen.made) < lateFor && !now.Before(seen.made) {
		return seen.all, nil
	}
	step := grid * time.Millisecond
	used, err := e.o.Raw.RangeWithin(ctx, r.Used, time.UnixMilli(from), time.UnixMilli(to), step, step)
	if err != nil {
		return nil, err
	}
	limits, err := e.o.Raw.RangeWithin(ctx, r.Limit, time.UnixMilli(from), time.UnixMilli(to), step, step)
	if err != nil {
		return nil, err
	}
	all := shares(r, used, limits)
	if whole {
		e.used.keep(key, daySeen{now, all})
	}
	return all, nil
}

func (d *days) keep(key dayKey, seen daySeen) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.size > maxUtilised || d.known == nil {
		d.known, d.size = map[dayKey]daySeen{}, 0
	}
	for _, u := range seen.all {
		d.size += len(u.at)
	}
	d.known[key] = seen
}

// shares divides what is used by what there is, instance by instance. Of two
// series of one instance, such as a mount over a mount, the larger value holds.
func shares(r *capacity.Resource, used, limits []series.Line) map[string]*utilised {
	limit := map[string]map[int64]float64{}
	for i := range limits {
		id := identityOf(r, limits[i].Labels)
		if limit[id] == nil {
			limit[id] = map[int64]float64{}
		}
		for _, p := range limits[i].Points {
			if v, ok := limit[id][p.T]; !ok || p.V > v {
				limit[id][p.T] = p.V
			}
		}
	}
	all := map[string]*utilised{}
	for i := range used {
		l := used[i].Labels
		id := identityOf(r, l)
		u := all[id]
		if u == nil {
			u = &utilised{name: strings.ReplaceAll(id, "\x00", " "), instance: l.Get("instance"), component: l.Get("component"), at: map[int64]float64{}}
		}
		for _, p := range used[i].Points {
			share := p.V / limit[id][p.T]
			if known, ok := u.at[p.T]; limit[id][p.T] > 0 && !math.IsNaN(share) && !math.IsInf(share, 0) && (!ok || share > known) {
				u.at[p.T] = share
			}
		}
		if len(u.at) > 0 {
			all[id] = u
		}
	}
	return all
}

func identityOf(r *capacity.Resource, l labels.Labels) string {
	parts := make([]string, 0, len(r.Per))
	for _, label := range r.Per {
		parts = append(parts, l.Get(label))
	}
	return strings.Join(parts, "\x00")
}
