package web

import (
	"context"
	"fmt"
	"math/big"
	"net/url"
	"runtime"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/collector/zone"
)

type explainView struct {
	Service, Back, Title string
	Agreement, From, To  string
	Fraction             []Pair
	Measured             []measuredRow // indicators that facts do not give
	Weighted             []Pair        // by functions and users
	Shares               []shareRow
	Of                   string // the function whose rows are listed; "": the service
	Sum                  []termRow
	Rows                 []sumRow
	Hidden               string // how many rows are left to the table
	Row                  *rowView
	Policies, Versions   []Pair
	RowsLink, FactsLink  string
	APILink, Command     string
}

// measuredRow is an indicator that facts do not give, with what it rests on.
type measuredRow struct {
	Name, Actual, Why, Query string
	Verdict                  verdict
}

// termRow is a part of the sum, in exact milliseconds.
type termRow struct {
	Label, MS, Text string
	Total           bool
}

// sumRow is one span of the period.
type sumRow struct {
	N              int
	Link           string
	From, To       When
	MS, Text, What string
	State          string
	Why            string
	Here           bool
}

// rowView is the row a reader has opened, with the facts behind it.
type rowView struct {
	Title string
	Facts []factRow
}

type factRow struct {
	Component, Observer, State string
	First, Last                When
	Count                      int64
	Gap, Hold                  string
	Born, Grown                string
}

func explainPath(f *availability.Figures, period string) string {
	return servicePath(f.Service) + "/explain?" + url.Values{"period": {period}, "agreement": {f.Agreement}, "version": {strconv.Itoa(f.Version)}}.Encode()
}

// maxRows bounds the rows of a period that one page shows; a table has all.
const maxRows = 500

func (s *Site) explanation(ctx context.Context, v *visit) (string, any, error) {
	name := v.PathValue("name")
	if _, ok := s.Figures.Catalogue().Availability.Service(name); !ok {
		return "", nil, notFound(v.T("kind.service", name))
	}
	period := v.Params.Get("period")
	if period == "" {
		period = v.AsOf.In(v.Zone).Format("2006-01")
	}
	month, err := words.ParseMonth(period)
	if err != nil {
		return "", nil, badInput("period=" + period)
	}
	all, err := s.Figures.Explain(ctx, name, month.Format("2006-01-02"), month.AddDate(0, 1, 0).Format("2006-01-02"), v.AsOf)
	if err != nil {
		return "", nil, err
	}
	var x *availability.Explanation
	number, version := v.Params.Get("agreement"), v.Params.Get("version")
	for i := range all {
		if f := &all[i].Figures; (number == "" || f.Agreement == number) && (version == "" || strconv.Itoa(f.Version) == version) {
			x = &all[i]
			break
		}
	}
	if x == nil {
		return "", nil, notFound(v.T("kind.agreement", number))
	}
	view, err := s.explainView(ctx, v, x, period)
	return v.T("explain.title", v.Ratio(x.Figures.Exact.Availability, 3)), view, err
}

func (s *Site) explainView(ctx context.Context, v *visit, x *availability.Explanation, period string) (explainView, error) {
	f := &x.Figures
	zone := zoneOf(f, v.Zone)
	view := explainView{Service: f.Service, Back: v.at(servicePath(f.Service) + "?period=" + period), Title: v.T("explain.title", v.Ratio(f.Exact.Availability, 3)),
		Agreement: v.T("figures.agreement", f.Agreement, strconv.Itoa(f.Version)), From: words.Instant(f.From.Time(), zone), To: words.Instant(f.To.Time(), zone),
		Fraction: v.fraction(&x.Share), Weighted: v.byWeight(f), Shares: v.shares(x), Sum: v.sum(x)}
	cat := s.Figures.Catalogue()
	if a := agreementOf(cat.Availability, f); a != nil {
		view.Policies = v.policies(cat.Availability, a)
	}
	view.Versions = v.versions(s.Version, cat.Hash, x)
	for i := range f.Indicators {
		if ind := &f.Indicators[i]; ind.Basis != nil {
			actual, ok := v.Measured(ind)
			if !ok {
				actual = v.value(ind.Kind, ind.Actual)
			}
			view.Measured = append(view.Measured, measuredRow{v.Name(ind.Name), actual, v.Why(ind, v.actor), ind.Basis.Query, v.verdict(ind.State, f)})
		}
	}
	path := explainPath(f, period)
	rows, whole := x.Rows, path
	for i := range x.Functions {
		fn, link := &x.Functions[i], whole+"&"+url.Values{"function": {x.Functions[i].Name}}.Encode()
		if fn.Rows == nil { // the service's
			continue
		}
		view.Shares[i].Link = v.at(link) + "#rows"
		if fn.Name == v.Params.Get("function") {
			rows, path, view.Of = fn.Rows, link, fn.Name
		}
	}
	open, _ := strconv.Atoi(v.Params.Get("row")) // none is open without a number
	for i := range rows {
		r := &rows[i]
		if r.N == open {
			row, err := s.rowView(ctx, v, x, r)
			if err != nil {
				return view, err
			}
			view.Row = row
		}
		if len(view.Rows) < maxRows {
			view.Rows = append(view.Rows, v.sumRow(r, path, open))
		}
	}
	if n := len(rows) - len(view.Rows); n > 0 {
		view.Hidden = v.T("explain.hidden", strconv.Itoa(n))
	}
	q := url.Values{"period": {period}, "agreement": {f.Agreement}, "version": {strconv.Itoa(f.Version)}, "as_of": {f.AsOf.String()}}
	base := "/api/v1" + servicePath(f.Service) + "/explain"
	view.APILink, view.RowsLink, view.FactsLink = base+"?"+q.Encode(), base+".csv?"+q.Encode(), base+".csv?table=facts&"+q.Encode()
	view.Command = fmt.Sprintf("%s evaluate --facts facts.csv --catalogue catalogue.yaml --from %s --to %s --as-of %s --format table",
		s.Program, f.From.String(), f.To.String(), f.AsOf.String())
	return view, nil
}

