package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/correction"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/words"
)

type correctionsView struct{ Waiting, Decided []correctionRow }

type correctionRow struct {
	Link, No, State, Names, Effect, Reason, Requester, Decider string
	From, To                                                   When
	Shifts                                                     []shiftRow
}

// shiftRow is a figure before and after.
type shiftRow struct{ Service, Period, Before, After, DownBefore, DownAfter, Agreement string }

func (v *visit) shifts(all []figures.Shift) []shiftRow {
	var rows []shiftRow
	for i := range all {
		f := &all[i]
		rows = append(rows, shiftRow{f.Service, v.Month(time.UnixMilli(f.From.MS).In(v.zoneOf(f)).Format("2006-01")), v.Ratio(f.Before.Ratio(), 3), v.Ratio(f.After.Ratio(), 3),
			v.Seconds(&f.Before.DownS), v.Seconds(&f.After.DownS), fmt.Sprintf("%s v%d", f.Agreement, f.Version)})
	}
	return rows
}

func (v *visit) zoneOf(f *figures.Shift) *time.Location {
	if f.From.Zone != nil {
		return f.From.Zone
	}
	return v.Zone
}

func (v *visit) correctionRow(a *correction.Adjustment) correctionRow {
	shifts := a.Decided
	if len(shifts) == 0 {
		shifts = a.Asked
	}
	return correctionRow{v.at("/corrections/" + a.No), a.No, v.T("correction.state." + string(a.State)), namesOf(a.Services, a.Components), v.T("effect." + a.Effect), a.Reason, v.actor(a.Requester), v.actor(a.Decider),
		whenMS(a.From, v.Zone), whenMS(a.To, v.Zone), v.shifts(shifts)}
}

