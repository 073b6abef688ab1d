package quickstart

import (
	"time"

	"github.com/plimsoll/plimsoll/internal/simulate"
)

// The two customers of the demonstration.
const (
	northwind = "Northwind Logistics"
	pujiang   = "浦江商贸"
)

// Zones of the two.
const (
	zoneNorthwind = "Europe/Berlin"
	zonePujiang   = "Asia/Shanghai"
)

// demoSeed makes the demonstration the same wherever it is played.
const demoSeed = 1876

// demoEvery is the interval of the simulated hosts, and of their checks.
const demoEvery = time.Minute

// months are the first instants of the two whole months before now and of the
// running one, in the zone of the customer whose calendar is ahead.
func months(now time.Time) (before, last, this time.Time) {
	zone, err := time.LoadLocation(zonePujiang)
	if err != nil {
		zone = time.UTC
	}
	y, m, _ := now.In(zone).Date()
	return time.Date(y, m-2, 1, 0, 0, 0, 0, zone), time.Date(y, m-1, 1, 0, 0, 0, 0, zone), time.Date(y, m, 1, 0, 0, 0, 0, zone)
}

// demoHosts are the hosts of both customers. Phases spread their collections.
func demoHosts() []simulate.Host {
	var all []simulate.Host
	for i, h := range [...]struct{ name, customer string }{
		{"nw-web-1", northwind}, {"nw-web-2", northwind}, {"nw-app-1", northwind}, {"nw-db-1", northwind},
		{"pj-app-1", pujiang}, {"pj-app-2", pujiang}, {"pj-db-1", pujiang}, {"pj-nas-1", pujiang},
	} {
		all = append(all, simulate.Host{Name: h.name, ID: "demo-" + h.name, Customer: h.customer, Phase: int64(i) * 7_000})
	}
	return all
}

func demoChecks() []simulate.Check {
	return []simulate.Check{
		{Component: "shop-web-1", Kind: "http", Target: "http https://web-1.northwind.example/health", On: "nw-web-1", Observers: []string{"nw-web-2", "nw-app-1"}},
		{Component: "shop-web-2", Kind: "http", Target: "http https://web-2.northwind.example/health", On: "nw-web-2", Observers: []string{"nw-web-1", "nw-app-1"}},
		{Component: "shop-database", Kind: "tcp", Target: "tcp db.northwind.example:5432", On: "nw-db-1", Observers: []string{"nw-web-1", "nw-app-1"}},
		{Component: "payment-gateway", Kind: "http", Target: "http https://pay.clearbank.example/ping", Observers: []string{"nw-web-1", "nw-web-2"}},
		{Component: "warehouse-app", Kind: "http", Target: "http https://wms.northwind.example/login", On: "nw-app-1", Observers: []string{"nw-web-1", "nw-web-2"}},
		{Component: "order-app", Kind: "http", Target: "http https://order.pujiang.example/health", On: "pj-app-1", Observers: []string{"pj-app-2", "pj-nas-1"}},
		{Component: "order-database", Kind: "tcp", Target: "tcp db.pujiang.example:3306", On: "pj-db-1", Observers: []string{"pj-app-1", "pj-app-2"}},
		{Component: "file-share", Kind: "tcp", Target: "tcp nas.pujiang.example:445", Observers: []string{"pj-nas-1"}},
	}
}

// peers are the checks by which hosts of one customer look at each other: they
// tell a path that is cut from a host whose network is gone.
func peers() (all []simulate.Check) {
	hosts := demoHosts()
	for i := range hosts {
		var observers []string
		for n := 1; len(observers) < 2; n++ {
			if other := &hosts[(i+n)%len(hosts)]; other.Customer == hosts[i].Customer {
				observers = append(observers, other.Name)
			}
		}
		all = append(all, simulate.Check{Component: hosts[i].Name, Kind: "icmp", Target: "icmp " + hosts[i].Name, On: hosts[i].Name, Observers: observers})
	}
	return all
}

