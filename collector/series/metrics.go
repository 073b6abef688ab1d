package series

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Why the store did not take a sample that is in the journal.
const (
	reasonChanged = "changed"    // another value for an instant that has one: the first stands
	reasonTooOld  = "too_old"    // beyond the out-of-order window
	reasonInvalid = "unsuitable" // refused by the TSDB for what it is
)

// metrics are the store's own and, through generation, those of the TSDB.
type metrics struct {
	appended    prometheus.Counter
	refused     *prometheus.CounterVec
	compactions *prometheus.CounterVec
	compacting  prometheus.Histogram
	progress    []prometheus.Collector

	tsdb atomic.Pointer[prometheus.Registry] // of the TSDB that is open now
}

func newMetrics(s *Store) *metrics {
	m := &metrics{
		appended: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "plimsoll_series_samples_appended_total", Help: "Samples appended to the series store, those read again after a start included."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plimsoll_series_samples_refused_total", Help: "Samples of the journal that the series store did not take, by reason."}, []string{"reason"}),
		compactions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plimsoll_series_compactions_total", Help: "Compactions of the head into blocks, by result."}, []string{"result"}),
		compacting: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "plimsoll_series_compaction_seconds", Help: "How long compactions took.", Buckets: []float64{.1, 1, 10, 60, 600}}),
	}
	for _, r := range []string{reasonChanged, reasonTooOld, reasonInvalid} {
		m.refused.WithLabelValues(r)
	}
	for _, r := range []string{"ok", "failed"} {
		m.compactions.WithLabelValues(r)
	}
	gauge := func(name, help string, value func() float64) {
		m.progress = append(m.progress, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("plimsoll_series_applied_position", "Last position of the journal that queries see.",
		func() float64 { applied, _, _ := s.Progress(); return float64(applied) })
	gauge("plimsoll_series_safe_position", "Position up to which all samples are in blocks.",
		func() float64 { return float64(s.SafeTrim()) })
	gauge("plimsoll_series_quarantined_blocks", "Damaged blocks in quarantine, whose samples are missing unless the journal still had them.",
		func() float64 { return float64(quarantinedBlocks(s.opts.Dir)) })
	return m
}

func (m *metrics) all() []prometheus.Collector {
	return append([]prometheus.Collector{m.appended, m.refused, m.compactions, m.compacting, m}, m.progress...)
}

func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	var errs []error
	for _, c := range m.all() {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
}

func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.all() {
		r.Unregister(c)
	}
	m.tsdb.Store(nil)
}

// generation gives the registry for a TSDB that is about to be opened.
func (m *metrics) generation() prometheus.Registerer {
	r := prometheus.NewRegistry()
	m.tsdb.Store(r)
	return r
}

// Describe implements prometheus.Collector: what the TSDB has is not fixed.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector for the TSDB that is open.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	if r := m.tsdb.Load(); r != nil {
		r.Collect(ch)
	}
}

func (m *metrics) count(appended int, refused map[string]int) {
	m.appended.Add(float64(appended))
	for reason, n := range refused {
		m.refused.WithLabelValues(reason).Add(float64(n))
	}
}

func (m *metrics) compacted(err error, took time.Duration) {
	if err != nil {
		m.compactions.WithLabelValues("failed").Inc()
		return
	}
	m.compactions.WithLabelValues("ok").Inc()
	m.compacting.Observe(took.Seconds())
}
