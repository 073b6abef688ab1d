package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/forecast"
)

// OutlookBody is what to expect of a service and where it is weak.
type OutlookBody struct {
	AsOf         time.Time             `json:"as_of"`
	Agreement    *string               `json:"agreement" doc:"in force at as_of; null: none, then there is no forecast"`
	Version      int                   `json:"version"`
	Month        string                `json:"month"`
	ThisMonth    *forecast.Forecast    `json:"this_month" doc:"of the whole running month, what has happened included; null: nothing to go by"`
	PBreach      *float64              `json:"p_breach" doc:"probability that the running month misses its target"`
	NextMonth    *forecast.Forecast    `json:"next_month"`
	Forecasts    []ForecastBody        `json:"forecasts" doc:"kept when each month began and never changed since, the newest first"`
	Scores       forecast.Summary      `json:"scores" doc:"of those whose month is over, beside a naive forecast"`
	Impacts      []availability.Impact `json:"impacts" doc:"each component set down alone: X the service stops, A redundancy is used up"`
	SinglePoints []string              `json:"single_points" doc:"components whose failure alone stops the service"`
}

// ForecastBody is a forecast that was kept, and what came.
type ForecastBody struct {
	Month     string               `json:"month"`
	Agreement string               `json:"agreement"`
	Version   int                  `json:"version"`
	From      availability.Instant `json:"from" doc:"the forecast was made of facts before this instant alone"`
	To        availability.Instant `json:"to"`
	MadeAt    time.Time            `json:"made_at"`
	Late      bool                 `json:"made_late" doc:"made when its month was over already"`
	Forecast  forecast.Forecast    `json:"forecast"`
	Naive     forecast.Naive       `json:"naive"`
	Came      *CameBody            `json:"came" doc:"null: the month is not over, or its agreement is gone"`
}

// CameBody is how a forecast month came out, as known at as_of.
type CameBody struct {
	Availability *float64        `json:"availability"`
	State        string          `json:"state" doc:"of the availability indicator"`
	KnownS       float64         `json:"known_s"`
	Score        *forecast.Score `json:"score" doc:"null: no value, or insufficient data"`
}

func forecastBodies(all []figures.Foretold) []ForecastBody {
	out := make([]ForecastBody, len(all))
	for i := range all {
		f := &all[i]
		out[i] = ForecastBody{Month: f.Month, Agreement: f.Agreement, Version: f.Version, From: f.From, To: f.To, MadeAt: time.UnixMilli(f.MadeAt).UTC(), Late: f.Late(), Forecast: f.Forecast, Naive: f.Naive}
		if c := f.Came; c != nil {
			out[i].Came = &CameBody{c.Availability, c.State, c.KnownS, c.Score}
		}
	}
	return out
}

// Outlook answers with the forecast and failure impact analysis of a service.
func (a *API) Outlook(ctx context.Context, in *struct {
	AsOf
	Name string `path:"name"`
}) (*struct{ Body OutlookBody }, error) {
	if _, ok := a.o.Figures.Catalogue().Availability.Service(in.Name); !ok {
		return nil, huma.Error404NotFound("there is no service " + in.Name)
	}
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	o, ok, err := a.o.Figures.Outlook(ctx, in.Name, asOf)
	if err != nil {
		return nil, a.answer(err, "service "+in.Name)
	}
	body := OutlookBody{AsOf: asOf, Version: o.Version, Month: o.Month, ThisMonth: o.Rest, NextMonth: o.Next, Impacts: append([]availability.Impact{}, o.Impacts...), SinglePoints: []string{},
		Forecasts: forecastBodies(o.Foretold), Scores: figures.Scores(o.Foretold)}
	if ok {
		body.Agreement = &o.Agreement
	}
	if o.Rest != nil && o.Rest.PMet != nil {
		p := 1 - *o.Rest.PMet
		body.PBreach = &p
	}
	for _, i := range o.Impacts {
		if i.Effect == availability.Stops {
			body.SinglePoints = append(body.SinglePoints, i.Component)
		}
	}
	return &struct{ Body OutlookBody }{body}, nil
}
