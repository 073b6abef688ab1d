package series

import (
	"context"
	"errors"
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// Of several facts of one series for one instant the first received stands, of
// those received together the worse. The fold says so, and the store has to
// hold the same: the fold asks it where a late fact takes a streak apart, and
// who computes a figure again starts from its samples. The TSDB alone would
// keep either of two that differ, one in order and one out of order.
//
//	in the open transaction   claims
//	in order                  the TSDB refuses a second value itself
//	out of order              what it holds is looked up before

// place is where a fact belongs. The series is told by its labels: those of a
// host that was let in anew are decoded into another batch.Series.
type place struct {
	series labels.Labels // one string: comparable
	t      int64
}

// claim is the fact that stands at a place, among those of the open transaction.
type claim struct {
	pos journal.Position
	v   float64
}

// errHeld says that a sample is left out: another stands for its instant.
type errHeld struct{ changed bool }

func (errHeld) Error() string { return "another sample stands for that instant" }

// follow takes the selectors of the catalogue in force.
func (w *writer) follow() {
	if w.store.opts.Catalogue == nil {
		return
	}
	if now := w.store.opts.Catalogue(); now != w.catalogue {
		w.catalogue, w.selectors = now, SelectorsOf(now)
	}
}

// claim notes the facts of b that stand as far as the open transaction tells:
// those that are facts by themselves, and those the catalogue selects.
func (w *writer) claim(b *batch.Batch) {
	for i := range b.Facts {
		w.note(b.Pos, &b.Facts[i])
	}
	w.follow()
	if w.selectors == nil {
		return
	}
	for i := range b.Samples {
		sm := &b.Samples[i]
		if w.found = w.selectors.Of(sm.Series.Labels, w.found[:0]); len(w.found) > 0 {
			w.note(b.Pos, sm)
		}
	}
}

func (w *writer) note(pos journal.Position, f *batch.Sample) {
	p := place{f.Series.Labels, f.T}
	held, ok := w.claims[p]
	// A mark that the series has ended is no number: any fact is before it.
	if !ok || held.pos == pos && (f.V < held.v || math.IsNaN(held.v)) {
		w.claims[p] = claim{pos, f.V}
	}
}

// same tells whether two samples are the same, marks that a series has ended too.
func same(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// append appends a sample: a fact only if it stands; errHeld if not.
func (w *writer) append(pos journal.Position, known storage.SeriesRef, sm *batch.Sample) (storage.SeriesRef, error) {
	var held claim
	isFact := sm.Series.Fact != batch.FactNone || w.selectors != nil
	if isFact {
		held, isFact = w.claims[place{sm.Series.Labels, sm.T}]
	}
	if !isFact {
		return w.app.Append(known, sm.Series.Labels, sm.T, sm.V)
	}
	if held.pos != pos || !same(held.v, sm.V) {
		return 0, errHeld{changed: !same(held.v, sm.V)}
	}
	w.app.SetOptions(&storage.AppendOptions{DiscardOutOfOrder: true})
	ref, err := w.app.Append(known, sm.Series.Labels, sm.T, sm.V)
	w.app.SetOptions(&storage.AppendOptions{})
	if !errors.Is(err, storage.ErrOutOfOrderSample) {
		return ref, err
	}
	// A block that cannot be read holds nothing against it: it is found and
	// told where it is verified.
	if v, ok, err := w.store.held(sm.Series.Labels, sm.T); err == nil && ok {
		return 0, errHeld{changed: !same(v, sm.V)}
	}
	return w.app.Append(known, sm.Series.Labels, sm.T, sm.V)
}

// held is the committed sample of a series at an instant, Unix ms.
func (s *Store) held(of labels.Labels, at int64) (v float64, ok bool, err error) {
	q, err := s.Querier(at, at)
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	var all []*labels.Matcher
	of.Range(func(l labels.Label) { all = append(all, labels.MustNewMatcher(labels.MatchEqual, l.Name, l.Value)) })
	set := q.Select(context.Background(), false, &storage.SelectHints{Start: at, End: at}, all...)
	for set.Next() {
		if !labels.Equal(set.At().Labels(), of) { // it has more labels
			continue
		}
		it := set.At().Iterator(nil)
		for it.Next() == chunkenc.ValFloat {
			if t, value := it.At(); t == at {
				v, ok = value, true
			}
		}
		if err := it.Err(); err != nil {
			return 0, false, err
		}
	}
	return v, ok, set.Err()
}
