package words

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// Why says what an indicator rests on that facts do not give, in one or two
// sentences; empty for those that facts give. actor names who entered a value.
func (b *Book) Why(i *availability.IndicatorResult, actor func(string) string) string {
	s := i.Basis
	if s == nil {
		return ""
	}
	switch s.Reason {
	case availability.BySamples, availability.CarriedForward:
		text := b.whySamples(i, s)
		if s.Reason == availability.CarriedForward {
			text = strings.TrimSpace(text + " " + b.T("why.carried", strconv.FormatInt(s.Version, 10)))
		}
		return text
	case availability.ByQuery:
		return b.T("why.query", s.Query, at(s))
	case availability.ByPerson:
		return b.whyEntered(s, actor)
	case availability.NotBegun:
		return b.T("why.not_begun")
	case availability.NotEntered:
		return b.T("why.not_entered", b.Month(s.Month))
	case availability.NoMonth:
		return b.T("why.no_month")
	case availability.NoSource:
		return b.T("why.no_source")
	case availability.FewSamples:
		return b.T("why.few_samples", b.Percent(s.Coverage, 1), s.Least, b.Share(s.Limit))
	case availability.AgedOut:
		return b.T("why.aged_out")
	case availability.SeveralValues:
		return b.T("why.several_values", s.Query, strconv.FormatInt(s.Found, 10), at(s))
	case availability.NotMeasurable:
		return b.T("why.failed", s.Fault)
	case availability.NoValue:
		if i.Kind == availability.KindLatency {
			return b.T("why.unanswered", b.some(s.Of))
		}
		return b.T("why.no_value", s.Query, at(s))
	}
	return ""
}

func (b *Book) whySamples(i *availability.IndicatorResult, s *availability.Basis) string {
	rank, n, of := strconv.FormatInt(s.Rank, 10), strconv.FormatInt(s.Samples, 10), b.some(s.Of)
	switch {
	case s.Samples == 0:
		return ""
	case i.Kind == availability.KindLatency:
		return b.T("why.latency", b.fraction(s.Quantile), n, of, rank, b.Percent(s.Coverage, 1))
	case s.Rank == s.Samples:
		return b.T("why.capacity.largest", s.Worst, n, of, b.Percent(s.Coverage, 1))
	}
	return b.T("why.capacity", s.Worst, b.fraction(s.Quantile), n, rank, of, b.Percent(s.Coverage, 1))
}

func (b *Book) whyEntered(s *availability.Basis, actor func(string) string) string {
	text := b.T("why.entered", actor(s.By), at(s))
	if s.Entry > 1 {
		text = b.T("why.amended", text, strconv.FormatInt(s.Entry, 10))
	}
	if s.Comment != "" {
		text += b.T("why.comment", s.Comment)
	}
	return text
}

// maxNamed bounds the components that a sentence names.
const maxNamed = 4

// some names the first of them, and how many more there are.
func (b *Book) some(names []string) string {
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return b.T("why.more", strings.Join(names[:maxNamed], ", "), strconv.Itoa(len(names)-maxNamed))
}

// fraction is a share kept as a fraction: 19/20 is "95 %".
func (b *Book) fraction(text string) string {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return text
	}
	share, _ := r.Float64()
	return b.Share(&share)
}

func at(s *availability.Basis) string {
	t := s.At.Time()
	return Instant(t, t.Location())
}

// Measured is the value of an indicator that facts do not give. It never looks
// better than it is: one that is the better the lower it is is rounded up, one
// of which that depends on the agreement is written in full. ok is false
// without a value and for other kinds.
func (b *Book) Measured(i *availability.IndicatorResult) (text string, ok bool) {
	switch {
	case i.Exact == nil:
		return "", false
	case i.Kind == availability.KindLatency:
		return b.SecondsUp(i.Actual), true
	case i.Kind == availability.KindCapacity:
		return b.RatioUp(i.Exact, 3), true
	case i.Kind == availability.KindPromQL || i.Kind == availability.KindManual:
		return decimal(i.Exact), true
	}
	return "", false
}
