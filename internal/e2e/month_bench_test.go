package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/need"
)

// The history of TestMonthBeside: one fact a minute of each series.
const (
	monthSeries  = 1000
	monthDays    = 30
	monthStep    = int64(60_000) // ms
	monthQueries = 3             // of theirs; ours is asked ten times as often, because /proc counts in steps of 10 ms
	monthRatio   = 100
)

// monthUp is the fact of a series at its n-th minute: down for five minutes
// once, each at a time of its own.
func monthUp(series int, n int64) bool { return n/5 != int64(series)*8+7 }

// TestMonthBeside measures the CPU time of the availability of 1 000 series
// over a month of 30 days: of Debian's Prometheus, asked for
// avg_over_time(up[30d]) over blocks of its own format, and of our collector,
// asked by PromQL too for plimsoll_service_availability_ratio of 1 000 services
// under agreements, and by its API for all their figures, outages and
// indicators. Both have the same facts, and their answers are compared. Nothing
// is answered from a cache: ours is asked for another instant each time.
func TestMonthBeside(t *testing.T) {
	need.Bench(t)
	program := need.Program(t, "prometheus", "prometheus")
	from, to := monthOfThirtyDays(time.Now().UTC())
	dir := t.TempDir()
	begin := time.Now()
	monthBlocks(t, dir, from, to)
	t.Logf("%.1f million samples in blocks after %v", float64(monthSeries*to.Sub(from).Milliseconds()/monthStep)/1e6, time.Since(begin).Round(time.Second))
	theirs, averages := monthPrometheus(t, program, dir, to)
	ours, api, shares := monthCollector(t, from, to)
	for name, average := range averages {
		if share, ok := shares[name]; !ok || math.Abs(share-average) > 1e-4 { // an average of checks, a share of time
			t.Errorf("%s: %v by time, %v by checks", name, share, average)
		}
	}
	if len(averages) != monthSeries || len(shares) != monthSeries {
		t.Errorf("%d and %d answers, want %d", len(averages), len(shares), monthSeries)
	}
	ratio := theirs / ours
	t.Logf("30 days of %d series: prometheus (Debian) %.3f CPU-s a query, collector %.4f CPU-s: %.0f times less; goal >= %d", monthSeries, theirs, ours, ratio, monthRatio)
	t.Logf("all figures, outages and indicators by the API: %.4f CPU-s, %.0f times less", api, theirs/api)
	if ratio < monthRatio {
		t.Errorf("%.0f times less CPU than prometheus, want at least %d", ratio, monthRatio)
	}
}

// monthOfThirtyDays is the newest one that is over.
func monthOfThirtyDays(now time.Time) (from, to time.Time) {
	for to = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC); ; to = to.AddDate(0, -1, 0) {
		if from = to.AddDate(0, -1, 0); to.Sub(from) == monthDays*24*time.Hour {
			return from, to
		}
	}
}

