package web

import (
	"context"
	"errors"
	"html/template"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/internal/chart"
)

// problemRow is a record in a list.
type problemRow struct {
	Link, No, Title, Priority, State, Condition string
	Opened, Last                                When
	Occurrences                                 int64
}

// localized picks the language of a text kept in both.
func localized(b *words.Book, t record.Text) string {
	return b.Localized(t.English, t.Chinese)
}

// quiet are the hosts whose agents do not deliver, and when they were last
// heard of, in Unix milliseconds. Of what lies on them nothing is known.
type quiet map[string]int64

func (s *Site) silentHosts(ctx context.Context, v *visit) (quiet, error) {
	hosts, err := s.Store.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	silent := quiet{}
	for i := range hosts {
		if h := &hosts[i]; h.LastSeen != 0 && v.AsOf.UnixMilli()-h.LastSeen >= capacity.MinGrace {
			silent[h.Instance] = h.LastSeen
		}
	}
	return silent, nil
}

// of tells since when the host a record is about is silent; 0: it is not.
func (s quiet) of(r *record.Record) int64 {
	if len(r.Components) == 0 {
		return 0
	}
	return s[r.Components[0]]
}

// condition says whether what opened the record still stands, as far as that
// is known.
func (v *visit) condition(r *record.Record, silent quiet) string {
	switch {
	case r.Origin != record.Threshold:
		return ""
	case r.Recovered != 0:
		return v.T("problem.recovered", whenMS(r.Recovered, v.Zone).Text)
	case r.Unmeasured != 0:
		return v.T("problem.unmeasured", whenMS(r.Unmeasured, v.Zone).Text)
	case silent.of(r) != 0:
		return v.T("problem.silent", whenMS(silent.of(r), v.Zone).Text)
	}
	return v.T("problem.standing")
}

func (v *visit) problemRow(r *record.Record, silent quiet) problemRow {
	return problemRow{Link: v.at("/problems/" + r.No), No: r.No, Title: localized(v.Book, r.Title), Priority: "P" + strconv.Itoa(r.Priority),
		State: v.Or("problem.state."+string(r.State), string(r.State)), Condition: v.condition(r, silent),
		Opened: whenMS(r.DetectedAt, v.Zone), Last: whenMS(r.LastSeen, v.Zone), Occurrences: r.Occurrences}
}

// problemRows lists the records opened by the instant asked about.
func (s *Site) problemRows(ctx context.Context, v *visit, keep func(*record.Record) bool) ([]problemRow, error) {
	records, err := s.Store.Records(ctx, ledger.RecordFilter{})
	if err != nil {
		return nil, err
	}
	silent, err := s.silentHosts(ctx, v)
	if err != nil {
		return nil, err
	}
	var rows []problemRow
	for i := range records {
		if r := &records[i]; r.DetectedAt <= v.AsOf.UnixMilli() && keep(r) {
			rows = append(rows, v.problemRow(r, silent))
		}
	}
	return rows, nil
}

type problemsView struct {
	Problems   []problemRow
	NoProblems string
}

func (s *Site) problems(ctx context.Context, v *visit) (string, any, error) {
	rows, err := s.problemRows(ctx, v, func(*record.Record) bool { return true })
	return v.T("problems"), problemsView{rows, v.T("problems.none.all")}, err
}

type problemView struct {
	No, State, Condition, Title, Description string
	About, Values                            []Pair
	Chart, Narrow                            template.HTML // the same, for a page and for a phone
	History                                  []historyLine
}

type historyLine struct {
	At             When
	What, Text, By string
}

