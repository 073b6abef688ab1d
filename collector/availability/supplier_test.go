package availability

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// supply puts components under contract with the supplier.
func (w *world) supply(supplier, number string, indicators []Indicator, components ...string) {
	w.catalogue.Contracts = append(w.catalogue.Contracts, Contract{Supplier: supplier, Components: components,
		Terms: Agreement{Number: number, Version: 1, Zone: w.zone, Indicators: indicators}})
}

// lines is a day of a service that needs site and 2 of line-a, line-b, line-c:
// NetCo has line-a and line-b. All is watched once and holds for ever.
//
//	       01     02     03     04     05     06     07     08     09
//	line-a  ██████████████                                           down
//	line-b         ███████                ██████████████             down
//	line-c                                       ████████            down
//	site                                                      ██████ down, not NetCo's
//	service        ███████                       ███████      ██████ down
func lines(t testing.TB) *world {
	w := newWorld(t, "UTC", "line-a", "line-b", "line-c", "site")
	w.from, w.to = "2026-11-01", "2026-11-02"
	w.catalogue.Services[0].Needs = Need{AtLeast: 2, Of: []Need{{Name: "site"},
		{AtLeast: 2, Of: []Need{{Name: "line-a"}, {Name: "line-b"}, {Name: "line-c"}}}}}
	w.sees("line-a", "2026-11-01 00:00 up", "2026-11-01 01:00 down", "2026-11-01 03:00 up")
	w.sees("line-b", "2026-11-01 00:00 up", "2026-11-01 02:00 down", "2026-11-01 03:00 up", "2026-11-01 05:00 down", "2026-11-01 07:00 up")
	w.sees("line-c", "2026-11-01 00:00 up", "2026-11-01 06:00 down", "2026-11-01 07:00 up")
	w.sees("site", "2026-11-01 00:00 up", "2026-11-01 08:00 down", "2026-11-01 09:00 up")
	w.supply("NetCo", "UC-1", []Indicator{{Name: "availability", Kind: KindAvailability, Target: big.NewRat(95, 100), Unacceptable: big.NewRat(80, 100)},
		{Name: "repair time", Kind: KindMTTR, Target: big.NewRat(3600, 1)}}, "line-a", "line-b")
	return w
}

func TestServiceability(t *testing.T) {
	all, err := Serviceabilities(lines(t).input())
	if err != nil || len(all) != 1 || len(all[0].Components) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, row := range []struct {
		name                        string
		f                           Figures
		up, down, agreed            float64 // h
		outages                     int64
		mttr                        float64 // h
		availability, state, state2 string
	}{
		{"line-a: 1-3", all[0].Components[0], 22, 2, 24, 1, 2, "11/12", BelowTarget, BelowTarget},
		{"line-b: 2-3 and 5-7", all[0].Components[1], 21, 3, 24, 2, 1.5, "7/8", BelowTarget, BelowTarget},
		{"together: 43 h up of 48 h, 5 h down in 3 outages", all[0].Together, 43, 5, 48, 3, 5. / 3, "43/48", BelowTarget, BelowTarget},
	} {
		f := row.f
		if f.UpS != 3600*row.up || f.DownS != 3600*row.down || f.AgreedS != 3600*row.agreed || f.OutagesStarted != row.outages || *f.MTTRS != 3600*row.mttr ||
			f.Exact.Availability.RatString() != row.availability || f.Indicators[0].State != row.state || f.Indicators[1].State != row.state2 {
			t.Errorf("%s: up %v s, down %v s of %v s, %d outages, MTTR %v s, availability %s, %v", row.name, f.UpS, f.DownS, f.AgreedS, f.OutagesStarted, *f.MTTRS, f.Exact.Availability.RatString(), f.Indicators)
		}
	}
	if name := all[0].Components[1].Service; name != "line-b" || all[0].Supplier != "NetCo" || all[0].Contract != "UC-1" || all[0].Together.Service != "" {
		t.Errorf("component %q of %q %q, together %q", name, all[0].Supplier, all[0].Contract, all[0].Together.Service)
	}
}

// TestServiceabilityLimits: what is not known decides nothing, and what was
// planned or corrected does not count, as for a service.
func TestServiceabilityLimits(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(w *world)
		state  string
		down   float64 // h, together
	}{
		{"as it was", func(*world) {}, BelowTarget, 5},
		{"line-b is not watched at all", func(w *world) {
			w.facts = without(w.facts, "line-b")
		}, InsufficientData, 2},
		{"planned work on line-a from 1 to 3", func(w *world) {
			w.window("C", "2026-11-01 01:00", "2026-11-01 03:00", "2026-10-01", nil, []string{"line-a"})
		}, BelowTarget, 3},
		{"planned work on the service is none of the line", func(w *world) {
			w.window("C", "2026-11-01 01:00", "2026-11-01 03:00", "2026-10-01", []string{"s"}, nil)
		}, BelowTarget, 5},
		{"line-b was up from 2 to 7, says a correction", func(w *world) {
			w.adjust("A", "2026-11-01 02:00", "2026-11-01 07:00", CorrectUp, nil, []string{"line-b"})
		}, Met, 2},
		{"the contract ends at 2", func(w *world) {
			w.catalogue.Contracts[0].Terms.To = w.bound("2026-11-01 02:00")
		}, Unacceptable, 1},
	} {
		w := lines(t)
		row.change(w)
		all, err := Serviceabilities(w.input())
		if err != nil {
			t.Fatal(err)
		}
		if f := all[0].Together; f.DownS != 3600*row.down || f.Indicators[0].State != row.state {
			t.Errorf("%s: down %v s, %s, want %v h, %s", row.name, f.DownS, f.Indicators[0].State, row.down, row.state)
		}
	}
}

