package collector

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/record"
	"github.com/plimsoll/plimsoll/collector/series"
)

// hostOf is a store whose one host is db-1; without it db-1 has no agent.
type hostOf struct {
	JudgeStore
	names []string
}

func (h hostOf) Hosts(context.Context) (out []ledger.Host, _ error) {
	for _, name := range h.names {
		out = append(out, ledger.Host{Instance: name})
	}
	return out, nil
}

// TestVanished follows /data on db-1 in phases of whole minutes with a sample
// each ten seconds, the judge looking each 20 s. Other is what / of the same
// host does. The record's history and since which minute it is not measured.
func TestVanished(t *testing.T) {
	type phase struct {
		minutes     int
		data, other float64 // used share; 0: no samples
		restart     bool    // of the collector, before it
	}
	for _, c := range []struct {
		name    string
		noAgent bool
		phases  []phase
		history string
		since   int // minute, 0: measured
	}{
		{"unmounted, within the grace", false, []phase{{10, 0.95, 0.1, false}, {4, 0, 0.1, false}}, "opened", 0},
		{"unmounted", false, []phase{{10, 0.95, 0.1, false}, {20, 0, 0.1, false}}, "opened; no longer measured", 10},
		{"restarts do not say it twice", false, []phase{{10, 0.95, 0.1, false}, {8, 0, 0.1, false}, {8, 0, 0.1, true}, {8, 0, 0.1, true}}, "opened; no longer measured", 10},
		{"restarted within the grace", false, []phase{{10, 0.95, 0.1, false}, {2, 0, 0.1, false}, {8, 0, 0.1, true}}, "opened; no longer measured", 10},
		{"back and still full: the same breach", false, []phase{{10, 0.95, 0.1, false}, {8, 0, 0.1, false}, {5, 0.95, 0.1, false}}, "opened; no longer measured; measured again", 0},
		{"back and still full after a restart", false, []phase{{10, 0.95, 0.1, false}, {8, 0, 0.1, false}, {5, 0.95, 0.1, true}}, "opened; no longer measured; measured again", 0},
		{"back and between clear and warning", false, []phase{{10, 0.95, 0.1, false}, {8, 0, 0.1, false}, {5, 0.78, 0.1, false}}, "opened; no longer measured; measured again", 0},
		{"back and empty", false, []phase{{10, 0.95, 0.1, false}, {8, 0, 0.1, false}, {5, 0.2, 0.1, false}}, "opened; no longer measured; recovered", 0},
		{"back, empty and full again", false, []phase{{10, 0.95, 0.1, false}, {8, 0, 0.1, false}, {5, 0.2, 0.1, false}, {5, 0.95, 0.1, false}}, "opened; no longer measured; recovered; breached again", 0},
		{"gone twice", false, []phase{{10, 0.95, 0.1, false}, {8, 0, 0.1, false}, {5, 0.95, 0.1, false}, {8, 0, 0.1, false}}, "opened; no longer measured; measured again; no longer measured", 23},
		{"its host is silent", false, []phase{{10, 0.95, 0.1, false}, {60, 0, 0, false}}, "opened", 0},
		{"its host was silent and delivers again, with it", false, []phase{{10, 0.95, 0.1, false}, {60, 0, 0, false}, {10, 0.95, 0.1, false}}, "opened", 0},
		{"its host was silent and comes back without it", false, []phase{{10, 0.95, 0.1, false}, {60, 0, 0, false}, {4, 0, 0.1, false}}, "opened", 0},
		{"its host was silent and stays without it", false, []phase{{10, 0.95, 0.1, false}, {60, 0, 0, false}, {10, 0, 0.1, false}}, "opened; no longer measured", 10},
		{"nothing vouches for it", true, []phase{{10, 0.95, 0, false}, {8, 0, 0, false}}, "opened; no longer measured", 10},
		{"nothing vouches for it, and the judge was away", true, []phase{{10, 0.95, 0, false}, {8, 0, 0, false}, {4, 0, 0, true}}, "opened; no longer measured", 10},
		{"not in breach", false, []phase{{10, 0.5, 0.1, false}, {20, 0, 0.1, false}}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, d, ctx := openTestLedger(t, filepath.Join(t.TempDir(), "ledger.db")), disks{}, context.Background()
			store := hostOf{JudgeStore: l}
			if !c.noAgent {
				store.names = []string{"db-1"}
			}
			j := newJudge(d, store)
			at := noon
			for _, p := range c.phases {
				if p.restart {
					j = newJudge(d, store)
				}
				for range p.minutes * 6 {
					if p.data > 0 {
						d.set("/data", at, p.data)
					}
					if p.other > 0 {
						d.set("/", at, p.other)
					}
					if at.Second()%20 == 0 {
						if err := j.round(ctx, at); err != nil {
							t.Fatal(err)
						}
					}
					at = at.Add(10 * time.Second)
				}
			}
			if got := strings.Join(told(t, l), "; "); got != c.history {
				t.Errorf("got %q, want %q", got, c.history)
			}
			if c.history == "" {
				return
			}
			f, err := l.Record(ctx, "PRB-2026-000001")
			if err != nil {
				t.Fatal(err)
			}
			want := int64(0)
			if c.since > 0 { // the last sample was ten seconds before the phase ended
				want = noon.Add(time.Duration(c.since)*time.Minute - 10*time.Second).UnixMilli()
			}
			if f.Record.Unmeasured != want || !f.Record.State.Open() {
				t.Errorf("not measured since %d, state %s; want %d, open", f.Record.Unmeasured, f.Record.State, want)
			}
			if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
				t.Errorf("audit chain: %+v %v", v, err)
			}
		})
	}
}

