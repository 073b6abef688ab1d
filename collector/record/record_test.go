package record

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestKeyIsStable(t *testing.T) {
	// SHA-256 of "acme|PROBLEM|capacity/filesystem|db-1|filesystem{mountpoint=\"/data\"}":
	// what is in ledgers must go on meeting the same key.
	got := Key("acme", Problem, "capacity/filesystem", "db-1", `filesystem{mountpoint="/data"}`)
	if want := "PLM-FSHTHGM6IVPM"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestKeysDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringOfN(rapid.SampledFrom([]rune(`ab|\`)), 0, 4, -1)
		draw := func() [4]string {
			return [4]string{part.Draw(t, "customer"), part.Draw(t, "rule"), part.Draw(t, "component"), part.Draw(t, "metric")}
		}
		a, b := draw(), draw()
		same := Key(a[0], Problem, a[1], a[2], a[3]) == Key(b[0], Problem, b[1], b[2], b[3])
		if same != (a == b) {
			t.Fatalf("%q and %q: same key %v", a, b, same)
		}
	})
}

func TestMetric(t *testing.T) {
	for _, c := range []struct {
		labels [][2]string
		want   string
	}{
		{nil, `disk`},
		{[][2]string{{"mountpoint", "/data"}}, `disk{mountpoint="/data"}`},
		{[][2]string{{"device", ""}, {"mountpoint", `a"b\c`}, {"x", "1"}}, `disk{mountpoint="a\"b\\c",x="1"}`},
	} {
		if got := Metric("disk", c.labels); got != c.want {
			t.Errorf("%v: got %s, want %s", c.labels, got, c.want)
		}
	}
}

func TestPriority(t *testing.T) {
	for impact, row := range map[int][3]int{1: {1, 2, 3}, 2: {2, 3, 4}, 3: {3, 4, 4}, 0: {1, 2, 3}, 9: {3, 4, 4}} {
		for u, want := range row {
			if got := Priority(impact, u+1); got != want {
				t.Errorf("impact %d, urgency %d: got %d, want %d", impact, u+1, got, want)
			}
		}
	}
}

func TestNumber(t *testing.T) {
	if got := Number(Problem, 2026, 123); got != "PRB-2026-000123" {
		t.Errorf("got %s", got)
	}
}

func TestFullNumber(t *testing.T) {
	for typed, want := range map[string]string{"1": "PRB-2026-000001", "000123": "PRB-2026-000123", "PRB-2025-000001": "PRB-2025-000001", "-1": "-1", "": "", "1x": "1x", "99999999999": "99999999999"} {
		if got := FullNumber(typed, 2026); got != want {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}

func TestMove(t *testing.T) {
	for _, c := range []struct {
		from, to State
		want     string // error; empty = allowed
	}{
		{New, Assessing, ""},
		{FixInProgress, Resolved, ""},
		{Resolved, Closed, ""},
		{Resolved, Assessing, ""},
		{New, Closed, "a problem that is new cannot become closed: choose one of [assessing duplicate rejected risk_accepted]"},
		{New, New, "a problem that is new cannot become new: choose one of [assessing duplicate rejected risk_accepted]"},
		{Closed, New, "a problem that is closed cannot become new: it has ended; a further breach opens a new one"},
		{New, "done", `problem state "done" does not exist`},
	} {
		got := ""
		if err := Move(c.from, c.to); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s to %s: got %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

// TestLifeCycle: from each state the end can be reached, and what has ended
// neither holds a key nor is work.
func TestLifeCycle(t *testing.T) {
	for _, from := range []State{New, Assessing, RootCause, KnownError, FixInProgress, Resolved, Closed, Duplicate, Rejected, RiskAccepted} {
		reached, ends := []State{from}, false
		for i := 0; i < len(reached); i++ {
			if !reached[i].Known() {
				t.Errorf("%s leads to %q, which is no state", from, reached[i])
			}
			ends = ends || len(Next(reached[i])) == 0
			for _, s := range Next(reached[i]) {
				if !strings.Contains(join(reached), "|"+string(s)+"|") {
					reached = append(reached, s)
				}
			}
		}
		if !ends {
			t.Errorf("%s: never ends", from)
		}
		if over := len(Next(from)) == 0; over && (from.Holds() || from.Open()) || !over && !from.Holds() {
			t.Errorf("%s: over %v, holds %v, open %v", from, over, from.Holds(), from.Open())
		}
	}
}

func join(states []State) string {
	out := "|"
	for _, s := range states {
		out += string(s) + "|"
	}
	return out
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		share float64
		want  string
	}{{0.8, "80 %"}, {0.29, "29 %"}, {0.8999, "89.9 %"}, {0.99999, "99.9 %"}, {1.5, "150 %"}, {0, "0 %"}, {0.0004, "0 %"}, {math.NaN(), "–"}, {math.Inf(1), "–"}} {
		if got := Percent(c.share); got != c.want {
			t.Errorf("%v: got %q, want %q", c.share, got, c.want)
		}
	}
}

func TestQuantity(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{{1536, "bytes", "1.5 KiB"}, {100, "bytes", "100 B"}, {3 << 40, "bytes", "3.0 TiB"}, {-2048, "bytes", "-2.0 KiB"}, {1.25, "cores", "1.25 cores"}, {10, "", "10"}, {100, "cores", "100 cores"}} {
		if got := Quantity(c.v, c.unit); got != c.want {
			t.Errorf("%v %s: got %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]Text{
		15 * time.Minute: {"15 min", "15 分"}, time.Hour: {"1 h", "1 小时"}, 90 * time.Minute: {"1 h 30 min", "1 小时 30 分"},
		30 * time.Second: {"30 s", "30 秒"}, 90 * time.Second: {"1 min 30 s", "1 分 30 秒"}, 0: {"0 s", "0 秒"},
		20 * time.Hour: {"20 h", "20 小时"}, 26*time.Hour + time.Minute: {"1 d 2 h", "1 天 2 小时"},
	} {
		if got := span(d); got != want {
			t.Errorf("%d s: got %q, want %q", d/time.Second, got, want)
		}
	}
}

func TestInstant(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 0, 5, 0, time.UTC)
	for zone, want := range map[*time.Location]string{
		time.UTC:                            "2026-11-25 12:00:05 UTC",
		time.FixedZone("", 0):               "2026-11-25 12:00:05 UTC",
		time.FixedZone("CST", 8*3600):       "2026-11-25 20:00:05 +08:00",
		time.FixedZone("NST", -3*3600-1800): "2026-11-25 08:30:05 -03:30",
	} {
		if got := instant(at.In(zone)); got != want {
			t.Errorf("%v: got %q, want %q", zone, got, want)
		}
	}
}

func TestSubject(t *testing.T) {
	mount := [][2]string{{"mountpoint", "/data"}, {"device", ""}}
	for _, c := range []struct {
		f    Finding
		want Text
	}{
		{Finding{Resource: "filesystem", Component: "vm", Labels: mount}, Text{"filesystem /data on vm", "vm 上的文件系统 /data"}},
		{Finding{Resource: "memory", Component: "vm"}, Text{"memory on vm", "vm 上的内存"}},
		{Finding{Resource: "cpu", Component: "vm"}, Text{"cpu on vm", "vm 上的 CPU"}},
		{Finding{Resource: "licences", Component: "crm", Labels: [][2]string{{"kind", "named"}}}, Text{"licences named on crm", "crm 上的 licences named"}},
	} {
		if got := c.f.subject(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestTitleIsAtMost160Characters(t *testing.T) {
	f := Finding{Resource: "filesystem", Component: strings.Repeat("主机", 200), Used: 9, Capacity: 10, Threshold: 0.8}
	title, _ := f.Opening()
	for _, text := range []string{title.English, title.Chinese} {
		if n := utf8.RuneCountInString(text); n > 160 || !utf8.ValidString(text) {
			t.Errorf("%d characters: %s", n, text)
		}
	}
}

func TestRecordComesBackFromJSON(t *testing.T) {
	e := Evidence{No: "PRB-2026-000001", Points: []Point{{T: 1764072000000, V: 0.1}, {T: 2, V: 1e300}}}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back Evidence
	if err := json.Unmarshal(text, &back); err != nil || len(back.Points) != 2 || back.Points[0] != e.Points[0] || back.Points[1] != e.Points[1] {
		t.Errorf("got %+v %v from %s", back, err, text)
	}
	for _, bad := range []string{`[1]x`, `["a",1]`, `[1,"b"]`, `[1.5,1]`, `{}`} {
		if err := new(Point).UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%s was read as a point", bad)
		}
	}
}
