package check

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkProbe measures one test of each kind against loopback; cpu-us/op is
// the processor time of the whole process, the other side included.
func BenchmarkProbe(b *testing.B) {
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer plain.Close()
	host, err := os.Hostname()
	if err != nil {
		b.Fatal(err)
	}
	for _, spec := range []Spec{
		{HTTP: plain.URL},
		{TCP: strings.TrimPrefix(plain.URL, "http://")},
		{Process: "plimsoll-" + host, Count: Count{Min: 0}},
		{File: "/etc/hostname"},
		{Script: []string{"/bin/true"}},
	} {
		b.Run(spec.Kind(), func(b *testing.B) {
			spec.Timeout = 5 * time.Second
			c, err := New(spec)
			if err != nil {
				b.Fatal(err)
			}
			begin := used(b)
			for b.Loop() {
				if r := c.Probe(context.Background()); r.State != Up {
					b.Fatalf("%s %s", r.State, r.Reason)
				}
			}
			b.ReportMetric(float64((used(b)-begin).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

// used is the processor time of this process and the children it waited for.
func used(b *testing.B) time.Duration {
	b.Helper()
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}