// told are the first words of what the first record's history says.
func told(t *testing.T, l *ledger.Ledger) (lines []string) {
	f, err := l.Record(context.Background(), "PRB-2026-000001")
	if err != nil {
		return nil
	}
	lines = append(lines, "opened")
	for _, a := range f.Amendments {
		what, _, _ := strings.Cut(a.Reason.English, ":")
		what, _, _ = strings.Cut(what, " since")
		lines = append(lines, what)
		if a.Reason.Chinese == "" {
			t.Errorf("%q has no Chinese", a.Reason.English)
		}
	}
	return lines
}

// TestReturnsAfterItsRecordWasEnded: a person closed the record of a disk that
// was gone; it comes back full, stands for its time and opens the next episode.
func TestReturnsAfterItsRecordWasEnded(t *testing.T) {
	l, d, ctx := openTestLedger(t, filepath.Join(t.TempDir(), "ledger.db")), disks{"/": always(0.1)}, context.Background()
	j := newJudge(d, hostOf{l, []string{"db-1"}})
	at := noon
	minutes := func(n int, used float64) {
		for range n * 6 {
			if used > 0 {
				d.set("/data", at, used)
			}
			if err := j.round(ctx, at); err != nil {
				t.Fatal(err)
			}
			at = at.Add(10 * time.Second)
		}
	}
	minutes(2, 0.95)
	minutes(8, 0)
	for _, to := range []record.State{record.Assessing, record.Resolved, record.Closed} {
		if _, err := l.MoveProblem(ctx, "PRB-2026-000001", to, "li", "the disk is gone"); err != nil {
			t.Fatal(err)
		}
	}
	minutes(5, 0)
	minutes(2, 0.95)
	f, err := l.Record(ctx, "PRB-2026-000002")
	if err != nil || f.Record.Relates != "PRB-2026-000001" || f.Record.Episode != 2 || f.Record.Recovered != 0 || f.Record.Unmeasured != 0 {
		t.Errorf("got %+v %v, want the second episode, standing", f.Record, err)
	}
	if got := strings.Join(told(t, l), "; "); strings.Contains(got, "measured again") {
		t.Errorf("the ended record goes on: %s", got)
	}
	standing, err := l.Breaches(ctx, ledger.BreachFilter{Standing: true})
	if err != nil || len(standing) != 1 || standing[0].RecordNo != "PRB-2026-000002" {
		t.Errorf("standing: %+v %v", standing, err)
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit chain: %+v %v", v, err)
	}
}

