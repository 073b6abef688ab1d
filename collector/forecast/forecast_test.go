package forecast_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plimsoll/plimsoll/collector/forecast"
)

const month = 30 * 86_400.0

// TestForecast: rows a person can check by eye.
func TestForecast(t *testing.T) {
	target := 0.999
	tenth := []float64{600, 600, 600, 600, 600, 600, 600, 600, 600, 600} // ten of ten minutes in ten months
	for _, c := range []struct {
		name            string
		h               forecast.History
		p               forecast.Period
		p50Lo, p50Hi    float64
		pMetLo, pMetHi  float64
		nothingToExpect bool
	}{
		{"one of 10 min a month: 99.98 %", forecast.History{Known: 10 * month, Durations: tenth}, forecast.Period{Left: month, Target: &target}, 0.9997, 1, 0.95, 1, false},
		{"the budget is used up: no hope", forecast.History{Known: 10 * month, Durations: tenth}, forecast.Period{Left: month / 2, Up: month/2 - 3600, Down: 3600, Target: &target}, 0.9980, 0.9990, 0, 0, false},
		{"an hour before the end, clean: safe", forecast.History{Known: 10 * month, Durations: tenth}, forecast.Period{Left: 3600, Up: month - 3600, Target: &target}, 1, 1, 0.999, 1, false},
		{"never an outage in a year: likely", forecast.History{Known: 12 * month}, forecast.Period{Left: month, Target: &target}, 1, 1, 0.9, 1, false},
		{"known for a week only", forecast.History{Known: 7 * 86_400}, forecast.Period{Left: month, Target: &target}, 0, 0, 0, 0, true},
		{"nothing is to come", forecast.History{Known: month}, forecast.Period{Up: month, Target: &target}, 0, 0, 0, 0, true},
	} {
		f, ok := forecast.Of(c.h, c.p, 1)
		if ok == c.nothingToExpect {
			t.Errorf("%s: a forecast: %v", c.name, ok)
		}
		if !ok {
			continue
		}
		if f.P50 < c.p50Lo || f.P50 > c.p50Hi || *f.PMet < c.pMetLo || *f.PMet > c.pMetHi || f.P05 > f.P50 || f.P50 > f.P95 {
			t.Errorf("%s: %+v, P(met) %v", c.name, f, *f.PMet)
		}
		if again, _ := forecast.Of(c.h, c.p, 1); again.P05 != f.P05 || *again.PMet != *f.PMet {
			t.Errorf("%s: the same seed gave another forecast", c.name)
		}
	}
}

// TestForecastIsCalibrated: of months played by a known rate about 90 % fall
// into the range that the year before them gives.
func TestForecastIsCalibrated(t *testing.T) {
	source := rand.New(rand.NewPCG(7, 7))
	inside, months := 0, 120
	for i := range months {
		rate := distuv.Poisson{Lambda: 3, Src: source}
		long := distuv.LogNormal{Mu: math.Log(900), Sigma: 0.8, Src: source}
		h := forecast.History{Known: 12 * month}
		for range 12 {
			for range int(rate.Rand()) {
				h.Durations = append(h.Durations, long.Rand())
			}
		}
		down := 0.0
		for range int(rate.Rand()) {
			down += long.Rand()
		}
		f, ok := forecast.Of(h, forecast.Period{Left: month}, uint64(i))
		if !ok {
			t.Fatal("no forecast")
		}
		if forecast.ScoreOf(f, forecast.Naive{}, forecast.Outcome{Availability: 1 - down/month}).Inside {
			inside++
		}
	}
	if share := float64(inside) / float64(months); share < 0.82 || share > 0.98 {
		t.Errorf("%.0f %% of months fell into the range of 90 %%", share*100)
	}
}
