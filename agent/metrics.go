package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// figure is one of the agent's own metrics.
type figure struct {
	name  string
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func() float64
}

// figures are what an agent tells of itself; those of the process itself
// (CPU, memory, descriptors) come from client_golang.
type figures []figure

// Describe sends the descriptions to prometheus.
func (f figures) Describe(out chan<- *prometheus.Desc) {
	for _, one := range f {
		out <- one.desc
	}
}

// Collect sends the present values to prometheus.
func (f figures) Collect(out chan<- prometheus.Metric) {
	for _, one := range f {
		out <- prometheus.MustNewConstMetric(one.desc, one.kind, one.value())
	}
}

// figures lists the agent's own metrics: its page has them, and each
// collection carries them to the collector.
func (a *Agent) figures() figures {
	var f figures
	add := func(kind prometheus.ValueType, name, help string, value func() float64) {
		f = append(f, figure{name, prometheus.NewDesc(name, help, nil, nil), kind, value})
	}
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	add(gauge, "plimsoll_agent_buffer_bytes", "Bytes the buffer takes on disk.", func() float64 { return float64(a.buffer.Stats().Bytes) })
	add(gauge, "plimsoll_agent_buffer_waiting_records", "Records in the buffer that are not delivered yet.", func() float64 { return float64(a.ship.Stats().Waiting) })
	add(gauge, "plimsoll_agent_buffer_oldest_age_seconds", "Age of the oldest record in the buffer, delivered or not.", func() float64 {
		oldest := a.buffer.Stats().OldestAt
		if oldest.IsZero() {
			return 0
		}
		return a.opt.Now().Sub(oldest).Seconds()
	})
	add(counter, "plimsoll_agent_buffer_dropped_records_total", "Records the buffer gave up before they were delivered.", func() float64 { return float64(a.buffer.Stats().Dropped) })
	add(counter, "plimsoll_agent_buffer_missed_records_total", "Records the buffer could not take.", func() float64 { return float64(a.out.missedRecords()) })
	add(counter, "plimsoll_agent_buffer_fsyncs_total", "Times the buffer was flushed to disk.", func() float64 { return float64(a.buffer.Stats().Fsyncs) })
	add(counter, "plimsoll_agent_delivered_records_total", "Records the collector has on disk.", func() float64 { return float64(a.ship.Stats().Delivered) })
	add(counter, "plimsoll_agent_delivery_failures_total", "Attempts to deliver that failed and are made again.", func() float64 { return float64(a.ship.Stats().Failed) })
	add(counter, "plimsoll_agent_refused_records_total", "Records the collector will never accept, put aside.", func() float64 { return float64(a.ship.Stats().Refused) })
	add(gauge, "plimsoll_agent_last_delivery_timestamp_seconds", "When a record was last delivered; 0 = not in this run.", func() float64 {
		last := a.ship.Stats().Last
		if last.IsZero() {
			return 0
		}
		return float64(last.UnixMilli()) / 1000
	})
	add(gauge, "plimsoll_agent_clock_ahead_seconds", "How far this host's clock is ahead of the collector's; negative = behind; 0 also while not known.", func() float64 {
		return a.ship.Stats().ClockAhead.Seconds()
	})
	add(gauge, "plimsoll_agent_certificate_expiry_timestamp_seconds", "When this host's certificate ends; 0 = it has none.", func() float64 {
		ends := a.renew.status().Ends
		if ends.IsZero() {
			return 0
		}
		return float64(ends.Unix())
	})
	add(counter, "plimsoll_agent_certificate_renewals_total", "Certificates taken up in this run.", func() float64 { return float64(a.renew.status().Renewed) })
	add(counter, "plimsoll_agent_collections_total", "Collections made.", func() float64 { return float64(a.collect.figures().collections) })
	add(counter, "plimsoll_agent_source_failures_total", "Times a source did not measure.", func() float64 { return float64(a.collect.figures().failures) })
	add(gauge, "plimsoll_agent_assigned_checks", "Checks of the collector's catalogue that this host makes.", func() float64 { taken, _ := a.assigned.figures(); return float64(taken) })
	add(gauge, "plimsoll_agent_assigned_refused_checks", "Checks of the collector's catalogue that this host refuses.", func() float64 { _, refused := a.assigned.figures(); return float64(refused) })
	add(gauge, "plimsoll_agent_collection_series", "Series in the last collection.", func() float64 { return float64(a.collect.figures().series) })
	add(gauge, "plimsoll_agent_collection_duration_seconds", "How long the last collection took, its fsync included.", func() float64 { return a.collect.figures().took.Seconds() })
	return f
}

// serveMetrics answers on loopback until ctx ends.
func (a *Agent) serveMetrics(ctx context.Context) error {
	registry := prometheus.NewRegistry()
	// Not of package collectors, which links database/sql into every agent.
	process := prometheus.NewProcessCollector(prometheus.ProcessCollectorOpts{}) //nolint:staticcheck // see above
	for _, c := range [...]prometheus.Collector{a.collect.own, process} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("register own metrics: %w", err)
		}
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "plimsoll_agent_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": a.opt.Version}})
	info.Set(1)
	if err := registry.Register(info); err != nil {
		return fmt.Errorf("register own metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true, MaxRequestsInFlight: 2}))
	mux.HandleFunc("POST "+beatPath+"{name}", a.hearBeat)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10, ReadTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(a.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve own metrics: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		_ = server.Close() // a reader that does not end is cut off
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve own metrics: %w", err)
	}
	return nil
}
