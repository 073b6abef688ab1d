package receive

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/collector/batch"
)

// metrics are what the receiver tells of itself.
type metrics struct {
	batches     *prometheus.CounterVec
	samples     *prometheus.CounterVec
	bytes       *prometheus.CounterVec
	offset      *prometheus.GaugeVec
	corrected   *prometheus.CounterVec
	rejected    *prometheus.CounterVec
	unavailable *prometheus.CounterVec
	handshakes  *prometheus.CounterVec
	enrolments  *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	repeated    *prometheus.CounterVec
	overridden  *prometheus.CounterVec
	renewals    prometheus.Counter
	waited      prometheus.Counter
	largeWaited prometheus.Counter
	clones      prometheus.Counter
	connections prometheus.Gauge
	inflight    prometheus.Gauge
	ack         prometheus.Histogram
	reads       *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		batches:     counter("plimsoll_receive_batches_total", "Records acknowledged.", "instance"),
		samples:     counter("plimsoll_receive_samples_total", "Samples acknowledged.", "instance"),
		bytes:       counter("plimsoll_receive_bytes_total", "Bytes of acknowledged bodies, compressed.", "instance"),
		rejected:    counter("plimsoll_receive_rejected_total", "Bodies or samples refused for ever, by reason.", "reason", "instance"),
		unavailable: counter("plimsoll_receive_unavailable_total", "Requests answered with 503, by reason.", "reason"),
		handshakes:  counter("plimsoll_receive_handshake_failures_total", "TLS handshakes that failed, by reason.", "reason"),
		enrolments:  counter("plimsoll_receive_enrolments_total", "Enrolments asked for, by result.", "result"),
		refusals:    counter("plimsoll_identity_refusals_total", "Times somebody was not let in, by reason; label_overridden: let in, but not as another host.", "reason"),
		repeated:    counter("plimsoll_receive_repeated_total", "Acknowledged records whose sequence was among the host's last 256 already: retries, or replays, without effect.", "instance"),
		overridden:  counter("plimsoll_receive_overridden_series_total", "Series that came with the instance or customer of another host, which were replaced.", "instance"),
		renewals:    prometheus.NewCounter(prometheus.CounterOpts{Name: "plimsoll_identity_renewals_total", Help: "Certificates renewed."}),
		waited:      prometheus.NewCounter(prometheus.CounterOpts{Name: "plimsoll_receive_refused_wait_seconds_total", Help: "Seconds that requests waited because bodies of the same host or sender were refused before."}),
		largeWaited: prometheus.NewCounter(prometheus.CounterOpts{Name: "plimsoll_receive_large_wait_seconds_total", Help: "Seconds that bodies which decode to more than 1 MiB waited for their turn."}),
		clones:      prometheus.NewCounter(prometheus.CounterOpts{Name: "plimsoll_identity_clones_total", Help: "Hosts put into quarantine because two agents were alive with one identity."}),
		reads:       counter("plimsoll_feed_reads_total", "Records handed to consumers, by where they came from.", "from"),
		corrected:   counter("plimsoll_receive_corrected_records_total", "Records whose times were corrected because the host's clock was wrong.", "instance"),
		offset: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "plimsoll_receive_clock_offset_seconds",
			Help: "Clock of the host minus clock of the collector at the last delivery, transport time included."}, []string{"instance"}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "plimsoll_receive_connections", Help: "Open connections of agents."}),
		inflight:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "plimsoll_receive_inflight_bytes", Help: "Bytes of bodies being worked on, decoded size included."}),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "plimsoll_receive_ack_seconds", Help: "Time from a whole body to its acknowledgement, fsync included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}}),
	}
	for _, reason := range []batch.Reason{batch.ReasonMalformed, batch.ReasonTooLarge, batch.ReasonRatio, batch.ReasonTooMany,
		batch.ReasonLabels, batch.ReasonTimestamp, batch.ReasonSeriesLimit} {
		m.rejected.WithLabelValues(string(reason), "")
	}
	for _, reason := range refusalReasons() {
		m.refusals.WithLabelValues(reason)
	}
	for _, reason := range []string{handshakeNoCertificate, handshakeForeign} {
		m.handshakes.WithLabelValues(reason)
	}
	reg.MustRegister(m.batches, m.samples, m.bytes, m.rejected, m.unavailable, m.handshakes, m.enrolments, m.reads,
		m.refusals, m.repeated, m.overridden, m.renewals, m.clones, m.waited, m.largeWaited,
		m.offset, m.corrected, m.connections, m.inflight, m.ack)
	return m
}

// member gives a host its counters.
func (m *metrics) member(h Host) *member {
	return &member{
		Host:    h,
		batches: m.batches.WithLabelValues(h.Instance),
		samples: m.samples.WithLabelValues(h.Instance),
		bytes:   m.bytes.WithLabelValues(h.Instance),
		offset:  m.offset.WithLabelValues(h.Instance),

		repeated:   m.repeated.WithLabelValues(h.Instance),
		overridden: m.overridden.WithLabelValues(h.Instance),
	}
}
