package api

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/maintenance"
	"github.com/plimsoll/plimsoll/collector/people"
)

// Work plans and approves work (collector/maintenance).
type Work interface {
	Foresee(ctx context.Context, p maintenance.Plan) (maintenance.Outlook, error)
	Plan(ctx context.Context, p maintenance.Plan, v people.Visitor) (maintenance.Change, maintenance.Outlook, error)
	Approve(ctx context.Context, no, comment string, v people.Visitor) (maintenance.Change, error)
	Reject(ctx context.Context, no, comment string, v people.Visitor) (maintenance.Change, error)
	Cancel(ctx context.Context, no, comment string, v people.Visitor) (maintenance.Change, error)
	Change(ctx context.Context, no string) (maintenance.History, error)
	Changes(ctx context.Context, at time.Time) ([]maintenance.Change, error)
	Windows(ctx context.Context) ([]availability.Window, error)
}

// PlanBody is the work that is asked for.
type PlanBody struct {
	Title      string    `json:"title" doc:"what is done, on one line, at most 160 bytes"`
	Reason     string    `json:"reason,omitempty" doc:"why"`
	Services   []string  `json:"services,omitempty" doc:"all time of their windows is planned, down or not"`
	Components []string  `json:"components,omitempty" doc:"only what their work takes a service down is planned"`
	Zone       string    `json:"zone,omitempty" doc:"IANA; the rule is read in it; default: of the first agreement touched, else UTC"`
	From       time.Time `json:"from" doc:"of the first window"`
	To         time.Time `json:"to" doc:"its end, excluded"`
	Rule       string    `json:"rule,omitempty" doc:"RRULE of RFC 5545, as FREQ=MONTHLY;BYDAY=2SA;UNTIL=20271231; empty: once"`
	Preview    bool      `json:"preview,omitempty" doc:"only tell what would become of it; nothing is saved"`
}

// plan is the body as the desk takes it.
func (b *PlanBody) plan(c *availability.Catalogue) maintenance.Plan {
	p := maintenance.Plan{Title: b.Title, Reason: b.Reason, Services: b.Services, Components: b.Components, Zone: b.Zone, From: b.From.UnixMilli(), To: b.To.UnixMilli(), Rule: b.Rule}
	if p.Zone == "" {
		p.Zone = PlanZone(c, slices.Concat(p.Services, p.Components))
	}
	return p
}

// PlanZone is the zone work on the names is planned in: of the first agreement
// about one of them, else UTC.
func PlanZone(c *availability.Catalogue, names []string) string {
	for i := range c.Agreements {
		if c.Touches(c.Agreements[i].Service, names) {
			return c.Agreements[i].Zone.String()
		}
	}
	return time.UTC.String()
}

// ChangeBody is a change.
type ChangeBody struct {
	No          string     `json:"no"`
	Title       string     `json:"title"`
	Reason      string     `json:"reason"`
	Type        string     `json:"type" doc:"normal, standard (recurs) or emergency (planned too late for the notice)"`
	State       string     `json:"state" doc:"new, scheduled, rejected or cancelled"`
	Services    []string   `json:"services"`
	Components  []string   `json:"components"`
	Zone        string     `json:"zone"`
	From        time.Time  `json:"from"`
	To          time.Time  `json:"to"`
	Rule        string     `json:"rule"`
	Requester   string     `json:"requester"`
	RequestedAt *time.Time `json:"requested_at"`
	Approver    string     `json:"approver" doc:"who approved or rejected it"`
	ApprovedAt  *time.Time `json:"approved_at"`
	RejectedAt  *time.Time `json:"rejected_at"`
	CancelledBy string     `json:"cancelled_by"`
	CancelledAt *time.Time `json:"cancelled_at"`
	Comment     string     `json:"comment"`
}

func changeBody(c *maintenance.Change) ChangeBody {
	return ChangeBody{No: c.No, Title: c.Title, Reason: c.Reason, Type: string(c.Type), State: string(c.State), Services: append([]string{}, c.Services...),
		Components: append([]string{}, c.Components...), Zone: c.Zone, From: time.UnixMilli(c.From).UTC(), To: time.UnixMilli(c.To).UTC(), Rule: c.Rule,
		Requester: c.Requester, RequestedAt: instant(c.RequestedAt), Approver: c.Approver, ApprovedAt: instant(c.ApprovedAt), RejectedAt: instant(c.RejectedAt),
		CancelledBy: c.CancelledBy, CancelledAt: instant(c.CancelledAt), Comment: c.Comment}
}

