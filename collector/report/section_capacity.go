package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/internal/chart"
)

// capacityNow is each resource instance against its thresholds, at the end of
// the period or as of.
func capacityNow(ctx context.Context, d *draft) ([]Block, error) {
	usages, err := d.src.Figures.Usages(ctx, d.until())
	if err != nil {
		return nil, err
	}
	t := Table{Columns: columns(d.T("col.resource"), "~"+d.T("col.instance"), "#"+d.T("col.used"), "#"+d.T("col.limit"), "#"+d.T("col.share"), "#"+d.T("col.threshold"), d.T("col.state")), Empty: d.T("sec.capacity.none")}
	for _, u := range usages {
		if u.Labels["customer"] != d.Customer && u.Labels["customer"] != "" {
			continue // another customer's host
		}
		quantity := words.Number
		if u.Resource.Unit == "bytes" {
			quantity = chart.Bytes.Format
		}
		share := u.Share()
		thresholds := d.Share(&u.Resource.Warning)
		if u.Resource.Critical > 0 {
			thresholds += " / " + d.Share(&u.Resource.Critical)
		}
		if u.Resource.Unbounded() {
			thresholds = "–"
		}
		if u.Exception != nil {
			thresholds += "\n" + d.T("exception.reason", u.Exception.Reason)
		}
		row := cells(d.Name(u.Resource.Name), u.Instance(), quantity(u.Used), quantity(u.Limit), d.Percent(&share, 1), thresholds, d.T("level."+u.Level().String()))
		row[6].State = map[string]string{"clear": "met", "warning": "below_target", "critical": "unacceptable"}[u.Level().String()]
		t.Rows = append(t.Rows, row)
	}
	blocks := []Block{Text{d.T("sec.capacity.text", d.instant(d.until()))}}
	for _, line := range d.lost() {
		blocks = append(blocks, Text{line})
	}
	return append(blocks, t), nil
}

// lost says of which stretches of the period data was lost on the collector's disk.
func (d *draft) lost() (lines []string) {
	if d.src.Damage == nil {
		return nil
	}
	for _, r := range d.src.Damage(d.from.UnixMilli(), d.until().UnixMilli(), d.AsOf.UnixMilli()) {
		lines = append(lines, d.Lost(&r, d.instant))
	}
	return lines
}

// problems lists the records opened in the period.
func problems(ctx context.Context, d *draft) ([]Block, error) {
	records, err := d.src.Records.Records(ctx, ledger.RecordFilter{From: d.from.UnixMilli(), To: d.until().UnixMilli()})
	if err != nil {
		return nil, err
	}
	t := Table{Columns: columns("@"+d.T("col.no"), d.T("col.title"), d.T("col.priority"), "@"+d.T("col.opened"), d.T("col.state")), Empty: d.T("sec.problems.none")}
	slices.SortFunc(records, func(a, b record.Record) int { return strings.Compare(a.No, b.No) })
	for i := range records {
		r := &records[i]
		if r.Customer != d.Customer && r.Customer != "" {
			continue
		}
		t.Rows = append(t.Rows, cells(r.No, d.Localized(r.Title.English, r.Title.Chinese), fmt.Sprintf("P%d", r.Priority), d.moment(time.UnixMilli(r.DetectedAt)), d.state(r)))
	}
	return []Block{t}, nil
}

// state is where the record stands, and whether what it is about is over.
func (d *draft) state(r *record.Record) string {
	text := d.Or("problem.state."+string(r.State), string(r.State))
	if r.Recovered != 0 && r.Recovered <= d.AsOf.UnixMilli() {
		text += "; " + d.T("problem.recovered", d.instant(time.UnixMilli(r.Recovered)))
	}
	if r.Unmeasured != 0 && r.Unmeasured <= d.AsOf.UnixMilli() {
		text += "; " + d.T("problem.unmeasured", d.instant(time.UnixMilli(r.Unmeasured)))
	}
	return text
}