// fraction prints availability as what it is: whole milliseconds over whole
// milliseconds, or the fraction a share of degraded time makes of it.
func (v *visit) fraction(s *availability.Share) []Pair {
	quotient := func(a, b *big.Rat) string {
		if b.Sign() == 0 {
			return ""
		}
		return exactMS(a) + " / " + exactMS(b)
	}
	lost := quotient(s.Down, s.Known)
	if lost != "" {
		lost = "1 − " + lost
	}
	return pairs(v.T("explain.u"), exactMS(s.Up)+" ms", v.T("explain.d"), exactMS(s.Down)+" ms", v.T("explain.k"), exactMS(s.Known)+" ms",
		v.T("explain.a"), quotient(s.Up, s.Known), v.T("explain.lost"), lost)
}

// exactMS groups the digits of whole milliseconds by three.
func exactMS(r *big.Rat) string {
	if !r.IsInt() {
		return r.RatString()
	}
	return grouped(r.Num().String())
}

func grouped(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}

// sum is elapsed, the cuts, agreed time and the states; each line can be added by hand.
func (v *visit) sum(x *availability.Explanation) []termRow {
	row := func(key string, ms int64, total bool) termRow {
		return termRow{v.T(key), grouped(strconv.FormatInt(ms, 10)), v.Millis(ms), total}
	}
	rows := []termRow{row("cut.elapsed", x.Elapsed, true)}
	agreed := x.Elapsed
	for _, t := range x.Sum {
		if t.Of == "state" && t.Name == availability.Up.String() {
			rows = append(rows, row("cut.agreed", agreed, true))
		}
		if t.Of == "cut" {
			agreed -= t.MS
		}
		rows = append(rows, row("cut."+t.Name, t.MS, false))
	}
	return rows
}

func (v *visit) sumRow(r *availability.Row, path string, open int) sumRow {
	row := sumRow{N: r.N, Link: v.at(fmt.Sprintf("%s&row=%d", path, r.N)) + "#facts", From: when(r.From.Time(), r.From.Zone), To: when(r.To.Time(), r.To.Zone),
		MS: grouped(strconv.FormatInt(r.MS, 10)), Text: v.Millis(r.MS), Why: strings.Join(r.Why, ", "), Here: r.N == open}
	if r.State != nil {
		row.State = r.State.String()
	} else {
		row.What = v.T("cut." + r.Cut.String())
	}
	return row
}

// rowView lists the streaks of facts behind the row, and where each comes from.
func (s *Site) rowView(ctx context.Context, v *visit, x *availability.Explanation, r *availability.Row) (*rowView, error) {
	view := &rowView{Title: v.T("explain.row", strconv.Itoa(r.N), words.Instant(r.From.Time(), r.From.Zone), words.Instant(r.To.Time(), r.To.Zone))}
	for _, e := range x.Behind(r) {
		known, err := s.Store.Origins(ctx, e.Component, e.First.MS, e.Last.MS)
		if err != nil {
			return nil, err
		}
		o := known[ledger.StreakKey{Component: e.Component, Observer: e.Observer, First: e.First.MS}]
		row := factRow{Component: e.Component, Observer: e.Observer, State: e.State.String(), First: when(e.First.Time(), e.First.Zone), Last: when(e.Last.Time(), e.Last.Zone),
			Count: e.Count, Gap: v.Millis(e.MaxGap), Hold: v.T("explain.forever"), Born: v.source(o.Born, r), Grown: v.source(o.Grown, r)}
		if e.Hold != nil {
			row.Hold = v.Millis(*e.Hold)
		}
		view.Facts = append(view.Facts, row)
	}
	return view, nil
}

func (v *visit) source(s ledger.Source, r *availability.Row) string {
	if s.Position == 0 {
		return v.T("explain.unknown.source")
	}
	return v.T("explain.source", strconv.FormatUint(s.Position, 10), whenMS(s.Received, r.From.Zone).Text)
}

// zoneData names the data the zone's offsets come from.
func (v *visit) zoneData(d zone.Data) string {
	version, source := d.Version, d.Source
	if version == "" {
		version = v.T("explain.zones.unknown")
	}
	if source == zone.Embedded {
		source = v.T("explain.zones.embedded")
	}
	return version + ", " + source
}

// versions names what computed the figures, and from what.
func (v *visit) versions(program, hash string, x *availability.Explanation) []Pair {
	var calendars, offsets []string
	for _, c := range x.Calendar {
		calendars = append(calendars, fmt.Sprintf("%d %s", c.Version, c.From))
	}
	for _, o := range x.Offsets {
		offsets = append(offsets, o.From.String()+" UTC"+fmt.Sprintf("%+d s", o.Seconds))
	}
	return pairs(v.T("explain.program"), program+", "+runtime.Version(), v.T("explain.catalogue"), hash, v.T("explain.calendar"), strings.Join(calendars, "; "),
		v.T("explain.zones"), v.zoneData(zone.Find(runtime.Version())), v.T("explain.offsets"), strings.Join(offsets, "; "), v.T("more.as_of"), x.Figures.AsOf.String())
}