// SightBody is what one agreement makes of one window.
type SightBody struct {
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Service   string    `json:"service"`
	Agreement string    `json:"agreement"`
	Version   int       `json:"version"`
	Verdict   string    `json:"verdict" doc:"counts, counts_in_part, too_late, no_cap_left, outside_agreed_time or counts_as_measured"`
	Text      []string  `json:"text" doc:"why, in English"`
	ApproveBy time.Time `json:"approve_by" doc:"last instant of an approval that keeps the notice"`
	AgreedS   float64   `json:"agreed_s" doc:"of the window, inside agreed time"`
	CountsS   float64   `json:"counts_s" doc:"of that, what will be planned time; at most, where the window names only parts of the service"`
	CapS      *float64  `json:"cap_s" doc:"the cap; null: none"`
	CapLeftS  *float64  `json:"cap_left_s" doc:"of the cap in the period the window begins in, before it"`
}

// PlannedBody is a change and what will become of it.
type PlannedBody struct {
	Change  *ChangeBody `json:"change" doc:"null for a preview"`
	Counts  bool        `json:"counts" doc:"no agreement counts any of this work as downtime, if it is approved now and ends in time"`
	Windows int         `json:"windows"`
	Sights  []SightBody `json:"sights" doc:"by window and agreement; empty: no agreement is touched"`
}

func (a *API) plannedBody(c *maintenance.Change, o maintenance.Outlook) PlannedBody {
	body := PlannedBody{Counts: o.Fine(), Windows: len(o.Windows), Sights: []SightBody{}}
	if c != nil {
		one := changeBody(c)
		body.Change = &one
	}
	seconds := func(ms int64) float64 { return float64(ms) / 1000 }
	for i := range o.Sights {
		s := &o.Sights[i]
		sight := SightBody{From: time.UnixMilli(s.Window.From).UTC(), To: time.UnixMilli(s.Window.To).UTC(), Service: s.Service, Agreement: s.Agreement.Number, Version: s.Agreement.Version,
			Verdict: string(s.Verdict), ApproveBy: time.UnixMilli(s.Deadline).UTC(), AgreedS: seconds(s.Agreed), CountsS: seconds(s.Counts), Text: []string{}}
		if a.o.Words != nil {
			sight.Text = s.Sentences(a.o.Words.Choose("", ""), o.At)
		}
		if limit := s.Agreement.Cap; limit != nil {
			all, left := seconds(limit.Length), seconds(s.Left)
			sight.CapS, sight.CapLeftS = &all, &left
		}
		body.Sights = append(body.Sights, sight)
	}
	return body
}

// PlanWork asks for approval of planned work, or previews it.
func (a *API) PlanWork(ctx context.Context, in *struct{ Body PlanBody }) (*struct{ Body PlannedBody }, error) {
	plan := in.Body.plan(a.o.Figures.Catalogue().Availability)
	if in.Body.Preview {
		o, err := a.o.Work.Foresee(ctx, plan)
		if err != nil {
			return nil, a.answer(err, "change")
		}
		return &struct{ Body PlannedBody }{a.plannedBody(nil, o)}, nil
	}
	v, _ := people.From(ctx)
	c, o, err := a.o.Work.Plan(ctx, plan, v)
	if err != nil {
		return nil, a.answer(err, "change")
	}
	return &struct{ Body PlannedBody }{a.plannedBody(&c, o)}, nil
}

// ChangesBody lists changes, the newest first.
type ChangesBody struct {
	AsOf    time.Time    `json:"as_of"`
	Changes []ChangeBody `json:"changes"`
}

// Changes lists changes as they stood.
func (a *API) Changes(ctx context.Context, in *struct {
	AsOf
	State string `query:"state" enum:"new,scheduled,rejected,cancelled" doc:"only those"`
}) (*struct{ Body ChangesBody }, error) {
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	all, err := a.o.Work.Changes(ctx, asOf)
	if err != nil {
		return nil, a.answer(err, "changes")
	}
	body := ChangesBody{asOf, []ChangeBody{}}
	for i := range all {
		if in.State == "" || string(all[i].State) == in.State {
			body.Changes = append(body.Changes, changeBody(&all[i]))
		}
	}
	return &struct{ Body ChangesBody }{body}, nil
}

