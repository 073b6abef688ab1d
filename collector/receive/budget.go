package receive

import (
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// budget bounds the bytes of all bodies being worked on together, and those of
// each host: the bodies of one must not take the place of all others.
type budget struct {
	limit, each int64
	inflight    prometheus.Gauge

	mu   sync.Mutex
	used int64
	by   map[string]int64
}

// take reserves n bytes for a host, or nothing when they are not there. It
// never waits: a sender that must come back later costs less than one that is
// kept.
func (b *budget) take(host string, n int) *refusal {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.used+int64(n) > b.limit:
		return &refusal{status: http.StatusServiceUnavailable, reason: "inflight", retry: 1, text: "too many bytes in flight: try again"}
	case b.by[host]+int64(n) > b.each:
		return &refusal{status: http.StatusServiceUnavailable, reason: "inflight_host", retry: 1, text: "too many bytes of this host in flight: send fewer or smaller bodies at once"}
	}
	b.used += int64(n)
	b.by[host] += int64(n)
	b.inflight.Set(float64(b.used))
	return nil
}

func (b *budget) give(host string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= int64(n)
	b.inflight.Set(float64(b.used))
	if b.by[host] -= int64(n); b.by[host] <= 0 {
		delete(b.by, host)
	}
}
