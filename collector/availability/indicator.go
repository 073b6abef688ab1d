package availability

import "math/big"

// IndicatorState is how an indicator stands: one of the words below, as JSON
// has them.
type IndicatorState = string

// The states of an indicator.
const (
	Met              IndicatorState = "met"
	BelowTarget      IndicatorState = "below_target"
	Unacceptable     IndicatorState = "unacceptable"
	InsufficientData IndicatorState = "insufficient_data"
	NotApplicable    IndicatorState = "not_applicable"
)

// IndicatorResult is an indicator with its value: ratios 0..1, times in s.
type IndicatorResult struct {
	Name         string         `json:"name"`
	Target       *float64       `json:"target"`
	Unacceptable *float64       `json:"unacceptable"`
	Actual       *float64       `json:"actual"`
	State        IndicatorState `json:"state"`

	// Basis is what a value that facts do not give rests on; nil of the kinds
	// that evaluate computes.
	Basis *Basis `json:"basis,omitempty"`
	// Why says the basis in a sentence, in a reader's language: whoever shows
	// it fills it in.
	Why string `json:"why,omitempty"`

	Kind  Kind     `json:"-"`
	Exact *big.Rat `json:"-"` // Actual, as it was compared
}

// defaultCoverage is the coverage below which figures decide nothing.
func defaultCoverage() *big.Rat { return big.NewRat(95, 100) }

// Limit is the agreement's coverage limit, 95 % by default.
func (a *Agreement) Limit() *big.Rat {
	if a.CoverageLimit == nil {
		return defaultCoverage()
	}
	return a.CoverageLimit
}

// indicate adds the indicators. elapsed: some agreed time has elapsed.
func (f *Figures) indicate(a *Agreement, elapsed bool, r repair) {
	f.Indicators = []IndicatorResult{}
	for k := range a.Indicators {
		i := &a.Indicators[k]
		out := IndicatorResult{Name: i.Name, State: NotApplicable, Kind: i.Kind}
		if i.Kind.Computed() {
			out.Target, out.Unacceptable = numberOf(i.Target).float(), numberOf(i.Unacceptable).float()
			out.Exact = f.actual(i.Kind)
			out.Actual = numberOf(out.Exact).float()
			out.State = f.judge(i, out.Exact, a.Limit(), elapsed, r)
		}
		f.Indicators = append(f.Indicators, out)
	}
}

func (f *Figures) actual(k Kind) *big.Rat {
	switch k {
	case KindAvailability:
		return f.Exact.Availability
	case KindMTTR:
		return f.Exact.MTTR
	case KindMTBF:
		return f.Exact.MTBF
	case KindMTBSI:
		return f.Exact.MTBSI
	case KindLongestOutage:
		return f.Exact.Longest
	case KindOutages:
		return whole(f.OutagesStarted).rat()
	}
	return nil
}

// judge is the state of the indicator, its tests in the order agreed.
func (f *Figures) judge(i *Indicator, actual, limit *big.Rat, elapsed bool, r repair) IndicatorState {
	if !elapsed {
		return NotApplicable
	}
	if f.Exact.Coverage == nil || f.Exact.Coverage.Cmp(limit) < 0 {
		if i.Kind == KindAvailability && f.Exact.AvailabilityHigh != nil {
			if best := i.compare(f.Exact.AvailabilityHigh); best != Met {
				return best // no missing data could undo it
			}
		}
		return InsufficientData
	}
	if actual != nil {
		return i.compare(actual)
	}
	switch i.Kind {
	case KindAvailability:
		return InsufficientData
	case KindMTTR:
		return NotApplicable
	}
	if r.any { // only such as began before
		return NotApplicable
	}
	return Met
}

// compare judges a value: equal to the target is met, equal to what is
// unacceptable is not yet.
func (i *Indicator) compare(actual *big.Rat) IndicatorState {
	worse := func(limit *big.Rat) bool {
		if i.higherIsBetter() {
			return actual.Cmp(limit) < 0
		}
		return actual.Cmp(limit) > 0
	}
	switch {
	case i.Target == nil || !worse(i.Target):
		return Met
	case i.Unacceptable != nil && worse(i.Unacceptable):
		return Unacceptable
	}
	return BelowTarget
}
