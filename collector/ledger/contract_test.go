package ledger

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/record"
)

// contract is what every implementation of the ledger has to keep; fresh
// gives an opener on storage of its own.
func contract(t *testing.T, fresh func(t *testing.T) opener) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, open opener)
	}{
		{"a token is spent once", tokenOnce},
		{"a token race has one winner", tokenRace},
		{"names of living hosts are unique", hostNames},
		{"signs of life only move forward", hostSeen},
		{"streaks come with their neighbours", streakNeighbours},
		{"a fold is whole and moves its cursor", foldWhole},
		{"an outage keeps its number", outageIdentity},
		{"outages are selected by time", outageFilter},
		{"notes are kept once", notesOnce},
		{"catalogue versions", catalogueVersions},
		{"what a token is bound to", tokenBound},
		{"a host enrols again", hostAgain},
		{"who hangs on an authority", hangingOn},
		{"who may have another certificate", certificateAgain},
		{"a record opens exactly once", recordOnce},
		{"a record race has one winner", recordRace},
		{"a life cycle with a second episode", recordLife},
		{"a judgement is written whole", judgementWhole},
		{"people, sessions and tokens", peopleStore},
		{"a set-up link has one winner", setupRace},
		{"papers are amended, never edited", papersAmended},
		{"a month is forecast once", forecastOnce},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, fresh(t)) })
	}
	t.Run("any sequence of outages", func(t *testing.T) { outageSequences(t, fresh(t)(t)) })
}

func tokenOnce(t *testing.T, open opener) {
	l, ctx, now := open(t), context.Background(), noon.UnixMilli()
	must(t, l.EnrolToken(ctx, "good", Token{Customer: "acme", ExpiresAt: now + 1}))
	must(t, l.EnrolToken(ctx, "late", Token{ExpiresAt: now}))
	for _, step := range []struct {
		hash string
		want error
	}{{"other", ErrTokenUnknown}, {"late", ErrTokenExpired}, {"good", nil}, {"good", ErrTokenUsed}} {
		h, err := l.UseToken(ctx, step.hash, Host{ID: "id-" + step.hash, Instance: "web-1"})
		if !errors.Is(err, step.want) {
			t.Errorf("token %s: got %v, want %v", step.hash, err, step.want)
		}
		if err == nil && h.Customer != "acme" {
			t.Errorf("customer: got %q, want the token's", h.Customer)
		}
	}
	if hosts, err := l.Hosts(ctx); err != nil || len(hosts) != 1 {
		t.Errorf("hosts: got %v %v, want the one that enrolled", hosts, err)
	}
}

func tokenRace(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	must(t, l.EnrolToken(ctx, "h", Token{ExpiresAt: math.MaxInt64}))
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = l.UseToken(ctx, "h", Host{ID: string(rune('a' + i)), Instance: "web"})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, ErrTokenUsed) {
			t.Errorf("loser: got %v, want ErrTokenUsed", err)
		}
	}
	if won != 1 {
		t.Errorf("%d enrolled with one token", won)
	}
}

func hostNames(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	must(t, l.EnrolToken(ctx, "h", Token{ExpiresAt: math.MaxInt64, Uses: 9}))
	for _, step := range []struct{ id, want string }{{"a", "web"}, {"b", "web-2"}, {"c", "web-3"}} {
		h, err := l.UseToken(ctx, "h", Host{ID: step.id, Instance: "web"})
		if err != nil || h.Instance != step.want {
			t.Errorf("host %s: listed as %q (%v), want %q", step.id, h.Instance, err, step.want)
		}
	}
	must(t, l.RemoveHost(ctx, "a", "li", "sold"))
	if err := l.RemoveHost(ctx, "a", "li", "sold"); !errors.Is(err, ErrNotFound) {
		t.Errorf("remove twice: got %v, want ErrNotFound", err)
	}
	if h, err := l.UseToken(ctx, "h", Host{ID: "d", Instance: "web"}); err != nil || h.Instance != "web" {
		t.Errorf("the name of a removed host is free again: got %q %v", h.Instance, err)
	}
	if h, err := l.HostByInstance(ctx, "web"); err != nil || h.ID != "d" {
		t.Errorf("by name: got %+v %v, want d", h, err)
	}
	if h, err := l.HostByID(ctx, "a"); err != nil || h.RemovedAt == 0 {
		t.Errorf("by id: got %+v %v, want the removed one", h, err)
	}
}

