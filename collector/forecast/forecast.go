package forecast

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Runs is how many periods a forecast plays through, and enough how many
// outages of a service's own are enough to draw from.
const (
	Runs   = 20_000
	enough = 8
)

// Least is how long a service must have been known, in s, before anything is
// forecast: the prior alone would speak of a younger one.
const Least = 14 * 86_400.0

// History is what a service did. Times are in s.
type History struct {
	Known     float64   // time that counted, up and down
	Durations []float64 // counted downtime of each outage
	Fleet     []float64 // of all services, for a service with few of its own
}

// Period is what is forecast: Left of agreed time that is still to come, after
// Up and Down of it, in s. Target is a share 0..1; nil: none is agreed.
type Period struct {
	Left, Up, Down float64
	Target         *float64
}

// Forecast is availability at the quantiles 5, 50 and 95 %; PMet is the
// probability that the target is reached, nil without one.
type Forecast struct {
	P05     float64  `json:"p05"`
	P50     float64  `json:"p50"`
	P95     float64  `json:"p95"`
	PMet    *float64 `json:"p_met"`
	Outages int      `json:"outages"`       // the history had
	KnownS  float64  `json:"known_s"`       // the history was
	OwnOnly bool     `json:"own_durations"` // drawn from the service's own outages
	Runs    int      `json:"runs"`
	Seed    uint64   `json:"seed"`
}

// Of forecasts a period; ok is false where less than Least is known, or
// nothing is to come. The seed makes it repeatable.
func Of(h History, p Period, seed uint64) (f Forecast, ok bool) {
	if h.Known < Least || p.Left <= 0 || p.Up+p.Down+p.Left <= 0 {
		return f, false
	}
	source := rand.New(rand.NewPCG(seed, 0x706c696d))
	rate := distuv.Gamma{Alpha: float64(len(h.Durations)) + 0.5, Beta: h.Known, Src: source}
	draw, own := durations(h, source)
	all := make([]float64, Runs)
	met := 0
	for i := range all {
		down := 0.0
		count := distuv.Poisson{Lambda: rate.Rand() * p.Left, Src: source}.Rand()
		for range int(min(count, 1e5)) {
			down += draw()
		}
		down = min(down, p.Left)
		all[i] = 1 - (p.Down+down)/(p.Up+p.Down+p.Left)
		if p.Target != nil && all[i] >= *p.Target {
			met++
		}
	}
	slices.Sort(all)
	at := func(q float64) float64 { return all[int(math.Ceil(q*Runs))-1] }
	f = Forecast{P05: at(0.05), P50: at(0.5), P95: at(0.95), Outages: len(h.Durations), KnownS: h.Known, OwnOnly: own, Runs: Runs, Seed: seed}
	if p.Target != nil {
		share := float64(met) / Runs
		f.PMet = &share
	}
	return f, true
}

// durations draws downtimes of single outages.
func durations(h History, source rand.Source) (draw func() float64, own bool) {
	if n := len(h.Durations); n >= enough {
		r := rand.New(source)
		return func() float64 { return h.Durations[r.IntN(n)] }, true
	}
	mean, spread := shrunk(h)
	d := distuv.LogNormal{Mu: mean, Sigma: spread, Src: source}
	return d.Rand, false
}

// Where nobody has had an outage yet: half an hour, a factor of e to either side.
const (
	priorMean   = 7.4955 // ln 1800
	priorSpread = 1.0
)

// shrunk is the log-normal of the service's few outages and the fleet's: the
// service's own mean weighs n of n + 4, the rest is the fleet's, which in turn
// is shrunk to the prior.
func shrunk(h History) (mean, spread float64) {
	mean, spread = weigh(h.Fleet, priorMean, priorSpread)
	return weigh(h.Durations, mean, spread)
}

func weigh(durations []float64, mean, spread float64) (float64, float64) {
	const prior = 4
	n, sum := 0.0, 0.0
	for _, d := range durations {
		if d > 0 {
			n++
			sum += math.Log(d)
		}
	}
	if n == 0 {
		return mean, spread
	}
	own, square := sum/n, 0.0
	for _, d := range durations {
		if d > 0 {
			square += (math.Log(d) - own) * (math.Log(d) - own)
		}
	}
	return (sum + prior*mean) / (n + prior), math.Sqrt((square + prior*spread*spread) / (n + prior))
}
