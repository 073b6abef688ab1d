package forecast_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plimsoll/plimsoll/collector/forecast"
)

func share(v float64) *float64 { return &v }

// TestScore: rows whose scores are worked out by hand. The range is 0.98 to
// 1.00 with the middle at 0.99, so its width costs 0.05 x 0.02 = 0.001, the
// distance to the middle a half of itself, what is outside all of itself;
// the sum is divided by 1.5.
func TestScore(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name         string
		came         forecast.Outcome
		naive        forecast.Naive
		inside       bool
		interval     float64
		naiveInteval string
		brier        string
		naiveBrier   string
	}{
		{"the middle came: only the width costs", forecast.Outcome{Availability: 0.99, Met: &yes}, forecast.Naive{Last: share(0.97), PMet: share(0.5)}, true, 0.001 / 1.5, "0.0200", "0.0400", "0.2500"},
		{"the edge of the range is inside", forecast.Outcome{Availability: 0.98, Met: &no}, forecast.Naive{Last: share(0.98), PMet: share(0.25)}, true, 0.006 / 1.5, "0.0000", "0.6400", "0.0625"},
		{"far below: what is outside counts twenty times a width", forecast.Outcome{Availability: 0.90, Met: &no}, forecast.Naive{Last: share(1)}, false, (0.001 + 0.045 + 0.08) / 1.5, "0.1000", "0.6400", "none"},
		{"too little known to say whether it was met", forecast.Outcome{Availability: 1}, forecast.Naive{PMet: share(0.9)}, true, 0.006 / 1.5, "none", "none", "none"},
	} {
		s := forecast.ScoreOf(forecast.Forecast{P05: 0.98, P50: 0.99, P95: 1, PMet: share(0.8)}, c.naive, c.came)
		if s.Inside != c.inside || math.Abs(s.Interval-c.interval) > 1e-12 || text(s.NaiveInterval) != c.naiveInteval || text(s.Brier) != c.brier || text(s.NaiveBrier) != c.naiveBrier {
			t.Errorf("%s: inside %v, interval %v beside %s, Brier %s beside %s", c.name, s.Inside, s.Interval, text(s.NaiveInterval), text(s.Brier), text(s.NaiveBrier))
		}
	}
}

func text(v *float64) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprintf("%.4f", *v)
}

// TestNaive: the month before, and met as often as before.
func TestNaive(t *testing.T) {
	for _, c := range []struct {
		name   string
		before []*float64
		target *float64
		want   string
	}{
		{"no month before", nil, share(0.99), "none none"},
		{"one month, met: 1.5 of 2", []*float64{share(0.995)}, share(0.99), "0.9950 0.7500"},
		{"one on the target of three: 1.5 of 4", []*float64{share(0.98), share(0.99), share(0.97)}, share(0.99), "0.9800 0.3750"},
		{"the month before has no value: 0.5 of 2", []*float64{nil, share(0.97)}, share(0.99), "none 0.2500"},
		{"no target", []*float64{share(0.98)}, nil, "0.9800 none"},
	} {
		n := forecast.NaiveOf(c.before, c.target)
		if got := text(n.Last) + " " + text(n.PMet); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestScoresAreProper: who forecasts what they believe gets the best score on
// average: a coin of 0.8 has the lowest Brier score at 0.8, and of availability
// spread evenly over 0..1 the range 0.05, 0.5, 0.95 beats any other drawn.
func TestScoresAreProper(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 3))
	mean := func(f forecast.Forecast) (interval, brier float64) {
		const n = 4000
		draw := rand.New(rand.NewPCG(9, 9)) // the same months for each
		for range n {
			met := draw.Float64() < 0.8
			s := forecast.ScoreOf(f, forecast.Naive{}, forecast.Outcome{Availability: draw.Float64(), Met: &met})
			interval += s.Interval / n
			brier += *s.Brier / n
		}
		return interval, brier
	}
	honest, honestBrier := mean(forecast.Forecast{P05: 0.05, P50: 0.5, P95: 0.95, PMet: share(0.8)})
	for range 50 {
		low, high := source.Float64()/2, 0.5+source.Float64()/2
		f := forecast.Forecast{P05: low, P50: low + (high-low)*source.Float64(), P95: high, PMet: share(source.Float64())}
		interval, brier := mean(f)
		if interval < honest-0.003 || brier < honestBrier-0.003 {
			t.Errorf("%+v, P(met) %.2f scores %.4f and %.4f, better than what is so: %.4f and %.4f", f, *f.PMet, interval, brier, honest, honestBrier)
		}
	}
}

// TestSum: means over the months that both forecasts have a score of.
func TestSum(t *testing.T) {
	s := forecast.Sum([]forecast.Score{
		{Inside: true, Interval: 0.01, NaiveInterval: share(0.03), Brier: share(0.04), NaiveBrier: share(0.25)},
		{Inside: false, Interval: 0.03, NaiveInterval: share(0.01)},
		{Inside: true, Interval: 9, Brier: share(1)}, // no month before: not held against anything
	})
	got := fmt.Sprintf("%d of %d inside; interval %s beside %s in %d; Brier %s beside %s in %d", s.Inside, s.Months, text(s.Interval), text(s.NaiveInterval), s.Compared, text(s.Brier), text(s.NaiveBrier), s.ComparedBrier)
	if want := "2 of 3 inside; interval 0.0200 beside 0.0200 in 2; Brier 0.0400 beside 0.2500 in 1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
