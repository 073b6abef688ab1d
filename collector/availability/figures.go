package availability

import (
	"math"
	"math/big"

	"gonum.org/v1/gonum/stat/distuv"
)

// Figures is all there is to say about one service, agreement version and
// period. Times are in s, ratios 0..1, both unrounded; nil is no value.
type Figures struct {
	Service       string  `json:"service"`
	Customer      string  `json:"customer"`
	Agreement     string  `json:"agreement"`
	Version       int     `json:"version"`
	From          Instant `json:"from"`
	To            Instant `json:"to"`
	AsOf          Instant `json:"as_of"`
	AgreedS       float64 `json:"agreed_s"`        // elapsed
	AgreedPeriodS float64 `json:"agreed_period_s"` // of the whole period
	Cut           CutS    `json:"cut"`
	UpS           float64 `json:"up_s"`
	DegradedS     float64 `json:"degraded_s"`
	DownS         float64 `json:"down_s"`
	UnknownS      float64 `json:"unknown_s"`

	Availability                  *float64 `json:"availability"`
	AvailabilityLow               *float64 `json:"availability_low"`
	AvailabilityHigh              *float64 `json:"availability_high"`
	AvailabilityWithoutExclusions *float64 `json:"availability_without_exclusions"`
	Coverage                      *float64 `json:"coverage"`

	OutagesStarted  int64    `json:"outages_started"`
	OutagesRestored int64    `json:"outages_restored"`
	MTTRS           *float64 `json:"mttr_s"`
	MTTRMedianS     *float64 `json:"mttr_median_s"`
	MTTRP90S        *float64 `json:"mttr_p90_s"`
	MTBFS           *float64 `json:"mtbf_s"`
	MTBFLowerS      *float64 `json:"mtbf_lower_s"`
	MTBFUpperS      *float64 `json:"mtbf_upper_s"`
	MTBSIS          *float64 `json:"mtbsi_s"`
	DownPerOutageS  *float64 `json:"down_per_outage_s"`
	LongestS        *float64 `json:"longest_s"`
	BudgetS         *float64 `json:"budget_s"`
	BudgetElapsedS  *float64 `json:"budget_elapsed_s"`
	BurnRate        *float64 `json:"burn_rate"`

	Users                   *int64            `json:"users"` // who use the service; null: not known
	AvailabilityByFunctions *float64          `json:"availability_by_functions"`
	AvailabilityByUsers     *float64          `json:"availability_by_users"`
	LostUserS               *float64          `json:"lost_user_s"` // users x D
	Functions               []FunctionFigures `json:"functions"`

	Outages    []Outage          `json:"outages"`
	Indicators []IndicatorResult `json:"indicators"`

	Exact  Exact   `json:"-"`
	Pieces []Piece `json:"-"` // what became of each part of the elapsed period
}

// CutS is what the four cuts took of the elapsed period, in s.
type CutS struct {
	CalendarS  float64 `json:"calendar_s"`
	ExistenceS float64 `json:"existence_s"`
	PlannedS   float64 `json:"planned_s"`
	AdjustedS  float64 `json:"adjusted_s"`
}

// Outage is one outage with counted time in the period, or restored in it.
type Outage struct {
	From       Instant  `json:"from"`
	To         *Instant `json:"to"`       // nil: not known yet
	Earliest   *Instant `json:"earliest"` // the last fact before it that counts as up
	AgreedS    float64  `json:"agreed_s"` // all its counted time so far
	DownS      float64  `json:"down_s"`   // the part in the period
	Ongoing    bool     `json:"ongoing"`
	Bridged    bool     `json:"bridged"`
	Components []string `json:"components"`
	Functions  []string `json:"functions"`   // of the service, that had an outage at some instant of it
	LostUserS  *float64 `json:"lost_user_s"` // users x DownS

	down int64 // ms of DownS
}

// Exact has the values that are compared and printed, as exact fractions
// (times in s); nil is no value. They may be shared: nobody changes them.
type Exact struct {
	Availability     *big.Rat
	AvailabilityLow  *big.Rat
	AvailabilityHigh *big.Rat
	WithoutExclusion *big.Rat
	Coverage         *big.Rat
	Up, Down         *big.Rat // U and D, unknown time assigned as the policy says
	Allowed          *big.Rat // downtime the target allows in the whole period; nil without a target
	Budget           *big.Rat
	BurnRate         *big.Rat
	MTTR, MTTRMedian *big.Rat
	MTTRP90, Longest *big.Rat
	MTBF, MTBSI      *big.Rat
	DownPerOutage    *big.Rat
	ByFunctions      *big.Rat
	ByUsers          *big.Rat
	Functions        []ExactFunction // in the order of Figures.Functions
}