func (s *Site) problem(ctx context.Context, v *visit) (string, any, error) {
	no := record.FullNumber(v.PathValue("no"), v.AsOf.UTC().Year())
	file, err := s.Store.Record(ctx, no)
	if errors.Is(err, ledger.ErrNotFound) {
		return "", nil, notFound(v.T("kind.problem", no))
	}
	if err != nil {
		return "", nil, err
	}
	silent, err := s.silentHosts(ctx, v)
	if err != nil {
		return "", nil, err
	}
	r := file.Record
	view := problemView{No: r.No, State: v.Or("problem.state."+string(r.State), string(r.State)), Condition: v.condition(&r, silent),
		Title: localized(v.Book, r.Title), Description: localized(v.Book, r.Detail)}
	view.About = pairs(v.T("priority"), "P"+strconv.Itoa(r.Priority), v.T("problem.component"), strings.Join(r.Components, ", "),
		v.T("problem.services"), strings.Join(r.Services, ", "), v.T("problem.customer"), r.Customer, v.T("problem.rule"), r.RuleID,
		v.T("problem.opened"), whenMS(r.DetectedAt, v.Zone).Text, v.T("problem.first"), whenMS(r.FirstSeen, v.Zone).Text,
		v.T("problem.last"), whenMS(r.LastSeen, v.Zone).Text, v.T("occurrences"), strconv.FormatInt(r.Occurrences, 10),
		v.T("problem.impact"), strconv.Itoa(r.Impact), v.T("problem.urgency"), strconv.Itoa(r.Urgency),
		v.T("problem.version"), strconv.FormatInt(r.Version, 10), v.T("problem.key"), r.Key)
	if n := len(file.Evidence); n > 0 {
		view.Values, view.Chart, view.Narrow = v.evidence(&r, &file.Evidence[n-1])
	}
	view.History = []historyLine{{whenMS(r.DetectedAt, v.Zone), v.T("history.opened"), localized(v.Book, r.Title), v.actor(ledger.Actor)}}
	for _, a := range file.Amendments {
		line := historyLine{At: whenMS(a.At, v.Zone), What: v.T("history.note"), Text: localized(v.Book, a.Reason), By: v.actor(a.By)}
		if a.Field != record.FieldNote {
			line.What = v.T("history.field", a.Field, a.Old, a.New)
		}
		view.History = append(view.History, line)
	}
	return no, view, nil
}

// unitOf maps a record's unit to how charts write it.
func unitOf(name string) chart.Unit {
	switch name {
	case "bytes":
		return chart.Bytes
	case "ratio":
		return chart.Share
	case "seconds":
		return chart.Seconds
	case "bytes/s":
		return chart.BytesPerSecond
	}
	return chart.Number
}

// chartFrom is where the chart of an evidence begins: with its values, but five
// minutes to an hour before the instant of the evidence.
func chartFrom(e *record.Evidence) int64 {
	const shortest, longest = 5 * 60_000, 3600_000
	span := int64(shortest)
	if len(e.Points) > 0 {
		span = e.At - e.Points[0].T
	}
	return e.At - min(max(span, shortest), longest)
}

// evidence draws what was kept with the record, not what the series say now.
func (v *visit) evidence(r *record.Record, e *record.Evidence) (values []Pair, wide, narrow template.HTML) {
	unit := unitOf(e.Unit)
	share := e.Used / e.Capacity
	values = pairs(v.T("evidence.used"), unit.Format(e.Used), v.T("evidence.capacity"), unit.Format(e.Capacity), v.T("evidence.share"), v.Percent(&share, 1),
		v.T("evidence.threshold"), v.Share(&e.Threshold), v.T("evidence.since"), whenMS(e.Since, v.Zone).Text, v.T("evidence.for"), v.Millis(e.Hold), v.T("evidence.query"), e.Query)
	c := chart.Lines{Title: localized(v.Book, r.Title), Unit: unit, Zone: v.Zone, From: chartFrom(e), To: e.At, Gap: 300_000, Width: 900, Height: 240,
		Empty: v.T("samples.none"), Thresholds: []chart.Threshold{{Name: v.T("evidence.threshold"), Value: e.Threshold * e.Capacity, Critical: true}}, Top: e.Capacity}
	line := chart.Line{Name: v.T("line.used")}
	for _, p := range e.Points {
		line.Points = append(line.Points, chart.Point{T: p.T, V: p.V})
	}
	if len(line.Points) > 0 {
		c.Lines = []chart.Line{line}
	}
	wide = template.HTML(c.SVG()) // escaped by internal/chart
	c.Width, c.Height = 360, 200
	return values, wide, template.HTML(c.SVG())
}
