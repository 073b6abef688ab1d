// Package figurestest is a small collector for tests: a real ledger and a
// real time-series database in a temporary folder, filled with a fixed
// history, and the engine over both. Its clock stands still.
//
//	November 2026, Asia/Shanghai, measured since the 9th, now the 25th 12:00
//	shop   up, with outages on the 12th (bridged), the 18th and the 24th
//	office business hours only, degraded on the 20th
//	portal never measured
//	db     down now, since 11:48
package figurestest

import (
	"context"
	"log/slog"
	"math"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/closing"
	"github.com/plimsoll/plimsoll/collector/correction"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/maintenance"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/series"
)

// Catalogue is the text the seed is evaluated by.
const Catalogue = `calendars:
  office: {week: {mon-fri: ["09:00-18:00"]}}
components:
  - {name: web-1, interval: 15s}
  - {name: db-1, interval: 15s}
  - {name: shop-page, interval: 15s}
  - {name: database, interval: 15s}
  - {name: portal-page, interval: 60s}
services:
  - {name: shop, customer: acme, users: 500, functions: [browse, {name: pay, weight: 3, users: 60, needs: [shop-page, database]}], needs: {all_of: [shop-page, {any_of: [web-1, db-1]}]}}
  - {name: office, customer: acme, needs: {all_of: [web-1, database]}}
  - {name: portal, customer: bolt, needs: {all_of: [portal-page]}}
  - {name: lab, needs: {at_least: 1, of: [web-1, db-1]}}
agreements:
  - number: SLA-2026-001
    version: 1
    service: shop
    zone: Asia/Shanghai
    indicators:
      - {name: availability, description: share of agreed time in service, target: 99.9%, unacceptable: 99.5%}
      - {name: repair time, kind: mttr, target: 1h, unacceptable: 4h}
      - {name: outages, target: 3}
  - number: SLA-2026-002
    version: 1
    service: office
    zone: Asia/Shanghai
    calendar: office
    policies: {degraded: down}
    planned: {notice: 24h, cap: 8h/month}
    indicators: [{name: availability, target: 99%, unacceptable: 95%}]
  - number: SLA-2026-003
    version: 1
    service: portal
    zone: Asia/Shanghai
    indicators: [{name: availability, target: 99.5%}]
suppliers:
  - name: NetCo
    contract: UC-2026-01
    zone: Asia/Shanghai
    effective: {from: 2026-01-01, to: 2027-01-01}
    review_by: 2026-12-31
    components: [web-1, database]
    indicators: [{name: availability, target: 99.5%, unacceptable: 99%}, {name: repair time, kind: mttr, target: 4h}]
maintenance:
  - {change: CHG-2026-0007, services: [office], from: "2026-11-16T12:00:00+08:00", to: "2026-11-16T13:00:00+08:00", approved_at: "2026-11-10T10:00:00+08:00"}
`

// Seed is the opened collector.
type Seed struct {
	Ledger *ledger.Ledger
	Engine *figures.Engine
	// Work and Corrections are what people decide; the engine counts it.
	Work        *maintenance.Desk
	Corrections *correction.Desk
	Book        *closing.Book
	PromQL      *series.PromQL
	Samples     *tsdb.DB
	Now         time.Time
	Zone        *time.Location
	ahead       atomic.Int64 // nanoseconds the clock has moved on
}

// Clock is Now and what Tick added; other goroutines may read it.
func (s *Seed) Clock() time.Time { return s.Now.Add(time.Duration(s.ahead.Load())) }

// Tick moves the clock on.
func (s *Seed) Tick(d time.Duration) { s.ahead.Add(int64(d)) }

