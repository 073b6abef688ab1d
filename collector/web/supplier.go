package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/words"
)

// picker is the month that a page shows, and the last that can be asked for.
type picker struct{ Period, PeriodMax, AsOf string }

type suppliersView struct {
	picker
	Rows    []supplierRow
	APILink string
}

// supplierRow is one contract; a supplier without one in the month has a row without figures.
type supplierRow struct {
	Name, Link, Contract, Components string
	Availability, Minutes, Target    string
	Verdict                          verdict
	Outages, MTTR, Attributed, Alone string
	Others                           []indicatorRow
}

type supplierView struct {
	picker
	Name, Month, APILink string
	Contracts            []contractView
	Services             []suppliedRow
	Down                 string
	Annotated            []annotatedRow
}

type contractView struct {
	Title, From, To string
	Key             []keyFigure
	About           []Pair
	Indicators      []indicatorRow
	Components      []suppliedComponent
	Cuts            []cutRow
}

// suppliedComponent is a component by itself, under the contract.
type suppliedComponent struct {
	Name, Link, State                     string
	Availability, Minutes, Coverage, MTTR string
	Outages                               string
	Verdict                               verdict
	FactsLink                             string
	Links                                 []link // its outages
}

// suppliedRow is a service with what of its downtime is the supplier's.
type suppliedRow struct {
	Name, Link, Agreement   string
	Why                     string
	Down, Attributed, Alone string
	Outages                 []suppliedOutage
}

type suppliedOutage struct {
	outageRow
	Attributed, Alone string
}

type annotatedRow struct {
	Component, Link string
	From, To        When
	Ongoing         bool
	Text, Incident  string
}

func supplierPath(name string) string { return "/suppliers/" + url.PathEscape(name) }

// picked reads the month asked for, and refuses one that has not begun.
func (v *visit) picked() (p picker, from, to string, err error) {
	p = picker{v.Params.Get("period"), v.AsOf.In(v.Zone).Format("2006-01"), v.Params.Get("as_of")}
	if p.Period == "" {
		p.Period = p.PeriodMax
	}
	month, err := words.ParseMonth(p.Period)
	if err != nil {
		return p, "", "", badInput("period=" + p.Period)
	}
	// A month begins somewhere up to 14 hours before it does in UTC.
	if month.Add(-14 * time.Hour).After(v.AsOf) {
		return p, "", "", &fault{http.StatusBadRequest, "error.begun", v.Month(p.Period)}
	}
	return p, month.Format(time.DateOnly), month.AddDate(0, 1, 0).Format(time.DateOnly), nil
}

func (v *visit) supplierAPI(path, period string) string {
	return "/api/v1" + path + "?" + url.Values{"period": {period}, "as_of": {v.AsOf.UTC().Format(time.RFC3339Nano)}}.Encode()
}

