package figures

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/series"
)

// archive is what was measured, for tests: ten hours from 0 o'clock.
type archive struct {
	kept    int64
	took    map[string][]series.Duration
	used    []series.Line
	values  []series.Value
	fault   error
	queried int
}

func (h *archive) Kept() int64 { return h.kept }

func (h *archive) Durations(_ context.Context, component string, from, to int64, each func(series.Duration)) error {
	for _, d := range h.took[component] {
		if from <= d.At && d.At < to {
			each(d)
		}
	}
	return nil
}

func (h *archive) RangeWithin(_ context.Context, expr string, from, to time.Time, _, _ time.Duration) ([]series.Line, error) {
	h.queried++
	var out []series.Line
	for _, l := range h.used {
		cut := series.Line{Labels: l.Labels}
		for _, p := range l.Points {
			if from.UnixMilli() <= p.T && p.T <= to.UnixMilli() {
				if expr == "limit" {
					p.V = 100
				}
				cut.Points = append(cut.Points, p)
			}
		}
		out = append(out, cut)
	}
	return out, h.fault
}

func (h *archive) Instant(context.Context, string, time.Time) ([]series.Value, error) {
	return h.values, h.fault
}

const (
	minute = int64(60_000)
	hour   = 60 * minute
)

// every is a check each minute of [from, to) that took so many seconds.
func every(from, to int64, seconds float64, answered bool) (out []series.Duration) {
	for at := from; at < to; at += minute {
		out = append(out, series.Duration{At: at, Seconds: seconds, Answered: answered, First: at == from})
	}
	return out
}

// disk is a value of each five minutes of [from, to).
func disk(host, mount string, from, to int64, used float64) series.Line {
	l := series.Line{Labels: labels.FromStrings("instance", host, "mountpoint", mount)}
	for at := from; at < to; at += grid {
		l.Points = append(l.Points, series.Point{T: at, V: used})
	}
	return l
}

const tenHours = `components: [{name: page, interval: 60s}, {name: web-1}, {name: other, interval: 60s}]
services: [{name: shop, needs: {all_of: [page, web-1]}}, {name: idle, needs: other}]
resources: [{name: disk, per: [instance, mountpoint], used: used, limit: limit, warning: 80%%}]
agreements:
  - {number: S-1, service: shop, zone: UTC, coverage_limit: 90%%, indicators: [%s]}
`