// monthBlocks writes the facts as the blocks of a Prometheus, one a day.
func monthBlocks(t *testing.T, dir string, from, to time.Time) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	day := (24 * time.Hour).Milliseconds()
	for first := from.UnixMilli(); first < to.UnixMilli(); first += day {
		w, err := tsdb.NewBlockWriter(log, dir, day)
		if err != nil {
			t.Fatal(err)
		}
		app := w.Appender(context.Background())
		for i := range monthSeries {
			set, ref := labels.FromStrings(model.MetricNameLabel, "up", "instance", monthName(i), "job", "node"), storage.SeriesRef(0)
			for at := first; at < first+day; at += monthStep {
				v := 0.0
				if monthUp(i, (at-from.UnixMilli())/monthStep) {
					v = 1
				}
				if ref, err = app.Append(ref, set, at, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := app.Commit(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func monthName(i int) string { return fmt.Sprintf("host-%04d", i) }

// monthPrometheus gives the CPU seconds of one query, and the averages.
func monthPrometheus(t *testing.T, program, data string, to time.Time) (float64, map[string]float64) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	cmd := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+data, "--web.listen-address="+addr, "--storage.tsdb.retention.time=10y",
		"--storage.tsdb.max-block-duration=1d", // blocks stay as they are: nothing is compacted meanwhile
		"--query.timeout=10m", "--query.max-samples=200000000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	s := site{t, "http://" + addr}
	waitFor(t, "prometheus ready", time.Minute, func() bool { status, _ := s.get("/-/ready"); return status == http.StatusOK })
	averages := map[string]float64{}
	ask := func(at time.Time) {
		var answer struct {
			Data struct {
				Result []struct {
					Metric map[string]string
					Value  [2]any
				}
			}
		}
		s.slow("/api/v1/query?"+url.Values{"query": {fmt.Sprintf("avg_over_time(up[%dd])", monthDays)}, "time": {strconv.FormatInt(at.Unix(), 10)}}.Encode(), &answer)
		for _, r := range answer.Data.Result {
			v, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
			if err != nil {
				t.Fatal(err)
			}
			averages[r.Metric["instance"]] = v
		}
	}
	last := to.Add(-time.Duration(monthStep) * time.Millisecond) // the newest sample
	ask(last)                                                    // files are mapped, and read once
	before := cpuSeconds(t, cmd.Process.Pid)
	for range monthQueries {
		ask(last)
	}
	return (cpuSeconds(t, cmd.Process.Pid).total() - before.total()) / monthQueries, averages
}

// slow reads an answer that takes its time.
func (s site) slow(path string, into any) {
	s.t.Helper()
	client := &http.Client{Timeout: 10 * time.Minute}
	resp, err := client.Get(s.base + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: status %d", path, resp.StatusCode)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		s.t.Fatal(err)
	}
}

// monthCollector gives the CPU seconds of one answer by PromQL and of one by
// the API, and the availabilities, the same by both.
func monthCollector(t *testing.T, from, to time.Time) (promql, api float64, shares map[string]float64) {
	t.Helper()
	data := t.TempDir()
	monthLedger(t, filepath.Join(data, "ledger.db"), from, to)
	components, services, agreements := "components:\n", "services:\n", "agreements:\n"
	for i := range monthSeries {
		name := monthName(i)
		components += fmt.Sprintf("  - {name: %s, interval: 60s}\n", name)
		services += fmt.Sprintf("  - {name: of-%s, needs: %s}\n", name, name)
		agreements += fmt.Sprintf("  - {number: S-%s, service: of-%s, zone: UTC, indicators: [{name: availability, target: 99.9%%}]}\n", name, name)
	}
	if err := os.WriteFile(filepath.Join(data, "catalogue.yaml"), []byte(components+services+agreements), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := freeAddr(t)
	p := start(t, "plimsoll-collector", "run", "--data", data, "--listen", listen, "--listen-agents", freeAddr(t))
	defer p.stop()
	s := site{t, "http://" + listen}
	waitFor(t, "the collector ready", time.Minute, func() bool { status, _ := s.get("/-/ready"); return status == http.StatusOK })
	shares = map[string]float64{}
	at := to
	ask := func() {
		at = at.Add(time.Millisecond) // another instant each time
		var answer struct {
			Services []struct {
				Service      string
				Availability *float64
			}
		}
		s.slow("/api/v1/services?"+url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}, "as_of": {at.Format(time.RFC3339Nano)}}.Encode(), &answer)
		for _, each := range answer.Services {
			if each.Availability != nil {
				shares[strings.TrimPrefix(each.Service, "of-")] = *each.Availability
			}
		}
	}
	instant := to
	query := func() {
		instant = instant.Add(-time.Millisecond) // still in the month
		var answer struct {
			Data struct {
				Result []struct {
					Metric map[string]string
					Value  [2]any
				}
			}
		}
		s.slow("/prometheus/api/v1/query?"+url.Values{"query": {"plimsoll_service_availability_ratio"}, "time": {instant.Format(time.RFC3339Nano)}}.Encode(), &answer)
		for _, r := range answer.Data.Result {
			name := strings.TrimPrefix(r.Metric["service"], "of-")
			if v, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64); err != nil || math.Abs(v-shares[name]) > 1e-6 { // some milliseconds of the month are missing
				t.Fatalf("%s: %v by PromQL, %v by the API, %v", name, v, shares[name], err)
			}
		}
		if len(answer.Data.Result) != monthSeries {
			t.Fatalf("%d answers by PromQL, want %d", len(answer.Data.Result), monthSeries)
		}
	}
	cost := func(ask func()) float64 {
		const times = 10 * monthQueries
		ask()
		before := cpuSeconds(t, p.cmd.Process.Pid)
		for range times {
			ask()
		}
		return (cpuSeconds(t, p.cmd.Process.Pid).total() - before.total()) / times
	}
	api = cost(ask)
	return cost(query), api, shares
}

// monthLedger writes the same facts as the streaks they fold into.
func monthLedger(t *testing.T, path string, from, to time.Time) {
	t.Helper()
	l, err := ledger.Open(ledger.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var all []availability.Streak
	for i := range monthSeries {
		name := monthName(i)
		for at := from.UnixMilli(); at < to.UnixMilli(); at += monthStep {
			state := availability.Down
			if monthUp(i, (at-from.UnixMilli())/monthStep) {
				state = availability.Up
			}
			if n := len(all) - 1; n >= 0 && all[n].Component == name && all[n].State == state {
				all[n].Last, all[n].Count = at, all[n].Count+1
				continue
			}
			all = append(all, availability.Streak{Component: name, Observer: "agent", State: state, First: at, Last: at, Count: 1, MaxGap: monthStep})
		}
	}
	if err := l.ApplyFold(t.Context(), ledger.Fold{Put: all}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
