package availability

import "sort"

// counted is an outage with what of it counts.
type counted struct {
	stop
	impact
	first    int64 // the first counted instant
	total    int64 // ms counted up to the end of the elapsed period
	inPeriod int64 // ms of that in the period
	ongoing  bool  // not restored before the end of the elapsed period
}

// outages are those that have counted time before end (the end of the elapsed
// period) and were not over before from. countable is the time in which down
// counts, from the beginning of the first of them on.
func (v *view) outages(from, end int64, countable func(begin int64) (Set, error), exact FactBefore) ([]counted, error) {
	var near []stop
	for _, s := range v.stops {
		if s.From < end && (s.open || s.To >= from) {
			near = append(near, s)
		}
	}
	if len(near) == 0 {
		return nil, nil
	}
	counts, err := countable(near[0].From)
	if err != nil {
		return nil, err
	}
	downs := v.seen.Within(near[0].From, end).where(v.agreement.Policies.isDown).Intersect(counts)
	var out []counted
	var kept []stop
	for _, s := range near {
		within := downs.Within(s.From, min(s.To, end))
		if len(within) == 0 {
			continue
		}
		out = append(out, counted{stop: s, first: within[0].From, total: within.Length(),
			inPeriod: within.LengthWithin(from, end), ongoing: s.open || s.To >= end})
		kept = append(kept, s)
	}
	for i, hit := range v.impacts(kept, exact) {
		out[i].impact = hit
		sort.Strings(out[i].components)
	}
	return out, nil
}

// repair are the figures of the outages of a period, times in ms.
type repair struct {
	started  int64
	restored int64
	mean     number
	median   number
	p90      number
	longest  number
	any      bool // an outage concerns the period at all
}

func repairOf(outages []counted, from, end int64) repair {
	r := repair{any: len(outages) > 0}
	var times []int64
	var total int64
	for _, o := range outages {
		if o.first >= from && o.first < end {
			r.started++
		}
		if !o.ongoing && o.To >= from {
			times = append(times, o.total)
			total += o.total
		}
		if r.longest.none() || r.longest.num < o.total {
			r.longest = whole(o.total)
		}
	}
	n := int64(len(times))
	r.restored = n
	if n == 0 {
		return r
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	r.mean = whole(total).over(whole(n))
	r.median = whole(times[(n-1)/2] + times[n/2]).over(whole(2))
	r.p90 = whole(times[(9*n+9)/10-1]) // the ceil(0.9 n)-th smallest
	return r
}
