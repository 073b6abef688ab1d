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

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/maintenance"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

type maintenanceView struct {
	Waiting, Changes []changeRow
	Ahead            []windowRow
	Calendars        []navLink
}

type changeRow struct {
	Link, No, Title, Type, State, Names, Rule, Requester string
	From, To                                             When
}

type windowRow struct {
	Link, No, Title, Names string
	From, To               When
	Now                    bool
}

// ahead is how far windows are listed.
const ahead = 60 * 24 * time.Hour

func zoneOfChange(c *maintenance.Change) *time.Location {
	if zone, err := time.LoadLocation(c.Zone); err == nil {
		return zone
	}
	return time.UTC
}

func namesOf(services, components []string) string {
	return strings.Join(slices.Concat(services, components), ", ")
}

func (v *visit) changeRow(c *maintenance.Change) changeRow {
	zone := zoneOfChange(c)
	return changeRow{Link: v.at("/maintenance/" + c.No), No: c.No, Title: c.Title, Type: v.T("change.type." + string(c.Type)), State: v.T("change.state." + string(c.State)),
		Names: namesOf(c.Services, c.Components), Rule: c.Rule, Requester: v.actor(c.Requester), From: whenMS(c.From, zone), To: whenMS(c.To, zone)}
}

func (s *Site) maintenance(ctx context.Context, v *visit) (string, any, error) {
	if s.Work == nil {
		return "", nil, notFound(v.T("maintenance"))
	}
	changes, err := s.Work.Changes(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	var view maintenanceView
	now := v.AsOf.UnixMilli()
	for i := range changes {
		c := &changes[i]
		if c.State == maintenance.New {
			view.Waiting = append(view.Waiting, v.changeRow(c))
		} else {
			view.Changes = append(view.Changes, v.changeRow(c))
		}
		if c.State != maintenance.Scheduled {
			continue
		}
		windows, err := c.Windows()
		if err != nil {
			return "", nil, err
		}
		for _, w := range windows {
			if w.To > now && w.From < now+ahead.Milliseconds() {
				view.Ahead = append(view.Ahead, windowRow{v.at("/maintenance/" + c.No), c.No, c.Title, namesOf(c.Services, c.Components), whenMS(w.From, zoneOfChange(c)), whenMS(w.To, zoneOfChange(c)), w.From <= now})
			}
		}
	}
	slices.SortStableFunc(view.Ahead, func(a, b windowRow) int { return strings.Compare(a.From.ISO, b.From.ISO) })
	for _, customer := range customers(s.Figures.Catalogue().Availability) {
		text := customer
		if text == "" {
			text = v.T("maintenance.calendar.all")
		}
		view.Calendars = append(view.Calendars, navLink{Link: "/api/v1/maintenance.ics?" + url.Values{"customer": {customer}}.Encode(), Text: text})
	}
	return v.T("maintenance"), view, nil
}

// planView is the form, and what will become of what stands in it.
type planView struct {
	Wrong                                      string
	Title, Reason, Zone, From, To, Until, Rule string
	Services, Components                       []option
	Repeats                                    []option
	Outlook                                    *outlookView
	Hidden                                     []Pair // the plan that was looked at, to be saved
	At                                         string
}

type option struct {
	Value, Text string
	Chosen      bool
}

type outlookView struct {
	Lead    string
	Fine    bool
	None    bool
	Windows string
	Sights  []sightRow
	More    string // windows that were not looked at
}

type sightRow struct {
	Service, Agreement, Verdict, Class string
	From, To                           When
	Text                               []string
}

const localForm = "2006-01-02T15:04"

// repeats are the rules the form offers; other is one's own.
func repeats() []string { return []string{"once", "week", "month_day", "month_date", "other"} }

// readPlan takes the plan out of a form's values.
func (s *Site) readPlan(q url.Values) (maintenance.Plan, error) {
	p := maintenance.Plan{Title: q.Get("title"), Reason: q.Get("reason"), Services: q["service"], Components: q["component"], Zone: q.Get("zone")}
	if p.Zone == "" {
		p.Zone = api.PlanZone(s.Figures.Catalogue().Availability, slices.Concat(p.Services, p.Components))
	}
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return p, words.Refuse("refused.zone", p.Zone)
	}
	from, err1 := time.ParseInLocation(localForm, q.Get("from"), zone)
	to, err2 := time.ParseInLocation(localForm, q.Get("to"), zone)
	if err1 != nil || err2 != nil {
		return p, words.Refuse("refused.window.times")
	}
	p.From, p.To = from.UnixMilli(), to.UnixMilli()
	if p.Rule, err = ruleOf(q, from); err != nil {
		return p, err
	}
	return p, nil
}

