package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// TestWrongClock: one host's clock is set to an hour ahead, to 2099 and to
// 1970 while it runs. Its samples lie where they belong, none is lost, no
// outage is invented, and the host beside it notices nothing.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	listen, agents, data := freeAddr(t), freeAddr(t), t.TempDir()
	catalogue := "components: [{name: host-00, interval: 500ms}, {name: host-01, interval: 500ms}]\n" +
		"services: [{name: s, customer: c, needs: {all_of: [host-00, host-01]}}]\n"
	if err := os.WriteFile(filepath.Join(data, "catalogue.yaml"), []byte(catalogue), 0o644); err != nil {
		t.Fatal(err)
	}
	s := site{t, "http://" + listen}
	start(t, "plimsoll-collector", "run", "--data", data, "--listen", listen, "--listen-agents", agents)
	waitFor(t, "the collector healthy", 10*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK })
	wrong, right := newFleetHost(t, s, agents, 0), newFleetHost(t, s, agents, 1)
	ctx, stop := context.WithCancel(context.Background())
	var running errgroup.Group
	for _, h := range []*fleetHost{wrong, right} {
		running.Go(func() error { return h.ship.Run(ctx) })
	}
	begin, made := time.Now(), 0
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for _, ahead := range []time.Duration{0, time.Hour, time.Until(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)), -time.Since(time.Unix(1000, 0)), -20 * time.Second, 0} {
		wrong.wrong.Store(ahead.Milliseconds())
		for range 6 {
			<-tick.C
			now := time.Now()
			wrong.collect(t, now)
			right.collect(t, now)
			made++
		}
		// A clock is set between two deliveries, not between two records.
		waitFor(t, "everything delivered", 10*time.Second, func() bool { return wrong.ship.Stats().Waiting == 0 })
	}
	end := time.Now()
	for _, name := range []string{"host-00", "host-01"} {
		var points []point
		waitFor(t, "every sample of "+name, 10*time.Second, func() bool {
			var err error
			points, err = s.tryQuery(fmt.Sprintf(`up{instance=%q}[10m]`, name), time.Now().Add(time.Minute))
			return err == nil && len(points) == 1 && len(points[0].Values) >= made
		})
		last, gap := 0.0, 0.0
		for i, v := range points[0].Values {
			at := v[0].(float64)
			if at < float64(begin.Unix())-2 || at > float64(end.Unix())+2 {
				t.Errorf("%s: a sample at %v, want all between %v and %v", name, time.Unix(int64(at), 0), begin, end)
			}
			if i > 0 {
				gap = max(gap, at-last)
			}
			last = at
		}
		t.Logf("%s: %d collections, %d stored, largest gap %.2f s", name, made, len(points[0].Values), gap)
		if len(points[0].Values) != made || gap > 3 {
			t.Errorf("%s: %d samples with a gap of %.2f s, want %d in one row", name, len(points[0].Values), gap, made)
		}
	}
	var outages struct{ Outages []struct{ Component string } }
	s.json("/api/v1/outages", &outages)
	if len(outages.Outages) != 0 {
		t.Errorf("outages out of a wrong clock: %+v", outages.Outages)
	}
	// It is told, too.
	metrics := s.mustGet("/metrics")
	for _, want := range []string{`plimsoll_receive_corrected_records_total{instance="host-00"} ` + strconv.Itoa(24)} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if strings.Contains(metrics, `plimsoll_receive_corrected_records_total{instance="host-01"}`) {
		t.Error("the host with the right clock was corrected")
	}
	stop()
	if err := running.Wait(); err != nil {
		t.Error(err)
	}
}
