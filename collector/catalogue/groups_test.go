package catalogue

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

const grouped = `
groups:
  web: {match: {customer: acme, role: [web, edge]}, except: {env: test}}
  db: {match: {role: db}, interval: 30s, hold: 2m}
services:
  - {name: shop, customer: acme, needs: {all_of: [{at_least: 2, of: web}, {all_of: db}, {any_of: web-page}]}}
checks:
  - {component: web-page, for: web, from: [probe-a, probe-b], http: "http://{{host}}:8080/health", interval: 30s}
  - {component: db-port, for: db, from: ["{{host}}"], tcp: "127.0.0.1:5432"}
`

func labels(text string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(pair, "=")
		out[name] = value
	}
	return out
}

func written(n availability.Need) string {
	if n.Name != "" {
		return n.Name
	}
	var of []string
	for _, child := range n.Of {
		of = append(of, written(child))
	}
	return fmt.Sprintf("%d of (%s)", n.AtLeast, strings.Join(of, ", "))
}

// TestExpand: each row adds one tenure and says what the tree becomes.
func TestExpand(t *testing.T) {
	c, faults := Parse("g.yaml", []byte(grouped))
	if faults != nil {
		t.Fatal(faults)
	}
	rows := []struct {
		tenure Tenure
		tree   string
	}{
		{Tenure{"web-1", labels("customer=acme,role=web"), 1000, 0}, "3 of (1 of (web-1), 0 of (), 1 of (web-1/web-page))"},
		{Tenure{"web-2", labels("customer=acme,role=edge"), 2000, 0}, "3 of (2 of (web-1, web-2), 0 of (), 1 of (web-1/web-page, web-2/web-page))"},
		{Tenure{"web-3", labels("customer=acme,role=web,env=test"), 2000, 0}, "3 of (2 of (web-1, web-2), 0 of (), 1 of (web-1/web-page, web-2/web-page))"},
		{Tenure{"web-4", labels("customer=globex,role=web"), 2000, 0}, "3 of (2 of (web-1, web-2), 0 of (), 1 of (web-1/web-page, web-2/web-page))"},
		{Tenure{"db-1", labels("role=db"), 1000, 5000}, "3 of (2 of (web-1, web-2), 1 of (db-1), 1 of (web-1/web-page, web-2/web-page))"},
		// It comes back with the same labels: two stays.
		{Tenure{"db-1", labels("role=db"), 9000, 0}, "3 of (2 of (web-1, web-2), 2 of (db: db-1 since 1970-01-01T00:00:01.000Z, db: db-1 since 1970-01-01T00:00:09.000Z), 1 of (web-1/web-page, web-2/web-page))"},
	}
	var all []Tenure
	var got *Catalogue
	for i, r := range rows {
		all = append(all, r.tenure)
		var notes []string
		if got, notes = c.Expand(all); len(notes) > 0 {
			t.Errorf("row %d: %v", i, notes)
		}
		if tree := written(got.Availability.Services[0].Needs); tree != r.tree {
			t.Errorf("row %d:\ngot  %s\nwant %s", i, tree, r.tree)
		}
	}
	db, _ := got.Availability.Component("db-1")
	if want := (availability.Component{Name: "db-1", Interval: 30_000, Hold: 120_000, From: availability.At(1000)}); !reflect.DeepEqual(db, want) {
		t.Errorf("got %+v, want %+v", db, want)
	}
	for host, want := range map[string]string{
		"probe-a": `[{"component":"web-1/web-page","http":"http://web-1:8080/health","interval":"30s"},{"component":"web-2/web-page","http":"http://web-2:8080/health","interval":"30s"}]`,
		"db-1":    `[{"component":"db-1/db-port","tcp":"127.0.0.1:5432","interval":"15s"}]`,
	} {
		if text, err := json.Marshal(got.AssignedTo(host).Checks); err != nil || string(text) != want {
			t.Errorf("%s: got %s, %v, want %s", host, text, err, want)
		}
	}
	if len(c.Availability.Components) != 0 {
		t.Errorf("the catalogue of the file was changed: %+v", c.Availability.Components)
	}
}