func hostSeen(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	must(t, l.EnrolToken(ctx, "h", Token{ExpiresAt: math.MaxInt64}))
	must(t, func() error {
		_, err := l.UseToken(ctx, "h", Host{ID: "a", Instance: "web", Version: "1"})
		return err
	}())
	for _, s := range []Seen{{Received: 20, Sample: 10}, {Received: 5, Sample: 30, Version: "2"}} {
		must(t, l.SeenHosts(ctx, map[string]Seen{"a": s, "not listed": s}))
	}
	h, err := l.HostByID(ctx, "a")
	if err != nil || h.LastSeen != 20 || h.LastSample != 30 || h.Version != "2" {
		t.Errorf("got %+v %v, want seen 20, sample 30, version 2", h, err)
	}
}

func streak(component, observer string, state availability.State, first, last int64) availability.Streak {
	return availability.Streak{Component: component, Observer: observer, State: state, First: first, Last: last, Count: 2, MaxGap: last - first}
}

func streakNeighbours(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	all := []availability.Streak{
		streak("a", "x", availability.Up, 0, 9), streak("a", "x", availability.Down, 10, 19), streak("a", "x", availability.Up, 20, 29),
		streak("a", "x", availability.Degraded, 30, 39), streak("a", "x", availability.Up, 40, 49),
		streak("a", "y", availability.Up, 0, 100), streak("b", "x", availability.Up, 60, 70),
	}
	must(t, l.ApplyFold(ctx, Fold{Put: all}))
	pick := func(i ...int) (out []availability.Streak) {
		for _, n := range i {
			out = append(out, all[n])
		}
		return out
	}
	for _, c := range []struct {
		from, to   int64
		components []string
		want       map[string][]availability.Streak
	}{
		{20, 30, []string{"a"}, map[string][]availability.Streak{"a": pick(1, 2, 3, 5)}},
		{21, 22, nil, map[string][]availability.Streak{"a": pick(1, 2, 3, 5), "b": pick(6)}},
		{200, 300, nil, map[string][]availability.Streak{"a": pick(4, 5), "b": pick(6)}},
		{0, 1, []string{"a"}, map[string][]availability.Streak{"a": pick(0, 1, 5)}},
		{0, 1000, []string{"b", "none"}, map[string][]availability.Streak{"b": pick(6)}},
	} {
		got, err := l.Streaks(ctx, c.components, c.from, c.to)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("streaks of %v in [%d, %d): %v (-want +got)\n%s", c.components, c.from, c.to, err, diff)
		}
	}
	newest, err := l.OpenStreaks(ctx)
	if diff := cmp.Diff(pick(4, 5, 6), newest); err != nil || diff != "" {
		t.Errorf("open streaks: %v (-want +got)\n%s", err, diff)
	}
	if got, err := l.Components(ctx); err != nil || !cmp.Equal(got, []string{"a", "b"}) {
		t.Errorf("components: got %v %v", got, err)
	}
}

func foldWhole(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	first := streak("a", "x", availability.Up, 0, 10)
	must(t, l.ApplyFold(ctx, Fold{Position: 7, Put: []availability.Streak{first}}))
	longer := first
	longer.Last, longer.Count = 20, 3
	for range 2 { // the second time changes nothing
		must(t, l.ApplyFold(ctx, Fold{Position: 9, Put: []availability.Streak{longer}, Drop: []StreakKey{{"a", "y", 3}}}))
	}
	must(t, l.ApplyFold(ctx, Fold{Position: 8}))
	bad := Fold{Position: 99, Put: []availability.Streak{streak("b", "x", availability.Up, 0, 1)},
		Outages: map[string]OutageSet{"b": {Standing: []Outage{{From: 1, To: 2}}}}}
	broken, cancel := context.WithCancel(ctx)
	cancel()
	if err := l.ApplyFold(broken, bad); err == nil {
		t.Error("a cancelled fold was written")
	}
	must(t, l.Close())
	l = open(t)
	if p, err := l.Cursor(ctx, FoldCursor); err != nil || p != 9 {
		t.Errorf("cursor: got %d %v, want 9", p, err)
	}
	got, err := l.Streaks(ctx, nil, 0, 1000)
	if diff := cmp.Diff(map[string][]availability.Streak{"a": {longer}}, got); err != nil || diff != "" {
		t.Errorf("streaks: %v (-want +got)\n%s", err, diff)
	}
	if p, err := l.Cursor(ctx, "nobody"); err != nil || p != 0 {
		t.Errorf("unknown cursor: got %d %v, want 0", p, err)
	}
}

