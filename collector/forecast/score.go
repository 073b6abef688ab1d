package forecast

import "math"

// Naive is what somebody without a model would have said of the month, to
// hold a forecast against: the availability of the month before, and the
// target met as often as in the months before.
type Naive struct {
	Last *float64 `json:"last"`  // availability of the month before; nil: no value
	PMet *float64 `json:"p_met"` // (met + 1/2) / (months + 1); nil: no target, or no month before
}

// NaiveOf makes the naive forecast of the months before, the last one first:
// availabilities, nil where a month has none. target nil: none is agreed.
func NaiveOf(before []*float64, target *float64) (n Naive) {
	if len(before) > 0 {
		n.Last = before[0]
	}
	known, met := 0.0, 0.0
	for _, a := range before {
		if a == nil || target == nil {
			continue
		}
		known++
		if *a >= *target {
			met++
		}
	}
	if known > 0 {
		p := (met + 0.5) / (known + 1)
		n.PMet = &p
	}
	return n
}

// Outcome is how a forecast month came out. Met is nil where that cannot be
// told: no target, or too little of the month is known.
type Outcome struct {
	Availability float64
	Met          *bool
}

// Score tells how good a forecast was. Both scores are proper: nobody gains by
// forecasting anything but what they believe. Of both, 0 is best.
type Score struct {
	Inside bool    `json:"inside"` // the range from p05 to p95 held
	Off    float64 `json:"off"`    // median less what came, a share
	// Interval is the weighted interval score of the median and the range, in
	// shares of the month: half the distance to the median, plus the range's
	// width and 20 times what came outside of it, at their weights. Of a
	// forecast that is one number it is the distance, so NaiveInterval is too.
	Interval      float64  `json:"interval_score"`
	NaiveInterval *float64 `json:"naive_interval_score"`
	Brier         *float64 `json:"brier"` // of p_met: 0 best, 0.25 a coin's, 1 worst
	NaiveBrier    *float64 `json:"naive_brier"`
}

// alpha is the probability that is left outside of the range.
const alpha = 0.1

// ScoreOf scores a forecast, and the naive one beside it, against what came.
func ScoreOf(f Forecast, n Naive, came Outcome) Score {
	a := came.Availability
	s := Score{Inside: f.P05 <= a && a <= f.P95, Off: f.P50 - a,
		Interval: weighted(a, f.P05, f.P50, f.P95), Brier: brier(f.PMet, came.Met), NaiveBrier: brier(n.PMet, came.Met)}
	if n.Last != nil {
		s.NaiveInterval = new(float64)
		*s.NaiveInterval = math.Abs(*n.Last - a)
	}
	return s
}

// weighted is the weighted interval score (Bracher and others, 2021) of one
// median and one central range.
func weighted(a, low, middle, high float64) float64 {
	outside := max(low-a, 0, a-high)
	return (math.Abs(a-middle)/2 + alpha/2*(high-low+2/alpha*outside)) / 1.5
}

func brier(p *float64, met *bool) *float64 {
	if p == nil || met == nil {
		return nil
	}
	came := 0.0
	if *met {
		came = 1
	}
	b := (*p - came) * (*p - came)
	return &b
}

// Summary is how forecasts did on the whole: sums over months, each month once.
type Summary struct {
	Months        int      `json:"months"`               // that came to a value
	Inside        int      `json:"inside"`               // of them, in their range; 90 % are expected
	Interval      *float64 `json:"interval_score"`       // means; nil: no month
	NaiveInterval *float64 `json:"naive_interval_score"` // of the same months
	Brier         *float64 `json:"brier"`                // of the months that have both
	NaiveBrier    *float64 `json:"naive_brier"`          //
	Compared      int      `json:"compared_interval"`    // months in the two interval means
	ComparedBrier int      `json:"compared_brier"`       // and in the two Brier means
}

// Sum pools scores. The means are over months in which both forecasts have a
// score, so that one is held against the other.
func Sum(scores []Score) (s Summary) {
	var interval, naiveInterval, b, naiveB float64
	for _, each := range scores {
		s.Months++
		if each.Inside {
			s.Inside++
		}
		if each.NaiveInterval != nil {
			s.Compared++
			interval += each.Interval
			naiveInterval += *each.NaiveInterval
		}
		if each.Brier != nil && each.NaiveBrier != nil {
			s.ComparedBrier++
			b += *each.Brier
			naiveB += *each.NaiveBrier
		}
	}
	mean := func(sum float64, n int) *float64 {
		if n == 0 {
			return nil
		}
		sum /= float64(n)
		return &sum
	}
	s.Interval, s.NaiveInterval = mean(interval, s.Compared), mean(naiveInterval, s.Compared)
	s.Brier, s.NaiveBrier = mean(b, s.ComparedBrier), mean(naiveB, s.ComparedBrier)
	return s
}