func without(facts []Fact, component string) (out []Fact) {
	for _, f := range facts {
		if f.Component != component {
			out = append(out, f)
		}
	}
	return out
}

// TestAttribution: of the three outages of the service.
func TestAttribution(t *testing.T) {
	all, err := Attributions(lines(t).input())
	if err != nil || len(all) != 1 || len(all[0].Outages) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	for i, row := range []struct {
		name                    string
		down, attributed, alone float64 // h
		supplied                int
	}{
		{"2-3: both lines of NetCo are down; with them up it would be up", 1, 1, 1, 2},
		{"6-7: line-b and line-c; with line-b up it would be up", 1, 1, 1, 1},
		{"8-9: the site", 1, 0, 0, 0},
	} {
		o := all[0].Outages[i]
		if o.DownS != 3600*row.down || o.AttributedS != 3600*row.attributed || o.AloneS != 3600*row.alone || len(o.Supplied) != row.supplied {
			t.Errorf("%s: down %v s, attributed %v s, alone %v s, %v", row.name, o.DownS, o.AttributedS, o.AloneS, o.Supplied)
		}
	}
	if all[0].DownS != 3*3600 || all[0].AttributedS != 2*3600 || all[0].AloneS != 2*3600 {
		t.Errorf("sums: %+v", all[0])
	}
	// 1-2 and 5-6: one line is down, two are up, so is the service.
	w := lines(t)
	w.facts = without(w.facts, "line-c")
	w.sees("line-c", "2026-11-01 00:00 up")
	w.facts = without(w.facts, "line-a")
	w.sees("line-a", "2026-11-01 00:00 up")
	all, err = Attributions(w.input())
	if err != nil || all[0].AttributedS != 0 || all[0].DownS != 3600 {
		t.Errorf("redundant: %+v, %v", all, err)
	}
	// From 6 to 9 both the site and line-b: a part in it, but not alone.
	w = lines(t)
	w.facts = without(w.facts, "site")
	w.sees("site", "2026-11-01 00:00 up", "2026-11-01 06:00 down", "2026-11-01 09:00 up")
	all, err = Attributions(w.input())
	if o := all[0].Outages[1]; err != nil || o.DownS != 3*3600 || o.AttributedS != 3600 || o.AloneS != 0 {
		t.Errorf("together with the site: %+v, %v", o, err)
	}
}

// TestSuppliersAddUp: together is the sum of the components, and alone <=
// attributed <= down, whatever happens.
func TestSuppliersAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		w.supply("NetCo", "UC-1", nil, "a", "b")
		if rapid.Bool().Draw(rt, "ends") {
			w.catalogue.Contracts[0].Terms.To = w.bound("2026-06-10 12:00")
		}
		w.supply("Carrier", "UC-2", nil, "c")
		in := w.input()
		contracts, err := Serviceabilities(in)
		if err != nil {
			rt.Fatal(err)
		}
		for _, c := range contracts {
			up, down, agreed, unknown, begun, restored := new(big.Rat), new(big.Rat), 0.0, 0.0, int64(0), int64(0)
			for _, f := range c.Components {
				up.Add(up, f.Exact.Up)
				down.Add(down, f.Exact.Down)
				agreed, unknown, begun, restored = agreed+f.AgreedS, unknown+f.UnknownS, begun+f.OutagesStarted, restored+f.OutagesRestored
			}
			f := c.Together
			if f.Exact.Up.Cmp(up) != 0 || f.Exact.Down.Cmp(down) != 0 || f.AgreedS != agreed || f.UnknownS != unknown || f.OutagesStarted != begun || f.OutagesRestored != restored {
				rt.Fatalf("%s: together %+v is not the sum of %+v", c.Contract, f, c.Components)
			}
		}
		services, err := Evaluate(in)
		if err != nil {
			rt.Fatal(err)
		}
		attributions, err := Attributions(in)
		if err != nil || len(attributions) != 2 {
			rt.Fatalf("%+v, %v", attributions, err)
		}
		for _, a := range attributions {
			var down, attributed, alone float64
			for i, o := range a.Outages {
				if o.DownS != services[0].Outages[i].DownS || o.AloneS > o.AttributedS || o.AttributedS > o.DownS {
					rt.Fatalf("%s: alone %v <= attributed %v <= down %v, of the service's %v", a.Supplier, o.AloneS, o.AttributedS, o.DownS, services[0].Outages[i].DownS)
				}
				down, attributed, alone = down+o.DownS, attributed+o.AttributedS, alone+o.AloneS
			}
			if len(a.Outages) != len(services[0].Outages) || a.DownS != down || a.AttributedS != attributed || a.AloneS != alone {
				rt.Fatalf("%s: %+v does not add up", a.Supplier, a)
			}
		}
	})
}
