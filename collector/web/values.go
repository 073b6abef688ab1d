package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/entered"
	"github.com/plimsoll/plimsoll/collector/words"
)

// valuesView is what people enter of one agreement and month.
type valuesView struct {
	Action, Wrong string
	Rows          []valueRow
}

// valueRow is an indicator that no machine measures, with its form.
type valueRow struct {
	Agreement, Indicator, Name, Label, Value, Comment string
	Missing                                           bool
	Entries                                           []notedRow
}

// valuesOf lists the indicators of a month that people enter; none where
// the page shows a past instant, or the month is not entered for.
func (s *Site) valuesOf(ctx context.Context, v *visit, f *availability.Figures, period string) (valuesView, error) {
	view := valuesView{Action: servicePath(f.Service) + "/values?" + url.Values{"period": {period}}.Encode()}
	if s.Values == nil || v.Explicit {
		return view, nil
	}
	for i := range f.Indicators {
		ind := &f.Indicators[i]
		if ind.Kind != availability.KindManual {
			continue
		}
		all, err := s.Values.Entries(ctx, f.Agreement, ind.Name, period)
		if err != nil {
			return view, err
		}
		row := valueRow{Agreement: f.Agreement, Indicator: ind.Name, Name: v.Name(ind.Name), Label: v.T("values.value", v.Month(period)), Missing: len(all) == 0}
		zone := zoneOf(f, v.Zone)
		for k := len(all) - 1; k >= 0; k-- {
			n := &all[k]
			text := n.Value
			if n.Comment != "" {
				text += " · " + n.Comment
			}
			row.Entries = append(row.Entries, notedRow{n.Seq, whenMS(n.At, zone), v.actor(n.By), text})
		}
		if v.Wrong != "" && v.PostFormValue("agreement") == f.Agreement && v.PostFormValue("indicator") == ind.Name {
			view.Wrong, row.Value, row.Comment = v.Wrong, v.PostFormValue("value"), v.PostFormValue("comment")
		}
		view.Rows = append(view.Rows, row)
	}
	return view, nil
}

// valueForm enters a value, or amends it.
func (s *Site) valueForm() form {
	return form{name: "service", nav: "overview", show: s.service, send: func(_ http.ResponseWriter, v *visit) (string, error) {
		name, period := v.PathValue("name"), v.Params.Get("period")
		if _, ok := s.Figures.Catalogue().Availability.Service(name); !ok || s.Values == nil {
			return "", notFound(v.T("kind.service", name))
		}
		agreement, indicator := v.PostFormValue("agreement"), v.PostFormValue("indicator")
		if !slices.ContainsFunc(s.Figures.Catalogue().Availability.Agreements, func(a availability.Agreement) bool { return a.Number == agreement && a.Service == name }) {
			return "", words.Refuse("refused.value.indicator", agreement, indicator)
		}
		_, err := s.Values.Enter(v.Context(), entered.Entry{Agreement: agreement, Indicator: indicator, Month: period,
			Value: v.PostFormValue("value"), Comment: v.PostFormValue("comment")}, v.Visitor)
		return servicePath(name) + "?" + url.Values{"period": {period}}.Encode() + "#values0", err
	}}
}
