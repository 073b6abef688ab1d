package fold

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/collector/silence"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// metrics are the fold's own.
type metrics struct {
	facts, late, repeated, changes, refused, forgotten prometheus.Counter
	splits                                             *prometheus.CounterVec
	breaks, unmeasured, lost                           *prometheus.CounterVec
	unusable                                           *prometheus.CounterVec
	silences                                           map[string][]silence.Silence // counted, by instance; of the folding goroutine
}

func newMetrics(f *Fold) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		silences:  map[string][]silence.Silence{},
		facts:     counter("plimsoll_fold_facts_total", "Facts folded."),
		late:      counter("plimsoll_fold_late_facts_total", "Facts that came behind later ones of the same observer."),
		repeated:  counter("plimsoll_fold_repeated_facts_total", "Facts that changed nothing: known already, or more of the same."),
		changes:   counter("plimsoll_fold_changes_total", "Changes of what an observer says now."),
		refused:   counter("plimsoll_fold_ledger_errors_total", "Times the ledger did not take what was folded."),
		forgotten: counter("plimsoll_fold_forgotten_total", "Former streaks given up because one observer of one component had too many: figures as of instants that long ago take later facts as known."),
		splits: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "plimsoll_fold_splits_total",
			Help: "Streaks that a late fact took apart, by whether its neighbours were still known."}, []string{"exact"}),
	}
	by := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m.breaks = by("plimsoll_agent_breaks_total", "Times an agent told that it had not been measuring, by cause.", "instance", "cause")
	m.unmeasured = by("plimsoll_agent_unmeasured_seconds_total", "How long agents were not measuring, by their own notes.", "instance")
	m.unusable = by("plimsoll_fold_unusable_samples_total", "Samples of series that the catalogue selects for a component and that say neither up nor down: by why, value, stale or ambiguous.", "component", "why")
	m.lost = by("plimsoll_agent_lost_records_total", "Records that agents told were lost.", "instance")
	if f.opts.Registerer == nil {
		return m
	}
	position := func(name, help string, get func() uint64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(get()) })
	}
	f.opts.Registerer.MustRegister(m.facts, m.late, m.repeated, m.changes, m.refused, m.forgotten, m.splits, m.breaks, m.unmeasured, m.lost, m.unusable,
		position("plimsoll_fold_position", "Position in the journal up to which the ledger has it.", f.durable.Load),
		position("plimsoll_fold_folded_position", "Position in the journal up to which it is folded in memory.", f.folded.Load))
	return m
}

// countedSilences is how many silences of a host are remembered, so that one
// that is told again is not counted again.
const countedSilences = 64

// silent counts what a note says about its agent's silence, once.
func (m *metrics) silent(instance string, n *wire.Note) {
	s, ok := silence.Of(n)
	if !ok || slices.Contains(m.silences[instance], s) {
		return
	}
	known := m.silences[instance]
	known = append(known[max(0, len(known)+1-countedSilences):], s)
	m.silences[instance] = known
	switch s.Cause {
	case silence.Lost:
		m.lost.WithLabelValues(instance).Add(float64(s.Records))
	default:
		m.breaks.WithLabelValues(instance, string(s.Cause)).Inc()
		m.unmeasured.WithLabelValues(instance).Add(float64(s.Length()) / 1000)
	}
}