// Open fills a ledger and a database below t's temporary folder.
func Open(t testing.TB) *Seed {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	check(t, err)
	s := &Seed{Now: time.Date(2026, 11, 25, 12, 0, 0, 0, zone), Zone: zone}
	now := s.Clock
	clock := time.UnixMilli(s.At(9, 14, 19, 30)) // of the ledger while the hosts enrol
	log := slog.New(slog.DiscardHandler)
	s.Ledger, err = ledger.Open(ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return clock }, Log: log})
	check(t, err)
	t.Cleanup(func() { check(t, s.Ledger.Close()) })
	options := tsdb.DefaultOptions()
	options.WALSegmentSize = -1
	s.Samples, err = tsdb.Open(t.TempDir(), log, nil, options, nil)
	check(t, err)
	t.Cleanup(func() { check(t, s.Samples.Close()) })
	cat, faults := catalogue.Parse("catalogue.yaml", []byte(Catalogue))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var promql *series.PromQL
	s.Engine = figures.New(figures.Options{Ledger: s.Ledger, Catalogue: func() *catalogue.Catalogue { return cat },
		Samples: later{&promql}, Records: s.Ledger, Decided: decided{s}, Forecasts: s.Ledger, Now: now,
		Closed: func(ctx context.Context, month string, asOf time.Time) (map[string][]availability.Explanation, error) {
			return s.Book.Standing(ctx, month, asOf)
		}})
	s.Book = closing.New(closing.Options{Ledger: s.Ledger, Figures: s.Engine, Program: "test", Now: now, Log: log})
	s.Work, s.Corrections = maintenance.NewDesk(s.Ledger, s.Engine, now), correction.NewDesk(s.Ledger, s.Engine, nil, now)
	promql = series.NewPromQL(series.Merge(s.Samples, s.Engine.Queryable()), series.Limits{}, log, nil)
	s.PromQL = promql
	s.facts(t)
	s.samples(t)
	clock = time.UnixMilli(s.At(25, 7, 15, 0))
	s.problem(t)
	clock = s.Now
	return s
}

// decided lets the engine ask the desks that are made over it.
type decided struct{ *Seed }

