package web

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/forecast"
)

// serviceOutlook is what to expect of a service, and its failure impact analysis.
type serviceOutlook struct {
	Forecasts []Pair
	Foretold  []foretoldRow
	Scores    []Pair
	Single    string // single points of failure
	Impacts   []impactRow
}

// foretoldRow is a forecast that was kept, and what came.
type foretoldRow struct {
	Month, Range, Middle, PMet string
	Came                       string
	Verdict                    *verdict
	Inside, Score, Naive       string
	Brier, NaiveBrier          string
	Made                       When
	Late                       bool
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
	for i := range o.Foretold {
		view.Foretold = append(view.Foretold, v.foretold(&o.Foretold[i]))
	}
	view.Scores = v.scores(o.Foretold)
	var single []string
	for _, i := range o.Impacts {
		row := impactRow{Component: i.Component, Effect: i.Effect, Text: v.T("impact.none"), Importance: strconv.FormatFloat(i.Birnbaum, 'f', 3, 64), Down: v.Seconds(&i.DownS)}
		switch i.Effect {
		case availability.Stops:
			row.Text = v.T("impact.stops")
			single = append(single, i.Component)
		case availability.Redundant:
			row.Text = v.T("impact.redundant")
		case availability.Backup:
			row.Text = v.T("impact.backup", v.Seconds(&i.DelayS))
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

// foretold is one kept forecast beside what came. Scores are told as time of
// the month, which a reader can picture: a share of what is known of it.
func (v *visit) foretold(f *figures.Foretold) foretoldRow {
	row := foretoldRow{Month: v.Month(f.Month), Range: v.T("prospect.between", v.Percent(&f.Forecast.P05, 3), v.Percent(&f.Forecast.P95, 3)),
		Middle: v.Percent(&f.Forecast.P50, 3), Made: whenMS(f.MadeAt, f.From.Zone), Late: f.Late()}
	if f.Forecast.PMet != nil {
		row.PMet = v.Percent(f.Forecast.PMet, 1)
	}
	c := f.Came
	if c == nil {
		return row
	}
	row.Came = v.Percent(c.Availability, 3)
	if c.State != "" {
		row.Verdict = &verdict{c.State, v.Verdict(c.State, true)}
	}
	if c.Score == nil {
		return row
	}
	row.Inside = v.T("prospect.outside")
	if c.Score.Inside {
		row.Inside = v.T("prospect.inside")
	}
	row.Score, row.Brier, row.NaiveBrier = v.ofMonth(&c.Score.Interval, c.KnownS), brier(c.Score.Brier), brier(c.Score.NaiveBrier)
	row.Naive = v.ofMonth(c.Score.NaiveInterval, c.KnownS)
	return row
}

// ofMonth is a share of so many seconds, as time.
func (v *visit) ofMonth(share *float64, seconds float64) string {
	if share == nil {
		return v.Seconds(nil)
	}
	s := math.Round(*share * seconds)
	return v.Seconds(&s)
}

func brier(b *float64) string {
	if b == nil {
		return "–"
	}
	return strconv.FormatFloat(*b, 'f', 3, 64)
}

// scores says how the forecasts did on the whole, beside the naive one: of the
// interval scores, the mean of the times that stand at the months.
func (v *visit) scores(kept []figures.Foretold) []Pair {
	s := figures.Scores(kept)
	if s.Months == 0 {
		return nil
	}
	all := pairs(v.T("prospect.held"), v.T("prospect.held.of", strconv.Itoa(s.Inside), strconv.Itoa(s.Months)))
	if s.Compared > 0 {
		ours, naive := 0.0, 0.0
		for i := range kept {
			if c := kept[i].Came; c != nil && c.Score != nil && c.Score.NaiveInterval != nil {
				ours += c.Score.Interval * c.KnownS
				naive += *c.Score.NaiveInterval * c.KnownS
			}
		}
		months := float64(s.Compared)
		ours, naive = math.Round(ours/months), math.Round(naive/months)
		all = append(all, Pair{v.T("prospect.interval"), v.T("prospect.beside", v.Seconds(&ours), v.Seconds(&naive))})
	}
	if s.ComparedBrier > 0 {
		all = append(all, Pair{v.T("prospect.brier"), v.T("prospect.beside", brier(s.Brier), brier(s.NaiveBrier))})
	}
	return all
}
