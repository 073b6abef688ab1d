package evaluate_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/evaluate"
)

// latest is how long after its time a fact may still come: a day less than
// the collector takes samples out of order for.
const latest = 6 * day

// sites is how many hosts of each name there are, so that requests of
// several histories go out at once.
const sites = 6

// history is a problem told to a living collector.
type history struct {
	name string
	*problem
	prefix   string
	punctual bool              // facts come within half an hour, unless they say when
	asks     []ask             // beside the end
	want     map[string]string // at the end; as in ask

	told []fact // as they were received, doubles too
	past []ask  // asked when they were now: to be asked again
}

// ask is a question at an instant, and what the answer is by hand: fields
// of the agreement of that number, as "down_s 90m, availability 0.75, …".
type ask struct {
	at   int64
	want map[string]string
}

// happening is a request of one host, or a question of figures, at an instant.
type happening struct {
	at    int64
	of    *history
	from  string // the host; empty: a question
	facts []fact
	ask   ask
}

// plan draws when the facts of a history are delivered: most with the next
// batch, others up to days late; batches in any order, and some of them twice.
func (h *history) plan(r *rand.Rand) (all []happening) {
	if len(h.facts) > 0 {
		first, last := h.facts[0].at, h.facts[0].at
		for _, f := range h.facts {
			first, last = min(first, f.at), max(last, f.at)
		}
		pace := min(max((last-first)/16, 1), 2*day)
		bags := map[int64]map[string][]fact{}
		for _, f := range h.facts {
			var at int64
			switch {
			case f.received != none && f.received <= f.at+latest:
				at = max(f.received, f.at+1)
			case h.punctual:
				at = (f.at/(30*minute)+1)*30*minute - second
				if at <= f.at {
					at = f.at + 1
				}
			case r.IntN(100) < 60:
				at = first + ((f.at-first)/pace+1)*pace
			default:
				late := r.Int64N(min(max(last-first, 2), latest-3*day))
				at = first + ((f.at+late-first)/pace+1)*pace
			}
			if bags[at] == nil {
				bags[at] = map[string][]fact{}
			}
			bags[at][f.observer] = append(bags[at][f.observer], f)
		}
		for _, at := range slices.Sorted(maps.Keys(bags)) {
			for _, from := range slices.Sorted(maps.Keys(bags[at])) {
				all = append(all, cut(r, happening{at: at, of: h, from: from, facts: bags[at][from]}, pace)...)
			}
		}
	}
	for _, each := range h.asks {
		all = append(all, happening{at: each.at, of: h, ask: each})
	}
	return all
}

// cut makes one to three requests of one, in any order, one of them perhaps
// twice: at once or with a later batch.
func cut(r *rand.Rand, whole happening, pace int64) (parts []happening) {
	facts := slices.Clone(whole.facts)
	r.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
	n := 1 + r.IntN(3)
	for i := range n {
		if part := facts[i*len(facts)/n : (i+1)*len(facts)/n]; len(part) > 0 {
			parts = append(parts, happening{at: whole.at, of: whole.of, from: whole.from, facts: part})
		}
	}
	if r.IntN(100) < 40 {
		again := parts[r.IntN(len(parts))]
		if r.IntN(2) == 0 {
			again.at += min(pace, day)
		}
		parts = append(parts, again)
	}
	return parts
}

// answered is what evaluate says of what was told, as known at an instant.
func (h *history) evaluate(t testing.TB, dir string, asOf int64) []any {
	t.Helper()
	p := *h.problem
	p.facts = h.told
	return h.evaluateOf(t, dir, asOf, p.csv())
}

