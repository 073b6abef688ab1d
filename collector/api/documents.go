package api

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/report"
	"github.com/plimsoll/plimsoll/collector/words"
)

// Document is a file as the answer.
type Document struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

// CatalogueYAML answers with the catalogue in force, as it was loaded, and with
// the windows and adjustments that people decided beside it: the evaluate
// command computes from it, and from the facts, what the collector does.
func (a *API) CatalogueYAML(ctx context.Context, in *struct {
	Loaded bool `query:"loaded" doc:"only as it was loaded, without what people decided"`
}) (*Document, error) {
	c := a.o.Figures.Catalogue()
	text := c.Source
	if !in.Loaded {
		windows, err := a.o.Work.Windows(ctx)
		if err != nil {
			return nil, a.answer(err, "catalogue")
		}
		adjustments, err := a.o.Corrections.Entries(ctx)
		if err != nil {
			return nil, a.answer(err, "catalogue")
		}
		if text, err = c.With(windows, adjustments); err != nil {
			return nil, a.answer(err, "catalogue")
		}
	}
	return &Document{ContentType: "application/yaml; charset=utf-8", Disposition: `attachment; filename="catalogue.yaml"`,
		Policy: "default-src 'none'", Body: text}, nil
}

// Report answers with the service report of a customer and month.
func (a *API) Report(ctx context.Context, in *struct {
	AsOf
	Customer string `query:"customer" doc:"whose; empty for services without one"`
	Period   string `query:"period" required:"true" doc:"a month, 2026-11" pattern:"^[0-9]{4}-[0-9]{2}$"`
	Lang     string `query:"lang" doc:"en or zh-CN" default:"en"`
	Format   string `query:"format" enum:"html" default:"html" doc:"the only format yet"`
	Download bool   `query:"download" doc:"as a file to save"`
}) (*Document, error) {
	if _, err := words.ParseMonth(in.Period); err != nil {
		return nil, huma.Error400BadRequest("period " + err.Error())
	}
	if !a.hasCustomer(in.Customer) {
		return nil, huma.Error404NotFound(fmt.Sprintf("no service of customer %q has an agreement; the catalogue names: %s", in.Customer, strings.Join(a.customers(), ", ")))
	}
	asOf, err := a.asOf(in.AsOf)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := a.o.Report(ctx, &b, in.Customer, in.Period, in.Lang, asOf); err != nil {
		return nil, a.answer(err, "report")
	}
	d := &Document{ContentType: "text/html; charset=utf-8", Policy: report.ContentSecurityPolicy(), Body: b.Bytes()}
	if in.Download {
		d.Disposition = `attachment; filename*=UTF-8''` + url.PathEscape("service-report-"+in.Customer+"-"+in.Period+".html")
	}
	return d, nil
}

// customers lists whose services have an agreement.
func (a *API) customers() []string {
	c := a.o.Figures.Catalogue().Availability
	var all []string
	for _, agreed := range c.Agreements {
		if s, ok := c.Service(agreed.Service); ok && !strings.Contains("\x00"+strings.Join(all, "\x00")+"\x00", "\x00"+s.Customer+"\x00") {
			all = append(all, s.Customer)
		}
	}
	return all
}

func (a *API) hasCustomer(name string) bool {
	for _, c := range a.customers() {
		if c == name {
			return true
		}
	}
	return false
}
