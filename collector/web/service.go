package web

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/internal/wire"
)

type serviceView struct {
	picker
	Name, State, Since string
	Explain            bool
	NoFigures          string
	Days               template.HTML // the last 90
	Wrong              string        // what was entered, where the page has no such value
	Figures            []figuresView
	Tree               []node
	Outlook            *serviceOutlook // nil: nothing is agreed
}

type figuresView struct {
	Month, Agreement, From, To  string
	Key                         []keyFigure
	Strip                       template.HTML
	Indicators                  []indicatorRow
	Values                      valuesView
	Outages                     []outageRow
	Weighted                    []Pair // by functions and users
	Functions                   []functionRow
	Cuts                        []cutRow
	More, Policies              []Pair
	FactsLink, APILink, Command string
	Why                         string // the page that explains the figures
	Closed, ClosedLink          string // by which version the month stands; empty while it is open
}

type keyFigure struct{ Label, Value, Note, State, Link string }

type indicatorRow struct {
	Name, Description, Target, Unacceptable, Actual, Why string
	Verdict                                              verdict
}

type outageRow struct {
	From, To         When
	Earliest         *When
	Ongoing, Bridged bool
	Counted          string
	Components       []link
	Hit              string // the functions of the service it hit, and its users' time
}

type link struct{ Link, Text string }

type cutRow struct {
	Label, Seconds, Text string
	Total                bool
}

func servicePath(name string) string { return "/services/" + url.PathEscape(name) }
func hostPath(name string) string    { return "/hosts/" + url.PathEscape(name) }

