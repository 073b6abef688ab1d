package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/internal/wire"
)

type outageView struct {
	Component, State, Sentence, Span string
	About                            []Pair
	Strip                            template.HTML
	Costs                            []costRow
	Reasons                          []reasonRow
	Streaks                          []streakRow
	FactsLink, APILink               string
	Say                              annotationView
	Adjust, Planned                  string // links to ask for a correction; empty: nobody can here
	Corrections                      []correctionRow
}

type costRow struct{ Service, Link, Month, Counted, Availability, Budget string }

type reasonRow struct {
	At                    When
	State, Text, Observer string
}

type streakRow struct {
	Observer, State string
	First, Last     When
	Count           int64
}

func (s *Site) outage(ctx context.Context, v *visit) (string, any, error) {
	id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err != nil {
		return "", nil, notFound(v.T("kind.outage", v.PathValue("id")))
	}
	o, err := s.Store.Outage(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) || err == nil && o.From > v.AsOf.UnixMilli() {
		return "", nil, notFound(v.T("kind.outage", v.PathValue("id")))
	}
	if err != nil {
		return "", nil, err
	}
	zone := v.Zone
	ongoing := o.To == 0 || o.To > v.AsOf.UnixMilli()
	end := o.To
	if ongoing {
		end = v.AsOf.UnixMilli()
	}
	// Around it: as much as it lasted, at least ten minutes and at most a day.
	margin := min(max(end-o.From, 600_000), 86_400_000)
	from, to := time.UnixMilli(o.From-margin), time.UnixMilli(min(end+margin, v.AsOf.UnixMilli()))
	timeline, err := s.Figures.ComponentTimeline(ctx, o.Component, from, to, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	view := outageView{Component: o.Component, State: availability.Down.String(), Strip: v.intervalStrip(v.T("outage.of", o.Component), timeline, zone),
		Span: v.T("range.span", words.Instant(from, zone), words.Instant(to, zone)), About: v.aboutOutage(&o, zone), APILink: fmt.Sprintf("/api/v1/outages/%d", o.ID)}
	began := words.Instant(time.UnixMilli(o.From), zone)
	length := v.Millis(end - o.From)
	if view.Sentence = v.T("outage.sentence.ongoing", began, v.Millis((end-o.From)/1000*1000)); !ongoing {
		view.State = "ended"
		view.Sentence = v.T("outage.sentence", began, words.Instant(time.UnixMilli(o.To), zone), length)
	}
	switch {
	case o.MergedInto != 0:
		view.Sentence = v.T("outage.merged", strconv.FormatInt(o.MergedInto, 10))
	case o.WithdrawnAt != 0:
		view.Sentence = v.T("outage.withdrawn", whenMS(o.WithdrawnAt, zone).Text)
	}
	if view.Costs, err = s.costs(ctx, v, &o, end); err != nil {
		return "", nil, err
	}
	if view.Reasons, view.Streaks, err = s.whatWasSeen(ctx, v, &o, from.UnixMilli(), to.UnixMilli()); err != nil {
		return "", nil, err
	}
	view.FactsLink = "/api/v1/facts.csv?" + url.Values{"component": {o.Component}, "from": {from.UTC().Format(time.RFC3339)}, "to": {to.UTC().Format(time.RFC3339Nano)}}.Encode()
	if err := s.saidOf(ctx, v, &o, &view); err != nil {
		return "", nil, err
	}
	return v.T("outage.of", o.Component), view, nil
}

func (v *visit) aboutOutage(o *ledger.Outage, zone *time.Location) []Pair {
	earliest, uncertainty, bridged := "", "", ""
	if o.Earliest != 0 {
		earliest = words.Instant(time.UnixMilli(o.Earliest), zone)
		uncertainty = v.Millis(o.From - o.Earliest)
	}
	if o.Bridged {
		bridged = v.T("outage.bridged")
	}
	return pairs(v.T("outage.id"), strconv.FormatInt(o.ID, 10), v.T("outage.earliest"), earliest, v.T("outage.uncertainty"), uncertainty,
		v.T("outage.observers"), strings.Join(o.Observers, ", "), v.T("facts.count"), bridged)
}

// costs tells, per agreement that counts the outage, its counted time and
// what the month of its start came to.
func (s *Site) costs(ctx context.Context, v *visit, o *ledger.Outage, end int64) ([]costRow, error) {
	var rows []costRow
	month := time.UnixMilli(o.From).In(v.Zone).Format("2006-01")
	all, err := s.monthFigures(ctx, "", month, v.AsOf)
	if err != nil {
		return nil, err
	}
	for i := range all {
		f := &all[i]
		counted := 0.0
		for _, so := range f.Outages {
			to := v.AsOf.UnixMilli()
			if so.To != nil {
				to = so.To.MS
			}
			for _, c := range so.Components {
				if c == o.Component && so.From.MS < end && to > o.From {
					counted += so.AgreedS
				}
			}
		}
		if counted == 0 {
			continue
		}
		row := costRow{Service: f.Service, Link: v.at(servicePath(f.Service) + "?period=" + month), Month: v.Month(month), Counted: v.Seconds(&counted),
			Availability: v.Ratio(f.Exact.Availability, 3), Budget: "–"}
		if f.BudgetS != nil {
			row.Budget = v.budget(*f.BudgetS)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// whatWasSeen lists reasons that agents gave, and each observer's streaks.
func (s *Site) whatWasSeen(ctx context.Context, v *visit, o *ledger.Outage, from, to int64) ([]reasonRow, []streakRow, error) {
	notes, err := s.Store.Notes(ctx, ledger.NoteFilter{Component: o.Component, Kind: "change", From: from, To: to + 1})
	if err != nil {
		return nil, nil, err
	}
	var reasons []reasonRow
	for i := len(notes) - 1; i >= 0; i-- { // oldest first
		var n wire.Note
		if err := json.Unmarshal([]byte(notes[i].Body), &n); err != nil {
			return nil, nil, fmt.Errorf("read a note of %s: %w", notes[i].Instance, err)
		}
		if n.Change != nil && n.At <= v.AsOf.UnixMilli() {
			reasons = append(reasons, reasonRow{whenMS(n.At, v.Zone), n.Change.To, n.Change.Reason, notes[i].Instance})
		}
	}
	streaks, err := s.Figures.Streaks(ctx, []string{o.Component}, from, to)
	if err != nil {
		return nil, nil, err
	}
	var rows []streakRow
	for _, k := range streaks[o.Component] {
		if k.First < v.AsOf.UnixMilli() && k.Last >= from && k.First <= to {
			rows = append(rows, streakRow{k.Observer, k.State.String(), whenMS(k.First, v.Zone), whenMS(k.Last, v.Zone), k.Count})
		}
	}
	return reasons, rows, nil
}