func (s *Site) suppliers(ctx context.Context, v *visit) (string, any, error) {
	p, from, to, err := v.picked()
	if err != nil {
		return "", nil, err
	}
	found, err := s.Figures.Suppliers(ctx, from, to, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	view := suppliersView{picker: p, APILink: v.supplierAPI("/suppliers", p.Period)}
	for _, name := range s.Figures.Catalogue().Availability.Suppliers() {
		row := supplierRow{Name: name, Link: v.at(supplierPath(name) + "?period=" + p.Period)}
		var attributed, alone float64
		for i := range found.Attributions {
			if x := &found.Attributions[i]; x.Supplier == name {
				attributed, alone = attributed+x.AttributedS, alone+x.AloneS
			}
		}
		row.Attributed, row.Alone = v.Seconds(&attributed), v.Seconds(&alone)
		none := true
		for i := range found.Contracts {
			if c := &found.Contracts[i]; c.Supplier == name {
				none = false
				view.Rows = append(view.Rows, v.contractRow(row, c, s.Figures.Catalogue().Availability))
			}
		}
		if none {
			view.Rows = append(view.Rows, row)
		}
	}
	return v.T("suppliers"), view, nil
}

func (v *visit) contractRow(row supplierRow, c *availability.Serviceability, cat *availability.Catalogue) supplierRow {
	f := &c.Together
	row.Contract, row.Components = c.Contract, strconv.Itoa(len(c.Components))
	row.Availability, row.Minutes, row.Target = v.Ratio(f.Exact.Availability, 3), v.minutes(f), "–"
	row.Outages, row.MTTR = strconv.FormatInt(f.OutagesStarted, 10), v.Seconds(f.MTTRS)
	promise := figures.Promise(f)
	if promise != nil {
		row.Target, row.Verdict = v.Share(promise.Target), v.verdict(promise.State, f)
	}
	terms := cat.Terms(c.Contract, f.Version)
	for i := range f.Indicators {
		if each := &f.Indicators[i]; terms != nil && (promise == nil || each.Name != promise.Name) {
			row.Others = append(row.Others, v.indicator(each, f, terms))
		}
	}
	return row
}

func (s *Site) supplier(ctx context.Context, v *visit) (string, any, error) {
	name := v.PathValue("name")
	cat := s.Figures.Catalogue().Availability
	if !slices.Contains(cat.Suppliers(), name) {
		return "", nil, notFound(v.T("kind.supplier", name))
	}
	p, from, to, err := v.picked()
	if err != nil {
		return "", nil, err
	}
	found, err := s.Figures.Suppliers(ctx, from, to, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	states, err := s.Figures.States(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	view := supplierView{picker: p, Name: name, Month: v.Month(p.Period), APILink: v.supplierAPI(supplierPath(name), p.Period)}
	var first, last int64
	for i := range found.Contracts {
		c := &found.Contracts[i]
		if c.Supplier != name {
			continue
		}
		one, err := s.contractView(ctx, v, c, states)
		if err != nil {
			return "", nil, err
		}
		view.Contracts = append(view.Contracts, one)
		first, last = spanned(first, last, c.Together.From, c.Together.To)
	}
	for i := range found.Attributions {
		x := &found.Attributions[i]
		if x.Supplier != name {
			continue
		}
		row, err := s.suppliedRow(ctx, v, x, p.Period)
		if err != nil {
			return "", nil, err
		}
		view.Services = append(view.Services, row)
		first, last = spanned(first, last, x.From, x.To)
	}
	view.Annotated, err = s.annotated(ctx, v, name, first, min(last, v.AsOf.UnixMilli()))
	return name, view, err
}

// spanned widens [from, to) by the period of the figures, in Unix ms.
func spanned(from, to int64, first, next availability.Instant) (begin, end int64) {
	if to == 0 {
		return first.MS, next.MS
	}
	return min(from, first.MS), max(to, next.MS)
}

func (s *Site) contractView(ctx context.Context, v *visit, c *availability.Serviceability, states figures.States) (contractView, error) {
	f := &c.Together
	zone := zoneOf(f, v.Zone)
	view := contractView{Title: c.Contract, From: words.Instant(f.From.Time(), zone), To: words.Instant(f.To.Time(), zone), Key: v.keyFigures(f), Cuts: v.cuts(f)}
	cat := s.Figures.Catalogue().Availability
	if terms := cat.Terms(c.Contract, f.Version); terms != nil {
		view.About = pairs(v.T("policy.calendar"), v.Calendar(cat, terms.Calendar), v.T("policy.zone"), terms.Zone.String(),
			v.T("supplier.review"), terms.ReviewBy.String(), v.T("policy.coverage"), v.shareOf(terms.Limit()))
		for i := range f.Indicators {
			view.Indicators = append(view.Indicators, v.indicator(&f.Indicators[i], f, terms))
		}
	}
	for i := range c.Components {
		row, err := s.suppliedComponent(ctx, v, &c.Components[i], states)
		if err != nil {
			return view, err
		}
		view.Components = append(view.Components, row)
	}
	return view, nil
}

func (s *Site) suppliedComponent(ctx context.Context, v *visit, f *availability.Figures, states figures.States) (suppliedComponent, error) {
	row := suppliedComponent{Name: f.Service, Link: s.componentLink(ctx, v, f.Service), State: states.Components[f.Service].State.String(),
		Availability: v.Ratio(f.Exact.Availability, 3), Minutes: v.minutes(f), Coverage: v.Ratio(f.Exact.Coverage, 1), MTTR: v.Seconds(f.MTTRS),
		Outages: strconv.FormatInt(f.OutagesStarted, 10)}
	if i := figures.Promise(f); i != nil {
		row.Verdict = v.verdict(i.State, f)
	}
	end := f.To.Time()
	if v.AsOf.Before(end) {
		end = v.AsOf
	}
	row.FactsLink = "/api/v1/facts.csv?" + url.Values{"from": {f.From.Time().Format(time.RFC3339)}, "to": {end.Format(time.RFC3339Nano)}, "component": {f.Service}, "as_of": {v.AsOf.UTC().Format(time.RFC3339Nano)}}.Encode()
	for i := range f.Outages {
		o, err := s.outageRow(ctx, v, &f.Outages[i], zoneOf(f, v.Zone))
		if err != nil {
			return row, err
		}
		l := link{Text: fmt.Sprintf("%s, %s", o.From.Text, o.Counted)}
		if len(o.Components) > 0 {
			l.Link = o.Components[0].Link
		}
		row.Links = append(row.Links, l)
	}
	return row, nil
}

func (s *Site) suppliedRow(ctx context.Context, v *visit, x *availability.Attribution, period string) (suppliedRow, error) {
	row := suppliedRow{Name: x.Service, Link: v.at(servicePath(x.Service) + "?period=" + period), Agreement: v.T("figures.agreement", x.Agreement, strconv.Itoa(x.Version)),
		Why:  v.at(explainPath(&availability.Figures{Service: x.Service, Agreement: x.Agreement, Version: x.Version}, period)),
		Down: v.Seconds(&x.DownS), Attributed: v.Seconds(&x.AttributedS), Alone: v.Seconds(&x.AloneS)}
	for i := range x.Outages {
		o := x.Outages[i]
		if o.AttributedS == 0 {
			continue
		}
		o.Components = o.Supplied
		o.AgreedS = o.DownS // what lies in the month, so that the column adds up
		out, err := s.outageRow(ctx, v, &o.Outage, zoneOf(&availability.Figures{From: x.From}, v.Zone))
		if err != nil {
			return row, err
		}
		row.Outages = append(row.Outages, suppliedOutage{out, v.Seconds(&o.AttributedS), v.Seconds(&o.AloneS)})
	}
	return row, nil
}

// annotated are the outages of [from, to), in Unix ms, that people laid to the supplier.
func (s *Site) annotated(ctx context.Context, v *visit, name string, from, to int64) ([]annotatedRow, error) {
	if s.Corrections == nil || from >= to {
		return nil, nil
	}
	notes, err := s.Corrections.Blamed(ctx, name, from, to, v.AsOf.UnixMilli())
	if err != nil {
		return nil, err
	}
	var rows []annotatedRow
	for _, n := range notes {
		o, err := s.Store.Outage(ctx, n.Outage)
		if err != nil {
			return nil, err
		}
		rows = append(rows, v.annotatedRow(&o, strings.Trim(n.Cause+"; "+n.Comment, "; "), n.Incident))
	}
	return rows, nil
}

func (v *visit) annotatedRow(o *ledger.Outage, text, incident string) annotatedRow {
	row := annotatedRow{Component: o.Component, Link: v.at(fmt.Sprintf("/outages/%d", o.ID)), From: whenMS(o.From, v.Zone), Text: text, Incident: incident,
		Ongoing: o.To == 0 || o.To > v.AsOf.UnixMilli()}
	if !row.Ongoing {
		row.To = whenMS(o.To, v.Zone)
	}
	return row
}