// VersionBody is one step in the life of a paper.
type VersionBody struct {
	Seq    int64      `json:"seq"`
	At     *time.Time `json:"at"`
	By     string     `json:"by"`
	Action string     `json:"action"`
}

// ChangeDetail is a change with its steps.
type ChangeDetail struct {
	ChangeBody
	History []VersionBody `json:"history"`
}

// Change answers with one change.
func (a *API) Change(ctx context.Context, in *struct {
	No string `path:"no" maxLength:"40"`
}) (*struct{ Body ChangeDetail }, error) {
	h, err := a.o.Work.Change(ctx, in.No)
	if err != nil {
		return nil, a.answer(err, "change "+in.No)
	}
	body := ChangeDetail{changeBody(&h.Change), []VersionBody{}}
	for _, p := range h.Versions {
		body.History = append(body.History, VersionBody{p.Seq, instant(p.At), p.By, p.Action})
	}
	return &struct{ Body ChangeDetail }{body}, nil
}

// DecisionInput is a decision about a paper.
type DecisionInput struct {
	No   string `path:"no" maxLength:"40"`
	Body struct {
		Comment string `json:"comment,omitempty"`
	}
}

func (a *API) decideChange(ctx context.Context, in *DecisionInput, decide func(ctx context.Context, no, comment string, v people.Visitor) (maintenance.Change, error)) (*struct{ Body ChangeBody }, error) {
	v, _ := people.From(ctx)
	c, err := decide(ctx, in.No, in.Body.Comment, v)
	if err != nil {
		return nil, a.answer(err, "change "+in.No)
	}
	return &struct{ Body ChangeBody }{changeBody(&c)}, nil
}

// ApproveChange schedules a change; another person than its requester.
func (a *API) ApproveChange(ctx context.Context, in *DecisionInput) (*struct{ Body ChangeBody }, error) {
	return a.decideChange(ctx, in, a.o.Work.Approve)
}

// RejectChange refuses a change.
func (a *API) RejectChange(ctx context.Context, in *DecisionInput) (*struct{ Body ChangeBody }, error) {
	return a.decideChange(ctx, in, a.o.Work.Reject)
}

// CancelChange ends a change; what has passed of it stays.
func (a *API) CancelChange(ctx context.Context, in *DecisionInput) (*struct{ Body ChangeBody }, error) {
	return a.decideChange(ctx, in, a.o.Work.Cancel)
}

// MaintenanceICS answers with approved windows as an iCalendar file.
func (a *API) MaintenanceICS(ctx context.Context, in *struct {
	Customer string `query:"customer" doc:"only what touches this customer's services"`
	Service  string `query:"service" doc:"only what touches this service"`
}) (*Document, error) {
	c := a.o.Figures.Catalogue().Availability
	var services []string
	for _, s := range c.Services {
		if (in.Customer == "" || s.Customer == in.Customer) && (in.Service == "" || s.Name == in.Service) {
			services = append(services, s.Name)
		}
	}
	if len(services) == 0 && in.Customer+in.Service != "" {
		return nil, huma.Error404NotFound(fmt.Sprintf("the catalogue has no service %q of customer %q", in.Service, in.Customer))
	}
	now := a.o.Now()
	changes, err := a.o.Work.Changes(ctx, now)
	if err != nil {
		return nil, a.answer(err, "changes")
	}
	name := in.Service
	if name == "" {
		name = in.Customer
	}
	calendar := maintenance.Calendar{Name: "Plimsoll " + name, Made: now}
	for i := range changes {
		names := slices.Concat(changes[i].Services, changes[i].Components)
		if in.Customer+in.Service == "" || slices.ContainsFunc(services, func(s string) bool { return c.Touches(s, names) }) {
			calendar.Changes = append(calendar.Changes, changes[i])
		}
	}
	var b bytes.Buffer
	if _, err := calendar.WriteTo(&b); err != nil {
		return nil, a.answer(err, "calendar")
	}
	return &Document{ContentType: "text/calendar; charset=utf-8", Disposition: "attachment; filename*=UTF-8''" + url.PathEscape("maintenance-"+name+".ics"), Policy: "default-src 'none'", Body: b.Bytes()}, nil
}
