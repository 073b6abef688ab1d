package evaluate_test

import (
	"math/big"
	"strconv"
)

// judge gives every indicator its state; outages tells whether there was
// any outage at all.
func (e *entry) judge(f *figures, outages bool) {
	for _, ind := range e.a.indicators {
		f.indicators = append(f.indicators, e.judgeOne(f, ind, outages))
	}
}

func (e *entry) judgeOne(f *figures, ind indicator, outages bool) judged {
	kind := orElse(ind.kind, ind.name)
	actual, higher, known := f.actual(kind)
	if !known {
		return judged{ind, nil, "not_applicable"}
	}
	limit := big.NewRat(95, 100)
	if e.a.coverageLimit != "" {
		limit = share(e.a.coverageLimit)
	}
	state := ""
	switch {
	case f.agreed == 0:
		state = "not_applicable"
	case f.coverage.Cmp(limit) < 0:
		state = "insufficient_data"
		if kind == "availability" {
			if s := compare(ind, kind, f.high, true); s != "met" {
				state = s
			}
		}
	case kind == "availability" && actual == nil:
		state = "insufficient_data"
	case kind == "mttr" && actual == nil:
		state = "not_applicable"
	case actual == nil && !outages:
		state = "met" // mtbf, mtbsi and longest_outage
	case actual == nil:
		state = "not_applicable" // mtbf and mtbsi of outages that began before
	default:
		state = compare(ind, kind, actual, higher)
	}
	return judged{ind, actual, state}
}

// actual is the figure an indicator kind looks at.
func (f *figures) actual(kind string) (value *big.Rat, higherIsBetter, known bool) {
	switch kind {
	case "availability":
		return f.availability, true, true
	case "mttr":
		return seconds(f.mttr), false, true
	case "mtbf":
		return seconds(f.mtbf), true, true
	case "mtbsi":
		return seconds(f.mtbsi), true, true
	case "outages":
		return rat(int64(f.started)), false, true
	case "longest_outage":
		return seconds(f.longest), false, true
	}
	return nil, false, false
}

// compare says how a value stands to target and unacceptable value; equal
// to the target is met, equal to the other is not yet unacceptable.
func compare(ind indicator, kind string, actual *big.Rat, higherIsBetter bool) string {
	worse := func(limit string) bool {
		order := actual.Cmp(limitOf(kind, limit))
		return higherIsBetter && order < 0 || !higherIsBetter && order > 0
	}
	switch {
	case !worse(ind.target):
		return "met"
	case ind.unacceptable != "" && worse(ind.unacceptable):
		return "unacceptable"
	}
	return "below_target"
}

// limitOf reads a target: a share, a number, or a duration in seconds.
func limitOf(kind, text string) *big.Rat {
	switch kind {
	case "availability":
		return share(text)
	case "outages":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			panic(err)
		}
		return rat(n)
	}
	return big.NewRat(readDuration(text), 1000)
}

func seconds(ms *big.Rat) *big.Rat {
	if ms == nil {
		return nil
	}
	return over(ms, rat(1000))
}