// TestPaceOfTheGroupThen: a host that moves to a group with another pace has
// it from then on. What was said before holds as long as it did.
func TestPaceOfTheGroupThen(t *testing.T) {
	const paced = `
groups:
  fast: {match: {role: fast}, interval: 10s}
  slow: {match: {role: slow}, interval: 60s}
  kept: {match: {keep: "yes"}, interval: 10s, hold: 10m}
services:
  - {name: shop, needs: {all_of: [{any_of: fast}, {any_of: slow}, {any_of: kept}]}}
`
	c, err := Parse("p.yaml", []byte(paced))
	if err != nil {
		t.Fatal(err)
	}
	pace := func(from, interval int64) availability.Pace { return availability.Pace{From: from, Interval: interval} }
	rows := []struct {
		what           string
		tenures        []Tenure
		interval, hold int64
		paces          []availability.Pace
	}{
		{"one group for ever", []Tenure{{"h", labels("role=fast"), 1000, 0}}, 10_000, 0, nil},
		{"from fast to slow", []Tenure{{"h", labels("role=fast"), 1000, 5000}, {"h", labels("role=slow"), 5000, 0}}, 10_000, 0, []availability.Pace{pace(5000, 60_000)}},
		{"away in between, and back", []Tenure{{"h", labels("role=slow"), 1000, 5000}, {"h", labels("role=fast"), 7000, 9000}, {"h", labels("role=slow"), 9000, 0}},
			60_000, 0, []availability.Pace{pace(7000, 10_000), pace(9000, 60_000)}},
		{"enrolled again with other labels, the same group", []Tenure{{"h", labels("role=fast"), 1000, 5000}, {"h", labels("role=fast,a=b"), 5000, 0}}, 10_000, 0, nil},
		{"in two at once: the longer of each", []Tenure{{"h", labels("role=slow,keep=yes"), 1000, 5000}, {"h", labels("role=slow"), 5000, 0}}, 60_000, 600_000, []availability.Pace{pace(5000, 60_000)}},
	}
	for _, r := range rows {
		got, _ := c.Expand(r.tenures)
		h, _ := got.Availability.Component("h")
		if h.Interval != r.interval || h.Hold != r.hold || !slices.Equal(h.Paces, r.paces) {
			t.Errorf("%s: got %d, %d, %v", r.what, h.Interval, h.Hold, h.Paces)
		}
	}
}

// TestMovingMovesNothingBefore: a host measured each 10 s was not heard for two
// minutes in October, of which 95 s are unknown. That it is measured each minute
// since November, and its facts hold longer, changes nothing of October.
func TestMovingMovesNothingBefore(t *testing.T) {
	c, err := Parse("p.yaml", []byte(`
groups:
  hosts: {match: {kind: host}, interval: 10s}
  moved: {match: {pace: slow}, interval: 60s}
services: [{name: shop, needs: {any_of: hosts}}, {name: other, needs: {any_of: moved}}]
agreements: [{number: SLA-1, service: shop, effective: {from: 2026-10-01, to: 2027-01-01}, review_by: 2026-12-31, zone: UTC, indicators: [{name: up, kind: availability, target: 99.9%, unacceptable: 99%, period: month}]}]
`))
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) int64 {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return when.UnixMilli()
	}
	october, gap, november := at("2026-10-01T00:00:00Z"), at("2026-10-10T12:00:00Z"), at("2026-11-01T00:00:00Z")
	streaks := map[string][]availability.Streak{"h": {
		{Component: "h", Observer: "h", State: availability.Up, First: october, Last: gap, Count: 2, MaxGap: 10_000},
		{Component: "h", Observer: "h", State: availability.Up, First: gap + 120_000, Last: november + 86_400_000, Count: 2, MaxGap: 10_000},
	}}
	for what, tenures := range map[string][]Tenure{
		"as it was":   {{"h", labels("kind=host"), october, 0}},
		"since moved": {{"h", labels("kind=host"), october, november}, {"h", labels("kind=host,pace=slow"), november, 0}},
	} {
		expanded, _ := c.Expand(tenures)
		got, err := availability.Evaluate(availability.Input{Catalogue: expanded.Availability, Streaks: streaks, From: availability.At(october), To: availability.At(november), AsOf: november + 86_400_000})
		if err != nil || len(got) != 1 || got[0].UnknownS != 95 {
			t.Errorf("%s: got %v, %+v, want 95 s unknown", what, err, got)
		}
	}
}

