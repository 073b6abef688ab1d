package series

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
)

// DurationName is the metric of how long a check took, in s.
const DurationName = "probe_duration_seconds"

// Duration is how long one check took.
type Duration struct {
	At       int64 // Unix ms
	Seconds  float64
	Answered bool // the check found the component up or degraded
	First    bool // it is the first of another series
}

// Durations visits how long the checks of a component took, from <= time < to
// (Unix ms), series by series and there in order of time, as far as raw
// samples are kept. A check whose result is not known was not answered.
func (s *Store) Durations(ctx context.Context, component string, from, to int64, each func(Duration)) (err error) {
	q, err := s.Querier(from, to-1)
	if err != nil {
		return fmt.Errorf("read how long checks took: %w", err)
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	result, match := checkStateName, []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, componentLabel, component), labels.MustNewMatcher(labels.MatchEqual, batch.SenderLabel, "")}
	if strings.HasPrefix(component, batch.ProbePrefix) {
		result, match = probeName, []*labels.Matcher{labels.MustNewMatcher(labels.MatchNotEqual, batch.SenderLabel, ""), labels.MustNewMatcher(labels.MatchRegexp, observerLabel, ends(component))}
	}
	results, err := read(ctx, q, result, match, from, to)
	if err != nil {
		return fmt.Errorf("read the results of checks of %s: %w", component, err)
	}
	took, err := read(ctx, q, DurationName, match, from, to)
	if err != nil {
		return fmt.Errorf("read how long checks of %s took: %w", component, err)
	}
	for _, d := range took {
		if result == probeName && identify(d.labels, probeName).Component != component {
			continue
		}
		var told []point
		for i := range results {
			if labels.Equal(bare(results[i].labels), bare(d.labels)) {
				told = results[i].points
			}
		}
		for k, p := range d.points {
			for len(told) > 0 && told[0].t < p.t {
				told = told[1:]
			}
			state := availability.Unknown
			if len(told) > 0 && told[0].t == p.t {
				state = StateOf(told[0].v)
			}
			each(Duration{p.t, p.v, state == availability.Up || state == availability.Degraded, k == 0})
		}
	}
	return nil
}

// bare are the labels without the metric's name.
func bare(l labels.Labels) labels.Labels { return labels.NewBuilder(l).Del(nameLabel).Labels() }

type point struct {
	t int64
	v float64
}

type pointsOf struct {
	labels labels.Labels
	points []point
}

// read takes the samples of a metric in [from, to), by series in their order.
func read(ctx context.Context, q storage.Querier, name string, match []*labels.Matcher, from, to int64) ([]pointsOf, error) {
	match = append([]*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, nameLabel, name)}, match...)
	set := q.Select(ctx, true, &storage.SelectHints{Start: from, End: to - 1}, match...)
	var out []pointsOf
	var it chunkenc.Iterator
	for set.Next() {
		it = set.At().Iterator(it)
		of := pointsOf{labels: set.At().Labels()}
		for it.Next() == chunkenc.ValFloat {
			if t, v := it.At(); from <= t && t < to && !value.IsStaleNaN(v) && !math.IsNaN(v) {
				of.points = append(of.points, point{t, v})
			}
		}
		if err := it.Err(); err != nil {
			return nil, err
		}
		out = append(out, of)
	}
	return out, set.Err()
}
