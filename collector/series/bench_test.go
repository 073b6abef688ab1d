//go:build unix

package series

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// benchTape holds rounds of one sample for each of hosts x 100 series, one record per host and round.
func benchTape(hosts, rounds int) (*tape, journal.Position) {
	feed := newTape()
	fleet := make([][]*batch.Series, hosts)
	for h := range fleet {
		for i := range 100 {
			fleet[h] = append(fleet[h], &batch.Series{Labels: labels.FromStrings(nameLabel, fmt.Sprintf("metric_%d", i),
				"instance", fmt.Sprintf("host-%d", h), "job", "node")})
		}
	}
	var last journal.Position
	for r := range rounds {
		for h, series := range fleet {
			samples := make([]batch.Sample, len(series))
			for i, s := range series {
				samples[i] = batch.Sample{Series: s, T: t0 + int64(r)*15_000 + int64(h), V: float64(r * i)}
			}
			last = feed.append(samples...)
		}
	}
	return feed, last
}

// BenchmarkApply: the writer over decoded batches, 1000 hosts x 100 series,
// as it is when the head comes back after a stop. Reports CPU seconds of the
// process per million samples and samples per second.
func BenchmarkApply(b *testing.B) {
	const hosts, rounds = 1000, 20
	for b.Loop() {
		b.StopTimer()
		feed, last := benchTape(hosts, rounds)
		opts := small(b, b.TempDir(), feed, nowAt(t0))
		opts.BlockRange = 2 * time.Hour
		b.StartTimer()
		cpu, wall := cpuTime(), time.Now()
		s := start(b, opts, feed)
		s.until(b, last)
		millions := float64(hosts*rounds*100) / 1e6
		b.ReportMetric((cpuTime()-cpu).Seconds()/millions, "cpu-s/Msample")
		b.ReportMetric(millions*1e6/time.Since(wall).Seconds(), "samples/s")
		b.StopTimer()
		if err := s.stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// cpuTime is the CPU time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
