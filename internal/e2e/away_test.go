package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/agent/ship"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/need"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// unsynced is this machine's file system without the waiting: it fills buffers
// of days in seconds.
type unsynced struct{ journal.OS }

type unsyncedFile struct{ journal.File }

func (unsyncedFile) Sync() error      { return nil }
func (unsynced) SyncDir(string) error { return nil }
func (u unsynced) OpenFile(name string, flag int, perm os.FileMode) (journal.File, error) {
	f, err := u.OS.OpenFile(name, flag, perm)
	return unsyncedFile{f}, err
}

// fleetHost is a host with a real buffer and a real shipper; what it measures
// is made up.
type fleetHost struct {
	id      identity.Identity
	buffer  *journal.Journal
	ship    *ship.Shipper
	encoder *sample.Encoder
	set     sample.Set
	wrong   atomic.Int64 // by how much its wall clock is ahead, ms
}

// clocks: the boot clock of a host that was started long ago, and a wall clock
// that somebody may have set.
func (h *fleetHost) clocks(at time.Time) wire.Clocks {
	boot := at.UnixMilli() - 1_600_000_000_000
	return wire.Clocks{Wall: at.UnixMilli() + h.wrong.Load(), Boot: boot, Mono: boot}
}

func newFleetHost(t *testing.T, s site, agents string, n int) *fleetHost {
	t.Helper()
	name, dir := fmt.Sprintf("host-%02d", n), t.TempDir()
	id, err := identity.Enrol(context.Background(), identity.Request{Token: s.token(), Collector: agents, Hostname: name, Version: "e2e", Dir: filepath.Join(dir, "identity")})
	if err != nil {
		t.Fatalf("enrol %s: %v", name, err)
	}
	h := &fleetHost{id: id, encoder: sample.NewEncoder()}
	if h.buffer, _, err = journal.Open(journal.Options{Dir: filepath.Join(dir, "buffer"), FS: unsynced{}, WhenFull: journal.DropOldest, MaxBytes: 512 << 20}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.buffer.Close() })
	h.ship, err = ship.New(ship.Options{
		Buffer: h.buffer, Dir: dir, Version: "e2e", Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Connect: func() (ship.Endpoint, error) {
			return ship.Endpoint{Addresses: []string{agents}, TLS: id.ClientTLS()}, nil
		},
		Clocks: func() wire.Clocks { return h.clocks(time.Now()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// collect puts a collection of 20 series into the buffer.
func (h *fleetHost) collect(t *testing.T, at time.Time) {
	clocks := h.clocks(at)
	h.set.Reset(clocks.Wall)
	h.set.Add("up", 1)
	for i := range 19 {
		h.set.Add("fleet_value", float64(at.Unix()%1000), "n", strconv.Itoa(i))
	}
	body, err := h.encoder.Encode(&h.set)
	if err != nil {
		t.Error(err)
		return
	}
	env := wire.Envelope{Kind: wire.KindBatch2, Run: "fleet", Boot: "fleet", Clocks: clocks}
	if _, err := h.buffer.Append(env.Append(nil), body); err != nil {
		t.Error(err)
	}
}

// TestAwayForDays: the collector was away for three days while 50 hosts went on
// measuring. Once it is back there is no gap, no outage, what is measured now is
// never later than 30 s, and each host's backlog comes in its order.
func TestAwayForDays(t *testing.T) {
	t.Parallel()
	const away = 3 * 24 * time.Hour
	hosts, step := 50, time.Minute
	if testing.Short() {
		hosts = 10
	}
	if need.Soak() {
		step = 15 * time.Second
	}
	now := time.Now().Truncate(time.Second)
	begin := now.Add(-away)
	var components, services, agreements strings.Builder
	for i := range hosts {
		fmt.Fprintf(&components, "  - {name: host-%02d, interval: %s}\n", i, step)
		fmt.Fprintf(&services, "  - {name: service-%02d, customer: c, needs: {all_of: [host-%02d]}, from: %q}\n", i, i, begin.UTC().Format(time.RFC3339))
		fmt.Fprintf(&agreements, "  - {number: A-%02d, service: service-%02d, zone: UTC, indicators: [{name: availability, target: 99.9%%}]}\n", i, i)
	}
	listen, agents, data := freeAddr(t), freeAddr(t), t.TempDir()
	catalogue := "components:\n" + components.String() + "services:\n" + services.String() + "agreements:\n" + agreements.String()
	if err := os.WriteFile(filepath.Join(data, "catalogue.yaml"), []byte(catalogue), 0o644); err != nil {
		t.Fatal(err)
	}
	s := site{t, "http://" + listen}
	collector := start(t, "plimsoll-collector", "run", "--data", data, "--listen", listen, "--listen-agents", agents)
	waitFor(t, "the collector healthy", 10*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK })
	fleet := make([]*fleetHost, hosts)
	for i := range fleet {
		fleet[i] = newFleetHost(t, s, agents, i)
		for at := begin; at.Before(now); at = at.Add(step) {
			fleet[i].collect(t, at)
		}
	}
	records := hosts * int(away/step)

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var running sync.WaitGroup
	back := time.Now()
	for _, h := range fleet {
		running.Go(func() {
			if err := h.ship.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		running.Go(func() { // what is measured now, every second
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case at := <-tick.C:
					h.collect(t, at)
				}
			}
		})
	}
	latest := time.Duration(0)
	<-time.After(2 * time.Second)
	drained := waitFor(t, "the backlog delivered", 9*time.Minute, func() bool {
		if points, err := s.tryQuery(`time() - timestamp(up)`, time.Now()); err == nil && len(points) > 0 {
			if len(points) < hosts && time.Since(back) > 30*time.Second {
				t.Errorf("only %d of %d hosts have anything of now", len(points), hosts)
			}
			for _, p := range points {
				age, err := strconv.ParseFloat(p.Value[1].(string), 64)
				if err != nil {
					t.Fatal(err)
				}
				latest = max(latest, time.Duration(age*float64(time.Second)))
			}
		}
		for _, h := range fleet {
			if h.ship.Stats().Waiting > 3 {
				return false
			}
		}
		return true
	})
	waitFor(t, "the fold caught up", 60*time.Second, func() bool {
		points, err := s.tryQuery(fmt.Sprintf(`count(count_over_time(up[%ds]) >= %d)`, int(time.Since(begin).Seconds()), int(away/step)), time.Now())
		return err == nil && len(points) == 1 && number(t, points[0]) == hosts
	})
	paced := uint64(0)
	for _, h := range fleet {
		paced += h.ship.Stats().Paced
	}
	for metric, least := range map[string]float64{"plimsoll_service_coverage_ratio": 1, "plimsoll_service_availability_ratio": 1} {
		points := s.query("bottomk(1, "+metric+")", time.Time{})
		all := s.query("count("+metric+")", time.Time{})
		if len(points) != 1 || len(all) != 1 || number(t, all[0]) != hosts || points[0].Value[1] != strconv.FormatFloat(least, 'g', -1, 64) {
			t.Errorf("%s: worst %+v of %+v, want %v for each of %d", metric, points, all, least, hosts)
		}
	}
	var outages struct{ Outages []struct{ Component string } }
	s.json("/api/v1/outages", &outages)
	if len(outages.Outages) != 0 {
		t.Errorf("%d outages out of a collector that was away: %+v", len(outages.Outages), outages.Outages)
	}
	stop()
	running.Wait()
	collector.stop()
	t.Logf("%d hosts away for %v: %d records of backlog in %v (%.0f a second), turns refused %d times; what was measured now was at most %v late",
		hosts, away, records, drained.Round(time.Millisecond), float64(records)/drained.Seconds(), paced, latest.Round(time.Millisecond))
	if latest > 30*time.Second {
		t.Errorf("what was measured now was %v late, want at most 30 s", latest)
	}
	checkBacklogOrder(t, data, back)
}

// checkBacklogOrder reads the stopped collector's journal: the backlog of each
// host lies in it in its own order, each record once.
func checkBacklogOrder(t *testing.T, data string, back time.Time) {
	t.Helper()
	last, disordered := map[string]uint64{}, 0
	for e := range journalled(t, data) {
		if e.Clocks.Wall >= back.Add(-time.Hour).UnixMilli() {
			continue
		}
		if e.Seq <= last[e.Host] {
			disordered++
		}
		last[e.Host] = e.Seq
	}
	if disordered > 0 {
		t.Errorf("%d records of the backlog came behind later ones of their host, or twice", disordered)
	}
}