// outageIdentity moves, splits, merges and withdraws outages of one component
// and looks at the numbers they keep.
func outageIdentity(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	for _, step := range []struct {
		what string
		now  []Outage
		want []int64 // their numbers, by time
	}{
		{"one begins", []Outage{{From: 100}}, []int64{1}},
		{"it ends", []Outage{{From: 100, To: 200}}, []int64{1}},
		{"late facts move its beginning", []Outage{{From: 90, To: 200}}, []int64{1}},
		{"a second one", []Outage{{From: 90, To: 200}, {From: 300, To: 400}}, []int64{1, 2}},
		{"late facts split the first", []Outage{{From: 90, To: 120}, {From: 150, To: 200}, {From: 300, To: 400}}, []int64{1, 3, 2}},
		{"late facts make one of all", []Outage{{From: 90, To: 400}}, []int64{1}},
		{"it was none", nil, nil},
		{"another", []Outage{{From: 100, To: 200}}, []int64{4}},
	} {
		want := step.now
		must(t, l.ApplyFold(ctx, Fold{Outages: map[string]OutageSet{"a": {Standing: want}}}))
		got, err := l.Outages(ctx, OutageFilter{Components: []string{"a"}})
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: got %d outages %v, want %d", step.what, len(got), err, len(want))
		}
		for i := range got {
			o := got[len(got)-1-i] // newest first
			if o.ID != step.want[i] || o.From != want[i].From || o.To != want[i].To {
				t.Errorf("%s: outage %d is %+v, want number %d %+v", step.what, i, o, step.want[i], want[i])
			}
		}
	}
	for id, want := range map[int64]Outage{
		1: {ID: 1, Component: "a", From: 90, To: 400, Observers: []string{}, WithdrawnAt: noon.UnixMilli()},
		2: {ID: 2, Component: "a", From: 300, To: 400, Observers: []string{}, MergedInto: 1},
		3: {ID: 3, Component: "a", From: 150, To: 200, Observers: []string{}, MergedInto: 1},
	} {
		got, err := l.Outage(ctx, id)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("outage %d: %v (-want +got)\n%s", id, err, diff)
		}
	}
	// What ended before Since is not looked at.
	must(t, l.ApplyFold(ctx, Fold{Outages: map[string]OutageSet{"a": {Since: 201, Standing: []Outage{{From: 300}}}}}))
	if got, err := l.Outages(ctx, OutageFilter{}); err != nil || len(got) != 2 || got[0].ID != 5 || got[1].ID != 4 {
		t.Errorf("outages beside an older one: got %v %v, want numbers 5 and 4", got, err)
	}
	if _, err := l.Outage(ctx, 77); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown outage: got %v, want ErrNotFound", err)
	}
}

// outageSequences: whatever is written over whatever, what stands is what was
// written last, and no number is ever used for two components or twice.
func outageSequences(t *testing.T, l *Ledger) {
	ctx, n := context.Background(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		component := string(rune('A'+n%26)) + string(rune('0'+n/26))
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			var want []Outage
			at := int64(0)
			for range rapid.IntRange(0, 5).Draw(t, "outages") {
				from := at + rapid.Int64Range(1, 9).Draw(t, "gap")
				at = from + rapid.Int64Range(1, 9).Draw(t, "length")
				want = append(want, Outage{Component: component, From: from, To: at, Observers: []string{"x"}, Bridged: at%2 == 0})
			}
			if len(want) > 0 && rapid.Bool().Draw(t, "ongoing") {
				want[len(want)-1].To = 0
			}
			if err := l.ApplyFold(ctx, Fold{Outages: map[string]OutageSet{component: {Standing: want}}}); err != nil {
				t.Fatal(err)
			}
			got, err := l.Outages(ctx, OutageFilter{Components: []string{component}})
			if err != nil || len(got) != len(want) {
				t.Fatalf("got %v %v, want %v", got, err, want)
			}
			seen := map[int64]bool{}
			for i := range want {
				o := got[len(got)-1-i]
				if seen[o.ID] {
					t.Fatalf("number %d twice in %v", o.ID, got)
				}
				seen[o.ID] = true
				o.ID = 0
				if diff := cmp.Diff(want[i], o); diff != "" {
					t.Fatalf("-want +got\n%s", diff)
				}
			}
		}
	})
}

