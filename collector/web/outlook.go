package web

import (
	"context"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/forecast"
)

// serviceOutlook is what to expect of a service, and its failure impact analysis.
type serviceOutlook struct {
	Forecasts []Pair
	Single    string // single points of failure
	Impacts   []impactRow
}

type impactRow struct{ Component, Effect, Text, Importance, Down string }

func (s *Site) outlook(ctx context.Context, v *visit, service string) (*serviceOutlook, error) {
	o, ok, err := s.Figures.Outlook(ctx, service, v.AsOf)
	if err != nil || !ok {
		return nil, err
	}
	view := &serviceOutlook{Forecasts: pairs(v.T("prospect.rest"), v.forecast(o.Rest), v.T("prospect.next"), v.forecast(o.Next))}
	if len(view.Forecasts) == 0 {
		view.Forecasts = pairs(v.T("prospect.next"), v.T("prospect.young"))
	}
	var single []string
	for _, i := range o.Impacts {
		row := impactRow{Component: i.Component, Effect: i.Effect, Text: v.T("impact.none"), Importance: strconv.FormatFloat(i.Birnbaum, 'f', 3, 64), Down: v.Seconds(&i.DownS)}
		switch i.Effect {
		case availability.Stops:
			row.Text = v.T("impact.stops")
			single = append(single, i.Component)
		case availability.Redundant:
			row.Text = v.T("impact.redundant")
		}
		view.Impacts = append(view.Impacts, row)
	}
	view.Single = v.T("impact.single", strings.Join(single, ", "))
	if len(single) == 0 {
		view.Single = v.T("impact.single.none")
	}
	return view, nil
}

// forecast prints a range with its middle, and the chance to keep the target.
func (v *visit) forecast(f *forecast.Forecast) string {
	if f == nil {
		return ""
	}
	text := v.T("prospect.range", v.Percent(&f.P05, 3), v.Percent(&f.P50, 3), v.Percent(&f.P95, 3))
	if f.PMet != nil {
		text += " " + v.T("prospect.met", v.Percent(f.PMet, 1))
	}
	return text
}
