package evaluate_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/evaluate"
)

// TestAStrangerRecomputes: what an explanation of a random problem lists adds
// up to the elapsed milliseconds, its fraction is the availability, and its
// facts alone, given to evaluate, give the same figures and outages.
func TestAStrangerRecomputes(t *testing.T) {
	runs, first := setting(t, "PLIMSOLL_ORACLE_RUNS", 300), setting(t, "PLIMSOLL_ORACLE_SEED", 1)
	zs, dir, failed := zones{}, t.TempDir(), 0
	listed, given := 0, 0
	for seed := first; seed < first+runs && failed < 3; seed++ {
		p := generate(seed, zs)
		agreed, faults := catalogue.Parse("catalogue.yaml", []byte(p.catalogue()))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		in := p.input(t, agreed.Availability)
		all, err := availability.Explain(in)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			x := &all[i]
			addsUp(t, seed, x)
			facts := x.Facts()
			listed, given = listed+len(facts), given+len(p.facts)
			again := p.again(t, dir, facts)
			want, got := oneJSON(t, &x.Figures), again[i]
			if diff := cmp.Diff(want, got); diff != "" {
				failed++
				var text bytes.Buffer
				_ = evaluate.WriteFacts(&text, facts)
				t.Errorf("seed %d, %s v%d: the listed facts give other figures (-explained +again):\n%s\n%s\n%s", seed, x.Figures.Agreement, x.Figures.Version, diff, text.String(), p.inputs())
			}
		}
	}
	t.Logf("%d problems from seed %d; %d facts listed of %d given to each entry", runs, first, listed, given)
}

// input is the problem as the living collector has it: streaks, and the raw
// facts for what lies inside them.
func (p *problem) input(t *testing.T, c *availability.Catalogue) availability.Input {
	t.Helper()
	var known []availability.Fact
	for _, f := range p.facts {
		each := availability.Fact{Component: f.component, Observer: f.observer, At: f.at, Received: f.receivedAt()}
		if err := each.State.UnmarshalText([]byte(f.state.String())); err != nil {
			t.Fatal(err)
		}
		switch {
		case f.hold == 0:
			each.Hold = availability.NoHold
		case f.hold != none:
			each.Hold = f.hold
		}
		if each.Known(p.asOf) {
			known = append(known, each)
		}
	}
	known = availability.SortFacts(known)
	in := availability.Input{Catalogue: c, Streaks: map[string][]availability.Streak{}, AsOf: p.asOf, FactBefore: func(s availability.Streak, before int64) (at int64, ok bool) {
		for _, f := range known {
			if f.Component == s.Component && f.Observer == s.Observer && f.At >= s.First && f.At < before {
				at, ok = f.At, true
			}
		}
		return at, ok
	}}
	for _, s := range availability.Streaks(known, func(name string, own, at int64) int64 {
		each, _ := c.Component(name)
		return each.StreakGap(own, at)
	}) {
		if _, ok := c.Component(s.Component); ok {
			in.Streaks[s.Component] = append(in.Streaks[s.Component], s)
		}
	}
	var err error
	if in.From, err = availability.ParseBound(p.from.String()); err != nil {
		t.Fatal(err)
	}
	if in.To, err = availability.ParseBound(p.to.String()); err != nil {
		t.Fatal(err)
	}
	return in
}

// addsUp checks the sum, the rows and the fraction of an explanation.
func addsUp(t *testing.T, seed uint64, x *availability.Explanation) {
	t.Helper()
	var terms, rows int64
	for _, term := range x.Sum {
		terms += term.MS
	}
	at := x.Figures.From.MS
	for _, r := range x.Rows {
		if r.From.MS != at || r.MS <= 0 {
			t.Errorf("seed %d: row %d begins at %d, the one before ends at %d", seed, r.N, r.From.MS, at)
		}
		rows, at = rows+r.MS, r.To.MS
	}
	if terms != x.Elapsed || rows != x.Elapsed {
		t.Errorf("seed %d: the terms make %d ms and the rows %d ms of %d ms elapsed", seed, terms, rows, x.Elapsed)
	}
	a := x.Share.Availability
	if a == nil {
		if x.Figures.Exact.Availability != nil || x.Share.Known.Sign() != 0 {
			t.Errorf("seed %d: no fraction for an availability of %v", seed, x.Figures.Exact.Availability)
		}
		return
	}
	if a.Cmp(x.Figures.Exact.Availability) != 0 || new(big.Rat).Add(a, x.Share.Lost).Cmp(big.NewRat(1, 1)) != 0 {
		t.Errorf("seed %d: A %v, D/K %v, availability %v", seed, a, x.Share.Lost, x.Figures.Exact.Availability)
	}
}

// again evaluates the facts by the command and returns its entries.
func (p *problem) again(t *testing.T, dir string, facts []availability.Fact) []string {
	t.Helper()
	var text, stdout, stderr bytes.Buffer
	if err := evaluate.WriteFacts(&text, facts); err != nil {
		t.Fatal(err)
	}
	o := evaluate.Options{FactsPath: filepath.Join(dir, "listed.csv"), CataloguePath: filepath.Join(dir, "catalogue.yaml"),
		From: p.from.String(), To: p.to.String(), AsOf: rfc3339(p.asOf)}
	for name, content := range map[string]string{o.FactsPath: text.String(), o.CataloguePath: p.catalogue()} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if status := evaluate.Run(t.Context(), o, &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr.String())
	}
	var answer struct{ Services []availability.Figures }
	if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range answer.Services {
		out = append(out, oneJSON(t, &answer.Services[i]))
	}
	return out
}

func oneJSON(t *testing.T, f *availability.Figures) string {
	t.Helper()
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
