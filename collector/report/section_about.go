package report

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// about tells what the report covers and by which rules: its reader must be
// able to object.
func about(_ context.Context, d *draft) ([]Block, error) {
	blocks := []Block{Text{d.T("sec.about.purpose")}}
	if len(d.figures) == 0 {
		return append(blocks, Note{d.T("doc.nothing")}), nil
	}
	if d.partial {
		blocks = append(blocks, Note{d.T("doc.partial", d.instant(d.AsOf))})
	}
	if start, late := d.firstKnown(); late {
		blocks = append(blocks, Note{d.T("doc.start", d.instant(start))})
	}
	t := Table{Caption: d.T("sec.about.agreements"), Columns: columns(d.T("col.service"), "@"+d.T("col.agreement"), d.T("col.calendar"), d.T("col.policies"), "#"+d.T("col.coverage"))}
	for i := range d.figures {
		f := &d.figures[i]
		a := d.agreement(f)
		if a == nil {
			continue
		}
		t.Rows = append(t.Rows, cells(f.Service, fmt.Sprintf("%s\nv%d", f.Agreement, f.Version), d.Calendar(d.src.Figures.Catalogue().Availability, a.Calendar)+", "+a.Zone.String(), d.policies(a), d.Ratio(f.Exact.Coverage, 1)))
	}
	return append(blocks, t), nil
}

// firstKnown is the end of the unknown time the period begins with, if it
// begins with any in every service.
func (d *draft) firstKnown() (time.Time, bool) {
	first := int64(0)
	for i := range d.figures {
		for _, p := range d.figures[i].Pieces {
			if p.Cut == availability.NoCut && p.State != availability.Unknown {
				if first == 0 || p.From < first {
					first = p.From
				}
				break
			}
		}
	}
	return time.UnixMilli(first), first > d.from.UnixMilli()
}

// policies writes what the agreement says about doubtful time in one line.
func (d *draft) policies(a *availability.Agreement) string {
	degraded := d.Or("policy.degraded."+a.Policies.Degraded.String(), a.Policies.Degraded.String())
	if a.Policies.Degraded.Share != nil {
		degraded = d.T("policy.degraded.share", d.Ratio(a.Policies.Degraded.Share, 1))
	}
	limit := d.T("policy.cap.none")
	if a.Cap != nil {
		limit = d.T("policy.cap."+a.Cap.Per.String(), d.Millis(a.Cap.Length))
	}
	sep, stop := ": ", "; "
	if d.Book.Lang == "zh-CN" {
		sep, stop = "：", "；"
	}
	text := ""
	for _, p := range [][2]string{
		{d.T("policy.planned"), d.T("policy.planned." + a.Policies.Planned.String())},
		{d.T("policy.notice"), d.Millis(a.Notice)},
		{d.T("policy.cap"), limit},
		{d.T("policy.unknown"), d.T("policy.unknown." + a.Policies.Unknown.String())},
		{d.T("policy.degraded"), degraded},
		{d.T("policy.ignore"), d.Millis(a.IgnoreBlips)},
		{d.T("policy.merge"), d.Millis(a.MergeBlips)},
		{d.T("policy.coverage"), d.Ratio(a.Limit(), 0)},
	} {
		if text != "" {
			text += stop
		}
		text += p[0] + sep + p[1]
	}
	return text
}

func count(n int64) string { return strconv.FormatInt(n, 10) }
