package damage

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// Queryable is source whose answers carry a warning for each range on the list
// that the stretch asked about touches. Series for which computed is true come
// from elsewhere and carry none.
func (l *List) Queryable(source storage.Queryable, computed func(name string) bool) storage.Queryable {
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		q, err := source.Querier(mint, maxt)
		if err != nil {
			return nil, err
		}
		return &querier{Querier: q, list: l, computed: computed, mint: mint, maxt: maxt}, nil
	})
}

type querier struct {
	storage.Querier
	list       *List
	computed   func(string) bool
	mint, maxt int64
}

// Select gives the series of the source, and warns.
func (q *querier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	set := q.Querier.Select(ctx, sorted, hints, matchers...)
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual && q.computed(m.Value) {
			return set
		}
	}
	from, to := q.mint, q.maxt
	if hints != nil {
		from, to = hints.Start, hints.End
	}
	touched := q.list.In(from, to+1, q.list.latest())
	if len(touched) == 0 {
		return set
	}
	return &warned{SeriesSet: set, ranges: touched}
}

// latest is when the last range was found.
func (l *List) latest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	latest := int64(0)
	for _, r := range l.ranges {
		latest = max(latest, r.Found)
	}
	return latest
}

// warned is a set of series of which some may be missing.
type warned struct {
	storage.SeriesSet
	ranges []Range
}

// Warnings are those of the source and one for each range.
func (w *warned) Warnings() annotations.Annotations {
	all := annotations.New().Merge(w.SeriesSet.Warnings())
	for _, r := range w.ranges {
		all.Add(fmt.Errorf("%w: samples between %s and %s may be missing: %s of the collector's %s was damaged (%s)", annotations.PromQLWarning,
			r.instant(r.From), r.instant(r.To), r.What, r.Store, r.Cause))
	}
	return all
}

func (r Range) instant(ms int64) string {
	if ms == 0 {
		return "the beginning"
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}
