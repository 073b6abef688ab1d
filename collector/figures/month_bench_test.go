package figures_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

// BenchmarkMonthByPromQL asks for the availability of 1 000 services over a
// month, of a ledger on disk, for another instant each time: what
// TestMonthBeside compares with avg_over_time of a Prometheus.
func BenchmarkMonthByPromQL(b *testing.B) {
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 1, 0)
	components, services, agreements := "components:\n", "services:\n", "agreements:\n"
	var streaks []availability.Streak
	const step = 60_000
	for i := range 1000 {
		name := fmt.Sprintf("host-%04d", i)
		components += fmt.Sprintf("  - {name: %s, interval: 60s}\n", name)
		services += fmt.Sprintf("  - {name: of-%s, needs: %s}\n", name, name)
		agreements += fmt.Sprintf("  - {number: S-%s, service: of-%s, zone: UTC, indicators: [{name: availability, target: 99.9%%}]}\n", name, name)
		down := from.UnixMilli() + int64(i*40+35)*step
		for _, s := range []availability.Streak{
			{State: availability.Up, First: from.UnixMilli(), Last: down - step},
			{State: availability.Down, First: down, Last: down + 4*step},
			{State: availability.Up, First: down + 5*step, Last: to.UnixMilli() - step},
		} {
			s.Component, s.Observer, s.MaxGap, s.Count = name, "agent", step, (s.Last-s.First)/step+1
			streaks = append(streaks, s)
		}
	}
	cat, faults := catalogue.Parse("catalogue.yaml", []byte(components+services+agreements))
	if faults != nil {
		b.Fatal(faults)
	}
	l, err := ledger.Open(ledger.Options{Path: filepath.Join(b.TempDir(), "ledger.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := l.ApplyFold(b.Context(), ledger.Fold{Position: 1, Put: streaks}); err != nil {
		b.Fatal(err)
	}
	e := figures.New(figures.Options{Ledger: l, Catalogue: func() *catalogue.Catalogue { return cat }, Now: time.Now})
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute})
	defer func() { _ = engine.Close() }()
	b.ReportAllocs()
	for at := to; b.Loop(); {
		at = at.Add(-time.Millisecond)
		q, err := engine.NewInstantQuery(b.Context(), e.Queryable(), nil, "plimsoll_service_availability_ratio", at)
		if err != nil {
			b.Fatal(err)
		}
		if v, err := q.Exec(b.Context()).Vector(); err != nil || len(v) != 1000 {
			b.Fatal(len(v), err)
		}
		q.Close()
	}
}