// TestExpandInAnyOrder: the order in which hosts are known is no part of the
// answer.
func TestExpandInAnyOrder(t *testing.T) {
	c, _ := Parse("g.yaml", []byte(grouped))
	r := rand.New(rand.NewPCG(1, 2))
	var all []Tenure
	for i := range 40 {
		from := int64(r.IntN(1000))
		all = append(all, Tenure{fmt.Sprintf("h-%d", i%25), labels([]string{"customer=acme,role=web", "role=db", "role=db,customer=acme,env=test"}[r.IntN(3)]), from, from + int64(r.IntN(3))*500})
	}
	want, _ := c.Expand(all)
	for range 50 {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if got, _ := c.Expand(all); !reflect.DeepEqual(got.Availability, want.Availability) || !reflect.DeepEqual(got.Checks, want.Checks) {
			t.Fatal("another order gave another catalogue")
		}
	}
}

// TestMoreChecksThanAHostMakes: what is left out is said.
func TestMoreChecksThanAHostMakes(t *testing.T) {
	c, _ := Parse("g.yaml", []byte(grouped))
	var all []Tenure
	for i := range maxChecksOfHost + 3 {
		all = append(all, Tenure{fmt.Sprintf("web-%d", i), labels("customer=acme,role=web"), 1, 0})
	}
	got, notes := c.Expand(all)
	want := "[probe-a makes 200 checks at most, 3 of groups are not made; let several hosts share them probe-b makes 200 checks at most, 3 of groups are not made; let several hosts share them]"
	if fmt.Sprint(notes) != want || len(got.AssignedTo("probe-a").Checks) != maxChecksOfHost {
		t.Errorf("got %v", notes)
	}
}

// TestExportedGroups: the exported catalogue has no groups, and is the same
// one to the arithmetic.
func TestExportedGroups(t *testing.T) {
	c, _ := Parse("g.yaml", []byte(grouped))
	for i, all := range [][]Tenure{
		nil,
		{{"web-1", labels("customer=acme,role=web"), 1000, 0}, {"db-1", labels("role=db"), 1000, 5000}, {"db-1", labels("role=db"), 9000, 0}},
		{{"web-1", labels("customer=acme,role=web"), 1000, 5000}, {"web-1", labels("role=db"), 5000, 8000}, {"web-1", labels("customer=acme,role=web"), 8000, 0}},
	} {
		want, _ := c.Expand(all)
		text, err := want.With(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, faults := Parse("exported.yaml", text)
		if faults != nil || got.HasGroups() {
			t.Fatalf("%v\n%s", faults, text)
		}
		known := got.Availability.Components[:len(got.Availability.Components)-1] // the last is nobody
		if fmt.Sprint(known) != fmt.Sprint(want.Availability.Components) {
			t.Errorf("row %d: got %v, want %v", i, known, want.Availability.Components)
		}
		for j, s := range want.Availability.Services {
			tree := strings.ReplaceAll(written(s.Needs), "0 of ()", nobody)
			if other := got.Availability.Services[j]; written(other.Needs) != tree || other.From.String() != s.From.String() || other.Until.String() != s.Until.String() {
				t.Errorf("row %d: got %+v, want %+v", i, other, s)
			}
		}
	}
}
