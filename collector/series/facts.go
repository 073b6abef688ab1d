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
	ask := s.selections(func(*availability.Component) bool { return true })
	for _, name := range [...]string{upName, checkStateName, probeName} {
		ask = append(ask, question{name: name, match: []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, nameLabel, name)}})
	}
	for start := from; start < to; {
		end := min(to, (start/factsWindowMs+1)*factsWindowMs)
		facts, err := s.facts(ctx, start, end-1, ask)
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
	facts, err := s.facts(ctx, from, to, append(s.selections(func(c *availability.Component) bool { return c.Name == component }), questionsAbout(component, observer)...))
	return slices.DeleteFunc(facts, func(f availability.Fact) bool { return f.Component != component || f.Observer != observer }), err
}

// question is one that the facts of some series answer.
type question struct {
	name     string // of the metric that makes them facts; empty: the component selects them
	match    []*labels.Matcher
	selected *availability.Component
}

// selections ask for what the catalogue's components select.
func (s *Store) selections(of func(*availability.Component) bool) (ask []question) {
	if s.opts.Catalogue == nil {
		return nil
	}
	all := s.opts.Catalogue().Components
	for i := range all {
		if c := &all[i]; c.Series != nil && of(c) {
			ask = append(ask, question{match: matchers(c.Series), selected: c})
		}
	}
	return ask
}

// questionsAbout ask for what an observer said about a component by itself.
func questionsAbout(component, observer string) []question {
	equal := func(name, value string) *labels.Matcher { return labels.MustNewMatcher(labels.MatchEqual, name, value) }
	ask := []question{{name: checkStateName, match: []*labels.Matcher{equal(nameLabel, checkStateName), equal(observerLabel, observer), equal(componentLabel, component)}}}
	if component == observer {
		ask = append(ask, question{name: upName, match: []*labels.Matcher{equal(nameLabel, upName), equal(observerLabel, observer)}})
	}
	name := upName
	if strings.HasPrefix(component, batch.ProbePrefix) {
		name = probeName
	} else if component == observer {
		return ask
	}
	return append(ask, question{name: name, match: []*labels.Matcher{equal(nameLabel, name), equal(batch.SenderLabel, observer),
		labels.MustNewMatcher(labels.MatchRegexp, observerLabel, ends(component))}})
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

// facts reads the facts from mint to maxt, both inclusive, that answer the
// questions, sorted as availability.SortFacts does.
func (s *Store) facts(ctx context.Context, mint, maxt int64, ask []question) (facts []availability.Fact, err error) {
	q, err := s.Querier(mint, maxt)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	var it chunkenc.Iterator
	for i := range ask {
		set := q.Select(ctx, false, &storage.SelectHints{Start: mint, End: maxt}, ask[i].match...)
		for set.Next() {
			it = set.At().Iterator(it)
			f, state := ask[i].identify(set.At().Labels())
			if f.Component == "" {
				continue
			}
			for it.Next() == chunkenc.ValFloat {
				t, v := it.At()
				if value.IsStaleNaN(v) || t < mint || t > maxt {
					continue
				}
				if f.State = state(v); f.State != availability.Unknown {
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

// identify gives the fact that a series answers with, and how its samples are read.
func (a *question) identify(l labels.Labels) (availability.Fact, func(float64) availability.State) {
	if a.selected == nil {
		return identify(l, a.name), StateOf
	}
	is := selected(a.selected, l)
	return availability.Fact{Component: is.Component, Observer: is.Observer, Hold: is.Hold}, SelectedState
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