func outageFilter(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	must(t, l.ApplyFold(ctx, Fold{Outages: map[string]OutageSet{
		"a": {Standing: []Outage{{From: 10, To: 20}, {From: 30}}}, "b": {Standing: []Outage{{From: 15, To: 16, Observers: []string{"x", "y"}}}}}}))
	for _, c := range []struct {
		f    OutageFilter
		want []int64 // From, newest first
	}{
		{OutageFilter{}, []int64{30, 15, 10}},
		{OutageFilter{From: 16}, []int64{30, 10}},
		{OutageFilter{To: 30}, []int64{15, 10}},
		{OutageFilter{Ongoing: true}, []int64{30}},
		{OutageFilter{Limit: 1}, []int64{30}},
		{OutageFilter{Components: []string{"b", "c"}}, []int64{15}},
	} {
		got, err := l.Outages(ctx, c.f)
		var from []int64
		for _, o := range got {
			from = append(from, o.From)
		}
		if err != nil || !cmp.Equal(from, c.want) {
			t.Errorf("%+v: got %v %v, want %v", c.f, from, err, c.want)
		}
	}
}

func notesOnce(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	n := Note{Position: 5, Host: "h", Instance: "web", At: 10, ReceivedAt: 11, Kind: "change", Component: "shop", Body: `{"at":10}`}
	later := Note{Position: 6, Host: "h", Instance: "web", At: 20, ReceivedAt: 21, Kind: "start", Body: `{}`}
	for range 2 {
		must(t, l.ApplyFold(ctx, Fold{Position: 6, Notes: []Note{n, later}}))
	}
	for _, c := range []struct {
		f    NoteFilter
		want []Note
	}{
		{NoteFilter{}, []Note{later, n}}, {NoteFilter{Component: "shop"}, []Note{n}}, {NoteFilter{Kind: "start"}, []Note{later}},
		{NoteFilter{From: 10, To: 20}, []Note{n}}, {NoteFilter{Instance: "db"}, nil}, {NoteFilter{Limit: 1}, []Note{later}},
	} {
		got, err := l.Notes(ctx, c.f)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v (-want +got)\n%s", c.f, err, diff)
		}
	}
}

func catalogueVersions(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	if _, err := l.Catalogue(ctx); !errors.Is(err, ErrNotFound) {
		t.Errorf("no catalogue: got %v, want ErrNotFound", err)
	}
	for _, step := range []struct {
		source  string
		version int64
		added   bool
	}{{"a: 1\n", 1, true}, {"a: 1\n", 1, false}, {"a: 2 # 中文\n", 2, true}, {"a: 1\n", 3, true}} {
		version, added, err := l.AddCatalogue(ctx, []byte(step.source), "hash of "+step.source, 1000)
		if err != nil || version != step.version || added != step.added {
			t.Errorf("add %q: got %d %v %v, want %d %v", step.source, version, added, err, step.version, step.added)
		}
	}
	got, err := l.Catalogue(ctx)
	if want := (CatalogueVersion{3, "hash of a: 1\n", "a: 1\n", 1000}); err != nil || got != want {
		t.Errorf("newest: got %+v %v, want %+v", got, err, want)
	}
}

func problem(component, mount string) NewProblem {
	labels := [][2]string{{"mountpoint", mount}}
	metric := record.Metric("filesystem", labels)
	return NewProblem{
		Record: record.Record{Kind: record.Problem, Components: []string{component}, Origin: record.Threshold, RuleID: "capacity/filesystem",
			Metric: metric, DetectedAt: noon.UnixMilli(), FirstSeen: 1, LastSeen: 2, Observed: 91, Limit: 90, Unit: "bytes", Impact: 2, Urgency: 2,
			Title: record.Text{English: "full", Chinese: "已满"}, Key: record.Key("", record.Problem, "capacity/filesystem", component, metric)},
		Evidence: record.Evidence{At: noon.UnixMilli(), Used: 91, Capacity: 100, Points: []record.Point{{T: 1, V: 0.5}}},
		Again:    record.Text{English: "again", Chinese: "再次"},
	}
}

