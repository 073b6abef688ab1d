//go:build unix

package receive

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// BenchmarkReceive delivers batches of 100 series from 32 hosts over TLS into
// a journal that fsyncs, with one consumer of the feed. The CPU time is that
// of both ends together.
func BenchmarkReceive(b *testing.B) {
	const hosts, series = 32, 100
	r := newRig(b, nil)
	clients := make([]*client, hosts)
	for i := range clients {
		clients[i] = r.enrol(fmt.Sprint("web-", i))
	}
	names := []string{"up"}
	for i := 1; i < series; i++ {
		names = append(names, fmt.Sprint("node_metric_", i))
	}
	raw := body(time.Now().UnixMilli(), names...)
	header := map[string]string{"Content-Type": wire.ContentType1, "Content-Encoding": "snappy"}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for pos := journal.Position(0); ; pos++ {
			if _, err := r.recv.Feed().Next(ctx, pos); err != nil {
				return
			}
		}
	}()
	b.ResetTimer()
	var begin, end syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &begin); err != nil {
		b.Fatal(err)
	}
	var senders sync.WaitGroup
	for i, c := range clients {
		senders.Go(func() {
			for n := i; n < b.N; n += hosts {
				if got := c.post(wire.WritePath, bytes.NewReader(raw), header); got.status != http.StatusNoContent {
					b.Errorf("got %+v", got)
				}
			}
		})
	}
	senders.Wait()
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &end); err != nil {
		b.Fatal(err)
	}
	cpu := end.Utime.Nano() + end.Stime.Nano() - begin.Utime.Nano() - begin.Stime.Nano()
	b.ReportMetric(float64(cpu)/float64(b.N*series), "cpu-ns/sample")
	b.ReportMetric(float64(b.N*series)/b.Elapsed().Seconds(), "samples/s")
}
