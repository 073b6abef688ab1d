package api

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/correction"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/people"
)

// Corrections are asked for and decided (collector/correction).
type Corrections interface {
	WhatIf(ctx context.Context, a correction.Ask) ([]figures.Shift, error)
	Request(ctx context.Context, ask correction.Ask, v people.Visitor) (correction.Adjustment, error)
	Approve(ctx context.Context, no, comment string, v people.Visitor) (correction.Adjustment, error)
	Refuse(ctx context.Context, no, comment string, v people.Visitor) (correction.Adjustment, error)
	Adjustment(ctx context.Context, no string) (correction.History, error)
	Adjustments(ctx context.Context, at time.Time) ([]correction.Adjustment, error)
	Entries(ctx context.Context) ([]availability.Adjustment, error)
	Annotate(ctx context.Context, a correction.Annotation, v people.Visitor) error
	Annotations(ctx context.Context, outage int64) ([]correction.Noted, error)
	Blamed(ctx context.Context, supplier string, from, to, at int64) ([]correction.Annotation, error)
}

// AskBody is the adjustment that is asked for.
type AskBody struct {
	Outage     int64      `json:"outage,omitempty" doc:"number of the outage it is about: component, from and to are its own unless they are given"`
	Services   []string   `json:"services,omitempty"`
	Components []string   `json:"components,omitempty"`
	From       *time.Time `json:"from,omitempty"`
	To         *time.Time `json:"to,omitempty"`
	Effect     string     `json:"effect,omitempty" enum:"exclude,up,down" doc:"exclude cuts the time; up and down correct the state; default exclude"`
	Reason     string     `json:"reason,omitempty"`
	Evidence   string     `json:"evidence,omitempty" doc:"where the reason can be seen: a ticket, a mail, a log"`
	Preview    bool       `json:"preview,omitempty" doc:"only tell what it would change; nothing is saved"`
}

// ask is the body as the desk takes it.
func (a *API) ask(ctx context.Context, b *AskBody) (correction.Ask, error) {
	ask := correction.Ask{Services: b.Services, Components: b.Components, Effect: b.Effect, Reason: b.Reason, Evidence: b.Evidence, Outage: b.Outage}
	if b.Outage != 0 {
		o, err := a.o.Store.Outage(ctx, b.Outage)
		if err != nil {
			return ask, err
		}
		if len(ask.Services)+len(ask.Components) == 0 {
			ask.Components = []string{o.Component}
		}
		if ask.From, ask.To = o.From, o.To; o.To == 0 {
			ask.To = a.o.Now().UnixMilli()
		}
	}
	if b.From != nil {
		ask.From = b.From.UnixMilli()
	}
	if b.To != nil {
		ask.To = b.To.UnixMilli()
	}
	return ask, nil
}

// AdjustmentBody is an adjustment. asked and decided are the figures before
// and after, when it was requested and when it was approved.
type AdjustmentBody struct {
	No          string          `json:"no"`
	State       string          `json:"state" doc:"requested, approved or refused"`
	Services    []string        `json:"services"`
	Components  []string        `json:"components"`
	From        time.Time       `json:"from"`
	To          time.Time       `json:"to"`
	Effect      string          `json:"effect"`
	Reason      string          `json:"reason"`
	Evidence    string          `json:"evidence"`
	Outage      int64           `json:"outage,omitempty"`
	Requester   string          `json:"requester"`
	RequestedAt *time.Time      `json:"requested_at"`
	Decider     string          `json:"decider"`
	DecidedAt   *time.Time      `json:"decided_at"`
	Comment     string          `json:"comment"`
	Asked       []figures.Shift `json:"asked"`
	Decided     []figures.Shift `json:"decided"`
}

func adjustmentBody(a *correction.Adjustment) AdjustmentBody {
	return AdjustmentBody{No: a.No, State: string(a.State), Services: append([]string{}, a.Services...), Components: append([]string{}, a.Components...),
		From: time.UnixMilli(a.From).UTC(), To: time.UnixMilli(a.To).UTC(), Effect: a.Effect, Reason: a.Reason, Evidence: a.Evidence, Outage: a.Outage,
		Requester: a.Requester, RequestedAt: instant(a.RequestedAt), Decider: a.Decider, DecidedAt: instant(a.DecidedAt), Comment: a.Comment,
		Asked: append([]figures.Shift{}, a.Asked...), Decided: append([]figures.Shift{}, a.Decided...)}
}

// AskedBody is a request and what it changes.
type AskedBody struct {
	Adjustment *AdjustmentBody `json:"adjustment" doc:"null for a preview"`
	Shifts     []figures.Shift `json:"shifts" doc:"figures before and after; empty: no agreement is touched"`
}

// AskAdjustment asks for an adjustment, or previews it.
func (a *API) AskAdjustment(ctx context.Context, in *struct{ Body AskBody }) (*struct{ Body AskedBody }, error) {
	ask, err := a.ask(ctx, &in.Body)
	if err != nil {
		return nil, a.answer(err, fmt.Sprintf("outage %d", in.Body.Outage))
	}
	if in.Body.Preview {
		shifts, err := a.o.Corrections.WhatIf(ctx, ask)
		if err != nil {
			return nil, a.answer(err, "adjustment")
		}
		return &struct{ Body AskedBody }{AskedBody{nil, append([]figures.Shift{}, shifts...)}}, nil
	}
	v, _ := people.From(ctx)
	made, err := a.o.Corrections.Request(ctx, ask, v)
	if err != nil {
		return nil, a.answer(err, "adjustment")
	}
	body := adjustmentBody(&made)
	return &struct{ Body AskedBody }{AskedBody{&body, body.Asked}}, nil
}

