package report

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/closing"
	"github.com/plimsoll/plimsoll/collector/correction"
	"github.com/plimsoll/plimsoll/collector/damage"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/words"
)

// Figures is what of collector/figures a report takes.
type Figures interface {
	Catalogue() *catalogue.Catalogue
	Period(ctx context.Context, from, to string, asOf time.Time) ([]availability.Figures, error)
	Usages(ctx context.Context, at time.Time) ([]figures.Usage, error)
}

// Records lists problem records.
type Records interface {
	Records(ctx context.Context, f ledger.RecordFilter) ([]record.Record, error)
}

// Annotations are what people said of outages of components (collector/correction).
type Annotations interface {
	// Causes are those that meet [from, to), as they stood at an instant; in Unix milliseconds.
	Causes(ctx context.Context, components []string, from, to, at int64) ([]correction.Annotation, error)
}

// Source is what a report is made from.
type Source struct {
	Figures Figures
	Records Records
	Words   words.Shelf
	// Damage gives what the stores lost of [from, to) and known at asOf, Unix ms; nil: nothing ever is.
	Damage func(from, to, asOf int64) []damage.Range
	// Annotations are what people said of outages; nil: nothing is known of it.
	Annotations Annotations
	// Closed tells by which version the customer's month stands; nil: no month is closed.
	Closed func(ctx context.Context, customer, month string, asOf time.Time) (closing.Status, error)
}

// Options say which report.
type Options struct {
	Customer string
	Period   string    // a month, 2026-11
	AsOf     time.Time // what is known then
	Lang     string
	// Simulated marks the report as one of a demonstration.
	Simulated bool
}

// draft is a report in the making: what every section may read.
type draft struct {
	*words.Book
	Options
	src      Source
	figures  []availability.Figures // of the customer
	zone     *time.Location         // of the first agreement
	from, to time.Time              // the month in that zone
	partial  bool                   // the month is not over at AsOf
}

// section is one chapter: the key of its heading and what it says.
type section struct {
	heading string
	blocks  func(ctx context.Context, d *draft) ([]Block, error)
}

// sections are the report, in order.
func sections() []section {
	return []section{
		{"sec.about", about},
		{"sec.sla", attainment},
		{"sec.outages", outages},
		{"sec.reliability", reliability},
		{"sec.capacity", capacityNow},
		{"sec.problems", problems},
	}
}

// Refusal is why no report is made of what was asked for, with the remedy.
type Refusal struct{ Why string }

func (r *Refusal) Error() string { return r.Why }

// Build computes the report of a customer's month as known at AsOf. A month
// that has not begun then is refused, as a *Refusal: there is nothing to report.
func Build(ctx context.Context, src Source, o Options) (*Model, error) {
	month, err := words.ParseMonth(o.Period)
	if err != nil {
		return nil, &Refusal{"period " + err.Error()}
	}
	d := &draft{Book: src.Words.Choose(o.Lang, ""), Options: o, src: src, zone: time.UTC}
	all, err := src.Figures.Period(ctx, month.Format(time.DateOnly), month.AddDate(0, 1, 0).Format(time.DateOnly), o.AsOf)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Customer == o.Customer {
			d.figures = append(d.figures, all[i])
		}
	}
	if len(d.figures) > 0 {
		d.zone = d.figures[0].From.Zone
	}
	y, m, _ := month.Date()
	d.from, d.to = time.Date(y, m, 1, 0, 0, 0, 0, d.zone), time.Date(y, m+1, 1, 0, 0, 0, 0, d.zone)
	d.partial = o.AsOf.Before(d.to)
	if !d.from.Before(o.AsOf) {
		return nil, &Refusal{fmt.Sprintf("%s has not begun at %s, so there is nothing to report: take a month that has, such as %s", o.Period, d.instant(o.AsOf), o.AsOf.In(d.zone).Format("2006-01"))}
	}
	model := &Model{Lang: d.Book.Lang, Title: d.T("doc.title"), Subtitle: d.subtitle(), Cover: d.cover(), Footer: d.T("doc.footer", d.instant(o.AsOf), d.version())}
	if src.Closed != nil {
		status, err := src.Closed(ctx, o.Customer, o.Period, o.AsOf)
		if err != nil {
			return nil, err
		}
		if p := status.Standing; p != nil {
			text := d.T("doc.closed.text", fmt.Sprint(p.Version), d.instant(time.UnixMilli(p.AsOf)), p.Hash)
			if w := status.Waiting; w != nil {
				text += "\n" + d.T("doc.closed.waiting", fmt.Sprint(w.Version))
			}
			model.Cover = append(model.Cover, Pair{d.T("doc.closed"), text})
		}
	}
	if o.Simulated {
		model.Mark = d.T("doc.simulated")
		model.Footer = model.Mark + " " + model.Footer
	}
	for _, s := range sections() {
		blocks, err := s.blocks(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("write the section %s: %w", strings.TrimPrefix(s.heading, "sec."), err)
		}
		model.Sections = append(model.Sections, Section{d.T(s.heading), blocks})
	}
	return model, nil
}

func (d *draft) subtitle() string {
	if d.Customer == "" {
		return d.Month(d.Period)
	}
	return d.Customer + " · " + d.Month(d.Period)
}

func (d *draft) instant(t time.Time) string { return words.Instant(t, d.zone) }

// moment is an instant in a column of them: its zone stands below it.
func (d *draft) moment(t time.Time) string {
	t = t.In(d.zone)
	return t.Format("2006-01-02 15:04:05") + "\n" + words.Zone(t)
}

// version names the catalogue by the beginning of its hash.
func (d *draft) version() string {
	hash := d.src.Figures.Catalogue().Hash
	return hash[:min(len(hash), 12)]
}

func (d *draft) cover() []Pair {
	customer := d.Customer
	if customer == "" {
		customer = d.T("customer.none")
	}
	return []Pair{
		{d.T("doc.customer"), customer},
		{d.T("doc.period"), d.T("doc.from.to", d.instant(d.from), d.instant(d.to))},
		{d.T("doc.as_of"), d.instant(d.AsOf)},
		{d.T("doc.zone"), d.zone.String()},
		{d.T("doc.status"), d.T("doc.status.text")},
		{d.T("doc.sources"), d.T("doc.sources.text", d.version())},
		{d.T("doc.method"), d.T("doc.method.text")},
	}
}

// agreement is the version a figure was computed by.
func (d *draft) agreement(f *availability.Figures) *availability.Agreement {
	c := d.src.Figures.Catalogue().Availability
	for i := range c.Agreements {
		if a := &c.Agreements[i]; a.Number == f.Agreement && a.Version == f.Version {
			return a
		}
	}
	return nil
}
