package report_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures/figurestest"
	"github.com/plimsoll/plimsoll/collector/report"
	"github.com/plimsoll/plimsoll/collector/words"
)

// update is set by go test -update: golden files are written anew, then looked at.
var update = flag.Bool("update", false, "write the golden files")

func build(t *testing.T, s *figurestest.Seed, o report.Options) string {
	t.Helper()
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	m, err := report.Build(context.Background(), report.Source{Figures: s.Engine, Records: s.Ledger, Words: shelf}, o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := report.HTML(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden: the whole document, in both languages, for a customer with
// figures, one without data, and a month before everything.
func TestGolden(t *testing.T) {
	s := figurestest.Open(t)
	for name, o := range map[string]report.Options{
		"acme-en":      {Customer: "acme", Period: "2026-11", AsOf: s.Now, Lang: "en"},
		"acme-zh":      {Customer: "acme", Period: "2026-11", AsOf: s.Now, Lang: "zh"},
		"bolt-en":      {Customer: "bolt", Period: "2026-11", AsOf: s.Now, Lang: "en"},
		"before-en":    {Customer: "acme", Period: "2026-10", AsOf: s.Now, Lang: "en"},
		"nobody-zh-CN": {Customer: "nobody", Period: "2026-11", AsOf: s.Now, Lang: "zh-CN"},
	} {
		got := build(t, s, o)
		for _, bad := range []string{"⟨", "NaN", "<no value>", "src=", "http://", "@import", "url("} {
			if strings.Contains(strings.ReplaceAll(got, "http://www.w3.org/2000/svg", ""), bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
		if again := build(t, s, o); again != got {
			t.Errorf("%s: the same input gave other bytes", name)
		}
		path := filepath.Join("testdata", name+".html")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from %s; look at what changed and run the test with -update", name, path)
		}
	}
}

// TestFiguresAreTheEngines: each availability in the report is the engine's,
// truncated.
func TestFiguresAreTheEngines(t *testing.T) {
	s := figurestest.Open(t)
	all, err := s.Engine.Period(t.Context(), "2026-11-01", "2026-12-01", s.Now)
	if err != nil {
		t.Fatal(err)
	}
	text := build(t, s, report.Options{Customer: "acme", Period: "2026-11", AsOf: s.Now})
	for i := range all {
		if all[i].Customer != "acme" {
			continue
		}
		if want := strings.ReplaceAll(availability.Percent(all[i].Exact.Availability, 3), " ", "\u00a0"); !strings.Contains(text, want) {
			t.Errorf("the report does not print %s of %s", want, all[i].Service)
		}
	}
	if strings.Contains(text, "portal") {
		t.Error("another customer's service stands in acme's report")
	}
}

func TestBadPeriod(t *testing.T) {
	s := figurestest.Open(t)
	if _, err := report.Build(t.Context(), report.Source{Figures: s.Engine, Records: s.Ledger}, report.Options{Period: "November", AsOf: time.Now()}); err == nil {
		t.Error("a period that is no month was taken")
	}
}
