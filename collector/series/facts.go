package series

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
)

// The series whose samples are facts, and the labels that name what a fact is about.
const (
	nameLabel      = "__name__"
	upName         = "up"
	checkStateName = "plimsoll_check_state"
	probeName      = "probe_success" // of foreign senders alone
	jobLabel       = "job"
	componentLabel = "component"
	observerLabel  = "instance"
	factsWindow    = time.Hour // of facts that Facts holds in memory at a time
	degradedFrom   = 0.25      // values below are down
	upFrom         = 0.75      // values from here are up
	factsWindowMs  = int64(factsWindow / time.Millisecond)
)

// StateOf is the state a sample of a fact stands for: 1 up, 0.5 degraded,
// 0 down, and what lies nearest in between.
func StateOf(v float64) availability.State {
	switch {
	case v != v:
		return availability.Unknown
	case v >= upFrom:
		return availability.Up
	case v >= degradedFrom:
		return availability.Degraded
	}
	return availability.Down
}

// Facts gives the raw facts with from <= time < to (Unix ms) in order of time,
// then component, then observer, as far as the store keeps raw samples. It
// ends with the first error of each.
func (s *Store) Facts(ctx context.Context, from, to int64, each func(availability.Fact) error) error {
	oldest, youngest := s.extent()
	from, to = max(from, oldest), min(to, youngest+1)
	for start := from; start < to; {
		end := min(to, (start/factsWindowMs+1)*factsWindowMs)
		facts, err := s.facts(ctx, start, end-1, func(name string) []*labels.Matcher {
			return []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, nameLabel, name)}
		})
		if err != nil {
			return err
		}
		slices.SortStableFunc(facts, func(a, b availability.Fact) int { return cmp.Compare(a.At, b.At) })
		for _, f := range facts {
			if err := each(f); err != nil {
				return err
			}
		}
		start = end
	}
	return nil
}

// FactsBetween gives the raw facts of one observer and component with from <=
// time <= to (Unix ms), in order, as far as the store keeps raw samples.
func (s *Store) FactsBetween(ctx context.Context, component, observer string, from, to int64) ([]availability.Fact, error) {
	return s.facts(ctx, from, to, func(name string) []*labels.Matcher {
		ms := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, nameLabel, name)}
		switch {
		case name == checkStateName:
			return append(ms, labels.MustNewMatcher(labels.MatchEqual, observerLabel, observer),
				labels.MustNewMatcher(labels.MatchEqual, componentLabel, component))
		case name == upName && component == observer:
			return append(ms, labels.MustNewMatcher(labels.MatchEqual, observerLabel, observer))
		case (name == probeName) != strings.HasPrefix(component, batch.ProbePrefix):
			return nil
		}
		return append(ms, labels.MustNewMatcher(labels.MatchEqual, batch.SenderLabel, observer),
			labels.MustNewMatcher(labels.MatchRegexp, observerLabel, ends(component)))
	}, component)
}

// ends matches every text that component may end with behind a slash: its
// instance, where nobody knows how many slashes are in the job.
func ends(component string) string {
	var parts []string
	for i := range len(component) {
		if i == 0 || component[i-1] == '/' {
			parts = append(parts, regexp.QuoteMeta(component[i:]))
		}
	}
	return strings.Join(parts, "|")
}

// facts reads the facts from mint to maxt, both inclusive, of the series that
// match and are about the component, if one is named, sorted as
// availability.SortFacts does.
func (s *Store) facts(ctx context.Context, mint, maxt int64, match func(name string) []*labels.Matcher, only ...string) (facts []availability.Fact, err error) {
	q, err := s.Querier(mint, maxt)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	for _, name := range [...]string{upName, checkStateName, probeName} {
		ms := match(name)
		if ms == nil {
			continue
		}
		set := q.Select(ctx, false, &storage.SelectHints{Start: mint, End: maxt}, ms...)
		var it chunkenc.Iterator
		for set.Next() {
			it = set.At().Iterator(it)
			f := identify(set.At().Labels(), name)
			if f.Component == "" || len(only) > 0 && !slices.Contains(only, f.Component) {
				continue
			}
			for it.Next() == chunkenc.ValFloat {
				t, v := it.At()
				if value.IsStaleNaN(v) || t < mint || t > maxt {
					continue
				}
				if f.State = StateOf(v); f.State != availability.Unknown {
					f.At, f.Received = t, t
					facts = append(facts, f)
				}
			}
			if err := it.Err(); err != nil {
				return nil, fmt.Errorf("read facts: %w", err)
			}
		}
		if err := set.Err(); err != nil {
			return nil, fmt.Errorf("read facts: %w", err)
		}
	}
	return availability.SortFacts(facts), nil
}

// identify gives the fact's component and observer by the labels of its series.
func identify(l labels.Labels, name string) availability.Fact {
	observer := l.Get(observerLabel)
	if sender := l.Get(batch.SenderLabel); sender != "" {
		_, component := batch.ForeignFact(name, l)
		return availability.Fact{Component: component, Observer: sender, Hold: batch.ForeignHold.Milliseconds()}
	}
	if name == probeName {
		return availability.Fact{} // of an agent's check, whose fact is its state
	}
	if name == upName {
		return availability.Fact{Component: observer, Observer: observer}
	}
	return availability.Fact{Component: l.Get(componentLabel), Observer: observer}
}

// extent is the time of the oldest and of the youngest sample, Unix ms; the
// youngest lies before the oldest when there is none.
func (s *Store) extent() (oldest, youngest int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	oldest, youngest = everything, nothing
	if s.db == nil {
		return oldest, youngest
	}
	for _, b := range s.db.BlockMetas() {
		oldest, youngest = min(oldest, b.MinTime), max(youngest, b.MaxTime)
	}
	if h := s.db.Head(); h.MinTime() <= h.MaxTime() {
		oldest, youngest = min(oldest, h.MinTime(), h.MinOOOTime()), max(youngest, h.MaxTime(), h.MaxOOOTime())
	}
	return oldest, min(youngest, everything-1)
}