// evaluateOf is what evaluate says of the facts in the CSV.
func (h *history) evaluateOf(t testing.TB, dir string, asOf int64, csv string) []any {
	t.Helper()
	p := *h.problem
	p.asOf = asOf
	catalogue, facts := filepath.Join(dir, "catalogue.yaml"), filepath.Join(dir, "facts.csv")
	for file, text := range map[string]string{facts: csv, catalogue: p.catalogue()} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	status := evaluate.Run(context.Background(), evaluate.Options{FactsPath: facts, CataloguePath: catalogue,
		From: p.from.String(), To: p.to.String(), AsOf: rfc3339(asOf), Format: "json", Now: time.UnixMilli(asOf)}, &stdout, &stderr)
	if status != 0 {
		t.Fatalf("%s: evaluate ends with %d: %s", h.name, status, stderr.String())
	}
	var body struct {
		Services []any `json:"services"`
	}
	decodeLoosely(t, stdout.Bytes(), &body)
	return body.Services
}

// bench is one living collector with the histories it is told.
type bench struct {
	t        testing.TB
	living   *living
	dir      string
	compared int
	past     int
	failed   int
	settled  []int64 // ms, when all that had come was folded
}

// run tells the histories to one living collector, which is stopped and
// started again in between, and compares what its API says of each with what
// evaluate says of the same facts: when asked for, at the end, and when every
// raw sample is gone; and at each of these times what was known at instants of
// the past.
func run(t testing.TB, r *rand.Rand, restarts int, all []*history) {
	t.Helper()
	var plan []happening
	var problems []*problem
	for i, h := range all {
		h.prefix = fmt.Sprintf("h%d-", i)
		h.problem = h.named(h.prefix, fmt.Sprint("-", i%sites))
		problems = append(problems, h.problem)
		plan = append(plan, h.plan(r)...)
	}
	r.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	slices.SortStableFunc(plan, func(a, b happening) int {
		return cmp.Or(cmp.Compare(a.at, b.at), len(b.from)-len(a.from)) // what is received at an instant is known then
	})
	restartAt := map[int]bool{}
	for range restarts {
		restartAt[r.IntN(len(plan))] = true
	}
	b := &bench{t: t, dir: t.TempDir(), living: startLiving(t, together(problems).catalogue(), plan[0].at)}
	var group []happening
	for i, each := range plan {
		if len(group) > 0 && (each.from == "" || restartAt[i] || each.at-group[0].at > minute || slices.ContainsFunc(group, func(e happening) bool { return e.of == each.of || e.from == each.from })) {
			b.deliver(group)
			group = group[:0]
			if r.IntN(50) == 0 {
				b.settle()
			}
		}
		if restartAt[i] {
			b.living.restart()
		}
		if each.from != "" {
			group = append(group, each)
			continue
		}
		b.ask(each)
	}
	b.deliver(group)
	l := b.living
	l.move(l.now.Load() + 2*second) // figures of one second are shared
	b.settle()
	for _, stage := range []struct {
		name    string
		prepare func()
	}{{"at the end", func() {}}, {"after a restart", func() { l.restart(); l.settle() }}, {fromStreaks, l.forget}} {
		if stage.name == fromStreaks {
			for range 3 {
				b.takeAway(all, b.moment(r))
			}
		}
		stage.prepare()
		for _, h := range all {
			b.compare(h, stage.name, l.now.Load(), h.want)
			for _, then := range append(h.past, ask{at: b.moment(r)}, ask{at: b.moment(r)}) {
				b.compare(h, stage.name+", "+before, then.at, then.want)
			}
		}
	}
	t.Logf("%d histories in %d requests with %d restarts: %d of %d answers equal, %d of them of the past", len(all), l.accepted, l.restarts, b.compared-b.failed, b.compared, b.past)
}

const (
	fromStreaks = "from streaks alone"
	before      = "of the past" // is in the name of questions about it
)

