package availability

import "math/big"

// Reason is how an indicator that facts do not give came to its state.
type Reason string

// The reasons. The first three come with a value.
const (
	BySamples Reason = "samples" // a quantile of samples
	ByQuery   Reason = "query"   // the one value of an expression
	ByPerson  Reason = "entered" // by hand

	NotBegun       Reason = "not_begun"      // no agreed time has elapsed
	NotEntered     Reason = "not_entered"    // nobody has entered a value for the month
	NoMonth        Reason = "no_month"       // values are entered for whole months, and this is none
	NoSource       Reason = "no_source"      // nothing in the service's tree is measured so
	FewSamples     Reason = "few_samples"    // they cover less than the agreed limit
	AgedOut        Reason = "aged_out"       // raw samples of the period are no longer kept
	NoValue        Reason = "no_value"       // the expression gave none
	SeveralValues  Reason = "several_values" // or more than one
	NotMeasurable  Reason = "failed"         // the expression could not be evaluated
	CarriedForward Reason = "carried"        // raw samples have aged out: the value that was frozen before stands
)

// Basis is what an indicator rests on that facts do not give. Fields without
// a meaning for its kind are left out.
type Basis struct {
	Reason   Reason   `json:"reason"`
	Query    string   `json:"query,omitempty"`    // PromQL, or the metric of the samples
	Quantile string   `json:"quantile,omitempty"` // a fraction; 1 is the largest
	Samples  int64    `json:"samples,omitempty"`  // that the quantile is of
	Rank     int64    `json:"rank,omitempty"`     // of the value among them, the smallest is 1
	Found    int64    `json:"found,omitempty"`    // values of an expression that should give one
	Of       []string `json:"of,omitempty"`       // components or hosts that were looked at
	Worst    string   `json:"worst,omitempty"`    // component or instance with the worst value
	Coverage *float64 `json:"coverage,omitempty"` // share of the agreed time that samples cover, of Least
	Least    string   `json:"least,omitempty"`    // component or host that is covered least
	Limit    *float64 `json:"limit,omitempty"`    // the agreed coverage
	Aged     bool     `json:"aged,omitempty"`     // the first samples of the time are no longer kept
	At       *Instant `json:"at,omitempty"`       // when the expression was evaluated, or the value entered
	Month    string   `json:"month,omitempty"`    // 2026-10, the value is of
	By       string   `json:"by,omitempty"`       // who entered it
	Comment  string   `json:"comment,omitempty"`
	Entry    int64    `json:"entry,omitempty"`   // 1, or more where it was amended
	Version  int64    `json:"version,omitempty"` // of the closed month the value is carried from
	Fault    string   `json:"fault,omitempty"`   // why it could not be evaluated
}

// Conclude gives the result of an indicator that facts do not give: its state
// by value, or without one (nil) by the reason of the basis.
func (i *Indicator) Conclude(value *big.Rat, basis *Basis) IndicatorResult {
	out := IndicatorResult{Name: i.Name, Target: numberOf(i.Target).float(), Unacceptable: numberOf(i.Unacceptable).float(), Kind: i.Kind, Basis: basis,
		Exact: value, Actual: numberOf(value).float(), State: InsufficientData}
	switch {
	case basis.Reason == NotBegun || basis.Reason == NoSource || i.Target == nil: // without a target there is nothing to meet
		out.State = NotApplicable
	case value != nil:
		out.State = i.compare(value)
	}
	return out
}

// Remaining is the elapsed agreed time that the four cuts left.
func (f *Figures) Remaining() Set {
	var spans []Span
	for _, p := range f.Pieces {
		if p.Cut == NoCut {
			spans = append(spans, p.Span)
		}
	}
	return NewSet(spans...)
}
