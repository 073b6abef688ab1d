package report

import (
	"context"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/internal/chart"
)

// attainment is the main table: each indicator of each agreement.
func attainment(_ context.Context, d *draft) ([]Block, error) {
	if len(d.figures) == 0 {
		return []Block{Note{d.T("doc.nothing")}}, nil
	}
	var key KeyFigures
	t := Table{Caption: d.T("sec.sla.table"), Columns: columns(d.T("col.service"), d.T("col.indicator"), "#"+d.T("col.target"), "#"+d.T("col.unacceptable"),
		"#"+d.T("col.actual"), d.T("col.verdict"), "#"+d.T("col.minutes"), "#"+d.T("col.coverage"))}
	for i := range d.figures {
		f := &d.figures[i]
		verdict := ""
		if p := figures.Promise(f); p != nil {
			verdict = p.State
		}
		key.Items = append(key.Items, KeyFigure{f.Service + " · " + d.T("key.availability"), d.Ratio(f.Exact.Availability, 3), d.minutes(f), verdict})
		for k := range f.Indicators {
			ind := &f.Indicators[k]
			minutes := ""
			if ind.Kind == availability.KindAvailability {
				minutes = d.downAllowed(f)
			}
			row := cells(f.Service, d.Name(ind.Name), d.agreed(ind.Kind, ind.Target), d.agreed(ind.Kind, ind.Unacceptable), d.measured(ind), d.Verdict(ind.State, !d.AsOf.Before(f.To.Time())), minutes, d.Ratio(f.Exact.Coverage, 1))
			row[5].State = ind.State
			t.Rows = append(t.Rows, row)
		}
	}
	blocks := append([]Block{key, t, Note{d.T("sec.sla.rule")}}, d.whys()...)
	blocks = append(blocks, Heading{d.T("sec.trend")})
	for i := range d.figures {
		f := &d.figures[i]
		blocks = append(blocks, Chart{f.Service, d.strip(f)})
	}
	return blocks, nil
}

// minutes stands beside a percentage: down so far, and allowed.
func (d *draft) minutes(f *availability.Figures) string {
	down := figures.CountedDown(f)
	if f.Exact.Allowed == nil {
		return d.T("availability.minutes.only", d.Seconds(&down))
	}
	allowed, _ := f.Exact.Allowed.Float64()
	return d.T("availability.minutes", d.Seconds(&down), d.Seconds(&allowed))
}

func (d *draft) downAllowed(f *availability.Figures) string {
	down := figures.CountedDown(f)
	if f.Exact.Allowed == nil {
		return d.Seconds(&down)
	}
	allowed, _ := f.Exact.Allowed.Float64()
	return d.Seconds(&down) + " / " + d.Seconds(&allowed)
}

// agreed prints a target or an unacceptable value.
func (d *draft) agreed(kind availability.Kind, x *float64) string {
	switch {
	case x == nil:
		return "–"
	case kind.IsShare():
		return d.Share(x)
	case kind.IsTime():
		return d.Seconds(x)
	}
	return words.Agreed(*x)
}

// measured prints the actual value.
func (d *draft) measured(i *availability.IndicatorResult) string {
	if text, ok := d.Measured(i); ok {
		return text
	}
	switch {
	case i.Actual == nil:
		return d.T("no.value")
	case i.Kind.IsShare():
		return d.Ratio(i.Exact, 3)
	case i.Kind.IsTime():
		return d.Seconds(i.Actual)
	}
	return words.Agreed(*i.Actual)
}

// strip draws the elapsed period day by day: the worst counted state of each.
func (d *draft) strip(f *availability.Figures) string {
	s := chart.Strip{Title: f.Service, Gap: 1, Width: 720, Height: 24}
	from, to := f.From.Time(), f.To.Time()
	days := availability.DaysOf(f.Pieces, from.Location())
	y, m, day := from.Date()
	for i := 0; ; i++ {
		begin, end := time.Date(y, m, day+i, 0, 0, 0, 0, from.Location()), time.Date(y, m, day+i+1, 0, 0, 0, 0, from.Location())
		if !begin.Before(to) {
			break
		}
		date := begin.Format(time.DateOnly)
		cell := chart.Cell{Title: d.T("strip.day", date, d.T("strip.future"))}
		if begin.Before(d.AsOf) {
			cell = d.dayCell(availability.DayAt(days, (begin.UnixMilli()+end.UnixMilli())/2), date)
		}
		s.Cells = append(s.Cells, cell)
	}
	return s.SVG()
}

func (d *draft) dayCell(day availability.Day, date string) chart.Cell {
	text, worst := d.StateTimes(day.Counted)
	switch {
	case text != "":
		return chart.Cell{State: worst.String(), Title: d.T("strip.day", date, text)}
	case day.Cut[availability.CutExistence] > 0:
		return chart.Cell{Title: d.T("strip.day", date, d.T("strip.existence"))}
	}
	return chart.Cell{Title: d.T("strip.day", date, d.T("strip.none"))}
}

// whys say what indicators rest on that facts do not give.
func (d *draft) whys() (notes []Block) {
	for i := range d.figures {
		f := &d.figures[i]
		for k := range f.Indicators {
			if why := d.Why(&f.Indicators[k], func(by string) string { return people.Called(d.Book, by) }); why != "" {
				notes = append(notes, Note{f.Service + " · " + d.Name(f.Indicators[k].Name) + ": " + why})
			}
		}
	}
	return notes
}
