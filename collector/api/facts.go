package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/evaluate"
)

// FactsCSV streams raw facts in the columns the evaluate command reads.
func (a *API) FactsCSV(ctx context.Context, in *struct {
	From      string `query:"from" required:"true" doc:"an instant, or a date in UTC"`
	To        string `query:"to" required:"true" doc:"the end, excluded"`
	Component string `query:"component" doc:"only this component's"`
	Service   string `query:"service" doc:"only those of this service's tree"`
	AsOf      string `query:"as_of" format:"date-time" doc:"only those known at this instant, of which evaluate computes what the collector says as of it; default: all"`
}) (*huma.StreamResponse, error) {
	var ends [2]int64
	for i, text := range []string{in.From, in.To} {
		b, err := availability.ParseBound(text)
		if err != nil {
			return nil, huma.Error400BadRequest(err.Error())
		}
		ends[i] = b.In(time.UTC, 0)
	}
	if ends[0] >= ends[1] {
		return nil, huma.Error400BadRequest(fmt.Sprintf("from %s is not before to %s: the end is excluded", in.From, in.To))
	}
	var known int64
	if in.AsOf != "" {
		asOf, err := a.asOf(AsOf{in.AsOf})
		if err != nil {
			return nil, err
		}
		known = asOf.UnixMilli()
	}
	keep := map[string]bool{}
	if in.Component != "" {
		keep[in.Component] = true
	}
	if in.Service != "" {
		if !below(a.o.Figures.Catalogue().Availability, in.Service, keep) {
			return nil, huma.Error404NotFound("there is no service " + in.Service)
		}
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "text/csv; charset=utf-8")
		h.SetHeader("Content-Disposition", `attachment; filename="facts.csv"`)
		buffered := bufio.NewWriterSize(h.BodyWriter(), 64<<10)
		w := csv.NewWriter(buffered)
		err := w.Write(evaluate.FactColumns())
		if err == nil {
			err = a.o.Facts.Facts(h.Context(), ends[0], ends[1], known, func(f availability.Fact) error {
				if len(keep) > 0 && !keep[f.Component] {
					return nil
				}
				return w.Write(evaluate.FactRow(f))
			})
		}
		if w.Flush(); err == nil {
			err = w.Error()
		}
		if ferr := buffered.Flush(); err == nil {
			err = ferr
		}
		if err != nil && h.Context().Err() == nil {
			// The status is sent already: a broken line tells the reader that this is not all.
			a.o.Log.Error("export facts", "err", err)
			_, _ = h.BodyWriter().Write([]byte("\n\"incomplete: the collector could not read on; its log says why\n"))
		}
	}}, nil
}

// below collects the components a service needs, through services too.
func below(c *availability.Catalogue, service string, into map[string]bool) bool {
	s, ok := c.Service(service)
	if !ok {
		return false
	}
	for _, name := range s.Names() {
		if into[name] {
			continue
		}
		if !below(c, name, into) {
			into[name] = true
		}
	}
	return true
}