// upgrade is the planned work of the last month: what was agreed, and how long it took.
type upgrade struct{ from, agreed, to, approved time.Time }

func theUpgrade(last time.Time) upgrade {
	from := clock(last, 17, 0, 0)
	return upgrade{from: from, agreed: from.Add(2 * time.Hour), to: from.Add(3*time.Hour + 35*time.Minute), approved: from.Add(-5 * 24 * time.Hour)}
}

// clock is an instant of the month: its day counted from 0, and the time of day.
func clock(month time.Time, day, hour, minute int) time.Time {
	y, m, d := month.Date()
	return time.Date(y, m, d+day, hour, minute, 0, 0, month.Location())
}

// demoPlan is the history of the demonstration as it is played at now: a month
// that keeps its promises, one that does not, and the running one.
func demoPlan(now time.Time, until time.Time) simulate.Plan {
	before, last, this := months(now)
	p := simulate.Plan{Seed: demoSeed, From: before.UnixMilli(), To: until.UnixMilli(), Every: demoEvery.Milliseconds(), Bundle: 30,
		Live: now.Add(-6 * time.Hour).UnixMilli(), Hosts: demoHosts(), Checks: append(demoChecks(), peers()...), Load: newLoads(before, last, now).load}
	add := func(kind simulate.Kind, host string, from time.Time, length time.Duration) {
		if from.Add(length).Before(now.Add(-20 * time.Minute)) {
			p.Events = append(p.Events, simulate.Event{Kind: kind, Host: host, From: from.UnixMilli(), To: from.Add(length).UnixMilli()})
		}
	}
	fault := func(component string, from time.Time, length time.Duration, reason string) {
		if from.Add(length).Before(now.Add(-20 * time.Minute)) {
			p.Events = append(p.Events, simulate.Event{Kind: simulate.Fault, Component: component, From: from.UnixMilli(), To: from.Add(length).UnixMilli(), Reason: reason})
		}
	}
	// The good month: a host that crashes is one of two, and the rest is short.
	add(simulate.Crash, "nw-web-2", clock(before, 5, 9, 12), 11*time.Minute)
	add(simulate.CollectorAway, "", clock(before, 11, 3, 5), 35*time.Minute)
	fault("order-app", clock(before, 16, 10, 4), 9*time.Minute, "status 502 from the reverse proxy")
	add(simulate.AgentCrash, "nw-app-1", clock(before, 21, 22, 41), 4*time.Minute)
	fault("shop-database", clock(before, 23, 4, 30), 6*time.Minute, "connection refused")
	// The bad one.
	fault("shop-database", clock(last, 6, 15, 18), 52*time.Minute, "the server answers: could not write to file: no space left on device")
	fault("order-database", clock(last, 12, 10, 26), 14*time.Minute, "connection refused, while the standby took over")
	fault("payment-gateway", clock(last, 15, 20, 3), 112*time.Minute, "i/o timeout in the network of the supplier")
	u := theUpgrade(last)
	fault("order-app", u.from.Add(4*time.Minute), u.to.Sub(u.from)-4*time.Minute, "connection refused")
	add(simulate.PathCut, "pj-app-2", clock(last, 20, 11, 0), 47*time.Minute)
	add(simulate.AgentStop, "pj-nas-1", clock(last, 21, 8, 40), 33*time.Hour)
	fault("warehouse-app", clock(last, 26, 15, 50), 38*time.Minute, "status 503")
	// The running one.
	add(simulate.Reboot, "pj-app-2", clock(this, 1, 2, 0), 4*time.Minute)
	fault("payment-gateway", clock(this, 3, 13, 22), 7*time.Minute, "i/o timeout in the network of the supplier")
	add(simulate.NetworkOut, "nw-app-1", clock(this, 8, 4, 2), 21*time.Minute)
	fault("order-database", clock(this, 12, 16, 15), 3*time.Minute, "too many connections")
	return p
}