// AdjustmentsBody lists adjustments, the newest first.
type AdjustmentsBody struct {
	AsOf        time.Time        `json:"as_of"`
	Adjustments []AdjustmentBody `json:"adjustments"`
}

// Adjustments lists those of the ledger as they stood.
func (a *API) Adjustments(ctx context.Context, in *struct {
	AsOf
	State string `query:"state" enum:"requested,approved,refused" doc:"only those"`
}) (*struct{ Body AdjustmentsBody }, error) {
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	all, err := a.o.Corrections.Adjustments(ctx, asOf)
	if err != nil {
		return nil, a.answer(err, "adjustments")
	}
	body := AdjustmentsBody{asOf, []AdjustmentBody{}}
	for i := range all {
		if in.State == "" || string(all[i].State) == in.State {
			body.Adjustments = append(body.Adjustments, adjustmentBody(&all[i]))
		}
	}
	return &struct{ Body AdjustmentsBody }{body}, nil
}

// AdjustmentDetail is an adjustment with its steps.
type AdjustmentDetail struct {
	AdjustmentBody
	History []VersionBody `json:"history"`
}

// Adjustment answers with one adjustment.
func (a *API) Adjustment(ctx context.Context, in *struct {
	No string `path:"no" maxLength:"40"`
}) (*struct{ Body AdjustmentDetail }, error) {
	h, err := a.o.Corrections.Adjustment(ctx, in.No)
	if err != nil {
		return nil, a.answer(err, "adjustment "+in.No)
	}
	body := AdjustmentDetail{adjustmentBody(&h.Adjustment), []VersionBody{}}
	for _, p := range h.Versions {
		body.History = append(body.History, VersionBody{p.Seq, instant(p.At), p.By, p.Action})
	}
	return &struct{ Body AdjustmentDetail }{body}, nil
}

func (a *API) decideAdjustment(ctx context.Context, in *DecisionInput, decide func(ctx context.Context, no, comment string, v people.Visitor) (correction.Adjustment, error)) (*struct{ Body AdjustmentBody }, error) {
	v, _ := people.From(ctx)
	made, err := decide(ctx, in.No, in.Body.Comment, v)
	if err != nil {
		return nil, a.answer(err, "adjustment "+in.No)
	}
	return &struct{ Body AdjustmentBody }{adjustmentBody(&made)}, nil
}

// ApproveAdjustment lets an adjustment count; another person than its requester.
func (a *API) ApproveAdjustment(ctx context.Context, in *DecisionInput) (*struct{ Body AdjustmentBody }, error) {
	return a.decideAdjustment(ctx, in, a.o.Corrections.Approve)
}

// RefuseAdjustment ends a request.
func (a *API) RefuseAdjustment(ctx context.Context, in *DecisionInput) (*struct{ Body AdjustmentBody }, error) {
	return a.decideAdjustment(ctx, in, a.o.Corrections.Refuse)
}

// AnnotationBody is what people know of an outage.
type AnnotationBody struct {
	Cause    string `json:"cause,omitempty"`
	Category string `json:"category,omitempty" doc:"capacity, hardware, software, change, human, supplier, environment or unknown"`
	Supplier string `json:"supplier,omitempty"`
	Incident string `json:"incident,omitempty" doc:"its number in the service desk's tool"`
	Comment  string `json:"comment,omitempty"`
}

// NotedBody is one version of an annotation.
type NotedBody struct {
	AnnotationBody
	Seq int64      `json:"seq"`
	At  *time.Time `json:"at"`
	By  string     `json:"by"`
}

// AnnotationsBody are all versions, oldest first; the last one stands.
type AnnotationsBody struct {
	Outage   int64       `json:"outage"`
	Versions []NotedBody `json:"versions"`
}

// Annotations answers with what people know of an outage.
func (a *API) Annotations(ctx context.Context, in *struct {
	ID int64 `path:"id"`
}) (*struct{ Body AnnotationsBody }, error) {
	what := fmt.Sprintf("outage %d", in.ID)
	if _, err := a.o.Store.Outage(ctx, in.ID); err != nil {
		return nil, a.answer(err, what)
	}
	all, err := a.o.Corrections.Annotations(ctx, in.ID)
	if err != nil {
		return nil, a.answer(err, what)
	}
	body := AnnotationsBody{in.ID, []NotedBody{}}
	for _, n := range all {
		body.Versions = append(body.Versions, NotedBody{AnnotationBody{n.Cause, n.Category, n.Supplier, n.Incident, n.Comment}, n.Seq, instant(n.At), n.By})
	}
	return &struct{ Body AnnotationsBody }{body}, nil
}

// Annotate adds a version: whole, the earlier ones stay.
func (a *API) Annotate(ctx context.Context, in *struct {
	ID   int64 `path:"id"`
	Body AnnotationBody
}) (*struct{ Body AnnotationsBody }, error) {
	b := &in.Body
	v, _ := people.From(ctx)
	if err := a.o.Corrections.Annotate(ctx, correction.Annotation{Outage: in.ID, Cause: b.Cause, Category: b.Category, Supplier: b.Supplier, Incident: b.Incident, Comment: b.Comment}, v); err != nil {
		return nil, a.answer(err, fmt.Sprintf("outage %d", in.ID))
	}
	return a.Annotations(ctx, &struct {
		ID int64 `path:"id"`
	}{in.ID})
}