// TestResourceNoLongerInForce: what nobody judges any more is not measured.
func TestResourceNoLongerInForce(t *testing.T) {
	l, d, ctx := openTestLedger(t, filepath.Join(t.TempDir(), "ledger.db")), disks{"/": always(0.95)}, context.Background()
	j := newJudge(d, l)
	for i := range 60 {
		if i == 20 {
			j.opt.Resources = func() []capacity.Resource { return nil }
		}
		if err := j.round(ctx, noon.Add(time.Duration(i)*20*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(told(t, l), "; "); got != "opened; no longer measured" {
		t.Errorf("got %q", got)
	}
}

// TestClockSetBackIsNoAbsence: what was seen an hour later than now is neither
// missed nor judged again as if it were new.
func TestClockSetBackIsNoAbsence(t *testing.T) {
	l, d, ctx := openTestLedger(t, filepath.Join(t.TempDir(), "ledger.db")), disks{"/": always(0.1), "/data": always(0.95)}, context.Background()
	j := newJudge(d, hostOf{l, []string{"db-1"}})
	for _, begin := range []time.Time{noon.Add(time.Hour), noon} {
		for i := range 60 {
			if err := j.round(ctx, begin.Add(time.Duration(i)*20*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := strings.Join(told(t, l), "; "); got != "opened" {
		t.Errorf("got %q", got)
	}
}

// TestMomentaryMount: what is there for less than the 30 s of `for` opens
// nothing, however long ago its last sample is when the judge looks.
func TestMomentaryMount(t *testing.T) {
	for seconds, want := range map[int]int{10: 0, 20: 0, 30: 1, 60: 1} {
		l, d, ctx := openTestLedger(t, filepath.Join(t.TempDir(), "ledger.db")), disks{}, context.Background()
		for s := 0; s <= seconds; s += 10 {
			d.set("/media/usb", noon.Add(time.Duration(s)*time.Second), 0.99)
		}
		j := newJudge(d, l)
		for s := 0; s <= 600; s += 15 {
			if err := j.round(ctx, noon.Add(time.Duration(s)*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		if rs, err := l.Records(ctx, ledger.RecordFilter{}); err != nil || len(rs) != want {
			t.Errorf("there for %d s: %d records (%v), want %d", seconds, len(rs), err, want)
		}
	}
}

// TestNothingBetweenTwoRoundsIsLost: rows are shares in percent each ten
// seconds; the judge looks once a minute, or each ten seconds, or once at the
// end, and the record tells the same.
func TestNothingBetweenTwoRoundsIsLost(t *testing.T) {
	for _, c := range []struct{ name, samples, history string }{
		{"emptied for 30 s between two rounds", "85 85 85 85 10 10 10 10 85 85 85 85 85", "opened @30; recovered @70; breached again @110"},
		{"emptied for less", "85 85 85 85 10 10 10 85 85 85 85 85 85", "opened @30"},
		{"a dip between two rounds begins the wait again", "85 85 85 70 85 85 85 70 85 85 85 70 70", ""},
		{"two recoveries in one minute and a half", "85 85 85 85 10 10 10 10 85 85 85 85 10 10 10 10", "opened @30; recovered @70; breached again @110; recovered @150"},
	} {
		for _, every := range []int{1, 6, 1000} {
			samples := strings.Fields(c.samples)
			got := observe(t, samples, func(i int) bool { return i%every == 0 || i == len(samples)-1 })
			if got != c.history {
				t.Errorf("%s, a round each %d samples: got %q, want %q", c.name, every, got, c.history)
			}
		}
	}
}

// TestRoundsDoNotMatter: whatever the samples and whenever the judge looks
// within its bounds, the history is that of a judge that walks each step.
func TestRoundsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		samples := rapid.SliceOfN(rapid.SampledFrom([]string{"10", "10", "78", "85", "85", "95", "-"}), 1, 60).Draw(rt, "samples")
		looks := rapid.SliceOfN(rapid.Bool(), len(samples), len(samples)).Draw(rt, "looks")
		got := observe(t, samples, func(i int) bool { return looks[i] || i == len(samples)-1 || i%25 == 0 })
		if want := reference(samples); got != want {
			rt.Fatalf("%v\n got %s\nwant %s", samples, got, want)
		}
	})
}

// observe lets a judge look where looks says so, and tells when what happened
// to the one record, by the instants in the breaches and amendments.
func observe(t *testing.T, samples []string, looks func(i int) bool) string {
	l, d, ctx := openTestLedger(t, filepath.Join(t.TempDir(), "ledger.db")), disks{}, context.Background()
	defer func() { _ = l.Close() }()
	j := newJudge(d, hostOf{l, []string{"db-1"}})
	for i, s := range samples {
		at := noon.Add(time.Duration(i) * 10 * time.Second)
		var percent float64
		if _, err := fmt.Sscanf(s, "%f", &percent); err == nil {
			d.set("/data", at, percent/100)
		}
		if looks(i) {
			if err := j.round(ctx, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	f, err := l.Record(ctx, "PRB-2026-000001")
	if err != nil {
		return ""
	}
	breaches, err := l.Breaches(ctx, ledger.BreachFilter{RecordNo: f.Record.No})
	if err != nil {
		t.Fatal(err)
	}
	second := func(ms int64) int64 { return (ms - noon.UnixMilli()) / 1000 }
	events := []string{fmt.Sprintf("opened @%d", second(f.Record.DetectedAt))}
	b := len(breaches) - 1 // the newest is the first
	for _, a := range f.Amendments {
		switch {
		case strings.HasPrefix(a.Reason.English, "recovered"):
			events = append(events, fmt.Sprintf("recovered @%d", second(breaches[b].RecoveredAt)))
			b--
		case a.Field == "occurrences":
			events = append(events, fmt.Sprintf("breached again @%d", second(breaches[b].DetectedAt)))
		default:
			events = append(events, "escalated")
		}
	}
	return strings.Join(events, "; ")
}

// reference steps through the samples one by one.
func reference(samples []string) string {
	r := diskResource()[0]
	var state capacity.State
	var events []string
	for i, s := range samples {
		var percent float64
		if _, err := fmt.Sscanf(s, "%f", &percent); err != nil {
			continue
		}
		var found []capacity.Finding
		state, found = capacity.Judge(state, &r, percent, 100, noon.Add(time.Duration(i)*10*time.Second).UnixMilli())
		for _, f := range found {
			switch {
			case f.Event == capacity.Escalated:
				events = append(events, "escalated")
			case f.Event == capacity.Recovered:
				events = append(events, fmt.Sprintf("recovered @%d", i*10))
			case len(events) == 0:
				events = append(events, fmt.Sprintf("opened @%d", i*10))
			default:
				events = append(events, fmt.Sprintf("breached again @%d", i*10))
			}
		}
	}
	return strings.Join(events, "; ")
}

// TestWhichFileSystemsAreJudged asks the shipped default of a real engine.
func TestWhichFileSystemsAreJudged(t *testing.T) {
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	app := db.Appender(context.Background())
	for _, fs := range []struct {
		mount, kind string
		readOnly    float64
	}{{"/", "overlay", 0}, {"/data", "ext4", 0}, {"/media/iso", "iso9660", 1}, {"/snap/core", "squashfs", 1}, {"/mnt/image", "ext4", 1}, {"/run", "tmpfs", 0}} {
		for name, v := range map[string]float64{"node_filesystem_size_bytes": 100, "node_filesystem_avail_bytes": 1, "node_filesystem_readonly": fs.readOnly} {
			ls := labels.FromStrings("__name__", name, "instance", "vm", "device", "/dev/loop0", "fstype", fs.kind, "mountpoint", fs.mount)
			if _, err := app.Append(0, ls, noon.UnixMilli(), v); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	j := newJudge(promSamples{series.NewPromQL(db, series.Limits{}, nil, nil)}, nil)
	for _, r := range capacity.Defaults() {
		if r.Name != "filesystem" {
			continue
		}
		found, err := j.measure(context.Background(), &r, windowOf(&r, noon, noon))
		if err != nil {
			t.Fatal(err)
		}
		var judged []string
		for i := range found {
			judged = append(judged, found[i].labels[0][1])
		}
		if got := strings.Join(judged, " "); got != "/ /data" {
			t.Errorf("judged: %s; want / and /data: the others are read-only or live in memory", got)
		}
	}
}

func TestResolution(t *testing.T) {
	for hold, want := range map[time.Duration]time.Duration{
		0: 5 * time.Second, 10 * time.Second: 5 * time.Second, 30 * time.Second: 10 * time.Second, 45 * time.Second: 15 * time.Second,
		2 * time.Minute: 30 * time.Second, 3 * time.Minute: time.Minute, 15 * time.Minute: time.Minute,
	} {
		if got := resolution(&capacity.Resource{For: hold}); got != want {
			t.Errorf("for %v: got %v, want %v", hold, got, want)
		}
	}
}

// TestWindow: bounded work after an absence, at least MaxGap for late samples.
func TestWindow(t *testing.T) {
	r := diskResource()[0]
	now := noon.Add(13 * time.Second)
	for away, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, time.Minute: 5 * time.Minute, 20 * time.Minute: 20 * time.Minute, 24 * time.Hour: time.Hour, -time.Hour: 5 * time.Minute} {
		w := windowOf(&r, now.Add(-away), now)
		if w.to.Sub(w.from) != want || !w.to.Equal(noon.Add(10*time.Second)) || w.step != 10*time.Second {
			t.Errorf("away for %v: got %+v, want %v up to the last whole step", away, w, want)
		}
	}
}