// period is one evaluation: a version, its part of the period, and how much
// of it has elapsed.
type period struct {
	from, to, end int64 // end = min(as_of, to), as it is even before from
}

func (e *evaluation) figures(v *view, p period) (Figures, error) {
	s, err := e.sums(v, p)
	if err != nil {
		return Figures{}, err
	}
	f := e.figuresOf(v.agreement, p, s)
	f.Service, f.Customer, f.Pieces = v.agreement.Service, v.service.Customer, s.pieces
	if v.function != "" {
		return f, nil
	}
	return f, e.functions(v, p, &f)
}

// sums are what all figures of a period are worked out from, in ms. Those of
// several things about which one thing was agreed can be added up.
type sums struct {
	tally   tally // of the elapsed period
	agreed  int64 // of the whole period
	seen    amounts
	assumed amounts
	without amounts // exclusions
	outages []counted
	pieces  []Piece // not added up
}

func (e *evaluation) sums(v *view, p period) (sums, error) {
	c, err := v.cut(p.from, p.to)
	if err != nil {
		return sums{}, err
	}
	elapsed := max(p.from, p.end)
	pieces, t, err := v.pieces(c, p.from, elapsed)
	if err != nil {
		return sums{}, err
	}
	outages, err := v.outages(p.from, p.end, func(begin int64) (Set, error) { return e.countable(v, c, begin, p) }, e.in.FactBefore)
	if err != nil {
		return sums{}, err
	}
	policies := v.agreement.Policies
	s := sums{tally: t, agreed: c.remaining.Length(), seen: policies.measured(t), outages: outages, pieces: pieces}
	s.assumed = policies.assumed(s.seen)
	s.without = s.assumed
	if len(c.planned) > 0 || len(c.adjusted) > 0 || len(c.upPlanned) > 0 {
		s.without = v.withoutExclusions(c, p.from, elapsed)
	}
	return s, nil
}

// figuresOf works the figures out; whose they are is left to the caller.
func (e *evaluation) figuresOf(a *Agreement, p period, s sums) Figures {
	f := Figures{Functions: []FunctionFigures{}, Agreement: a.Number, Version: a.Version, From: Instant{p.from, a.Zone}, To: Instant{p.to, a.Zone}, AsOf: Instant{e.in.AsOf, a.Zone}}
	t := s.tally
	f.AgreedS, f.AgreedPeriodS = msSeconds(t.agreed()), msSeconds(s.agreed)
	f.Cut = CutS{msSeconds(t.cut[CutCalendar]), msSeconds(t.cut[CutExistence]), msSeconds(t.cut[CutPlanned]), msSeconds(t.cut[CutAdjusted])}
	f.UpS, f.DegradedS = msSeconds(t.state[Up]), msSeconds(t.state[Degraded])
	f.DownS, f.UnknownS = msSeconds(t.state[Down]), msSeconds(t.state[Unknown])
	f.shares(s.seen, s.assumed, s.without, e.kept)
	r := repairOf(s.outages, p.from, p.end)
	f.reliability(s.assumed, r, e.chi, e.kept)
	f.budget(a, s.assumed.down, t.agreed(), s.agreed, e.kept)
	f.list(s.outages, a, p)
	f.indicate(a, t.agreed() > 0, r)
	return f
}

// withoutExclusions is what the states would add up to after the calendar and
// existence alone.
func (v *view) withoutExclusions(c cuts, from, elapsed int64) amounts {
	base := c.base.Within(from, elapsed)
	var upExist Set
	if v.agreement.Policies.BeforeExistence == AsUp {
		upExist = base.Intersect(v.gone)
	}
	var t tally
	for _, seg := range v.states(base, upExist, nil) {
		t.state[seg.State] += seg.Length()
	}
	p := v.agreement.Policies
	return p.assumed(p.measured(t))
}

func (f *Figures) shares(seen, assumed, without amounts, keep fractions) {
	all := seen.all()
	a, low, high := assumed.availability(), seen.up.over(all), seen.up.plus(seen.unknown).over(all)
	plain, coverage := without.availability(), seen.known().over(all)
	x := &f.Exact
	x.Availability, x.AvailabilityLow, x.AvailabilityHigh = keep.of(a), keep.of(low), keep.of(high)
	x.WithoutExclusion, x.Coverage = keep.of(plain), keep.of(coverage)
	f.Availability, f.AvailabilityLow, f.AvailabilityHigh = a.float(), low.float(), high.float()
	f.AvailabilityWithoutExclusions, f.Coverage = plain.float(), coverage.float()
}

