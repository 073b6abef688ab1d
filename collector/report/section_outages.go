package report

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/correction"
)

// outages lists those with counted time in the period or restored in it.
func outages(ctx context.Context, d *draft) ([]Block, error) {
	t := Table{Columns: columns(d.T("col.service"), "@"+d.T("col.from"), "@"+d.T("col.to"), "#"+d.T("col.counted"), "@"+d.T("outage.earliest"), d.T("col.components"), d.T("sec.outages.cause")), Empty: d.T("sec.outages.none")}
	for i := range d.figures {
		f := &d.figures[i]
		for k := range f.Outages {
			o := &f.Outages[k]
			to, earliest := d.T("outage.ongoing"), "–"
			if o.To != nil {
				to = d.moment(o.To.Time())
			}
			if o.Earliest != nil {
				earliest = d.moment(o.Earliest.Time())
			}
			components := strings.Join(o.Components, ", ")
			if o.Bridged {
				components += " (" + d.T("outage.bridged") + ")"
			}
			cause, err := d.cause(ctx, o)
			if err != nil {
				return nil, err
			}
			row := cells(f.Service, d.moment(o.From.Time()), to, d.Seconds(&o.AgreedS), earliest, components, cause)
			if o.Ongoing {
				row[2].State = "unacceptable"
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return []Block{t}, nil
}

// cause is what people said of the outages of components that an outage of the
// service is made of, as known at AsOf.
func (d *draft) cause(ctx context.Context, o *availability.Outage) (string, error) {
	if d.src.Annotations == nil {
		return "–", nil
	}
	to := d.AsOf.UnixMilli()
	if o.To != nil {
		to = o.To.MS
	}
	said, err := d.src.Annotations.Causes(ctx, o.Components, o.From.MS, to, d.AsOf.UnixMilli())
	if err != nil {
		return "", err
	}
	var texts []string
	for i := range said {
		if text := d.annotation(&said[i]); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return "–", nil
	}
	return strings.Join(texts, "; "), nil
}

// annotation is all that was said, on one line.
func (d *draft) annotation(a *correction.Annotation) string {
	var parts []string
	if a.Category != "" {
		parts = append(parts, d.T("category."+a.Category))
	}
	for _, text := range []string{a.Cause, a.Supplier, a.Incident, a.Comment} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " · ")
}

// reliability is MTTR, MTBF and MTBSI with their definitions at first use.
func reliability(_ context.Context, d *draft) ([]Block, error) {
	t := Table{Columns: columns(d.T("col.service"), "#"+d.T("col.up"), "#"+d.T("col.down"), "#"+d.T("col.outages"), "#"+d.T("col.restored"), "#MTTR", "#MTBF", "#MTBSI", "#"+d.T("col.longest")),
		Empty: d.T("doc.nothing")}
	for i := range d.figures {
		f := &d.figures[i]
		up, _ := f.Exact.Up.Float64()
		down, _ := f.Exact.Down.Float64()
		mtbf := d.Seconds(f.MTBFS)
		if f.MTBFS == nil && up > 0 {
			mtbf = d.T("key.mtbf.over", d.Seconds(&up))
		}
		t.Rows = append(t.Rows, cells(f.Service, d.Seconds(&up), d.Seconds(&down), count(f.OutagesStarted), count(f.OutagesRestored), d.Seconds(f.MTTRS), mtbf, d.Seconds(f.MTBSIS), d.Seconds(f.LongestS)))
	}
	return []Block{Text{d.T("sec.reliability.mttr")}, Text{d.T("sec.reliability.mtbf")}, Text{d.T("sec.reliability.mtbsi")}, t}, nil
}

// until is the end of what the report can know: the period's, or as of.
func (d *draft) until() time.Time {
	if d.partial {
		return d.AsOf
	}
	return d.to
}
