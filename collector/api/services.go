package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
)

// ServiceState is a service as it stands.
type ServiceState struct {
	Service  string             `json:"service"`
	Customer string             `json:"customer"`
	State    availability.State `json:"state"`
	Since    *time.Time         `json:"since" doc:"null where it is not known"`
}

// ServiceFigures are the figures of one agreement version, field for field as
// the evaluate command writes them, and the service's state at as_of.
type ServiceFigures struct {
	availability.Figures
	State availability.State `json:"state"`
	Since *time.Time         `json:"since" doc:"null where it is not known"`
}

// ServicesBody lists figures and states.
type ServicesBody struct {
	AsOf     time.Time        `json:"as_of"`
	Services []ServiceFigures `json:"services" doc:"one entry per agreement version in force in the period"`
	States   []ServiceState   `json:"states" doc:"one entry per service, also without an agreement"`
	// Customers are pooled from the services listed.
	Customers []figures.CustomerUsers `json:"customers" doc:"by customer: sum of users x U by sum of users x K over the services listed"`
}

// Services answers with figures and states of all services.
func (a *API) Services(ctx context.Context, in *struct {
	AsOf
	Span
	Reader
	Customer string `query:"customer" doc:"only this customer's"`
}) (*struct{ Body ServicesBody }, error) {
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	body, err := a.services(ctx, "", in.Span, in.Reader, asOf, func(service, customer string) bool {
		return in.Customer == "" || customer == in.Customer
	})
	if err != nil {
		return nil, a.answer(err, "services")
	}
	return &struct{ Body ServicesBody }{*body}, nil
}

// Service answers with figures and state of one service.
func (a *API) Service(ctx context.Context, in *struct {
	AsOf
	Span
	Reader
	Name string `path:"name"`
}) (*struct{ Body ServicesBody }, error) {
	if _, ok := a.o.Figures.Catalogue().Availability.Service(in.Name); !ok {
		return nil, huma.Error404NotFound("there is no service " + in.Name)
	}
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	body, err := a.services(ctx, in.Name, in.Span, in.Reader, asOf, func(service, _ string) bool { return service == in.Name })
	if err != nil {
		return nil, a.answer(err, "service "+in.Name)
	}
	return &struct{ Body ServicesBody }{*body}, nil
}

func (a *API) services(ctx context.Context, one string, span Span, reader Reader, asOf time.Time, keep func(service, customer string) bool) (*ServicesBody, error) {
	all, err := a.figures(ctx, one, span, asOf)
	if err != nil {
		return nil, err
	}
	states, err := a.o.Figures.States(ctx, asOf)
	if err != nil {
		return nil, err
	}
	body := &ServicesBody{AsOf: asOf, Services: []ServiceFigures{}, States: []ServiceState{}}
	for i := range all {
		if keep(all[i].Service, all[i].Customer) {
			a.why(reader, &all[i])
			body.Services = append(body.Services, ServiceFigures{all[i], states.Services[all[i].Service].State, instant(states.Services[all[i].Service].Since)})
		}
	}
	kept := make([]availability.Figures, len(body.Services))
	for i := range body.Services {
		kept[i] = body.Services[i].Figures
	}
	body.Customers = figures.ByCustomer(kept)
	for _, s := range a.o.Figures.Catalogue().Availability.Services {
		if !keep(s.Name, s.Customer) {
			continue
		}
		st := states.Services[s.Name]
		body.States = append(body.States, ServiceState{s.Name, s.Customer, st.State, instant(st.Since)})
	}
	return body, nil
}

// instant is nil for 0.
func instant(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}