func (f *Figures) reliability(a amounts, r repair, chi quantiles, keep fractions) {
	up, down, n := a.up.seconds(), a.down.seconds(), whole(r.started)
	mtbf, mtbsi, each := up.over(n), a.known().seconds().over(n), down.over(n)
	mean, median, p90, longest := r.mean.seconds(), r.median.seconds(), r.p90.seconds(), r.longest.seconds()
	x := &f.Exact
	x.Up, x.Down = keep.of(up), keep.of(down)
	x.MTBF, x.MTBSI, x.DownPerOutage = keep.of(mtbf), keep.of(mtbsi), keep.of(each)
	x.MTTR, x.MTTRMedian, x.MTTRP90, x.Longest = keep.of(mean), keep.of(median), keep.of(p90), keep.of(longest)
	f.OutagesStarted, f.OutagesRestored = r.started, r.restored
	f.MTBFS, f.MTBSIS, f.DownPerOutageS = mtbf.float(), mtbsi.float(), each.float()
	f.MTTRS, f.MTTRMedianS, f.MTTRP90S, f.LongestS = mean.float(), median.float(), p90.float(), longest.float()
	f.MTBFLowerS, f.MTBFUpperS = chi.mtbfInterval(*up.float(), r.started)
}

// fractions are those that figures keep, each made once: many services were up
// all month, or down for a minute.
type fractions map[number]*big.Rat

// of is the fraction of the number, not to be changed; nil is no value.
func (f fractions) of(n number) *big.Rat {
	if n.none() || n.wide != nil {
		return n.rat()
	}
	r, made := f[n]
	if !made {
		r = n.rat()
		f[n] = r
	}
	return r
}

// quantiles remembers those of the chi-square distribution by the number of
// outages: a thousand services have a few numbers among them.
type quantiles map[int64][2]float64

func (q quantiles) of(n int64) (high, low float64) {
	known, ok := q[n]
	if !ok {
		known = [2]float64{distuv.ChiSquared{K: float64(2*n + 2)}.Quantile(0.95), distuv.ChiSquared{K: float64(2 * n)}.Quantile(0.05)}
		q[n] = known
	}
	return known[0], known[1]
}

// mtbfInterval is the two-sided 90 % interval of the mean time between
// failures after n outages in up seconds of use, the test being ended by time:
// 2U/chi2(0.95; 2n+2) to 2U/chi2(0.05; 2n), MIL-HDBK-189C 6.2. Without an
// outage there is no upper end, and the lower is U / -ln 0.05.
func (q quantiles) mtbfInterval(up float64, n int64) (lower, upper *float64) {
	if n == 0 {
		low := up / -math.Log(0.05)
		return &low, nil
	}
	above, below := q.of(n)
	low := 2 * up / above
	high := 2 * up / below
	return &low, &high
}

// budget compares downtime with what the first availability target allows of
// the agreed time that has elapsed and of that of the whole period, all in ms.
func (f *Figures) budget(a *Agreement, down number, elapsed, period int64, keep fractions) {
	for _, i := range a.Indicators {
		if i.Kind != KindAvailability || i.Target == nil {
			continue
		}
		loss := whole(1).less(numberOf(i.Target))
		spent, allowed := down.seconds(), loss.times(whole(period).seconds())
		left, burn := allowed.less(spent), spent.over(allowed).over(whole(elapsed).over(whole(period)))
		f.Exact.Allowed, f.Exact.Budget, f.Exact.BurnRate = keep.of(allowed), keep.of(left), keep.of(burn)
		f.BudgetS, f.BurnRate = left.float(), burn.float()
		f.BudgetElapsedS = loss.times(whole(elapsed).seconds()).less(spent).float()
		return
	}
}

func (f *Figures) list(outages []counted, a *Agreement, p period) {
	f.Outages = []Outage{}
	for _, o := range outages {
		if o.inPeriod == 0 && (o.ongoing || o.To < p.from) {
			continue
		}
		out := Outage{From: Instant{o.From, a.Zone}, AgreedS: msSeconds(o.total), DownS: msSeconds(o.inPeriod),
			Ongoing: o.ongoing, Bridged: o.bridged, Components: append([]string{}, o.components...), Functions: []string{}, down: o.inPeriod}
		if !o.open {
			out.To = &Instant{o.To, a.Zone}
		}
		if o.hasFact {
			out.Earliest = &Instant{o.earliest, a.Zone}
		}
		f.Outages = append(f.Outages, out)
	}
}
