package evaluate_test

import (
	"cmp"
	"math"
	"math/big"
	"slices"
)

// figures is what the contract's JSON must say of one agreement version.
// Milliseconds are exact, a nil number is one without a value.
type figures struct {
	a                                          agreement
	customer                                   string
	from, to                                   int64
	calendar, existence, planned, adjusted     int64
	agreed, agreedPeriod                       int64
	up, degraded, down, unknown                int64
	availability, low, high, without, coverage *big.Rat
	started, restored                          int
	mttr, median, p90, longest                 *big.Rat // ms
	mtbf, mtbsi, downPerOutage                 *big.Rat // ms
	mtbfLower, mtbfUpper                       *float64 // ms
	budget, budgetElapsed, burn                *big.Rat
	outages                                    []listed
	indicators                                 []judged
	u, d                                       *big.Rat // ms, assigned
	weighed
}

// listed is an outage as the JSON lists it; instants in ms, none is null.
type listed struct {
	from, to, earliest int64
	agreed, down       int64
	ongoing, bridged   bool
	components         []string
	functions          []string
	lost               *big.Rat // ms x users
}

type judged struct {
	indicator
	actual *big.Rat // seconds, shares or a number
	state  string
}

// tally counts the milliseconds of each state.
type tally struct{ up, degraded, down, unknown int64 }

func (t *tally) add(s state, ms int64) {
	switch s {
	case up:
		t.up += ms
	case degraded:
		t.degraded += ms
	case down:
		t.down += ms
	case unknown:
		t.unknown += ms
	}
}

// assigned are U, D and X with degraded seconds shared out.
func (t tally) assigned(w *big.Rat) (u, d, x *big.Rat) {
	deg := rat(t.degraded)
	d = new(big.Rat).Add(rat(t.down), new(big.Rat).Mul(w, deg))
	u = new(big.Rat).Add(rat(t.up), new(big.Rat).Mul(new(big.Rat).Sub(big.NewRat(1, 1), w), deg))
	return u, d, rat(t.unknown)
}

// assume adds X where the policy says so.
func assume(policy string, u, d, x *big.Rat) (*big.Rat, *big.Rat) {
	switch policy {
	case "up":
		return sum(u, x), d
	case "down":
		return u, sum(d, x)
	}
	return u, d
}

