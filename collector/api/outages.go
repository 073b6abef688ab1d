package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// OutageBody is one outage of a component, with its true ends.
type OutageBody struct {
	ID          int64      `json:"id"`
	Component   string     `json:"component"`
	From        time.Time  `json:"from"`
	To          *time.Time `json:"to" doc:"null while it lasts"`
	Ongoing     bool       `json:"ongoing"`
	Earliest    *time.Time `json:"earliest" doc:"the last fact before it that counts as up"`
	Bridged     bool       `json:"bridged" doc:"a gap without facts lies in it, down at both ends"`
	Observers   []string   `json:"observers"`
	DurationS   float64    `json:"duration_s" doc:"up to as_of while it lasts"`
	MergedInto  int64      `json:"merged_into,omitempty" doc:"the outage that took this one in"`
	WithdrawnAt *time.Time `json:"withdrawn_at,omitempty" doc:"later facts showed that it was none"`
}

func outageBody(o *ledger.Outage, asOf time.Time) OutageBody {
	at := asOf.UnixMilli()
	end := o.To
	ongoing := o.To == 0 || o.To > at
	if ongoing {
		end = at
	}
	b := OutageBody{ID: o.ID, Component: o.Component, From: time.UnixMilli(o.From).UTC(), Ongoing: ongoing, Earliest: instant(o.Earliest), Bridged: o.Bridged,
		Observers: append([]string{}, o.Observers...), DurationS: float64(end-o.From) / 1000, MergedInto: o.MergedInto, WithdrawnAt: instant(o.WithdrawnAt)}
	if !ongoing {
		b.To = instant(o.To)
	}
	return b
}

// OutagesBody lists outages, the newest first.
type OutagesBody struct {
	AsOf    time.Time    `json:"as_of"`
	Outages []OutageBody `json:"outages"`
}

// Outages answers with the outages of components that touch a span.
func (a *API) Outages(ctx context.Context, in *struct {
	AsOf
	Component string    `query:"component"`
	From      time.Time `query:"from" doc:"those that end after this"`
	To        time.Time `query:"to" doc:"those that begin before this"`
	Ongoing   bool      `query:"ongoing" doc:"only those that last"`
	Limit     int       `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}) (*struct{ Body OutagesBody }, error) {
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	f := ledger.OutageFilter{To: asOf.UnixMilli(), Limit: in.Limit}
	if in.Component != "" {
		f.Components = []string{in.Component}
	}
	if !in.From.IsZero() {
		f.From = in.From.UnixMilli()
	}
	if !in.To.IsZero() {
		f.To = min(f.To, in.To.UnixMilli())
	}
	found, err := a.o.Store.Outages(ctx, f)
	if err != nil {
		return nil, a.answer(err, "outages")
	}
	body := OutagesBody{AsOf: asOf, Outages: []OutageBody{}}
	for i := range found {
		if o := outageBody(&found[i], asOf); o.Ongoing || !in.Ongoing {
			body.Outages = append(body.Outages, o)
		}
	}
	return &struct{ Body OutagesBody }{body}, nil
}

// StreakBody is consecutive facts of one observer in one state.
type StreakBody struct {
	Observer string             `json:"observer"`
	State    availability.State `json:"state"`
	First    time.Time          `json:"first"`
	Last     time.Time          `json:"last"`
	Facts    int64              `json:"facts"`
}

// ReasonBody is why a check's state changed, in the agent's words.
type ReasonBody struct {
	At       time.Time `json:"at"`
	Observer string    `json:"observer"`
	To       string    `json:"to"`
	Reason   string    `json:"reason"`
}

// OutageDetail is an outage with its evidence.
type OutageDetail struct {
	OutageBody
	AsOf    time.Time    `json:"as_of"`
	Streaks []StreakBody `json:"streaks"`
	Reasons []ReasonBody `json:"reasons"`
}

// Outage answers with one outage and what was seen.
func (a *API) Outage(ctx context.Context, in *struct {
	AsOf
	ID int64 `path:"id"`
}) (*struct{ Body OutageDetail }, error) {
	what := fmt.Sprintf("outage %d", in.ID)
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	o, err := a.o.Store.Outage(ctx, in.ID)
	if err != nil {
		return nil, a.answer(err, what)
	}
	body := OutageDetail{OutageBody: outageBody(&o, asOf), AsOf: asOf, Streaks: []StreakBody{}, Reasons: []ReasonBody{}}
	end := o.To
	if end == 0 {
		end = asOf.UnixMilli()
	}
	streaks, err := a.o.Figures.Streaks(ctx, []string{o.Component}, o.From, end)
	if err != nil {
		return nil, a.answer(err, what)
	}
	for _, s := range streaks[o.Component] {
		body.Streaks = append(body.Streaks, StreakBody{s.Observer, s.State, time.UnixMilli(s.First).UTC(), time.UnixMilli(s.Last).UTC(), s.Count})
	}
	notes, err := a.o.Store.Notes(ctx, ledger.NoteFilter{Component: o.Component, Kind: "change", From: o.From - 600_000, To: end + 600_000})
	if err != nil {
		return nil, a.answer(err, what)
	}
	for i := len(notes) - 1; i >= 0; i-- {
		var n wire.Note
		if err := json.Unmarshal([]byte(notes[i].Body), &n); err != nil {
			return nil, a.answer(err, what)
		}
		if n.Change != nil {
			body.Reasons = append(body.Reasons, ReasonBody{time.UnixMilli(n.At).UTC(), notes[i].Instance, n.Change.To, n.Change.Reason})
		}
	}
	return &struct{ Body OutageDetail }{body}, nil
}