// takeAway takes the raw facts known at an instant from the collector, and
// compares what evaluate says of them alone with what the collector says.
func (b *bench) takeAway(all []*history, asOf int64) {
	b.t.Helper()
	query := url.Values{"from": {"1970-01-02"}, "to": {"2050-01-01"}, "as_of": {rfc3339(asOf)}}
	head, rows, _ := strings.Cut(string(b.living.get("/api/v1/facts.csv?"+query.Encode())), "\n")
	of := map[string][]string{}
	for row := range strings.Lines(rows) {
		_, component, _ := strings.Cut(row, ",")
		prefix, _, _ := strings.Cut(component, "-")
		of[prefix+"-"] = append(of[prefix+"-"], row)
	}
	for _, h := range all {
		h.asOf = asOf
		b.compared++
		b.differing(h, "from the facts taken away", unlike("", any(h.evaluateOf(b.t, b.dir, asOf, head+"\n"+strings.Join(of[h.prefix], ""))), any(b.living.figures(h.problem, h.prefix))))
	}
}

// moment draws an instant of the past at which all that had come was folded:
// hours go by in a moment here, and what a fact tears apart by its neighbours
// is known more exactly when the series have later ones already.
func (b *bench) moment(r *rand.Rand) int64 { return b.settled[r.IntN(len(b.settled))] }

// isSharp tells whether what was known at an instant is told exactly: of a fact
// received in the minute behind it that only says that a state went on, it is
// not kept that it was not known yet.
func (h *history) isSharp(at int64) bool {
	return !slices.ContainsFunc(h.told, func(f fact) bool { return at < f.received && f.received <= at+minute })
}

func (b *bench) settle() {
	b.t.Helper()
	b.living.settle()
	b.settled = append(b.settled, b.living.now.Load())
}

// ask compares what is known at the instant of a question.
func (b *bench) ask(e happening) {
	b.t.Helper()
	b.living.move(e.at)
	b.settle()
	asOf, h := e.at, e.of
	if n := len(h.told); n > 0 {
		asOf = max(asOf, h.told[n-1].received)
	}
	b.compare(h, "on the way", asOf, e.ask.want)
	h.past = append(h.past, ask{asOf, e.ask.want})
}

// deliver delivers requests of different histories and hosts, at the instant
// of the last. No two requests of a history are received together.
func (b *bench) deliver(group []happening) {
	b.t.Helper()
	if len(group) == 0 {
		return
	}
	l := b.living
	l.move(group[len(group)-1].at)
	for _, e := range group {
		if n := len(e.of.told); n > 0 && e.of.told[n-1].received == l.now.Load() {
			l.now.Add(1)
		}
	}
	l.deliver(group)
	for _, e := range group {
		for _, f := range e.facts {
			f.received = l.now.Load()
			e.of.told = append(e.of.told, f)
		}
	}
}

// compare asks for the figures of a history as of an instant: they are those
// of evaluate, field by field, and those by hand.
func (b *bench) compare(h *history, when string, asOf int64, byHand map[string]string) {
	b.t.Helper()
	isPast := strings.Contains(when, before)
	if isPast {
		if !h.isSharp(asOf) || asOf > b.living.now.Load() {
			return
		}
		b.past++
	}
	h.asOf = asOf
	want, got := h.evaluate(b.t, b.dir, asOf), b.living.figures(h.problem, h.prefix)
	b.compared++
	lines := unlike("", any(want), any(got))
	if when == fromStreaks || isPast {
		// Streaks tell the last good fact before an outage only within bounds,
		// and raw facts tell it better when more of them came.
		lines = slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, ".earliest:") })
	}
	if when == fromStreaks {
		lines = append(lines, tooSure(want, got)...)
	}
	for _, number := range slices.Sorted(maps.Keys(byHand)) {
		lines = append(lines, unwanted(h.prefix+number, byHand[number], got)...)
	}
	b.differing(h, when, lines)
}

func (b *bench) differing(h *history, when string, lines []string) {
	b.t.Helper()
	if len(lines) == 0 {
		return
	}
	if b.failed++; b.failed <= 5 {
		b.t.Errorf("%s, %s (as of %s): the living collector differs\n%s", h.name, when, rfc3339(h.asOf), strings.Join(lines, "\n"))
	}
}