func rat(n int64) *big.Rat         { return new(big.Rat).SetInt64(n) }
func sum(a, b *big.Rat) *big.Rat   { return new(big.Rat).Add(a, b) }
func minus(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

// over is a/b, nil where b is 0.
func over(a, b *big.Rat) *big.Rat {
	if b.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(a, b)
}

// expect computes every figure of a problem, entry by entry.
func (p *problem) expect(zs zones) []figures {
	g := p.grid(zs)
	seenBy := map[string]seen{}
	for _, c := range p.components {
		seenBy[c.name] = p.watch(c, g)
	}
	known := map[string][]*pass{}
	passes := func(fn string) []*pass { // of all agreements, for a function of that name or none
		if known[fn] == nil {
			for _, a := range p.agreements {
				known[fn] = append(known[fn], p.pass(a, fn, g, seenBy, zs))
			}
		}
		return known[fn]
	}
	var all []figures
	for i, a := range p.agreements {
		z := zs.load(a.zone)
		from, to := p.from.in(z), p.to.in(z)
		if !a.from.open() {
			from = max(from, a.from.in(z))
		}
		if !a.to.open() {
			to = min(to, a.to.in(z))
		}
		if from < to {
			of := func(fn string) figures {
				e := &entry{pass: passes(fn)[i], versions: passes(fn), from: g.index(from), to: g.index(to)}
				return e.figures(from, to)
			}
			f := of("")
			f.weigh(p.service(a.service), of)
			all = append(all, f)
		}
	}
	return all
}

// entry is one agreement version over its part of the period.
type entry struct {
	*pass
	versions []*pass // of all agreements
	from, to int     // grid indices
}

func (e *entry) elapsed() int { return max(e.from, min(e.w.known, e.to)) }

func (e *entry) figures(from, to int64) figures {
	f := figures{a: e.a, customer: e.s.customer, from: from, to: to}
	step := e.w.g.step
	var states, bare tally
	for i := e.from; i < e.to; i++ {
		if e.remaining(i) {
			f.agreedPeriod += step
		}
		if i >= e.elapsed() {
			continue
		}
		if e.left(i) {
			bare.add(e.state[i], step)
		}
		switch {
		case !e.inside[i]:
			f.calendar += step
		case !e.left(i):
			f.existence += step
		case e.planned[i] && e.a.plannedPolicy() == "exclude":
			f.planned += step
		case e.adjusted[i]:
			f.adjusted += step
		default:
			f.agreed += step
			now := e.state[i]
			if e.madeUp(i) && now != unknown {
				now = up
			}
			states.add(now, step)
		}
	}
	f.up, f.degraded, f.down, f.unknown = states.up, states.degraded, states.down, states.unknown
	u, d, x := states.assigned(e.a.degradedShare())
	k := sum(u, d)
	f.low, f.high, f.coverage = over(u, sum(k, x)), over(sum(u, x), sum(k, x)), over(k, sum(k, x))
	u, d = assume(e.a.unknownPolicy(), u, d, x)
	f.availability = over(u, sum(u, d))
	f.u, f.d = u, d
	bu, bd, bx := bare.assigned(e.a.degradedShare())
	bu, bd = assume(e.a.unknownPolicy(), bu, bd, bx)
	f.without = over(bu, sum(bu, bd))
	any := e.reliability(&f, u, d)
	e.budgets(&f, d)
	e.judge(&f, any)
	return f
}

// inForce is the version of the same agreement in force at an instant.
func (e *entry) inForce(i int) *pass {
	at := e.w.g.at(i)
	for _, v := range e.versions {
		if v.a.number == e.a.number && within(v.a.from, v.a.to, v.w.zone, at) {
			return v
		}
	}
	return nil
}

// counted tells whether an instant of an outage counts.
func (e *entry) counted(i int) bool {
	v := e.pass
	if i < e.from {
		v = e.inForce(i)
	}
	return v != nil && e.a.countsDown(e.facts[i]) && v.remaining(i) && !v.madeUp(i)
}

// reliability fills in all that is made of outages and tells whether there
// was any.
func (e *entry) reliability(f *figures, u, d *big.Rat) bool {
	var repairs, lengths []int64
	for _, o := range e.outages() {
		l := listed{to: none, from: e.w.g.at(o.from)}
		end := e.elapsed()
		if o.to >= 0 {
			l.to = e.w.g.at(o.to)
			end = min(end, o.to)
		}
		first := -1
		for i := o.from; i < end; i++ {
			if e.counted(i) {
				if first < 0 {
					first = i
				}
				l.agreed += e.w.g.step
				if i >= e.from {
					l.down += e.w.g.step
				}
			}
		}
		if l.agreed == 0 {
			continue
		}
		if first >= e.from {
			f.started++
		}
		l.ongoing = o.to < 0 || o.to >= e.elapsed()
		restored := !l.ongoing && o.to >= e.from
		if restored {
			f.restored++
			repairs = append(repairs, l.agreed)
		}
		if restored || l.ongoing {
			lengths = append(lengths, l.agreed)
		}
		if restored || l.down > 0 {
			e.describe(&l, o)
			f.outages = append(f.outages, l)
		}
	}
	repairTimes(f, repairs)
	if len(lengths) > 0 {
		f.longest = rat(slices.Max(lengths))
	}
	betweenFailures(f, u, d)
	return len(lengths) > 0
}

// repairTimes are the mean, median and 90th percentile of the restored.
func repairTimes(f *figures, repairs []int64) {
	n := len(repairs)
	if n == 0 {
		return
	}
	slices.Sort(repairs)
	total := int64(0)
	for _, ms := range repairs {
		total += ms
	}
	f.mttr = big.NewRat(total, int64(n))
	f.median = big.NewRat(repairs[(n-1)/2]+repairs[n/2], 2)
	f.p90 = rat(repairs[(9*n+9)/10-1])
}

func betweenFailures(f *figures, u, d *big.Rat) {
	n := rat(int64(f.started))
	f.mtbf, f.mtbsi, f.downPerOutage = over(u, n), over(sum(u, d), n), over(d, n)
	twice, _ := times(u, rat(2)).Float64()
	lower := twice / chiSquare(0.95, f.started+1)
	f.mtbfLower = &lower
	if f.started > 0 {
		upper := twice / chiSquare(0.05, f.started)
		f.mtbfUpper = &upper
	}
}

// chiSquare is the quantile of the chi-square distribution with 2m degrees
// of freedom, whose tail has a closed form: P(X > x) is the probability of
// fewer than m events of a Poisson distribution with mean x/2.
func chiSquare(p float64, m int) float64 {
	tail := func(x float64) float64 {
		term, total := math.Exp(-x/2), 0.0
		for j := range m {
			if j > 0 {
				term *= x / 2 / float64(j)
			}
			total += term
		}
		return total
	}
	low, high := 0.0, 1.0
	for tail(high) > 1-p {
		high *= 2
	}
	for range 200 {
		if middle := (low + high) / 2; tail(middle) > 1-p {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// describe fills in what an outage's listing says beyond its seconds.
func (e *entry) describe(l *listed, o outage) {
	end := o.to
	if end < 0 {
		end = e.w.known
	}
	l.earliest = none
	for _, c := range e.w.p.components {
		if !e.reach[c.name] {
			continue
		}
		down, bridged := false, false
		for i := o.from; i < end; i++ {
			e.w.at = i
			down = down || e.a.countsDown(e.w.state(c.name)) && e.w.part(e.s, c.name)
			bridged = bridged || e.w.seen[c.name].bridged[i]
		}
		if down {
			l.components = append(l.components, c.name)
			l.bridged = l.bridged || bridged
		}
		e.w.at = o.from
		if !e.a.countsDown(e.w.state(c.name)) || !e.w.part(e.s, c.name) {
			continue
		}
		for _, facts := range e.w.seen[c.name].facts {
			for _, f := range facts {
				if f.at < l.from && e.a.countsUp(f.state) {
					l.earliest = max(l.earliest, f.at)
				}
			}
		}
	}
	slices.SortFunc(l.components, cmp.Compare[string])
}

func (e *entry) target() *big.Rat {
	for _, ind := range e.a.indicators {
		if orElse(ind.kind, ind.name) == "availability" {
			return share(ind.target)
		}
	}
	return nil
}

func (e *entry) budgets(f *figures, d *big.Rat) {
	target := e.target()
	if target == nil {
		return
	}
	miss := minus(big.NewRat(1, 1), target)
	allowed := times(miss, rat(f.agreedPeriod))
	f.budget = minus(allowed, d)
	f.budgetElapsed = minus(times(miss, rat(f.agreed)), d)
	if allowed.Sign() > 0 && f.agreed > 0 {
		f.burn = over(over(d, allowed), big.NewRat(f.agreed, f.agreedPeriod))
	}
}