// Decided is what of planned work and corrections was approved.
func (d decided) Decided(ctx context.Context) ([]availability.Window, []availability.Adjustment, int64, error) {
	revision, err := d.Ledger.PaperCount(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	windows, err := d.Work.Windows(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	adjustments, err := d.Corrections.Entries(ctx)
	return windows, adjustments, revision, err
}

// later lets the engine ask PromQL, which is made over the engine.
type later struct{ promql **series.PromQL }

// Instant asks the engine made in the meantime.
func (l later) Instant(ctx context.Context, expr string, at time.Time) ([]series.Value, error) {
	return (*l.promql).Instant(ctx, expr, at)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// At is an instant of November 2026 in the seed's zone.
func (s *Seed) At(day, hour, minute, second int) int64 {
	return time.Date(2026, 11, day, hour, minute, second, 0, s.Zone).UnixMilli()
}

// run is facts every 15 s in one state.
func run(component, observer string, state availability.State, from, to int64) availability.Streak {
	return availability.Streak{Component: component, Observer: observer, State: state, First: from, Last: to, Count: (to-from)/15_000 + 1, MaxGap: 15_000}
}

func (s *Seed) facts(t testing.TB) {
	at, up, down, degraded := s.At, availability.Up, availability.Down, availability.Degraded
	begin, end := at(9, 14, 20, 0), s.Now.UnixMilli()-5_000
	put := []availability.Streak{
		run("web-1", "web-1", up, begin, end),
		run("db-1", "db-1", up, begin, end),
		run("shop-page", "web-1", up, begin, at(12, 3, 12, 0)),
		run("shop-page", "web-1", down, at(12, 3, 12, 15), at(12, 3, 20, 0)),
		run("shop-page", "web-1", down, at(12, 3, 31, 0), at(12, 3, 35, 0)),
		run("shop-page", "web-1", up, at(12, 3, 35, 15), at(18, 10, 0, 0)),
		run("shop-page", "web-1", down, at(18, 10, 0, 15), at(18, 10, 5, 0)),
		run("shop-page", "web-1", up, at(18, 10, 5, 15), at(24, 22, 0, 0)),
		run("shop-page", "web-1", down, at(24, 22, 0, 15), at(24, 22, 2, 0)),
		run("shop-page", "web-1", up, at(24, 22, 2, 15), end),
		run("database", "db-1", up, begin, at(20, 9, 0, 0)),
		run("database", "db-1", degraded, at(20, 9, 0, 15), at(20, 9, 20, 0)),
		run("database", "db-1", up, at(20, 9, 20, 15), at(25, 11, 47, 45)),
		run("database", "db-1", down, at(25, 11, 48, 0), end),
	}
	one := func(component, observer string, from, to, earliest int64, bridged bool) ledger.Outage {
		return ledger.Outage{Component: component, From: from, To: to, Earliest: earliest, Bridged: bridged, Observers: []string{observer}}
	}
	change := func(position uint64, atMS int64, component, host, body string) ledger.Note {
		return ledger.Note{Position: position, Host: "host-" + host, Instance: host, At: atMS, ReceivedAt: atMS + 100, Kind: "change", Component: component, Body: body}
	}
	ctx := context.Background()
	ids := map[string]string{}
	for i, name := range []string{"web-1", "db-1"} {
		hash := "hash-" + name
		check(t, s.Ledger.EnrolToken(ctx, hash, ledger.Token{ExpiresAt: s.Now.UnixMilli()}))
		h, err := s.Ledger.UseToken(ctx, hash, ledger.Host{ID: "7f3a9c1e-" + name, Instance: name, Customer: "acme", OS: []string{"Debian GNU/Linux 13", "openEuler 24.03"}[i], Arch: "amd64", Version: "0.1.0"})
		check(t, err)
		ids[name] = h.ID
	}
	check(t, s.Ledger.ApplyFold(ctx, ledger.Fold{Position: 10, Put: put,
		Outages: map[string]ledger.OutageSet{
			"shop-page": {Standing: []ledger.Outage{
				one("shop-page", "web-1", at(12, 3, 12, 15), at(12, 3, 35, 15), at(12, 3, 12, 0), true),
				one("shop-page", "web-1", at(18, 10, 0, 15), at(18, 10, 5, 15), at(18, 10, 0, 0), false),
				one("shop-page", "web-1", at(24, 22, 0, 15), at(24, 22, 2, 15), at(24, 22, 2, 0), false)}},
			"database": {Standing: []ledger.Outage{one("database", "db-1", at(25, 11, 48, 0), 0, at(25, 11, 47, 45), false)}},
		},
		Notes: []ledger.Note{
			change(1, at(12, 3, 12, 15), "shop-page", "web-1", `{"at":`+ms(at(12, 3, 12, 15))+`,"change":{"component":"shop-page","check":"http","from":"up","to":"down","reason":"GET http://shop.example/: connection refused"}}`),
			change(2, at(12, 3, 35, 15), "shop-page", "web-1", `{"at":`+ms(at(12, 3, 35, 15))+`,"change":{"component":"shop-page","check":"http","from":"down","to":"up","reason":"200 OK in 12 ms"}}`),
			change(3, at(25, 11, 48, 0), "database", "db-1", `{"at":`+ms(at(25, 11, 48, 0))+`,"change":{"component":"database","check":"tcp","from":"up","to":"down","reason":"connect 10.0.0.7:5432: i/o timeout after 5s"}}`),
		},
		Seen: map[string]ledger.Seen{ids["web-1"]: {Received: end, Sample: end}, ids["db-1"]: {Received: end, Sample: end}}}))
}

func ms(t int64) string { return strconv.FormatInt(t, 10) }

// samples are six hours of two hosts, one value every 15 s.
func (s *Seed) samples(t testing.TB) {
	app := s.Samples.Appender(context.Background())
	add := func(at int64, v float64, pairs ...string) {
		if _, err := app.Append(0, labels.FromStrings(pairs...), at, v); err != nil {
			t.Fatal(err)
		}
	}
	const gib = float64(1 << 30)
	for n, host := range []string{"web-1", "db-1"} {
		id := []string{"instance", host, "customer", "acme", "job", "node"}
		node := func(name string, more ...string) []string {
			return append(append([]string{model.MetricNameLabel, name}, id...), more...)
		}
		var user, system, iowait, idle, read, written, received, sent float64
		for i := range 6 * 240 {
			at := s.Now.Add(-6*time.Hour).UnixMilli() + int64(i)*15_000 + 3_000
			wave := 0.5 + 0.5*math.Sin(float64(i)/90+float64(n))
			user += 15 * 4 * (0.08 + 0.3*wave)
			system += 15 * 4 * (0.03 + 0.05*wave)
			iowait += 15 * 4 * 0.01
			idle += 15 * 4 * (1 - 0.12 - 0.35*wave)
			read += 15 * 2e5 * wave
			written += 15 * 8e5 * (1 - wave)
			received += 15 * 3e5 * wave
			sent += 15 * 9e5 * wave
			if n == 0 && i > 700 && i < 760 { // a quarter of an hour without samples
				continue
			}
			add(at, 1, node("up")...)
			add(at, 1, node("node_uname_info", "sysname", "Linux", "release", "6.12.0", "nodename", host)...)
			for cpu, share := range map[string]float64{"0": 1.0 / 4, "1": 1.0 / 4, "2": 1.0 / 4, "3": 1.0 / 4} {
				add(at, user*share, node("node_cpu_seconds_total", "cpu", cpu, "mode", "user")...)
				add(at, system*share, node("node_cpu_seconds_total", "cpu", cpu, "mode", "system")...)
				add(at, iowait*share, node("node_cpu_seconds_total", "cpu", cpu, "mode", "iowait")...)
				add(at, idle*share, node("node_cpu_seconds_total", "cpu", cpu, "mode", "idle")...)
			}
			add(at, 16*gib, node("node_memory_MemTotal_bytes")...)
			add(at, (9-3*wave)*gib, node("node_memory_MemAvailable_bytes")...)
			add(at, 4*gib, node("node_memory_Cached_bytes")...)
			add(at, gib/4, node("node_memory_Buffers_bytes")...)
			add(at, 2*gib, node("node_memory_SwapTotal_bytes")...)
			add(at, 1.9*gib, node("node_memory_SwapFree_bytes")...)
			add(at, 0.4+2*wave, node("node_load1")...)
			add(at, 0.5+1.6*wave, node("node_load5")...)
			add(at, 0.9+wave, node("node_load15")...)
			add(at, float64(s.At(9, 14, 0, 0)/1000), node("node_boot_time_seconds")...)
			for m, size := range map[string]float64{"/": 40 * gib, "/var/lib/postgresql": 200 * gib} {
				fill := 0.42
				if m != "/" && n == 1 {
					fill = 0.84 + 0.02*float64(i)/1440
				}
				add(at, size, node("node_filesystem_size_bytes", "mountpoint", m, "fstype", "ext4", "device", "/dev/vda1")...)
				add(at, size*(1-fill), node("node_filesystem_avail_bytes", "mountpoint", m, "fstype", "ext4", "device", "/dev/vda1")...)
			}
			add(at, read, node("node_disk_read_bytes_total", "device", "vda")...)
			add(at, written, node("node_disk_written_bytes_total", "device", "vda")...)
			add(at, received, node("node_network_receive_bytes_total", "device", "eth0")...)
			add(at, sent, node("node_network_transmit_bytes_total", "device", "eth0")...)
			checked := map[string]float64{"shop-page": 1}
			if n == 1 {
				checked = map[string]float64{"database": 1}
				if at >= s.At(25, 11, 48, 0) {
					checked["database"] = 0
				}
			}
			for c, v := range checked {
				add(at, v, node("plimsoll_check_state", "component", c, "check", "http")...)
			}
		}
	}
	check(t, app.Commit())
}

// problem opens the record of the file system that db-1 is filling.
func (s *Seed) problem(t testing.TB) {
	const gib = float64(1 << 30)
	at := s.At(25, 7, 15, 0)
	points := make([]record.Point, 240)
	for i := range points {
		points[i] = record.Point{T: at - int64(240-i)*15_000, V: 200 * gib * (0.79 + 0.05*float64(i)/240)}
	}
	_, _, err := s.Ledger.OpenProblem(context.Background(), ledger.NewProblem{
		Record: record.Record{Kind: record.Problem, Customer: "acme", Services: []string{"office"}, Components: []string{"db-1"}, Origin: record.Threshold,
			Title:  record.Text{English: "db-1: filesystem /var/lib/postgresql at 84.0 %, over the warning threshold of 80 %", Chinese: "db-1：文件系统 /var/lib/postgresql 利用率 84.0 %，超过预警阈值 80 %"},
			Detail: record.Text{English: "168 GiB of 200 GiB are used. The share has stood above 80 % for 15 min.", Chinese: "已用 168 GiB，共 200 GiB。利用率超过 80 % 已达 15 分钟。"},
			RuleID: "capacity/filesystem", Metric: `filesystem{mountpoint="/var/lib/postgresql"}`, DetectedAt: at, FirstSeen: at - 900_000, LastSeen: at,
			Observed: 168 * gib, Limit: 160 * gib, Unit: "bytes", Impact: 2, Urgency: 2, Key: record.Key("acme", record.Problem, "capacity/filesystem", "db-1", "/var/lib/postgresql")},
		Evidence: record.Evidence{At: at, Since: at - 900_000, Query: `node_filesystem_size_bytes{mountpoint="/var/lib/postgresql"} - node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}`,
			Unit: "bytes", Used: 168 * gib, Capacity: 200 * gib, Threshold: 0.8, Hold: 900_000, Points: points, Labels: []string{"instance=db-1", "mountpoint=/var/lib/postgresql"}}})
	check(t, err)
}