// TestMeasured: 1970-01-01 from 0 to 10 o'clock of a service that needs a page
// and a host; each row says what was measured and what the indicator is then.
func TestMeasured(t *testing.T) {
	const (
		p50  = "{name: i, kind: latency, quantile: 50%, target: 500ms, unacceptable: 2s}"
		full = "{name: i, kind: capacity, resource: disk, target: 85%, unacceptable: 95%}"
		half = "{name: i, kind: capacity, resource: disk, quantile: 50%, target: 85%}"
		sum  = "{name: i, kind: promql, query: 'sum(x)', better: higher, target: 100, unacceptable: 50}"
		loss = "{name: i, kind: promql, query: 'increase(x[2h])', better: lower, target: 1}"
	)
	join := func(parts ...[]series.Duration) (out []series.Duration) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	checks := func(d []series.Duration) *archive { return &archive{took: map[string][]series.Duration{"page": d}} }
	one := func(v float64) *archive { return &archive{values: []series.Value{{V: v}}} }
	for _, c := range []struct {
		name, indicator string
		h               *archive
		want            string
	}{
		{"every check", p50, checks(every(0, 10*hour, 0.5, true)), "1/2 met samples 300/600"},
		{"a slow half is not yet the median", p50, checks(join(every(0, 5*hour, 0.4, true), every(5*hour, 10*hour, 3, true))), "2/5 met samples 300/600"},
		{"a check more, and it is", p50, checks(join(every(0, 299*minute, 0.4, true), every(299*minute, 10*hour, 3, true))), "3 unacceptable samples 300/600"},
		{"two observers are pooled", p50, checks(join(every(0, 10*hour, 1, true), every(30_000, 9*hour, 0.1, true))), "1 below_target samples 570/1140"},
		{"a second observer that looked for an hour takes nothing away", p50, checks(join(every(0, 10*hour, 1, true), every(30_000, hour, 3, true))), "1 below_target samples 330/660"},
		{"two observers cover what either does", p50, checks(join(every(0, 6*hour, 1, true), every(4*hour, 10*hour, 1, true))), "1 below_target samples 360/720"},
		{"what failed took no time", p50, checks(join(every(0, 9*hour, 1, true), every(9*hour, 10*hour, 0.001, false))), "1 below_target samples 270/540"},
		{"nothing was answered", p50, checks(every(0, 10*hour, 1, false)), "none insufficient_data no_value page"},
		{"nine hours are 90 %, the last check holds 2.5 min", p50, checks(every(0, 9*hour, 0.5, true)), "1/2 met samples 270/540"},
		{"eight hours are less", p50, checks(every(0, 8*hour, 0.5, true)), "none insufficient_data few_samples page"},
		{"a check from before covers, and is not counted", p50, checks(every(-minute, 10*hour, 0.5, true)), "1/2 met samples 300/600"},
		{"the first hours are gone", p50, &archive{kept: 5 * hour, took: map[string][]series.Duration{"page": every(5*hour, 10*hour, 0.5, true)}}, "none insufficient_data aged_out page"},
		{"the first half hour is gone, the rest is enough", p50, &archive{kept: hour / 2, took: map[string][]series.Duration{"page": every(hour/2, 10*hour, 0.5, true)}}, "1/2 met samples 285/570 aged"},
		{"all is gone", p50, &archive{kept: 20 * hour}, "none insufficient_data aged_out"},
		{"nothing is checked", p50, &archive{}, "none not_applicable no_source"},
		{"the checks of others", p50, &archive{took: map[string][]series.Duration{"other": every(0, 10*hour, 9, true)}}, "none not_applicable no_source"},

		{"the fullest disk", full, &archive{used: []series.Line{disk("web-1", "/", 0, 10*hour, 40), disk("web-1", "/data", 0, 10*hour, 90)}}, "9/10 below_target samples 120/120 web-1 /data"},
		{"on the target", full, &archive{used: []series.Line{disk("web-1", "/", 0, 10*hour, 85)}}, "17/20 met samples 120/120 web-1 /"},
		{"the disks of others", full, &archive{used: []series.Line{disk("web-2", "/", 0, 10*hour, 99), disk("web-1", "/", 0, 10*hour, 1)}}, "1/100 met samples 120/120 web-1 /"},
		{"a disk of five minutes", full, &archive{used: []series.Line{disk("web-1", "/", 0, 10*hour, 1), disk("web-1", "/tmp", 0, grid, 99)}}, "99/100 unacceptable samples 1/1 web-1 /tmp"},
		{"half of the time", half, &archive{used: []series.Line{disk("web-1", "/", 0, 10*hour, 30)}}, "3/10 met samples 60/120 web-1 /"},
		{"eight hours of ten", full, &archive{used: []series.Line{disk("web-1", "/", 0, 8*hour, 30)}}, "none insufficient_data few_samples web-1"},
		{"a resource that cannot be evaluated", full, &archive{fault: errors.New("many-to-many")}, "none insufficient_data failed"},

		{"one value", sum, one(100), "100 met query"},
		{"below the target", sum, one(99.5), "199/2 below_target query"},
		{"equal to what is unacceptable", sum, one(50), "50 below_target query"},
		{"worse", sum, one(49), "49 unacceptable query"},
		{"no value", sum, &archive{}, "none insufficient_data no_value"},
		{"two values", sum, &archive{values: []series.Value{{V: 1}, {V: 2}}}, "none insufficient_data several_values"},
		{"no number", sum, one(0 / zero()), "none insufficient_data no_value"},
		{"a fault", sum, &archive{fault: errors.New("many-to-many")}, "none insufficient_data failed"},
		{"a value of what is gone", sum, &archive{kept: 11 * hour, values: []series.Value{{V: 100}}}, "none insufficient_data aged_out"},
		{"a value whose beginning is gone", loss, &archive{kept: 9 * hour, values: []series.Value{{V: 0}}}, "none insufficient_data aged_out"},
		{"lower is better", loss, one(2), "2 below_target query"},
	} {
		cat, faults := catalogue.Parse("catalogue.yaml", []byte(fmt.Sprintf(tenHours, c.indicator)))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		e := New(Options{Catalogue: func() *catalogue.Catalogue { return cat }, Samples: c.h, Raw: c.h, Now: func() time.Time { return time.UnixMilli(20 * hour) }})
		all, err := e.evaluate(availability.Input{Catalogue: cat.Availability, From: availability.At(0), To: availability.At(10 * hour), AsOf: 10 * hour})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.measure(t.Context(), measuring{cat: cat, asOf: 10 * hour}, &all[0]); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := told(&all[0].Indicators[0]); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func zero() float64 { return 0 }

// told is an indicator in a line: value, state, reason, rank of samples, whose.
func told(i *availability.IndicatorResult) string {
	text := "none"
	if i.Exact != nil {
		text = i.Exact.RatString()
	}
	text += " " + i.State + " " + string(i.Basis.Reason)
	switch {
	case i.Basis.Reason == availability.BySamples:
		text += fmt.Sprintf(" %d/%d", i.Basis.Rank, i.Basis.Samples)
		if i.Basis.Worst != "" {
			text += " " + i.Basis.Worst
		}
		if i.Basis.Aged {
			text += " aged"
		}
	case i.Basis.Least != "":
		text += " " + i.Basis.Least
	}
	return text
}

// TestWhatIsKeptForEverWaits: a query that took too long is told on a page, and
// an error where a month is frozen.
func TestWhatIsKeptForEverWaits(t *testing.T) {
	cat, faults := catalogue.Parse("catalogue.yaml", []byte(fmt.Sprintf(tenHours, "{name: i, kind: promql, query: x, better: higher, target: 1}")))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	h := &archive{fault: fmt.Errorf("evaluate: %w", promql.ErrQueryTimeout("x"))}
	e := New(Options{Samples: h, Raw: h})
	all, err := e.evaluate(availability.Input{Catalogue: cat.Availability, From: availability.At(0), To: availability.At(hour), AsOf: hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.measure(t.Context(), measuring{cat: cat, asOf: hour}, &all[0]); err != nil || all[0].Indicators[0].Basis.Reason != availability.NotMeasurable {
		t.Errorf("on a page: %v, %+v", err, all[0].Indicators[0].Basis)
	}
	if err := e.measure(t.Context(), measuring{cat: cat, asOf: hour, fresh: true}, &all[0]); err == nil {
		t.Error("a month was frozen by a query that took too long")
	}
}

// TestDaysAreRemembered: a day that is over is evaluated once, and again where
// a month is frozen or late samples may have come.
func TestDaysAreRemembered(t *testing.T) {
	cat, faults := catalogue.Parse("catalogue.yaml", []byte(fmt.Sprintf(tenHours, "{name: i, kind: capacity, resource: disk, target: 85%}")))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	now := time.UnixMilli(60 * hour)
	h := &archive{used: []series.Line{disk("web-1", "/", 0, 60*hour, 40)}}
	e := New(Options{Samples: h, Raw: h, Now: func() time.Time { return now }})
	for _, c := range []struct {
		name  string
		after time.Duration
		fresh bool
		want  int // expressions evaluated, two for a day; the third day lasts
	}{
		{"first", 0, false, 6}, {"again", 0, false, 2}, {"frozen", 0, true, 6}, {"later", lateFor, false, 6},
	} {
		now = now.Add(c.after)
		h.queried = 0
		all, err := e.evaluate(availability.Input{Catalogue: cat.Availability, From: availability.At(0), To: availability.At(240 * hour), AsOf: 60 * hour})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.measure(t.Context(), measuring{cat: cat, asOf: 60 * hour, fresh: c.fresh}, &all[0]); err != nil {
			t.Fatal(err)
		}
		if got := told(&all[0].Indicators[0]); h.queried != c.want || got != "2/5 met samples 720/720 web-1 /" {
			t.Errorf("%s: %d expressions, %s; want %d", c.name, h.queried, got, c.want)
		}
	}
}