func (s *Site) service(ctx context.Context, v *visit) (string, any, error) {
	name := v.PathValue("name")
	cat := s.Figures.Catalogue().Availability
	service, ok := cat.Service(name)
	if !ok {
		return "", nil, notFound(v.T("kind.service", name))
	}
	states, err := s.Figures.States(ctx, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	view := serviceView{Name: name, State: states.Services[name].State.String(), Since: v.since(states.Services[name]),
		Explain: v.Params.Has("explain"), NoFigures: v.T("figures.none")}
	if view.picker, _, _, err = v.picked(); err != nil {
		return "", nil, err
	}
	all, err := s.monthFigures(ctx, name, view.Period, v.AsOf)
	if err != nil {
		return "", nil, err
	}
	zone := v.Zone
	if len(all) > 0 {
		zone = zoneOf(&all[len(all)-1], zone)
	}
	if view.Days, err = s.quarter(ctx, v, service, zone, 900, func(day time.Time) string {
		return v.at(servicePath(name) + "?period=" + day.Format("2006-01"))
	}); err != nil {
		return "", nil, err
	}
	for i := range all {
		if all[i].Service != name {
			continue
		}
		f, err := s.figuresView(ctx, v, &all[i], view.Period)
		if err != nil {
			return "", nil, err
		}
		view.Figures = append(view.Figures, f)
	}
	if !slices.ContainsFunc(view.Figures, func(f figuresView) bool { return f.Values.Wrong != "" }) {
		view.Wrong = v.Wrong
	}
	tree, err := s.tree(ctx, v, service.Needs, states)
	if err != nil {
		return "", nil, err
	}
	view.Tree = []node{tree}
	if view.Outlook, err = s.outlook(ctx, v, name); err != nil {
		return "", nil, err
	}
	return name, view, nil
}

// monthFigures are those of one month, written 2026-11, of one service; "": of all.
func (s *Site) monthFigures(ctx context.Context, service, period string, asOf time.Time) ([]availability.Figures, error) {
	month, err := words.ParseMonth(period)
	if err != nil {
		return nil, badInput("period=" + period)
	}
	return s.Figures.PeriodOf(ctx, service, month.Format("2006-01-02"), month.AddDate(0, 1, 0).Format("2006-01-02"), asOf)
}

// tree draws what a service needs, with the state of each name.
func (s *Site) tree(ctx context.Context, v *visit, n availability.Need, states figures.States) (node, error) {
	if n.Name != "" {
		if _, ok := states.Services[n.Name]; ok {
			return v.node(n.Name, states.Services[n.Name], v.at(servicePath(n.Name))), nil
		}
		leaf := v.node(n.Name, states.Components[n.Name], s.componentLink(ctx, v, n.Name))
		var err error
		leaf.Note, err = s.seriesNote(ctx, v, n.Name, leaf.raw)
		return leaf, err
	}
	label := v.T("tree.at_least", strconv.Itoa(n.AtLeast))
	switch n.AtLeast {
	case len(n.Of):
		label = v.T("tree.all_of")
	case 1:
		label = v.T("tree.any_of")
	}
	group := node{Name: label}
	var children []availability.State
	for _, child := range n.Of {
		c, err := s.tree(ctx, v, child, states)
		if err != nil {
			return node{}, err
		}
		group.Children = append(group.Children, c)
		children = append(children, c.raw)
	}
	group.raw = figures.Combine(n.AtLeast, children)
	group.State = group.raw.String()
	return group, nil
}

// seriesNote says why a component that a series stands for is not up: what
// the series said last, that it fell silent, or that none has matched so far.
func (s *Site) seriesNote(ctx context.Context, v *visit, name string, state availability.State) (string, error) {
	c, known := s.Figures.Catalogue().Availability.Component(name)
	if !known || c.Series == nil || state == availability.Up {
		return "", nil
	}
	asOf := v.AsOf.UnixMilli()
	streaks, err := s.Figures.Streaks(ctx, []string{name}, asOf, asOf+1)
	if err != nil {
		return "", err
	}
	if state == availability.Unknown {
		if names := availability.SpeakAtOnce(c, streaks[name], asOf-1); len(names) > 0 {
			return v.T("series.several", strconv.Itoa(len(names)), c.Series.String(), strings.Join(names[:min(len(names), 4)], ", ")), nil
		}
	}
	var last availability.Streak
	for _, k := range streaks[name] {
		if k.First < asOf && k.Last > last.Last {
			last = k
		}
	}
	notes, err := s.Store.Notes(ctx, ledger.NoteFilter{Component: name, Kind: "change", To: asOf + 1, Limit: 1})
	if err != nil {
		return "", err
	}
	if len(notes) > 0 {
		var n wire.Note
		if err := json.Unmarshal([]byte(notes[0].Body), &n); err != nil {
			return "", fmt.Errorf("read a note of %s: %w", notes[0].Instance, err)
		}
		if n.Change != nil && n.Change.To == state.String() {
			return n.Change.Reason, nil
		}
	}
	switch {
	case state != availability.Unknown:
		return "", nil
	case last.Component == "":
		return v.T("series.none", c.Series.String()), nil
	}
	return v.T("series.silent", last.Observer, words.Instant(time.UnixMilli(min(last.Last, asOf)), v.Zone)), nil
}

func zoneOf(f *availability.Figures, otherwise *time.Location) *time.Location {
	if f.From.Zone != nil {
		return f.From.Zone
	}
	return otherwise
}

func (s *Site) figuresView(ctx context.Context, v *visit, f *availability.Figures, period string) (figuresView, error) {
	zone := zoneOf(f, v.Zone)
	from, to := f.From.Time(), f.To.Time()
	view := figuresView{Month: v.Month(period), Agreement: v.T("figures.agreement", f.Agreement, strconv.Itoa(f.Version)),
		From: words.Instant(from, zone), To: words.Instant(to, zone), Key: v.keyFigures(f), Cuts: v.cuts(f), More: v.more(f), Weighted: v.byWeight(f), Functions: v.functionRows(f)}
	var err error
	cat := s.Figures.Catalogue().Availability
	service, _ := cat.Service(f.Service) // figures are of services in the catalogue
	view.Strip = v.dayStrip(f.Service, availability.DaysOf(f.Pieces, zone), lifeOf(service, zone), from, to, zone, 900, nil)
	if a := agreementOf(cat, f); a != nil {
		view.Policies = v.policies(cat, a)
		for i := range f.Indicators {
			view.Indicators = append(view.Indicators, v.indicator(&f.Indicators[i], f, a))
		}
	}
	if view.Values, err = s.valuesOf(ctx, v, f, period); err != nil {
		return view, err
	}
	for i := range f.Outages {
		row, err := s.outageRow(ctx, v, &f.Outages[i], zone)
		if err != nil {
			return view, err
		}
		view.Outages = append(view.Outages, row)
	}
	end := to
	if v.AsOf.Before(end) {
		end = v.AsOf
	}
	q := url.Values{"from": {from.Format(time.RFC3339)}, "to": {end.Format(time.RFC3339Nano)}, "service": {f.Service}, "as_of": {v.AsOf.UTC().Format(time.RFC3339Nano)}}
	view.FactsLink = "/api/v1/facts.csv?" + q.Encode()
	view.Why = v.at(explainPath(f, period))
	view.Key[0].Link = view.Why
	if view.Closed, err = s.closed(ctx, v, f.Customer, period); err != nil {
		return view, err
	}
	view.ClosedLink = v.at("/periods#" + periodAnchor(f.Customer, period))
	view.APILink = "/api/v1" + servicePath(f.Service) + "?" + url.Values{"period": {period}, "as_of": {v.AsOf.UTC().Format(time.RFC3339Nano)}}.Encode()
	view.Command = fmt.Sprintf("%s evaluate --facts facts.csv --catalogue catalogue.yaml --from %s --to %s --as-of %s --format table",
		s.Program, from.In(zone).Format("2006-01-02"), to.In(zone).Format("2006-01-02"), v.AsOf.UTC().Format(time.RFC3339Nano))
	return view, nil
}

func agreementOf(c *availability.Catalogue, f *availability.Figures) *availability.Agreement {
	for i := range c.Agreements {
		if a := &c.Agreements[i]; a.Number == f.Agreement && a.Version == f.Version {
			return a
		}
	}
	return nil
}

func (v *visit) keyFigures(f *availability.Figures) []keyFigure {
	verdict := ""
	if i := figures.Promise(f); i != nil {
		verdict = i.State
	}
	keys := []keyFigure{
		{Label: v.T("key.availability"), Value: v.Ratio(f.Exact.Availability, 3), Note: v.minutes(f), State: verdict},
		{Label: v.T("key.coverage"), Value: v.Ratio(f.Exact.Coverage, 1), Note: v.bounds(f)},
	}
	if f.BudgetS != nil {
		state := "met"
		if *f.BudgetS < 0 {
			state = "unacceptable"
		}
		note := ""
		if f.BudgetElapsedS != nil {
			note = v.T("key.budget.elapsed", v.budget(*f.BudgetElapsedS))
		}
		keys = append(keys, keyFigure{Label: v.T("key.budget"), Value: v.budget(*f.BudgetS), Note: note, State: state})
	}
	mtbf := keyFigure{Label: v.T("key.mtbf"), Value: v.Seconds(f.MTBFS), Note: v.T("key.mtbf.note")}
	if up, _ := f.Exact.Up.Float64(); f.MTBFS == nil && f.MTBFLowerS != nil && up > 0 {
		mtbf.Value, mtbf.Note = v.T("key.mtbf.over", v.Seconds(&up)), v.T("key.mtbf.lower", v.Seconds(f.MTBFLowerS))
	}
	return append(keys, keyFigure{Label: v.T("key.outages"), Value: strconv.Itoa(int(f.OutagesStarted)), Note: v.T("key.outages.restored", strconv.Itoa(int(f.OutagesRestored)))},
		keyFigure{Label: v.T("key.mttr"), Value: v.Seconds(f.MTTRS), Note: v.T("key.mttr.note")}, mtbf,
		keyFigure{Label: v.T("key.mtbsi"), Value: v.Seconds(f.MTBSIS), Note: v.T("key.mtbsi.note")})
}

// bounds are what the availability is in any case, whatever happened while
// nobody looked: the lower is rounded down and the upper up, so that what is
// printed contains what is true.
func (v *visit) bounds(f *availability.Figures) string {
	if f.Exact.Availability == nil {
		return v.T("key.bounds.none")
	}
	return v.T("key.bounds", v.Ratio(f.Exact.AvailabilityLow, 3), v.RatioUp(f.Exact.AvailabilityHigh, 3))
}

// cuts adds up: elapsed less four cuts is agreed time, and that is four states.
func (v *visit) cuts(f *availability.Figures) []cutRow {
	agreed := f.AgreedS
	elapsed := agreed + f.Cut.CalendarS + f.Cut.ExistenceS + f.Cut.PlannedS + f.Cut.AdjustedS
	row := func(key string, seconds float64, total bool) cutRow {
		return cutRow{v.T(key), v.T("cut.seconds", strconv.FormatFloat(seconds, 'f', -1, 64)), v.Seconds(&seconds), total}
	}
	return []cutRow{row("cut.elapsed", round(elapsed), true), row("cut.calendar", f.Cut.CalendarS, false), row("cut.existence", f.Cut.ExistenceS, false),
		row("cut.planned", f.Cut.PlannedS, false), row("cut.adjusted", f.Cut.AdjustedS, false), row("cut.agreed", agreed, true),
		row("cut.up", f.UpS, false), row("cut.degraded", f.DegradedS, false), row("cut.down", f.DownS, false), row("cut.unknown", f.UnknownS, false)}
}

// round takes a sum of seconds back to whole milliseconds.
func round(s float64) float64 { return float64(int64(s*1000+0.5)) / 1000 }

func (v *visit) more(f *availability.Figures) []Pair {
	interval, burn := "", ""
	if f.MTBFLowerS != nil && f.MTBFUpperS != nil {
		interval = v.T("more.range", v.Seconds(f.MTBFLowerS), v.SecondsUp(f.MTBFUpperS))
	}
	if f.BurnRate != nil {
		burn = words.Number(*f.BurnRate)
	}
	return pairs(v.T("more.without"), v.Ratio(f.Exact.WithoutExclusion, 3), v.T("more.median"), v.Seconds(f.MTTRMedianS), v.T("more.p90"), v.Seconds(f.MTTRP90S),
		v.T("more.longest"), v.Seconds(f.LongestS), v.T("more.per"), v.Seconds(f.DownPerOutageS), v.T("more.interval"), interval, v.T("more.burn"), burn,
		v.T("more.as_of"), words.Instant(f.AsOf.Time(), zoneOf(f, v.Zone)))
}

func (v *visit) indicator(i *availability.IndicatorResult, f *availability.Figures, a *availability.Agreement) indicatorRow {
	row := indicatorRow{Name: v.Name(i.Name), Target: v.value(i.Kind, i.Target), Unacceptable: v.value(i.Kind, i.Unacceptable), Actual: v.value(i.Kind, i.Actual), Verdict: v.verdict(i.State, f),
		Why: v.Why(i, v.actor)}
	if text, ok := v.Measured(i); ok {
		row.Actual = text
	}
	if i.Kind.IsShare() {
		row.Target, row.Unacceptable = v.optionalShare(i.Target), v.optionalShare(i.Unacceptable)
	}
	for _, agreed := range a.Indicators {
		if agreed.Name == i.Name {
			row.Description = agreed.Description
		}
	}
	return row
}

func (v *visit) optionalShare(x *float64) string {
	if x == nil {
		return "–"
	}
	return v.Share(x)
}

// value prints an indicator's value by its kind.
func (v *visit) value(kind availability.Kind, x *float64) string {
	switch {
	case x == nil:
		return "–"
	case kind.IsShare():
		return v.Percent(x, 3)
	case kind.IsTime():
		return v.Seconds(x)
	}
	return words.Agreed(*x)
}

// policies prints what the agreement says about doubtful time.
func (v *visit) policies(c *availability.Catalogue, a *availability.Agreement) []Pair {
	limit := v.T("policy.cap.none")
	if a.Cap != nil {
		limit = v.T("policy.cap."+a.Cap.Per.String(), v.Millis(a.Cap.Length))
	}
	degraded := v.Or("policy.degraded."+a.Policies.Degraded.String(), "")
	if a.Policies.Degraded.Share != nil {
		degraded = v.T("policy.degraded.share", v.shareOf(a.Policies.Degraded.Share))
	}
	return pairs(v.T("policy.calendar"), v.Calendar(c, a.Calendar), v.T("policy.zone"), a.Zone.String(), v.T("policy.planned"), v.T("policy.planned."+a.Policies.Planned.String()),
		v.T("policy.notice"), v.Millis(a.Notice), v.T("policy.cap"), limit, v.T("policy.unknown"), v.T("policy.unknown."+a.Policies.Unknown.String()),
		v.T("policy.degraded"), degraded, v.T("policy.before_existence"), v.T("policy.before_existence."+a.Policies.BeforeExistence.String()),
		v.T("policy.ignore"), v.Millis(a.IgnoreBlips), v.T("policy.merge"), v.Millis(a.MergeBlips), v.T("policy.coverage"), v.shareOf(a.Limit()))
}

func (v *visit) shareOf(r *big.Rat) string {
	if r == nil {
		return ""
	}
	x, _ := r.Float64()
	return v.Share(&x)
}

func (s *Site) outageRow(ctx context.Context, v *visit, o *availability.Outage, zone *time.Location) (outageRow, error) {
	row := outageRow{From: when(o.From.Time(), zone), Ongoing: o.Ongoing, Bridged: o.Bridged, Counted: v.Seconds(&o.AgreedS), Hit: v.hit(o)}
	to := v.AsOf.UnixMilli()
	if o.To != nil {
		row.To = when(o.To.Time(), zone)
		to = o.To.MS
	}
	if o.Earliest != nil {
		w := when(o.Earliest.Time(), zone)
		row.Earliest = &w
	}
	known, err := s.Store.Outages(ctx, ledger.OutageFilter{Components: o.Components, From: o.From.MS, To: to + 1})
	if err != nil {
		return row, err
	}
	for _, c := range o.Components {
		l := link{Text: c}
		for _, k := range known {
			if k.Component == c {
				l.Link = v.at(fmt.Sprintf("/outages/%d", k.ID))
			}
		}
		row.Components = append(row.Components, l)
	}
	return row, nil
}
