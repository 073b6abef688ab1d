//go:build unix

package batch

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// hostRows is what a usual host sends at one instant: one sample a series.
func hostRows(series int, at int64) []row {
	rows := []row{{[]string{"__name__", "up"}, []point{{at, 1}}}}
	modes := []string{"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"}
	for i := len(rows); i < series; i++ {
		rows = append(rows, row{[]string{"__name__", "node_cpu_seconds_total", "cpu", fmt.Sprint(i / 8), "mode", modes[i%8]}, []point{{at, float64(at) / float64(i)}}})
	}
	return rows
}

// cpuTime is what this process has used, in nanoseconds: on a busy machine
// the wall clock measures the neighbours.
func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkDecode decodes the batches of 1000 hosts in turn, 100 series each,
// label sections seen before.
func BenchmarkDecode(b *testing.B) {
	const hosts, series = 1000, 100
	for _, kind := range []wire.Kind{wire.KindBatch1, wire.KindBatch2} {
		b.Run(fmt.Sprintf("rw%d", kind), func(b *testing.B) {
			d := NewDecoder(Defaults())
			body := encode(b, kind, hostRows(series, received))
			envs := make([]wire.Envelope, hosts)
			for i := range envs {
				envs[i] = envelope(kind)
				envs[i].Host, envs[i].Instance = fmt.Sprint("h", i), fmt.Sprint("web-", i)
				if _, err := d.Decode(envs[i], body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			begin := cpuTime(b)
			for i := range b.N {
				if got, err := d.Decode(envs[i%hosts], body); err != nil || len(got.Samples) != series {
					b.Fatal(got, err)
				}
			}
			b.ReportMetric(float64(cpuTime(b)-begin)/float64(b.N*series), "cpu-ns/sample")
		})
	}
}

// BenchmarkDecodeNew decodes label sections for the first time.
func BenchmarkDecodeNew(b *testing.B) {
	const series = 100
	for _, kind := range []wire.Kind{wire.KindBatch1, wire.KindBatch2} {
		b.Run(fmt.Sprintf("rw%d", kind), func(b *testing.B) {
			body := encode(b, kind, hostRows(series, received))
			b.ReportAllocs()
			begin := cpuTime(b)
			for range b.N {
				if _, err := NewDecoder(Defaults()).Decode(envelope(kind), body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime(b)-begin)/float64(b.N*series), "cpu-ns/sample")
		})
	}
}