// ruleOf writes the rule that the form's choice stands for.
func ruleOf(q url.Values, from time.Time) (string, error) {
	day := strings.ToUpper(from.Weekday().String()[:2])
	rule := ""
	switch q.Get("repeat") {
	case "", "once":
		return "", nil
	case "week":
		rule = "FREQ=WEEKLY;BYDAY=" + day
	case "month_day":
		rule = fmt.Sprintf("FREQ=MONTHLY;BYDAY=%d%s", (from.Day()+6)/7, day)
	case "month_date":
		rule = fmt.Sprintf("FREQ=MONTHLY;BYMONTHDAY=%d", from.Day())
	default:
		return q.Get("rule"), nil
	}
	until, err := time.Parse(time.DateOnly, q.Get("until"))
	if err != nil {
		return "", words.Refuse("refused.rule.endless")
	}
	return rule + ";UNTIL=" + until.Format("20060102"), nil
}

func (s *Site) plan(ctx context.Context, v *visit) (string, any, error) {
	if s.Work == nil {
		return "", nil, notFound(v.T("maintenance"))
	}
	q := v.Params
	if v.PostForm != nil {
		q = v.PostForm
	}
	c := s.Figures.Catalogue().Availability
	view := planView{Wrong: v.Wrong, Title: q.Get("title"), Reason: q.Get("reason"), Zone: q.Get("zone"), From: q.Get("from"), To: q.Get("to"), Until: q.Get("until"), Rule: q.Get("rule")}
	for _, each := range c.Services {
		view.Services = append(view.Services, option{each.Name, each.Name, slices.Contains(q["service"], each.Name)})
	}
	for _, each := range c.Components {
		view.Components = append(view.Components, option{each.Name, each.Name, slices.Contains(q["component"], each.Name)})
	}
	for _, r := range repeats() {
		view.Repeats = append(view.Repeats, option{r, v.T("repeat." + r), r == q.Get("repeat")})
	}
	if view.Zone == "" {
		view.Zone = api.PlanZone(c, serviceNames(view.Services))
	}
	if !q.Has("check") || view.Wrong != "" {
		return v.T("maintenance.plan"), view, nil
	}
	p, err := s.readPlan(q)
	if err == nil {
		var o maintenance.Outlook
		if o, err = s.Work.Foresee(ctx, p); err == nil {
			view.Outlook = v.outlook(&o)
			for _, key := range []string{"title", "reason", "zone", "from", "to", "repeat", "until", "rule", "service", "component"} {
				for _, value := range q[key] {
					view.Hidden = append(view.Hidden, Pair{key, value})
				}
			}
			view.At = words.Instant(o.At, zoneOfChange(&maintenance.Change{Plan: p}))
		}
	}
	var refusal *words.Refusal
	if errors.As(err, &refusal) {
		view.Wrong, err = refusal.In(v.Book), nil
	}
	return v.T("maintenance.plan"), view, err
}

func serviceNames(options []option) []string {
	names := make([]string, len(options))
	for i, o := range options {
		names[i] = o.Value
	}
	return names
}

// outlook says what will become of planned work.
func (v *visit) outlook(o *maintenance.Outlook) *outlookView {
	view := &outlookView{Fine: o.Fine(), None: len(o.Sights) == 0, Windows: v.T("maintenance.windows", strconv.Itoa(len(o.Windows)))}
	late := false
	judged := map[availabilitySpan]bool{}
	for i := range o.Sights {
		sight := &o.Sights[i]
		zone := sight.Agreement.Zone
		late = late || sight.Verdict == maintenance.TooLate
		judged[availabilitySpan{sight.Window.From, sight.Window.To}] = true
		class := "below_target"
		switch sight.Verdict {
		case maintenance.Counts:
			class = "met"
		case maintenance.Outside:
			class = "not_applicable"
		case maintenance.TooLate, maintenance.NoCap:
			class = "unacceptable"
		}
		view.Sights = append(view.Sights, sightRow{sight.Service, fmt.Sprintf("%s v%d", sight.Agreement.Number, sight.Agreement.Version), v.T("sight.verdict." + string(sight.Verdict)), class,
			whenMS(sight.Window.From, zone), whenMS(sight.Window.To, zone), sight.Sentences(v.Book, o.At)})
	}
	if n := len(o.Windows) - len(judged); n > 0 && len(judged) > 0 {
		view.More = v.T("maintenance.more", strconv.Itoa(n))
	}
	switch {
	case view.None:
		view.Lead = v.T("outlook.none")
	case view.Fine:
		view.Lead = v.T("outlook.fine")
	case late:
		view.Lead = v.T("outlook.late")
	default:
		view.Lead = v.T("outlook.part")
	}
	return view
}

type availabilitySpan struct{ from, to int64 }