func recordOnce(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	for i, step := range []struct {
		p       NewProblem
		no      string
		created bool
		times   int64
	}{
		{problem("db-1", "/data"), "PRB-2026-000001", true, 1},
		{problem("db-1", "/data"), "PRB-2026-000001", false, 2},
		{problem("db-1", "/"), "PRB-2026-000002", true, 1},
		{problem("db-2", "/data"), "PRB-2026-000003", true, 1},
	} {
		r, created, err := l.OpenProblem(ctx, step.p)
		if err != nil || r.No != step.no || created != step.created || r.Occurrences != step.times {
			t.Errorf("step %d: got %s created %v times %d (%v), want %s %v %d", i, r.No, created, r.Occurrences, err, step.no, step.created, step.times)
		}
	}
	f, err := l.Record(ctx, "PRB-2026-000001")
	must(t, err)
	if f.Record.Version != 2 || f.Record.Priority != 3 || f.Record.Episode != 1 || f.Record.Title.Chinese != "已满" {
		t.Errorf("record: got %+v", f.Record)
	}
	want := []record.Amendment{{No: "PRB-2026-000001", Seq: 1, At: noon.UnixMilli(), By: Actor, Field: "occurrences", Old: "1", New: "2",
		Reason: record.Text{English: "again", Chinese: "再次"}}}
	if diff := cmp.Diff(want, f.Amendments); diff != "" {
		t.Errorf("amendments (-want +got)\n%s", diff)
	}
	if len(f.Evidence) != 2 || f.Evidence[1].Seq != 2 || !cmp.Equal(f.Evidence[0].Points, []record.Point{{T: 1, V: 0.5}}) {
		t.Errorf("evidence: got %+v", f.Evidence)
	}
	if _, err := l.Record(ctx, "PRB-1999-000001"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown record: got %v, want ErrNotFound", err)
	}
}

