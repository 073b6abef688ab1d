package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/plimsoll/plimsoll/collector/figures"
)

// series lists the series that match one of the selectors.
func (h *prometheus) series(r *http.Request) (promAnswer, error) {
	mint, maxt, err := h.spanParam(r)
	if err != nil {
		return promAnswer{}, err
	}
	limit, err := limitParam(r)
	if err != nil {
		return promAnswer{}, err
	}
	sets, err := h.matchersParam(r)
	if err != nil {
		return promAnswer{}, err
	}
	if len(sets) == 0 {
		return promAnswer{}, badData(errors.New("no match[] parameter provided"))
	}
	q, err := h.promql.Source().Querier(mint, maxt)
	if err != nil {
		return promAnswer{}, err
	}
	// The labels belong to the querier until they are written.
	a := promAnswer{release: func() { _ = q.Close() }} // nothing was written
	hints := &storage.SelectHints{Start: mint, End: maxt, Func: "series"}
	var selected []storage.SeriesSet
	for _, set := range sets {
		selected = append(selected, q.Select(r.Context(), true, hints, set...))
	}
	merged := storage.NewMergeSeriesSet(selected, 0, storage.ChainedSeriesMerge)
	var found []labels.Labels
	for merged.Next() {
		if err := r.Context().Err(); err != nil {
			return a, err
		}
		if limit > 0 && len(found) == limit {
			a.warnings = append(a.warnings, truncated)
			break
		}
		found = append(found, merged.At().Labels())
	}
	if err := merged.Err(); err != nil {
		return a, err
	}
	a.warnings = append(a.warnings, texts(merged.Warnings())...)
	a.data = func(w *promWriter) {
		w.list(len(found), func(i int) { w.labels(found[i]) })
	}
	return a, nil
}

// labels lists the names of labels.
func (h *prometheus) labels(r *http.Request) (promAnswer, error) {
	return h.union(r, func(ctx context.Context, q storage.Querier, set []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelNames(ctx, nil, set...)
	})
}

// labelValues lists the values of one label.
func (h *prometheus) labelValues(r *http.Request) (promAnswer, error) {
	name := r.PathValue("name")
	if strings.HasPrefix(name, "U__") {
		name = unescapeName(name)
	}
	if name == "" {
		return promAnswer{}, badData(fmt.Errorf("invalid label name: %q", name))
	}
	return h.union(r, func(ctx context.Context, q storage.Querier, set []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelValues(ctx, name, nil, set...)
	})
}

// union collects what ask gives for each selector, sorted and each once.
func (h *prometheus) union(r *http.Request, ask func(context.Context, storage.Querier, []*labels.Matcher) ([]string, annotations.Annotations, error)) (promAnswer, error) {
	mint, maxt, err := h.spanParam(r)
	if err != nil {
		return promAnswer{}, err
	}
	limit, err := limitParam(r)
	if err != nil {
		return promAnswer{}, err
	}
	sets, err := h.matchersParam(r)
	if err != nil {
		return promAnswer{}, err
	}
	if len(sets) == 0 {
		sets = [][]*labels.Matcher{nil}
	}
	q, err := h.promql.Source().Querier(mint, maxt)
	if err != nil {
		return promAnswer{}, err
	}
	a := promAnswer{release: func() { _ = q.Close() }} // nothing was written
	all := map[string]struct{}{}
	for _, set := range sets {
		found, warnings, err := ask(r.Context(), q, set)
		if err != nil {
			return a, err
		}
		a.warnings = append(a.warnings, texts(warnings)...)
		for _, s := range found {
			all[s] = struct{}{}
		}
	}
	names := slices.Sorted(maps.Keys(all))
	if limit > 0 && len(names) > limit {
		names = names[:limit]
		a.warnings = append(a.warnings, truncated)
	}
	a.data = func(w *promWriter) {
		w.list(len(names), func(i int) { w.string(names[i]) })
	}
	return a, nil
}

// metadata tells the type of each metric, by the conventions of its name.
func (h *prometheus) metadata(r *http.Request) (promAnswer, error) {
	limit, err := limitParam(r)
	if err != nil {
		return promAnswer{}, err
	}
	earliest, _ := unbounded()
	q, err := h.promql.Source().Querier(earliest.UnixMilli(), h.now().UnixMilli())
	if err != nil {
		return promAnswer{}, err
	}
	a := promAnswer{release: func() { _ = q.Close() }} // nothing was written
	var matchers []*labels.Matcher
	if name := r.FormValue("metric"); name != "" {
		matchers = append(matchers, labels.MustNewMatcher(labels.MatchEqual, nameLabel, name))
	}
	names, _, err := q.LabelValues(r.Context(), nameLabel, nil, matchers...)
	if err != nil {
		return a, err
	}
	slices.Sort(names)
	if limit > 0 && len(names) > limit {
		names = names[:limit]
	}
	help := figures.Metrics()
	a.data = func(w *promWriter) {
		w.text("{")
		for i, name := range names {
			if i > 0 {
				w.text(",")
			}
			w.string(name)
			w.text(`:[{"type":"` + metricType(name, help) + `","help":`)
			w.string(help[name])
			w.text(`,"unit":""}]`)
		}
		w.text("}")
	}
	return a, nil
}

// metricType follows the naming rules of Prometheus. Computed figures are
// gauges whatever their names: they begin anew each month.
func metricType(name string, computed map[string]string) string {
	switch {
	case computed[name] != "":
		return "gauge"
	case strings.HasSuffix(name, "_total"):
		return "counter"
	}
	return "gauge"
}

// unescapeName turns U__a_2e_b, the form of names that are not plain in an
// address, back into a.b. What is not such a form stays as it is.
func unescapeName(name string) string {
	var b strings.Builder
	rest := strings.TrimPrefix(name, "U__")
	for rest != "" {
		if rest[0] != '_' {
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		code, after, ok := strings.Cut(rest[1:], "_")
		var r rune
		switch {
		case !ok:
			return name
		case code == "":
			b.WriteByte('_')
		default:
			if n, err := fmt.Sscanf(code, "%x", &r); n != 1 || err != nil {
				return name
			}
			b.WriteRune(r)
		}
		rest = after
	}
	return b.String()
}

// texts of annotations, warnings and notes alike.
func texts(all annotations.Annotations) []string {
	var out []string
	for _, err := range all.AsErrors() {
		out = append(out, err.Error())
	}
	return out
}
