package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/series"
)

// disks are file systems by mount point with their used share of 100 bytes;
// NaN: not there.
type disks map[string]float64

func (d disks) Instant(_ context.Context, expr string, at time.Time, _ time.Duration) (out []series.Value, _ error) {
	if expr == "broken" {
		return nil, errors.New("no such function")
	}
	for mount, share := range d {
		v := 100.0
		if expr == "used" {
			v = 100 * share
		}
		if !math.IsNaN(share) {
			out = append(out, series.Value{Labels: labels.FromStrings("instance", "db-1", "mountpoint", mount), T: at.UnixMilli(), V: v})
		}
	}
	return out, nil
}

func (d disks) Range(_ context.Context, _ string, _, to time.Time, step time.Duration) (out []series.Line, _ error) {
	for mount, share := range d {
		out = append(out, series.Line{Labels: labels.FromStrings("instance", "db-1", "mountpoint", mount),
			Points: []series.Point{{T: to.Add(-2 * step).UnixMilli(), V: 50}, {T: to.Add(-step).UnixMilli(), V: math.NaN()}, {T: to.UnixMilli(), V: 100 * share}}})
	}
	return out, nil
}

func diskResource() []capacity.Resource {
	return []capacity.Resource{{Name: "filesystem", Unit: "bytes", Per: []string{"instance", "mountpoint"}, Used: "used", Limit: "limit",
		Warning: 0.8, Critical: 0.9, Clear: 0.75, For: 30 * time.Second}}
}

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func newJudge(samples JudgeSamples, store JudgeStore) *Judge {
	return NewJudge(JudgeOptions{Samples: samples, Store: store, Resources: diskResource, Version: func() int64 { return 7 },
		Catalogue: func() *availability.Catalogue {
			return &availability.Catalogue{Services: []availability.Service{
				{Name: "shop", Needs: availability.Need{AtLeast: 1, Of: []availability.Need{{Name: "storage"}, {Name: "other"}}}},
				{Name: "storage", Needs: availability.Need{Name: "db-1"}}, {Name: "unrelated", Needs: availability.Need{Name: "web-1"}}}}
		},
		Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
}

func openTestLedger(t testing.TB, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(ledger.Options{Path: path, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// TestJudgeStory fills, empties and fills a disk again, with the program
// killed in between: each row is a round ten seconds after the one before.
func TestJudgeStory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, d, ctx, gone := openTestLedger(t, path), disks{}, context.Background(), math.NaN()
	j := newJudge(d, l)
	for i, row := range []struct {
		share   float64
		killed  bool // between the row before and this one
		effect  string
		breach  int // standing
		what    string
		records int
	}{
		{share: 0.50, what: "plenty of room"},
		{share: 0.79, what: "below the threshold"},
		{share: 0.85, what: "above it, since 20 s"},
		{share: 0.86, what: "for 10 s"},
		{share: 0.86, killed: true, what: "a restart does not begin the 30 s again"},
		{share: 0.87, effect: "opened", breach: 1, records: 1, what: "for 30 s"},
		{share: 0.87, killed: true, breach: 1, records: 1, what: "known already"},
		{share: gone, breach: 1, records: 1, what: "the disk is gone: neither worse nor better"},
		{share: 0.92, breach: 1, records: 1, what: "above critical"},
		{share: 0.91, breach: 1, records: 1, what: "for 10 s"},
		{share: 0.93, breach: 1, records: 1, what: "for 20 s"},
		{share: 0.97, effect: "urgency 2 -> 1", breach: 1, records: 1, what: "for 30 s"},
		{share: 0.76, breach: 1, records: 1, what: "below warning, but not below clear"},
		{share: 0.10, breach: 1, records: 1, what: "emptied"},
		{share: 0.10, breach: 1, records: 1, what: "for 10 s"},
		{share: 0.10, breach: 1, records: 1, what: "for 20 s"},
		{share: 0.10, effect: "note", records: 1, what: "recovered, and it stays open"},
		{share: 0.95, records: 1, what: "filled again"},
		{share: 0.95, records: 1, killed: true, what: "for 10 s"},
		{share: 0.95, records: 1, what: "for 20 s"},
		{share: 0.95, effect: "occurrences 1 -> 2", breach: 1, records: 1, what: "for 30 s: an amendment, no second record"},
	} {
		if row.killed {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = openTestLedger(t, path)
			j = newJudge(d, l)
		}
		before := history(t, l)
		d["/data"] = row.share
		if err := j.round(ctx, noon.Add(time.Duration(i)*10*time.Second)); err != nil {
			t.Fatal(err)
		}
		standing, err := l.Breaches(ctx, ledger.BreachFilter{Standing: true})
		if err != nil {
			t.Fatal(err)
		}
		records, err := l.Records(ctx, ledger.RecordFilter{OpenOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		effect := strings.Join(history(t, l)[len(before):], "; ")
		if effect != row.effect || len(standing) != row.breach || len(records) != row.records {
			t.Errorf("row %d, %s: got effect %q, standing breaches %d, open records %d; want %q, %d, %d",
				i, row.what, effect, len(standing), len(records), row.effect, row.breach, row.records)
		}
	}
	checkStory(t, l)
}

// history is all that happened to the first record.
func history(t *testing.T, l *ledger.Ledger) (lines []string) {
	f, err := l.Record(context.Background(), "PRB-2026-000001")
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	lines = append(lines, "opened")
	for _, a := range f.Amendments {
		line := a.Field
		if a.Old != "" {
			line += " " + a.Old + " -> " + a.New
		}
		lines = append(lines, line)
	}
	return lines
}

func checkStory(t *testing.T, l *ledger.Ledger) {
	f, err := l.Record(context.Background(), "PRB-2026-000001")
	if err != nil {
		t.Fatal(err)
	}
	r := f.Record
	at := func(s int) int64 { return noon.Add(time.Duration(s) * time.Second).UnixMilli() }
	want := record.Record{No: "PRB-2026-000001", Kind: record.Problem, Version: 4, Services: []string{"shop", "storage"}, Components: []string{"db-1"},
		Title: record.Text{English: "filesystem of db-1 /data is at 87 %, above its warning threshold of 80 %", Chinese: "db-1 /data 的 文件系统 使用率 87 %，超过警告阈值 80 %"},
		Detail: record.Text{English: "87 B of filesystem used of 100 B (87 %), at or above 80 % since 2026-11-25 12:00:20 +00:00 and for longer than 30s. Judged at 2026-11-25 12:00:50 +00:00.",
			Chinese: "文件系统 已用 87 B，总量 100 B（87 %）；自 2026-11-25 12:00:20 +00:00 起达到或超过 80 %，已持续超过 30s。判定时间：2026-11-25 12:00:50 +00:00。"},
		Origin: record.Threshold, RuleID: "capacity/filesystem", RuleVersion: 7, Metric: `filesystem{mountpoint="/data"}`,
		DetectedAt: at(50), FirstSeen: at(20), LastSeen: at(200), Occurrences: 2, Observed: 95, Limit: 90, Unit: "bytes",
		Impact: 2, Urgency: 1, Priority: 2, State: record.New, StateSince: at(50), Key: r.Key, Episode: 1}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("record (-want +got)\n%s", diff)
	}
	if len(f.Evidence) != 2 || !cmp.Equal(f.Evidence[0].Points, []record.Point{{T: at(-10), V: 50}, {T: at(50), V: 87}}) {
		t.Errorf("evidence: got %+v, want two with the points around the breach", f.Evidence)
	}
	reasons := []string{
		"now above the critical threshold: 97 %, at or above 90 % since 2026-11-25 12:01:20 +00:00",
		"recovered: 10 %, below 75 % since 2026-11-25 12:02:10 +00:00; the problem stays open until a person closes it",
		"breached again: 95 %, at or above 90 % since 2026-11-25 12:02:50 +00:00",
	}
	for i, a := range f.Amendments {
		if a.Reason.English != reasons[i] {
			t.Errorf("amendment %d: got %q, want %q", i, a.Reason.English, reasons[i])
		}
	}
	if v, err := l.Verify(context.Background()); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit chain: got %+v %v", v, err)
	}
}

// faulty is a ledger that fails before or after it has written: the judge
// cannot tell which, like after a crash.
type faulty struct {
	*ledger.Ledger
	before, after bool
}

func (f *faulty) ApplyJudgement(ctx context.Context, j ledger.Judgement) ([]record.Record, error) {
	if f.before {
		return nil, errors.New("stopped before writing")
	}
	r, err := f.Ledger.ApplyJudgement(ctx, j)
	if err == nil && f.after {
		return nil, errors.New("stopped after writing")
	}
	return r, err
}

// TestExactlyOneRecord drives disks at random through rounds that fail before
// or after writing, with and without a restart. Each stretch of breach that
// was written is one occurrence of one record; without any failure it is the same.
func TestExactlyOneRecord(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		l, err := ledger.Open(ledger.Options{Path: filepath.Join(dir, fmt.Sprint(n, ".db")), Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ctx, d, store := context.Background(), disks{}, &faulty{Ledger: l}
		j := newJudge(d, store)
		for i := range rapid.IntRange(1, 40).Draw(t, "rounds") {
			if rapid.IntRange(0, 2).Draw(t, "moved") == 0 {
				d[rapid.SampledFrom([]string{"/", "/data"}).Draw(t, "mount")] = rapid.SampledFrom([]float64{0.1, 0.78, 0.85, 0.95, math.NaN()}).Draw(t, "share")
			}
			fault := rapid.IntRange(0, 9).Draw(t, "fault")
			store.before, store.after = fault == 0, fault == 1
			if err := j.round(ctx, noon.Add(time.Duration(i)*10*time.Second)); (err != nil) != (fault < 2) {
				t.Fatalf("fault %d: got error %v", fault, err)
			}
			if fault == 2 || fault < 2 && rapid.Bool().Draw(t, "restart") {
				j = newJudge(d, store)
			}
			checkOnce(ctx, t, l)
		}
	})
}

func checkOnce(ctx context.Context, t *rapid.T, l *ledger.Ledger) {
	records, err := l.Records(ctx, ledger.RecordFilter{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range records {
		r := &records[i]
		if seen[r.Metric] {
			t.Fatalf("two records of %s", r.Metric)
		}
		seen[r.Metric] = true
		breaches, err := l.Breaches(ctx, ledger.BreachFilter{RecordNo: r.No})
		if err != nil || int64(len(breaches)) != r.Occurrences {
			t.Fatalf("%s: %d breaches (%v), %d occurrences", r.No, len(breaches), err, r.Occurrences)
		}
		standing := 0
		for _, b := range breaches {
			if b.RecoveredAt == 0 {
				standing++
			}
		}
		if standing > 1 || (standing == 1) != (r.Recovered == 0) {
			t.Fatalf("%s: %d standing breaches, recovered %d", r.No, standing, r.Recovered)
		}
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Fatalf("audit chain: %+v %v", v, err)
	}
}

// TestBrokenResourceDoesNotHideOthers: one resource that cannot be measured is
// an error, the others are judged.
func TestBrokenResourceDoesNotHideOthers(t *testing.T) {
	l := openTestLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
	j := newJudge(disks{"/": 0.95}, l)
	j.opt.Resources = func() []capacity.Resource {
		broken := capacity.Resource{Name: "odd", Per: []string{"instance"}, Used: "broken", Limit: "limit", Warning: 0.8}
		now := diskResource()[0]
		now.For = 0
		return []capacity.Resource{broken, now}
	}
	err := j.round(context.Background(), noon)
	if err == nil || err.Error() != "measure odd: no such function" {
		t.Errorf("got error %v", err)
	}
	if rs, err := l.Records(context.Background(), ledger.RecordFilter{}); err != nil || len(rs) != 1 {
		t.Errorf("records: got %v %v, want one", rs, err)
	}
}

func TestExpressionsAreChecked(t *testing.T) {
	good := diskResource()[0]
	odd, bad := good, good
	odd.Name, odd.Limit = "odd", "sum("
	bad.Name, bad.Per = "bad", nil
	parse := func(expr string) error {
		_, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
		return err
	}
	err := checkExpressions(append(capacity.Defaults(), good, odd, bad), parse)
	want := "resource odd: limit is not PromQL: 1:5: parse error: unclosed left parenthesis\nresource bad: per names no label: what makes one instance of it?"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// counting is a store that counts rounds.
type counting struct{ at []time.Time }

func (*counting) JudgeStates(context.Context) ([]ledger.JudgeState, error) { return nil, nil }

func (c *counting) ApplyJudgement(context.Context, ledger.Judgement) ([]record.Record, error) {
	c.at = append(c.at, time.Now())
	return nil, nil
}

// TestWhenTheJudgeLooks: at once, then each half of the shortest `for`, and
// soon after it was woken, however often.
func TestWhenTheJudgeLooks(t *testing.T) {
	for _, c := range []struct {
		hold  time.Duration
		every time.Duration
		wake  []int // seconds
		want  string
	}{
		{30 * time.Second, 0, nil, "0 15 30 45 60 75 90 105 120"},
		{time.Second, 0, []int{}, "0 5 10 15 20 25 30 35 40 45 50 55 60 65 70 75 80 85 90 95 100 105 110 115 120"},
		{15 * time.Minute, 0, nil, "0 60 120"},
		{15 * time.Minute, 0, []int{10, 10, 10}, "0 11 71"},
		{15 * time.Minute, 50 * time.Second, nil, "0 50 100"},
	} {
		synctest.Test(t, func(t *testing.T) {
			store, begin := &counting{}, time.Now()
			j := NewJudge(JudgeOptions{Samples: disks{}, Store: store, Every: c.every, Log: slog.New(slog.DiscardHandler),
				Resources: func() []capacity.Resource { r := diskResource(); r[0].For = c.hold; return r }})
			ctx, cancel := context.WithTimeout(t.Context(), 121*time.Second)
			defer cancel()
			for _, s := range c.wake {
				time.AfterFunc(time.Duration(s)*time.Second, j.Wake)
			}
			if err := j.Run(ctx); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, at := range store.at {
				got = append(got, fmt.Sprintf("%.0f", at.Sub(begin).Seconds()))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("for %v every %v woken at %v: rounds at %v, want %s", c.hold, c.every, c.wake, got, c.want)
			}
		})
	}
}
