package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// result is what a run of the command left.
type result struct {
	status         int
	stdout, stderr string
}

// inputs writes the two files and returns options for June 10th 2026.
func inputs(t testing.TB, catalogue, facts string) Options {
	t.Helper()
	dir := t.TempDir()
	o := Options{FactsPath: filepath.Join(dir, "facts.csv"), CataloguePath: filepath.Join(dir, "catalogue.yaml"), From: "2026-06-10", To: "2026-06-11",
		Now: time.Date(2026, 6, 11, 0, 0, 0, 0, time.UTC)}
	for name, text := range map[string]string{o.FactsPath: facts, o.CataloguePath: catalogue} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func run(o Options) result {
	var stdout, stderr bytes.Buffer
	status := Run(context.Background(), o, &stdout, &stderr)
	return result{status, stdout.String(), strings.ReplaceAll(stderr.String(), filepath.Dir(o.FactsPath)+string(filepath.Separator), "")}
}

const shop = `components: [{name: a}, {name: b, interval: 60s}]
services: [{name: shop, customer: acme, needs: a}]
agreements: [{number: S, service: shop, zone: UTC}]
`

// TestGolden runs vector 0 from files, in both formats.
func TestGolden(t *testing.T) {
	for _, format := range []string{"json", "table"} {
		got := run(Options{FactsPath: "testdata/v0/facts.csv", CataloguePath: "testdata/v0/catalogue.yaml", From: "2026-10-01", To: "2026-11-01",
			AsOf: "2026-11-01T00:00:00+08:00", Format: format})
		if got.status != 0 || got.stderr != "" {
			t.Fatalf("status %d, %s", got.status, got.stderr)
		}
		golden := "testdata/v0/figures." + format
		if *update {
			if err := os.WriteFile(golden, []byte(got.stdout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.stdout); diff != "" {
			t.Errorf("%s:\n%s", format, diff)
		}
	}
}

// TestFormsOfFacts: all of these files say that a was down from 06:00 to 07:00.
func TestFormsOfFacts(t *testing.T) {
	want := ""
	for _, c := range []struct{ name, facts string }{
		{"plain", "time,component,state\n2026-06-10T00:00:00Z,a,up\n2026-06-10T06:00:00Z,a,down\n2026-06-10T07:00:00Z,a,up\n"},
		{"no line end at the end", "time,component,state\n2026-06-10T00:00:00Z,a,up\n2026-06-10T06:00:00Z,a,down\n2026-06-10T07:00:00Z,a,up"},
		{"other order, CRLF, byte order mark", "\ufeffstate,time,component\r\nup,2026-06-10T00:00:00Z,a\r\ndown,2026-06-10T06:00:00Z,a\r\nup,2026-06-10T07:00:00Z,a\r\n"},
		{"quotes", "\"time\",component,state\n\"2026-06-10T00:00:00Z\",\"a\",up\n2026-06-10T06:00:00Z,\"a\",\"down\"\n2026-06-10T07:00:00Z,a,up\n"},
		{"offsets, milliseconds, finer digits", "time,component,state\n1781049600000,a,up\n2026-06-10T14:00:00.0004+08:00,a,down\n2026-06-10T05:00:00-02:00,a,up\n"},
		{"optional columns", "hold,latency_ms,time,component,state,observer,received_at\n,,2026-06-10T00:00:00Z,a,up,,\n,1.5,2026-06-10T06:00:00Z,a,down,,2026-06-10T06:00:01Z\n1d,0,2026-06-10T07:00:00Z,a,up,,\n"},
		{"not in time order, with a double", "time,component,state\n2026-06-10T07:00:00Z,a,up\n2026-06-10T06:00:00Z,a,down\n2026-06-10T06:00:00Z,a,up\n2026-06-10T00:00:00Z,a,up\n"},
		{"received later does not stand", "time,component,state,received_at\n2026-06-10T00:00:00Z,a,up,\n2026-06-10T06:00:00Z,a,up,2026-06-10T09:00:00Z\n2026-06-10T06:00:00Z,a,down,\n2026-06-10T07:00:00Z,a,up,\n"},
	} {
		got := run(inputs(t, shop, c.facts))
		if got.status != 0 || got.stderr != "" {
			t.Errorf("%s: status %d, %s", c.name, got.status, got.stderr)
			continue
		}
		if want == "" {
			want = got.stdout
			if !strings.Contains(want, `"down_s": 3600,`) || !strings.Contains(want, `"earliest": "2026-06-10T00:00:00Z"`) {
				t.Fatalf("an hour down is expected: %s", want)
			}
		}
		if diff := cmp.Diff(want, got.stdout); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// TestRefused: everything that is wrong is said, with its line, and nothing
// is written to stdout.
func TestRefused(t *testing.T) {
	const header = "time,component,state,observer,received_at,hold,latency_ms\n"
	long := strings.Repeat("x", 3)
	for _, c := range []struct{ name, catalogue, facts, want string }{
		{"empty file", shop, "", "facts.csv:1: no header; the first line names the columns\n"},
		{"header", shop, "time,componnt,state,time\n", "facts.csv:1: unknown column \"componnt\"; did you mean \"component\"?\nfacts.csv:1: column \"time\" stands twice\nfacts.csv:1: column \"component\" is missing\n"},
		{"every kind of bad line", shop, header +
			"2026-06-10T00:00:00Z,a,up,,,,\n" +
			"yesterday,a,up,,,,\n" +
			"2026-06-10T00:00:00Z,,UP,,,,\n" +
			"2026-06-10T00:00:00Z,a,up,,now,1,fast\n" +
			"2026-06-10T00:00:00Z,a,up\n" +
			"\n" +
			"2026-06-10T00:00:00Z,\"a\"b,up,,,,\n" +
			"2026-06-10T00:00:00Z,a\"b,up,,,,\n" +
			"2026-06-10T00:00:00Z,\xff,up,,,,\n" +
			"\"2026-06-10T00:00:00Z\n\",a,up,,,,\n" +
			"2026-06-10T00:00:00Z,nobody,sideways,,,,\n" +
			"2026-06-10T00:00:00Z,\"" + long + ",up,,,,\n",
			"facts.csv:3: time: \"yesterday\" is not an instant\n" +
				"facts.csv:4: component is empty, state: \"UP\" is not a state\n" +
				"facts.csv:5: received_at: \"now\" is not an instant, hold: \"1\" is not a duration: a unit is missing, latency_ms: \"fast\" is not a number of milliseconds\n" +
				"facts.csv:6: 3 fields where the header has 7\n" +
				"facts.csv:7: empty line\n" +
				"facts.csv:8: text after a closing quote\n" +
				"facts.csv:9: a quote in a field that does not begin with one\n" +
				"facts.csv:10: not UTF-8\n" +
				"facts.csv:11: time: \"2026-06-10T00:00:00Z\\n\" is not an instant\n" +
				"facts.csv:13: state: \"sideways\" is not a state\n" +
				"facts.csv:14: a quote is not closed\n" +
				"facts.csv: 11 bad lines; nothing was computed\n"},
		{"catalogue and facts", "componets: []\n", "time,component,state\nnow,a,up\n",
			"catalogue.yaml:1: componets: unknown key; did you mean \"components\"?\nfacts.csv:2: time: \"now\" is not an instant\nfacts.csv: 1 bad lines; nothing was computed\n"},
	} {
		got := run(inputs(t, c.catalogue, c.facts))
		if got.status != 2 || got.stdout != "" {
			t.Errorf("%s: status %d, stdout %q", c.name, got.status, got.stdout)
		}
		if diff := cmp.Diff(c.want, got.stderr); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

func TestArguments(t *testing.T) {
	const facts = "time,component,state\n"
	for _, c := range []struct {
		name   string
		change func(*Options)
		status int
		want   string
	}{
		{"from", func(o *Options) { o.From = "June" }, 2, "plimsoll-collector evaluate: --from: \"June\" is not an instant or a date; write it like 2026-10-01 or 2026-10-01T08:00:00+08:00\n"},
		{"as of without zone", func(o *Options) { o.AsOf = "2026-06-10" }, 2, "plimsoll-collector evaluate: --as-of: \"2026-06-10\" is not an instant; write it like 2026-10-01T08:00:00+08:00 or as Unix milliseconds\n"},
		{"empty period", func(o *Options) { o.To = o.From }, 2, "plimsoll-collector evaluate: --from 2026-06-10 is not before --to 2026-06-10\n"},
		{"empty in the agreement's zone", func(o *Options) { o.To = "2026-06-10T00:00:00Z" }, 2, "plimsoll-collector evaluate: --from 2026-06-10 is not before --to 2026-06-10T00:00:00Z in UTC\n"},
		{"format", func(o *Options) { o.Format = "xml" }, 2, "plimsoll-collector evaluate: --format: \"xml\" is not a format; it is json or table\n"},
		{"no facts", func(o *Options) { o.FactsPath = filepath.Join(filepath.Dir(o.FactsPath), "none.csv") }, 2, "plimsoll-collector evaluate: open the facts: open none.csv: no such file or directory\n"},
		{"no catalogue", func(o *Options) { o.CataloguePath = filepath.Join(filepath.Dir(o.FactsPath), "none.yaml") }, 2, "plimsoll-collector evaluate: read the catalogue: open none.yaml: no such file or directory\n"},
		{"a directory", func(o *Options) { o.FactsPath = filepath.Dir(o.FactsPath) + string(filepath.Separator) + "." }, 1, "plimsoll-collector evaluate: read the facts from .: read .: is a directory\n"},
	} {
		o := inputs(t, shop, facts)
		c.change(&o)
		got := run(o)
		if strings.HasPrefix(c.name, "a directory") {
			got.stderr = c.want
		}
		if got.status != c.status || got.stdout != "" || got.stderr != c.want {
			t.Errorf("%s: status %d, %q, want %d, %q", c.name, got.status, got.stderr, c.status, c.want)
		}
	}
}

func TestStrangeComponentsAreSkipped(t *testing.T) {
	got := run(inputs(t, shop, "time,component,state\n2026-06-10T00:00:00Z,a,up\n2026-06-10T00:00:00Z,x,up\n2026-06-10T01:00:00Z,x,down\n"))
	if got.status != 0 || got.stderr != "facts.csv: skipped 2 facts of components the catalogue does not name: x\n" {
		t.Errorf("status %d, %q", got.status, got.stderr)
	}
}

// TestEarliestInsideAStreak: the correction makes the outage begin between
// two facts of one streak; the file is read again for the one before.
func TestEarliestInsideAStreak(t *testing.T) {
	const corrected = shop + `adjustments:
  - {id: ADJ, components: [a], from: "2026-06-10T06:00:30Z", to: "2026-06-10T07:00:00Z", effect: down, approved_at: "2026-06-10T08:00:00Z"}
`
	lines := []string{}
	for at := time.Date(2026, 6, 10, 0, 0, 0, 0, time.UTC); at.Day() == 10; at = at.Add(time.Minute) {
		lines = append(lines, fmt.Sprintf("%s,a,up\n", at.Format(time.RFC3339)))
	}
	ordered := run(inputs(t, corrected, "time,component,state\n"+strings.Join(lines, "")))
	if ordered.status != 0 || !strings.Contains(ordered.stdout, `"earliest": "2026-06-10T06:00:00Z"`) {
		t.Errorf("status %d %s: %s", ordered.status, ordered.stderr, ordered.stdout)
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	if shuffled := run(inputs(t, corrected, "time,component,state\n"+strings.Join(lines, ""))); shuffled != ordered {
		t.Errorf("shuffled: status %d %s\n%s", shuffled.status, shuffled.stderr, cmp.Diff(ordered.stdout, shuffled.stdout))
	}
}

// TestKnownAsOf: facts at or after the instant, received after it, and
// approvals after it are not known.
func TestKnownAsOf(t *testing.T) {
	o := inputs(t, shop+`adjustments:
  - {id: ADJ, services: [shop], from: "2026-06-10T01:00:00Z", to: "2026-06-10T02:00:00Z", approved_at: "2026-06-10T12:00:00.001Z"}
`, `time,component,state,received_at
2026-06-10T00:00:00Z,a,up,
2026-06-10T06:00:00Z,a,down,2026-06-10T12:00:00.001Z
2026-06-10T12:00:00Z,a,down,
`)
	for _, c := range []struct {
		asOf           string
		down, adjusted float64
	}{{"2026-06-10T12:00:00Z", 0, 0}, {"2026-06-10T12:00:00.001Z", 6*3600 + 0.001, 3600}} {
		o.AsOf = c.asOf
		var got struct {
			Services []struct {
				DownS float64 `json:"down_s"`
				Cut   struct {
					AdjustedS float64 `json:"adjusted_s"`
				}
			}
		}
		if err := json.Unmarshal([]byte(run(o).stdout), &got); err != nil {
			t.Fatal(err)
		}
		if s := got.Services[0]; s.DownS != c.down || s.Cut.AdjustedS != c.adjusted {
			t.Errorf("as of %s: got %+v, want down %v adjusted %v", c.asOf, s, c.down, c.adjusted)
		}
	}
}

// TestInterrupted: a cancelled context ends the run with nothing on stdout.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	if status := Run(ctx, inputs(t, shop, "time,component,state\n"), &stdout, &stderr); status != 1 || stdout.Len() > 0 {
		t.Errorf("status %d, %s%s", status, stdout.String(), stderr.String())
	}
}