func (s *Site) corrections(ctx context.Context, v *visit) (string, any, error) {
	if s.Corrections == nil {
		return "", nil, notFound(v.T("corrections"))
	}
	all, err := s.Corrections.Adjustments(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	var view correctionsView
	for i := range all {
		if all[i].State == correction.Requested {
			view.Waiting = append(view.Waiting, v.correctionRow(&all[i]))
		} else {
			view.Decided = append(view.Decided, v.correctionRow(&all[i]))
		}
	}
	return v.T("corrections"), view, nil
}

type adjustView struct {
	Wrong, Outage, OutageLink, Names, Reason, Evidence string
	Zone, From, To                                     string
	Planned                                            bool
	Services, Components, Effects                      []option
	Shifts                                             []shiftRow
	None                                               bool // no agreement is touched
	Checked                                            bool
}

const localSeconds = "2006-01-02T15:04:05"

// readAsk takes a request out of a form's values. What it says of an outage is
// filled in where nothing else is given.
func (s *Site) readAsk(ctx context.Context, v *visit, q url.Values) (correction.Ask, error) {
	a := correction.Ask{Services: q["service"], Components: q["component"], Effect: q.Get("effect"), Reason: q.Get("reason"), Evidence: q.Get("evidence")}
	if id, err := strconv.ParseInt(q.Get("outage"), 10, 64); err == nil && id != 0 {
		o, err := s.Store.Outage(ctx, id)
		if err != nil {
			return a, v.missing(err, "kind.outage", q.Get("outage"))
		}
		a.Outage, a.From, a.To = id, o.From, o.To
		if o.To == 0 {
			a.To = s.Now().UnixMilli()
		}
		if len(a.Services)+len(a.Components) == 0 {
			a.Components = []string{o.Component}
		}
		if q.Get("why") == "planned" && a.Reason == "" {
			a.Reason = v.T("adjust.planned.reason")
		}
		if q.Get("why") == "planned" && a.Evidence == "" {
			a.Evidence = v.T("adjust.planned.evidence", strconv.FormatInt(id, 10), strings.Join(o.Observers, ", "))
		}
	}
	for _, part := range []struct {
		key string
		ms  *int64
	}{{"from", &a.From}, {"to", &a.To}} {
		text := q.Get(part.key)
		if text == "" {
			continue
		}
		t, err := parseLocal(text, v.Zone)
		if err != nil {
			return a, words.Refuse("refused.window.times")
		}
		if t.Format(localSeconds) != time.UnixMilli(*part.ms).In(v.Zone).Format(localSeconds) { // else as exact as the outage is
			*part.ms = t.UnixMilli()
		}
	}
	if a.From == 0 && a.To == 0 {
		return a, words.Refuse("refused.window.times")
	}
	return a, nil
}

// parseLocal reads what a browser sends for a date and time.
func parseLocal(text string, zone *time.Location) (t time.Time, err error) {
	if t, err = time.ParseInLocation(localSeconds, text, zone); err != nil {
		t, err = time.ParseInLocation(localForm, text, zone)
	}
	return t, err
}

func (s *Site) adjust(ctx context.Context, v *visit) (string, any, error) {
	if s.Corrections == nil {
		return "", nil, notFound(v.T("corrections"))
	}
	q := v.Params
	if v.PostForm != nil {
		q = v.PostForm
	}
	view := adjustView{Wrong: v.Wrong, Planned: q.Get("why") == "planned", Zone: words.Zone(v.AsOf.In(v.Zone))}
	title := v.T("adjust")
	if view.Planned {
		title = v.T("adjust.planned")
	}
	var refusal *words.Refusal
	a, err := s.readAsk(ctx, v, q)
	if err == nil {
		var shifts []figures.Shift
		if shifts, err = s.Corrections.WhatIf(ctx, a); err == nil {
			view.Shifts, view.None, view.Checked = v.shifts(shifts), len(shifts) == 0, true
		}
	}
	switch {
	case errors.As(err, &refusal):
		if view.Wrong == "" && (q.Has("outage") || q.Has("from")) {
			view.Wrong = refusal.In(v.Book)
		}
	case err != nil:
		return title, nil, err
	}
	if a.Outage != 0 {
		view.Outage, view.OutageLink = strconv.FormatInt(a.Outage, 10), fmt.Sprintf("/outages/%d", a.Outage)
	}
	view.Names, view.Reason, view.Evidence = namesOf(a.Services, a.Components), a.Reason, a.Evidence
	if a.From != 0 {
		view.From = time.UnixMilli(a.From).In(v.Zone).Format(localSeconds)
	}
	if a.To != 0 {
		view.To = time.UnixMilli(a.To).In(v.Zone).Format(localSeconds)
	}
	c := s.Figures.Catalogue().Availability
	for _, each := range c.Services {
		view.Services = append(view.Services, option{each.Name, each.Name, slices.Contains(a.Services, each.Name)})
	}
	for _, each := range c.Components {
		view.Components = append(view.Components, option{each.Name, each.Name, slices.Contains(a.Components, each.Name)})
	}
	for _, e := range []string{"exclude", "up", "down"} {
		view.Effects = append(view.Effects, option{e, v.T("effect." + e), a.Effect == e})
	}
	return title, view, nil
}

func (s *Site) adjustForm() form {
	return form{name: "adjust", nav: "corrections", show: s.adjust, send: func(_ http.ResponseWriter, v *visit) (string, error) {
		if s.Corrections == nil {
			return "", notFound(v.T("corrections"))
		}
		ask, err := s.readAsk(v.Context(), v, v.PostForm)
		if err != nil {
			return "", err
		}
		a, err := s.Corrections.Request(v.Context(), ask, v.Visitor)
		return "/corrections/" + a.No, err
	}}
}

type correctionView struct {
	Wrong, No, State, Reason, Evidence string
	OutageLink                         string
	About                              []Pair
	Asked, Decided, Now                []shiftRow
	Decide                             bool
	Missing                            string
	History                            []historyLine
}

func (s *Site) correction(ctx context.Context, v *visit) (string, any, error) {
	if s.Corrections == nil {
		return "", nil, notFound(v.T("corrections"))
	}
	h, err := s.Corrections.Adjustment(ctx, v.PathValue("no"))
	if err != nil {
		return "", nil, v.missing(err, "kind.correction", v.PathValue("no"))
	}
	a := &h.Adjustment
	view := correctionView{Wrong: v.Wrong, No: a.No, State: v.T("correction.state." + string(a.State)), Reason: a.Reason, Evidence: a.Evidence, Asked: v.shifts(a.Asked), Decided: v.shifts(a.Decided)}
	if a.Outage != 0 {
		view.OutageLink = fmt.Sprintf("/outages/%d", a.Outage)
	}
	view.About = pairs(v.T("effect"), v.T("effect."+a.Effect), v.T("services"), strings.Join(a.Services, ", "), v.T("components"), strings.Join(a.Components, ", "),
		v.T("from"), whenMS(a.From, v.Zone).Text, v.T("to"), whenMS(a.To, v.Zone).Text, v.T("requester"), v.actor(a.Requester), v.T("approver"), v.actor(a.Decider), v.T("comment"), a.Comment)
	if a.State == correction.Requested {
		view.Decide, view.Missing = v.mayDecide(a.Requester)
		shifts, err := s.Corrections.WhatIf(ctx, a.Ask)
		var refusal *words.Refusal
		switch {
		case errors.As(err, &refusal):
			view.Missing = refusal.In(v.Book)
		case err != nil:
			return "", nil, err
		default:
			if now := v.shifts(shifts); !slices.Equal(now, view.Asked) {
				view.Now = now
			}
		}
	}
	view.History = v.steps(h.Versions)
	return a.No, view, nil
}

func (s *Site) decideForm() form {
	return form{name: "correction", nav: "corrections", show: s.correction, send: func(_ http.ResponseWriter, v *visit) (string, error) {
		if s.Corrections == nil {
			return "", notFound(v.T("corrections"))
		}
		return decide(v, "/corrections/", "kind.correction", s.Corrections.Approve, s.Corrections.Refuse)
	}}
}

// annotationView is what people know of an outage, and the form to say more.
type annotationView struct {
	Wrong                              string
	Action                             string // of the form; empty: there is none
	Newest                             []Pair
	Older                              []notedRow
	By                                 string
	At                                 When
	Cause, Supplier, Incident, Comment string
	Categories                         []option
}

type notedRow struct {
	Seq  int64
	At   When
	By   string
	Text string
}

// saidOf fills in what people said and corrected about an outage.
func (s *Site) saidOf(ctx context.Context, v *visit, o *ledger.Outage, view *outageView) error {
	if s.Corrections == nil {
		return nil
	}
	id := strconv.FormatInt(o.ID, 10)
	noted, err := s.Corrections.Annotations(ctx, o.ID)
	if err != nil {
		return err
	}
	noted = slices.DeleteFunc(noted, func(n correction.Noted) bool { return n.At > v.AsOf.UnixMilli() })
	say := annotationView{Wrong: v.Wrong, Action: "/outages/" + id + "/annotations"}
	var newest correction.Annotation
	for i := len(noted) - 1; i >= 0; i-- {
		n := &noted[i]
		if i == len(noted)-1 {
			newest = n.Annotation
			say.Newest, say.By, say.At = v.annotation(&n.Annotation), v.actor(n.By), whenMS(n.At, v.Zone)
			continue
		}
		var texts []string
		for _, p := range v.annotation(&n.Annotation) {
			texts = append(texts, p.Label+": "+p.Text)
		}
		say.Older = append(say.Older, notedRow{n.Seq, whenMS(n.At, v.Zone), v.actor(n.By), strings.Join(texts, " · ")})
	}
	if v.Wrong != "" {
		newest = correction.Annotation{Cause: v.PostFormValue("cause"), Category: v.PostFormValue("category"), Supplier: v.PostFormValue("supplier"), Incident: v.PostFormValue("incident"), Comment: v.PostFormValue("comment")}
	}
	say.Cause, say.Supplier, say.Incident, say.Comment = newest.Cause, newest.Supplier, newest.Incident, newest.Comment
	for _, each := range append([]string{""}, correction.Categories()...) {
		say.Categories = append(say.Categories, option{each, v.category(each), each == newest.Category})
	}
	view.Say = say
	if o.MergedInto == 0 && o.WithdrawnAt == 0 {
		view.Adjust, view.Planned = "/corrections/new?outage="+id, "/corrections/new?outage="+id+"&why=planned"
	}
	all, err := s.Corrections.Adjustments(ctx, v.AsOf)
	for i := range all {
		if all[i].Outage == o.ID {
			view.Corrections = append(view.Corrections, v.correctionRow(&all[i]))
		}
	}
	return err
}

func (v *visit) category(name string) string {
	if name == "" {
		return "–"
	}
	return v.T("category." + name)
}

func (v *visit) annotation(a *correction.Annotation) []Pair {
	category := ""
	if a.Category != "" {
		category = v.category(a.Category)
	}
	return pairs(v.T("annotation.cause"), a.Cause, v.T("annotation.category"), category, v.T("annotation.supplier"), a.Supplier, v.T("annotation.incident"), a.Incident, v.T("comment"), a.Comment)
}

func (s *Site) annotateForm() form {
	return form{name: "outage", nav: "overview", show: s.outage, send: func(_ http.ResponseWriter, v *visit) (string, error) {
		id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
		if err != nil || s.Corrections == nil {
			return "", notFound(v.T("kind.outage", v.PathValue("id")))
		}
		err = s.Corrections.Annotate(v.Context(), correction.Annotation{Outage: id, Cause: v.PostFormValue("cause"), Category: v.PostFormValue("category"),
			Supplier: v.PostFormValue("supplier"), Incident: v.PostFormValue("incident"), Comment: v.PostFormValue("comment")}, v.Visitor)
		return fmt.Sprintf("/outages/%d#say", id), v.missing(err, "kind.outage", v.PathValue("id"))
	}}
}
