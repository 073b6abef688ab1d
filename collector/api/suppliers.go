package api

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

// SuppliersBody lists suppliers in the order of the catalogue.
type SuppliersBody struct {
	AsOf      time.Time      `json:"as_of"`
	Suppliers []SupplierBody `json:"suppliers"`
}

// SupplierBody is one supplier: its contracts, and what of the downtime of
// services is its own.
type SupplierBody struct {
	Supplier  string          `json:"supplier"`
	Contracts []ContractBody  `json:"contracts" doc:"those in force in the period"`
	Services  []SuppliedBody  `json:"services" doc:"agreement versions in force in the period about services that reach a component of the supplier"`
	Annotated []AnnotatedBody `json:"annotated,omitempty" doc:"outages that people laid to the supplier; only where one supplier is asked for"`
}

// ContractBody is an underpinning contract; figures are of the sums over its
// components, field for field as the evaluate command writes those of a service.
type ContractBody struct {
	Contract   string               `json:"contract"`
	Calendar   string               `json:"calendar"`
	ReviewBy   string               `json:"review_by,omitempty"`
	Figures    availability.Figures `json:"figures" doc:"agreed, up, down and unknown time and outages are those of all components together; service is empty"`
	Components []SuppliedComponent  `json:"components"`
}

// SuppliedComponent is a component by itself, under the contract.
type SuppliedComponent struct {
	Component string               `json:"component"`
	Figures   availability.Figures `json:"figures" doc:"service is the component"`
}

// SuppliedBody is what of a service's downtime is the supplier's; the sums are
// those of its outages.
type SuppliedBody struct {
	Service     string               `json:"service"`
	Customer    string               `json:"customer"`
	Agreement   string               `json:"agreement"`
	Version     int                  `json:"version"`
	From        availability.Instant `json:"from"`
	To          availability.Instant `json:"to"`
	DownS       float64              `json:"down_s" doc:"of the service's outages, in the period"`
	AttributedS float64              `json:"attributed_s" doc:"of that, while a component of the supplier was down"`
	AloneS      float64              `json:"alone_s" doc:"of that, in which the service would have been up had the supplier's components been"`
	Outages     []SuppliedOutage     `json:"outages,omitempty" doc:"all of the service; only where one supplier is asked for"`
}

// SuppliedOutage is an outage of a service, with what of it is the supplier's.
type SuppliedOutage struct {
	availability.AttributedOutage
	OutageIDs []int64 `json:"outage_ids" doc:"of the supplier's components in it, as /api/v1/outages has them"`
}

// AnnotatedBody is an outage that people laid to a supplier.
type AnnotatedBody struct {
	OutageBody
	Cause    string `json:"cause,omitempty"`
	Category string `json:"category,omitempty"`
	Incident string `json:"incident,omitempty"`
}

// OfMonth is Span's period by another name, as reports call it.
type OfMonth struct {
	Month string `query:"month" doc:"a month, 2026-11: the same as period" pattern:"^[0-9]{4}-[0-9]{2}$"`
}

func (m OfMonth) span(p Span) (Span, error) {
	if m.Month == "" {
		return p, nil
	}
	if p != (Span{}) {
		return p, huma.Error400BadRequest("give month, or period, or both from and to")
	}
	return Span{Period: m.Month}, nil
}

// Suppliers answers with all suppliers that have a contract.
func (a *API) Suppliers(ctx context.Context, in *struct {
	AsOf
	Span
	OfMonth
}) (*struct{ Body SuppliersBody }, error) {
	asOf, found, err := a.supplied(ctx, in.AsOf, in.Span, in.OfMonth)
	if err != nil {
		return nil, a.answer(err, "suppliers")
	}
	body := SuppliersBody{AsOf: asOf, Suppliers: []SupplierBody{}}
	agreed := a.o.Figures.Catalogue().Availability
	for _, name := range agreed.Suppliers() {
		body.Suppliers = append(body.Suppliers, supplierBody(agreed, name, found))
	}
	return &struct{ Body SuppliersBody }{body}, nil
}

// Supplier answers with one supplier and the outages.
func (a *API) Supplier(ctx context.Context, in *struct {
	AsOf
	Span
	OfMonth
	Name string `path:"name"`
}) (*struct{ Body SuppliersBody }, error) {
	agreed := a.o.Figures.Catalogue().Availability
	if !slices.Contains(agreed.Suppliers(), in.Name) {
		return nil, huma.Error404NotFound("there is no supplier " + in.Name)
	}
	what := "supplier " + in.Name
	asOf, found, err := a.supplied(ctx, in.AsOf, in.Span, in.OfMonth)
	if err != nil {
		return nil, a.answer(err, what)
	}
	body := supplierBody(agreed, in.Name, found)
	if err := a.suppliedOutages(ctx, &body, found, asOf); err != nil {
		return nil, a.answer(err, what)
	}
	if body.Annotated, err = a.annotated(ctx, &body, asOf); err != nil {
		return nil, a.answer(err, what)
	}
	return &struct{ Body SuppliersBody }{SuppliersBody{AsOf: asOf, Suppliers: []SupplierBody{body}}}, nil
}