func (s *Site) planForm() form {
	return form{name: "plan", nav: "maintenance", show: s.plan, send: func(_ http.ResponseWriter, v *visit) (string, error) {
		if s.Work == nil {
			return "", notFound(v.T("maintenance"))
		}
		p, err := s.readPlan(v.PostForm)
		if err != nil {
			return "", err
		}
		c, _, err := s.Work.Plan(v.Context(), p, v.Visitor)
		return "/maintenance/" + c.No, err
	}}
}

type changeView struct {
	Wrong, No, Title, State, Type, Reason string
	About                                 []Pair
	Outlook                               *outlookView
	Windows                               []windowRow
	More                                  string
	Decide, Cancel                        bool
	Missing                               string // what is missing for this visitor to decide
	History                               []historyLine
}

// listed is how many windows of one change a page shows.
const listed = 24

func (s *Site) change(ctx context.Context, v *visit) (string, any, error) {
	if s.Work == nil {
		return "", nil, notFound(v.T("maintenance"))
	}
	h, err := s.Work.Change(ctx, v.PathValue("no"))
	if errors.Is(err, ledger.ErrNotFound) {
		return "", nil, notFound(v.T("kind.change", v.PathValue("no")))
	}
	if err != nil {
		return "", nil, err
	}
	c := &h.Change
	zone := zoneOfChange(c)
	view := changeView{Wrong: v.Wrong, No: c.No, Title: c.Title, State: v.T("change.state." + string(c.State)), Type: v.T("change.type." + string(c.Type)), Reason: c.Reason}
	view.About = pairs(v.T("change.type"), view.Type, v.T("services"), strings.Join(c.Services, ", "), v.T("components"), strings.Join(c.Components, ", "), v.T("zone"), c.Zone,
		v.T("change.rule"), c.Rule, v.T("requester"), v.actor(c.Requester), v.T("approver"), v.actor(c.Approver), v.T("change.cancelled.by"), v.actor(c.CancelledBy), v.T("comment"), c.Comment)
	windows, err := c.Windows()
	if err != nil {
		return "", nil, err
	}
	for i, w := range windows {
		if i == listed {
			view.More = v.T("maintenance.more", strconv.Itoa(len(windows)-listed))
			break
		}
		view.Windows = append(view.Windows, windowRow{From: whenMS(w.From, zone), To: whenMS(w.To, zone), Now: w.From <= v.AsOf.UnixMilli() && v.AsOf.UnixMilli() < w.To})
	}
	if c.State == maintenance.New {
		o, err := s.Work.Foresee(ctx, c.Plan)
		var refusal *words.Refusal
		switch {
		case errors.As(err, &refusal):
			view.Outlook = &outlookView{Lead: refusal.In(v.Book)}
		case err != nil:
			return "", nil, err
		default:
			view.Outlook = v.outlook(&o)
		}
		view.Decide, view.Missing = v.mayDecide(c.Requester)
	}
	view.Cancel = c.State == maintenance.New || c.State == maintenance.Scheduled && windows[len(windows)-1].To > v.AsOf.UnixMilli()
	view.History = v.steps(h.Versions)
	return c.No, view, nil
}

// mayDecide tells whether the visitor may approve, and else what is missing.
func (v *visit) mayDecide(asker string) (bool, string) {
	err := people.FourEyes(asker, v.Visitor)
	var refusal *words.Refusal
	if errors.As(err, &refusal) {
		return false, refusal.In(v.Book)
	}
	return err == nil, ""
}

// steps is the history of a paper.
func (v *visit) steps(versions []ledger.Paper) []historyLine {
	var out []historyLine
	for _, p := range versions {
		out = append(out, historyLine{At: whenMS(p.At, v.Zone), What: v.Or("step."+p.Action, p.Action), By: v.actor(p.By)})
	}
	return out
}

func (s *Site) decideChangeForm() form {
	return form{name: "change", nav: "maintenance", show: s.change, send: func(_ http.ResponseWriter, v *visit) (string, error) {
		if s.Work == nil {
			return "", notFound(v.T("maintenance"))
		}
		return decide(v, "/maintenance/", "kind.change", s.Work.Approve, s.Work.Reject)
	}}
}

func (s *Site) cancelChangeForm() form {
	return form{name: "change", nav: "maintenance", show: s.change, send: func(_ http.ResponseWriter, v *visit) (string, error) {
		if s.Work == nil {
			return "", notFound(v.T("maintenance"))
		}
		no := v.PathValue("no")
		_, err := s.Work.Cancel(v.Context(), no, v.PostFormValue("comment"), v.Visitor)
		return "/maintenance/" + url.PathEscape(no), v.missing(err, "kind.change", no)
	}}
}

// missing is err, or that there is no such thing.
func (v *visit) missing(err error, kind, no string) error {
	if errors.Is(err, ledger.ErrNotFound) {
		return notFound(v.T(kind, no))
	}
	return err
}