func recordRace(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := l.OpenProblem(ctx, problem("db-1", "/data")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := l.Records(ctx, RecordFilter{})
	if err != nil || len(got) != 1 || got[0].Occurrences != 8 {
		t.Errorf("got %+v %v, want one record with 8 occurrences", got, err)
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 || v.Entries != 8 {
		t.Errorf("audit: got %+v %v", v, err)
	}
}

func recordLife(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	r, _, err := l.OpenProblem(ctx, problem("db-1", "/data"))
	must(t, err)
	if _, err := l.MoveProblem(ctx, r.No, record.Closed, "li", ""); err == nil {
		t.Error("a new problem was closed at once")
	}
	for _, to := range []record.State{record.Assessing, record.Resolved} {
		_, err := l.MoveProblem(ctx, r.No, to, "li", "because")
		must(t, err)
	}
	if again, created, err := l.OpenProblem(ctx, problem("db-1", "/data")); err != nil || created || again.No != r.No {
		t.Errorf("a resolved problem that repeats: got %s created %v %v, want the same", again.No, created, err)
	}
	if open, err := l.Records(ctx, RecordFilter{OpenOnly: true}); err != nil || len(open) != 0 {
		t.Errorf("resolved is not open work: got %v %v", open, err)
	}
	_, err = l.MoveProblem(ctx, r.No, record.Closed, "li", "done")
	must(t, err)
	next, created, err := l.OpenProblem(ctx, problem("db-1", "/data"))
	if err != nil || !created || next.No != "PRB-2026-000002" || next.Episode != 2 || next.Relates != r.No {
		t.Errorf("after closing: got %+v created %v %v, want a second episode", next, created, err)
	}
	_, err = l.NoteProblem(ctx, next.No, "li", record.Text{English: "looked at"})
	must(t, err)
	f, err := l.Record(ctx, r.No)
	if err != nil || len(f.Amendments) != 4 || f.Record.Version != 5 {
		t.Errorf("history: got %d amendments, version %d, %v; want 4 and 5", len(f.Amendments), f.Record.Version, err)
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit: got %+v %v", v, err)
	}
}

// judgementWhole breaches, repeats the very same after a crash that lost the
// answer, escalates, vanishes and returns, recovers and breaches again, also
// in one round: one record throughout.
func judgementWhole(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	p := problem("db-1", "/data")
	key := p.Record.Key
	b := Breach{Key: key, RuleID: "capacity/filesystem", Component: "db-1", Metric: p.Record.Metric, Level: "warning", Used: 91, Limit: 100, Threshold: 0.9, Since: 5}
	state := JudgeState{Key: key, Resource: "filesystem", Component: "db-1", Labels: [][2]string{{"mountpoint", "/data"}},
		State: capacity.State{Level: capacity.Warning, OverWarning: 5, Seen: 10, Used: 91, Limit: 100}}
	at := noon.UnixMilli()
	breached := Judgement{At: at, States: []JudgeState{state}, Breached: []Breached{{b, p}}}
	found := func(b Breach, at int64) Breach { b.DetectedAt = at; return b }
	critical := b
	critical.Level, critical.Used = "critical", 97
	for i, step := range []struct {
		j                Judgement
		breaches, events int // breaches so far, records touched
		times            int64
		recovered        int64
		unmeasured       int64
	}{
		{breached, 1, 1, 1, 0, 0},
		{breached, 1, 0, 1, 0, 0},
		{Judgement{At: at + 20, Escalated: []Change{{Breach: critical, Urgency: 1}}}, 1, 1, 1, 0, 0},
		{Judgement{At: at + 21, Returned: []Change{{Breach: critical}}}, 1, 0, 1, 0, 0},
		{Judgement{At: at + 22, Vanished: []Change{{Breach: critical, Since: at + 5}}}, 1, 1, 1, 0, at + 5},
		{Judgement{At: at + 23, Vanished: []Change{{Breach: critical, Since: at + 6}}}, 1, 0, 1, 0, at + 5},
		{Judgement{At: at + 24, Returned: []Change{{Breach: critical}}}, 1, 1, 1, 0, 0},
		{Judgement{At: at + 25, Vanished: []Change{{Breach: critical, Since: at + 7}}}, 1, 1, 1, 0, at + 7},
		{Judgement{At: at + 30, Recovered: []Change{{Breach: b}}}, 1, 1, 1, at + 30, 0},
		{Judgement{At: at + 31, Recovered: []Change{{Breach: b}}}, 1, 0, 1, at + 30, 0},
		{Judgement{At: at + 32, Vanished: []Change{{Breach: b, Since: at + 8}}}, 1, 0, 1, at + 30, 0},
		{breached, 2, 1, 2, 0, 0},
		{Judgement{At: at + 60, Breached: []Breached{{found(b, at+55), p}}, Recovered: []Change{{Breach: b, At: at + 50}}}, 3, 2, 3, 0, 0},
		{Judgement{At: at + 90, Breached: []Breached{{found(b, at+75), p}},
			Recovered: []Change{{Breach: b, At: at + 70}, {Breach: b, At: at + 80}}}, 4, 3, 4, at + 80, 0},
		{breached, 5, 1, 5, 0, 0},
	} {
		touched, err := l.ApplyJudgement(ctx, step.j)
		must(t, err)
		all, err := l.Breaches(ctx, BreachFilter{RecordNo: "PRB-2026-000001"})
		must(t, err)
		f, err := l.Record(ctx, "PRB-2026-000001")
		must(t, err)
		if len(touched) != step.events || len(all) != step.breaches || f.Record.Occurrences != step.times || f.Record.Recovered != step.recovered ||
			f.Record.Unmeasured != step.unmeasured || f.Record.State != record.New {
			t.Errorf("step %d: touched %d, breaches %d, record %+v; want %+v", i, len(touched), len(all), f.Record, step)
		}
	}
	must(t, l.Close())
	l = open(t)
	states, err := l.JudgeStates(ctx)
	if diff := cmp.Diff([]JudgeState{state}, states); err != nil || diff != "" {
		t.Errorf("judge states: %v (-want +got)\n%s", err, diff)
	}
	if rs, err := l.Records(ctx, RecordFilter{Component: "db-1"}); err != nil || len(rs) != 1 || rs[0].Urgency != 1 || rs[0].Priority != 2 {
		t.Errorf("records: got %+v %v, want one with urgency 1 and priority 2", rs, err)
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit: got %+v %v", v, err)
	}
}
