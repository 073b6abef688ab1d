package availability

import (
	"fmt"
	"math/big"
	"testing"
	"time"
)

// fleet is 10 000 components of 1 000 services, ten each, with a month of
// streaks: each component is down for five minutes once a week.
func fleet() Input {
	begin := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	in := Input{Catalogue: &Catalogue{Calendars: map[string]*Calendar{}}, Streaks: map[string][]Streak{}, From: On(NewDate(2026, 10, 1)), To: On(NewDate(2026, 11, 1)),
		AsOf: begin + 31*86_400_000}
	for s := range 1000 {
		need := Need{AtLeast: 10}
		for k := range 10 {
			name := fmt.Sprintf("host-%05d", s*10+k)
			need.Of = append(need.Of, Need{Name: name})
			in.Catalogue.Components = append(in.Catalogue.Components, Component{Name: name, Interval: 60_000})
			at := begin
			for week := range 5 {
				down := begin + int64(week)*7*86_400_000 + int64(s*10+k)*10_000
				if down+300_000 > in.AsOf {
					break
				}
				if down-60_000 > at {
					in.Streaks[name] = append(in.Streaks[name], Streak{Component: name, State: Up, First: at, Last: down - 60_000, Count: 2, MaxGap: 60_000})
				}
				in.Streaks[name] = append(in.Streaks[name], Streak{Component: name, State: Down, First: down, Last: down + 240_000, Count: 5, MaxGap: 60_000})
				at = down + 300_000
			}
			in.Streaks[name] = append(in.Streaks[name], Streak{Component: name, State: Up, First: at, Last: in.AsOf - 60_000, Count: 2, MaxGap: 60_000})
		}
		service := fmt.Sprintf("service-%04d", s)
		in.Catalogue.Services = append(in.Catalogue.Services, Service{Name: service, Needs: need})
		in.Catalogue.Agreements = append(in.Catalogue.Agreements, Agreement{Number: fmt.Sprintf("S-%04d", s), Version: 1, Service: service, Zone: time.UTC,
			Indicators: []Indicator{{Name: "availability", Kind: KindAvailability, Target: big.NewRat(999, 1000)}}})
	}
	return in
}

// BenchmarkMonth is the month's SLA of 10 000 components and 1 000 services:
// to be had in 1 s and 200 MiB.
func BenchmarkMonth(b *testing.B) {
	in := fleet()
	b.ReportAllocs()
	for b.Loop() {
		all, err := Evaluate(in)
		if err != nil || len(all) != 1000 || all[0].OutagesStarted == 0 {
			b.Fatal(len(all), err)
		}
	}
}
