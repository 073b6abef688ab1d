package figures_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/figures"
)

// streaksOf answers as a ledger does.
type streaksOf map[string][]availability.Streak

// KnownStreaks gives all of them.
func (s streaksOf) KnownStreaks(context.Context, int64) (map[string][]availability.Streak, error) {
	return s, nil
}

// Streaks gives all of them.
func (s streaksOf) Streaks(context.Context, []string, int64, int64) (map[string][]availability.Streak, error) {
	return s, nil
}

// TestAHostJoiningMovesNothing: random fleets with random pasts; then hosts
// join, leave, come back and take other labels after the month's end. The
// month's figures stay the same to the byte; those of this month may not.
func TestAHostJoiningMovesNothing(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	parsed, faults := catalogue.Parse("c.yaml", []byte(`
groups:
  web: {match: {role: web}}
  db: {match: {role: db}}
  mail: {match: {role: mail}}
services:
  - {name: post, customer: acme, needs: {any_of: mail}}
  - {name: shop, customer: acme, needs: {all_of: [{at_least: 2, of: web}, {any_of: db}]}}
agreements:
  - {number: SLA-2, service: post, zone: Asia/Shanghai, policies: {unknown: down, degraded: down}, indicators: [{name: availability, target: 99.9%}]}
  - {number: SLA-1, service: shop, zone: Asia/Shanghai, policies: {unknown: down, degraded: down}, indicators: [{name: availability, target: 99.9%}]}
`))
	if faults != nil {
		t.Fatal(faults)
	}
	ms := func(month time.Month, day, hour int) int64 {
		return time.Date(2026, month, day, hour, 0, 0, 0, zone).UnixMilli()
	}
	// asked in November about October, and about November itself
	ended, today := time.UnixMilli(ms(11, 1, 0)), time.UnixMilli(ms(11, 25, 12))
	moved := 0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		role := func() map[string]string { return map[string]string{"role": []string{"web", "db", "mail"}[r.IntN(3)]} }
		var tenures []catalogue.Tenure
		streaks := streaksOf{}
		seen := func(host string, from, to int64) {
			for at := from; at < to; {
				last := min(at+int64(1+r.IntN(72))*3600_000, to)
				streaks[host] = append(streaks[host], availability.Streak{Component: host, Observer: host, State: []availability.State{availability.Up, availability.Up, availability.Down}[r.IntN(3)],
					First: at, Last: last - 15_000, Count: 2, MaxGap: 15_000})
				at = last + int64(r.IntN(2))*60_000
			}
		}
		for i := range 2 + r.IntN(6) {
			host := fmt.Sprintf("h-%d", i)
			from := ms(9, 20+r.IntN(10), r.IntN(24))
			if r.IntN(3) == 0 {
				from = ms(10, 1+r.IntN(30), r.IntN(24))
			}
			tenures = append(tenures, catalogue.Tenure{Host: host, Labels: role(), From: from})
			seen(host, from, ms(11, 25, 12))
		}
		cat, _ := parsed.Expand(tenures)
		engine := figures.New(figures.Options{Ledger: streaks, Catalogue: func() *catalogue.Catalogue { return cat }, Now: func() time.Time { return today }})
		ask := func(asOf time.Time) []byte {
			all, err := engine.Month(t.Context(), asOf)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		before, beforeNow := ask(ended), ask(today)
		after := func() int64 { return ms(11, 2+r.IntN(20), r.IntN(24)) }
		for i := range tenures {
			switch at := after(); r.IntN(4) {
			case 0: // removed
				tenures[i].Until = at
			case 1: // enrolled again with other labels
				tenures[i].Until = at
				tenures = append(tenures, catalogue.Tenure{Host: tenures[i].Host, Labels: role(), From: at})
			case 2: // removed, and back a day later
				tenures[i].Until = at
				tenures = append(tenures, catalogue.Tenure{Host: tenures[i].Host, Labels: tenures[i].Labels, From: at + 24*3600_000})
			}
		}
		for i := range 3 { // new ones
			host, at := fmt.Sprintf("new-%d", i), after()
			tenures = append(tenures, catalogue.Tenure{Host: host, Labels: role(), From: at})
			seen(host, at, ms(11, 25, 12))
		}
		cat, _ = parsed.Expand(tenures)
		engine = figures.New(figures.Options{Ledger: streaks, Catalogue: func() *catalogue.Catalogue { return cat }, Now: func() time.Time { return today }})
		if got := ask(ended); !bytes.Equal(got, before) {
			t.Fatalf("seed %d: October moved\nfrom %s\nto   %s", seed, before, got)
		}
		if !bytes.Equal(ask(today), beforeNow) {
			moved++
		}
	}
	if moved < 100 {
		t.Errorf("only %d of 200 fleets moved this month's figures: the test tests nothing", moved)
	}
}
