package availability

import (
	"math/big"
	"slices"
	"testing"
	"time"
)

// shopWithFunctions is a service of a day: the database is down from 06:00 to
// 07:00, the payment provider, which the service itself does not need, from
// 12:00 to 14:00.
func shopWithFunctions(t *testing.T, users int64, functions ...Function) *world {
	t.Helper()
	w := newWorld(t, "UTC", "db", "psp")
	w.catalogue.Services = []Service{{Name: "s", Users: users, Functions: functions, Needs: Need{Name: "db"}}}
	for name, down := range map[string][2]string{"db": {"2026-10-01 06:00", "2026-10-01 07:00"}, "psp": {"2026-10-01 12:00", "2026-10-01 14:00"}} {
		w.pings(name, "2026-10-01", down[0], time.Minute, Up)
		w.pings(name, down[0], down[1], time.Minute, Down)
		w.pings(name, down[1], "2026-10-02", time.Minute, Up)
	}
	w.from, w.to = "2026-10-01", "2026-10-02"
	return w
}

// TestFunctionsAndUsers: by hand. K is 24 h of each; U of the service and of
// order is 23 h, of payment, which needs both, 21 h.
func TestFunctionsAndUsers(t *testing.T) {
	both := &Need{AtLeast: 2, Of: []Need{{Name: "db"}, {Name: "psp"}}}
	rat := func(n, d int64) *big.Rat { return big.NewRat(n, d) }
	hours := func(h float64) *float64 { h *= 3600; return &h }
	for _, row := range []struct {
		what                 string
		users                int64
		functions            []Function
		byFunctions, byUsers *big.Rat
		lost                 *float64   // of the service
		hit                  []string   // by its only outage
		lostBy               []*float64 // by function
	}{
		{what: "nothing said"},
		{what: "users alone", users: 10, byUsers: rat(23, 24), lost: hours(10)},
		{what: "a function is what its service is", functions: []Function{{Name: "order"}}, byFunctions: rat(23, 24), hit: []string{"order"}, lostBy: []*float64{nil}},
		{what: "weights", functions: []Function{{Name: "order"}, {Name: "payment", Weight: rat(3, 1), Needs: both}},
			byFunctions: rat(23+3*21, 4*24), hit: []string{"order", "payment"}, lostBy: []*float64{nil, nil}},
		{what: "users of the service and of a function", users: 10, functions: []Function{{Name: "order"}, {Name: "payment", Users: 2, Needs: both}},
			byFunctions: rat(23+21, 48), byUsers: rat(10*23+2*21, 12*24), lost: hours(10), hit: []string{"order", "payment"}, lostBy: []*float64{hours(10), hours(2 * 3)}},
		{what: "users of one function alone", functions: []Function{{Name: "order"}, {Name: "payment", Users: 2, Needs: both}},
			byFunctions: rat(23+21, 48), byUsers: rat(21, 24), hit: []string{"order", "payment"}, lostBy: []*float64{nil, hours(2 * 3)}},
		{what: "a function that the outage spares", functions: []Function{{Name: "pay later", Weight: rat(1, 2), Needs: &Need{Name: "psp"}}},
			byFunctions: rat(22, 24), lostBy: []*float64{nil}},
	} {
		f := shopWithFunctions(t, row.users, row.functions...).evaluate()[0]
		same := func(what string, got, want *big.Rat) {
			if (got == nil) != (want == nil) || got != nil && got.Cmp(want) != 0 {
				t.Errorf("%s: %s is %v, want %v", row.what, what, got, want)
			}
		}
		same("by functions", f.Exact.ByFunctions, row.byFunctions)
		same("by users", f.Exact.ByUsers, row.byUsers)
		lost := func(what string, got, want *float64) {
			if (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("%s: lost by %s %v, want %v", row.what, what, show(got), show(want))
			}
		}
		lost("the service", f.LostUserS, row.lost)
		lost("the outage", f.Outages[0].LostUserS, row.lost)
		if !slices.Equal(f.Outages[0].Functions, row.hit) {
			t.Errorf("%s: the outage hit %v, want %v", row.what, f.Outages[0].Functions, row.hit)
		}
		for i, want := range row.lostBy {
			lost(f.Functions[i].Name, f.Functions[i].LostUserS, want)
		}
	}
}

func show(x *float64) any {
	if x == nil {
		return "nothing"
	}
	return *x
}

// TestWorkOnAFunction: work that names what one function alone needs is planned
// time of that function; work that names the service is planned for all.
func TestWorkOnAFunction(t *testing.T) {
	functions := []Function{{Name: "order"}, {Name: "payment", Needs: &Need{AtLeast: 2, Of: []Need{{Name: "db"}, {Name: "psp"}}}}}
	for _, row := range []struct {
		what                 string
		services, components []string
		agreed               [3]float64 // h, of the service, order, payment
	}{
		{"the payment provider", nil, []string{"psp"}, [3]float64{24, 24, 22}},
		{"the service", []string{"s"}, nil, [3]float64{21, 21, 21}},
	} {
		f := shopWithFunctions(t, 0, functions...).window("CHG-1", "2026-10-01 12:00", "2026-10-01 15:00", "2026-09-01", row.services, row.components).evaluate()[0]
		if got := [3]float64{f.AgreedS / 3600, f.Functions[0].AgreedS / 3600, f.Functions[1].AgreedS / 3600}; got != row.agreed {
			t.Errorf("work on %s: %v h agreed, want %v", row.what, got, row.agreed)
		}
	}
}

// TestPoolAddsSeconds: of a service known for an hour and one known for a month
// the hour has the say of an hour.
func TestPoolAddsSeconds(t *testing.T) {
	var p Pool
	if p.Availability() != nil {
		t.Errorf("nothing added is %v, want no value", p.Availability())
	}
	n := func(n int64) *big.Rat { return big.NewRat(n, 1) }
	p.Add(n(100), n(0), n(3600))
	p.Add(n(1), n(30*24*3600), n(0))
	if want := big.NewRat(720, 820); p.Availability().Cmp(want) != 0 || p.Lost().Cmp(n(360_000)) != 0 {
		t.Errorf("got %v, lost %v; want %v, lost 360000", p.Availability(), p.Lost(), want)
	}
}