func (a *API) supplied(ctx context.Context, at AsOf, p Span, m OfMonth) (time.Time, figures.Supplied, error) {
	asOf, err := a.asOf(at)
	if err != nil {
		return asOf, figures.Supplied{}, err
	}
	if p, err = m.span(p); err != nil {
		return asOf, figures.Supplied{}, err
	}
	var from, to string
	if p != (Span{}) {
		if from, to, err = a.bounds(p); err != nil {
			return asOf, figures.Supplied{}, err
		}
	}
	found, err := a.o.Figures.Suppliers(ctx, from, to, asOf)
	return asOf, found, err
}

func supplierBody(agreed *availability.Catalogue, name string, found figures.Supplied) SupplierBody {
	body := SupplierBody{Supplier: name, Contracts: []ContractBody{}, Services: []SuppliedBody{}}
	for i := range found.Contracts {
		c := &found.Contracts[i]
		if c.Supplier != name {
			continue
		}
		out := ContractBody{Contract: c.Contract, Figures: c.Together}
		if terms := agreed.Terms(c.Contract, c.Together.Version); terms != nil {
			out.Calendar, out.ReviewBy = terms.Calendar, terms.ReviewBy.String()
		}
		if out.Calendar == "" {
			out.Calendar = availability.Always
		}
		for k := range c.Components {
			out.Components = append(out.Components, SuppliedComponent{c.Components[k].Service, c.Components[k]})
		}
		body.Contracts = append(body.Contracts, out)
	}
	for i := range found.Attributions {
		if x := &found.Attributions[i]; x.Supplier == name {
			body.Services = append(body.Services, SuppliedBody{Service: x.Service, Customer: x.Customer, Agreement: x.Agreement, Version: x.Version,
				From: x.From, To: x.To, DownS: x.DownS, AttributedS: x.AttributedS, AloneS: x.AloneS})
		}
	}
	return body
}

// suppliedOutages adds to each service its outages, with the numbers of those
// of the supplier's components.
func (a *API) suppliedOutages(ctx context.Context, body *SupplierBody, found figures.Supplied, asOf time.Time) error {
	at := 0
	for i := range found.Attributions {
		x := &found.Attributions[i]
		if x.Supplier != body.Supplier {
			continue
		}
		service := &body.Services[at]
		at++
		for _, o := range x.Outages {
			each := SuppliedOutage{AttributedOutage: o, OutageIDs: []int64{}}
			if len(o.Supplied) > 0 {
				to := asOf.UnixMilli()
				if o.To != nil {
					to = o.To.MS
				}
				known, err := a.o.Store.Outages(ctx, ledger.OutageFilter{Components: o.Supplied, From: o.From.MS, To: to})
				if err != nil {
					return err
				}
				for k := range known {
					each.OutageIDs = append(each.OutageIDs, known[k].ID)
				}
				slices.Sort(each.OutageIDs)
			}
			service.Outages = append(service.Outages, each)
		}
	}
	return nil
}

// annotated are the outages in the period of the body that people laid to the
// supplier, whatever component they are of.
func (a *API) annotated(ctx context.Context, body *SupplierBody, asOf time.Time) ([]AnnotatedBody, error) {
	from, to := body.span()
	if a.o.Corrections == nil || from >= to {
		return nil, nil
	}
	notes, err := a.o.Corrections.Blamed(ctx, body.Supplier, from, min(to, asOf.UnixMilli()), asOf.UnixMilli())
	if err != nil {
		return nil, err
	}
	var out []AnnotatedBody
	for _, n := range notes {
		o, err := a.o.Store.Outage(ctx, n.Outage)
		if err != nil {
			return nil, err
		}
		out = append(out, AnnotatedBody{outageBody(&o, asOf), n.Cause, n.Category, n.Incident})
	}
	return out, nil
}

// span is the period of all that the body tells, in Unix ms.
func (b *SupplierBody) span() (from, to int64) {
	add := func(first, next availability.Instant) {
		if to == 0 || first.MS < from {
			from = first.MS
		}
		to = max(to, next.MS)
	}
	for i := range b.Contracts {
		add(b.Contracts[i].Figures.From, b.Contracts[i].Figures.To)
	}
	for i := range b.Services {
		add(b.Services[i].From, b.Services[i].To)
	}
	return from, to
}
