package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// damaged is an entry of /api/v1/damage.
type damaged struct {
	Store, What, Cause string
	From, To, Found    time.Time
	Lost               int64
}

// damaged is the list as the API has it.
func (s site) damaged(query string) []damaged {
	s.t.Helper()
	var answer struct{ Damage []damaged }
	s.json("/api/v1/damage"+query, &answer)
	return answer.Damage
}

// warnings are those of a query over a range.
func (s site) warnings(expr string, from, to time.Time) []string {
	s.t.Helper()
	var answer struct{ Warnings []string }
	s.json("/prometheus/api/v1/query_range?"+url.Values{"query": {expr}, "start": {from.Format(time.RFC3339)}, "end": {to.Format(time.RFC3339)}, "step": {"600"}}.Encode(), &answer)
	return answer.Warnings
}

// TestLostIsTold: a block of the collector's samples is damaged. It starts,
// and everything that shows a figure of the block's time says that samples may
// be missing: pages in both languages, PromQL, the report, the API, /metrics.
// What does not touch that time says nothing, and nothing is told twice.
func TestLostIsTold(t *testing.T) {
	t.Parallel()
	data, listen, agents := t.TempDir(), freeAddr(t), freeAddr(t)
	catalogue := `services: [{name: shop, customer: c, needs: {all_of: [host-0000]}}]
components: [{name: host-0000, interval: 15s}]
agreements:
  - number: A1
    version: 1
    service: shop
    zone: UTC
    calendar: always
    effective: {from: 2026-01-01, to: 2100-01-01}
    policies: {planned: exclude, unknown: exclude, degraded: up, before_existence: exclude}
    indicators:
      - {name: availability, kind: availability, target: 99.9%, unacceptable: 99%}
`
	if err := os.WriteFile(filepath.Join(data, "catalogue.yaml"), []byte(catalogue), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "--data", data, "--listen", listen, "--listen-agents", agents}
	p := start(t, "plimsoll-collector", args...)
	s := site{t, "http://" + listen}
	healthy := func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK }
	waitFor(t, "the collector healthy", 15*time.Second, healthy)
	host := enrolBenchHosts(t, s, agents, wire.KindBatch2, 1)[0]
	now := time.Now()
	seq := uint64(0)
	for at := now.Add(-12 * time.Hour); at.Before(now); at = at.Add(10 * time.Minute) {
		seq++
		if err := host.post(benchBody(wire.KindBatch2, host.name, at.UnixMilli(), 20), seq); err != nil {
			t.Fatal(err)
		}
	}
	var seals []string
	waitFor(t, "sealed blocks", 60*time.Second, func() bool {
		seals, _ = filepath.Glob(filepath.Join(data, "series", "*", "seal.json"))
		return len(seals) > 0
	})
	if got := s.damaged(""); len(got) != 0 {
		t.Errorf("before: %v is said to be lost", got)
	}
	p.stop()

	block := filepath.Dir(seals[0])
	text, err := os.ReadFile(seals[0])
	if err != nil {
		t.Fatal(err)
	}
	var was struct {
		Seal struct {
			From int64 `json:"min_time"`
			To   int64 `json:"max_time"`
		} `json:"seal"`
	}
	if err := json.Unmarshal(text, &was); err != nil {
		t.Fatal(err)
	}
	from, to := time.UnixMilli(was.Seal.From), time.UnixMilli(was.Seal.To)
	info, err := os.Stat(filepath.Join(block, "index"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(block, "index"), info.Size()-1); err != nil {
		t.Fatal(err)
	}

	for _, round := range []string{"first", "second"} {
		p = start(t, "plimsoll-collector", args...)
		waitFor(t, "the collector healthy", 15*time.Second, healthy)
		got := s.damaged("")
		if len(got) != 1 || !got[0].From.Equal(from) || !got[0].To.Equal(to) || got[0].Lost == 0 || got[0].Store != "series" ||
			got[0].What != "block "+filepath.Base(block) || got[0].Cause != "index differs from what was written" {
			t.Fatalf("%s start: got %+v, want block %s from %v to %v", round, got, filepath.Base(block), from, to)
		}
		if round == "first" {
			p.stop()
		}
	}
	instant := func(at time.Time) string { return url.QueryEscape(at.UTC().Format(time.RFC3339)) }
	for query, want := range map[string]int{
		"?from=" + instant(to): 0, "?to=" + instant(from): 0,
		"?from=" + instant(from) + "&to=" + instant(to): 1,
		"?as_of=" + instant(now):                        0, // it was not known yet
	} {
		if got := s.damaged(query); len(got) != want {
			t.Errorf("/api/v1/damage%s: %d entries, want %d", query, len(got), want)
		}
	}
	if m := s.mustGet("/metrics"); !strings.Contains(m, `plimsoll_damage_ranges{store="series"} 1`) {
		t.Error("/metrics does not count the range")
	}
	missing := "block " + filepath.Base(block) + " on the collector"
	for path, want := range map[string]string{
		"/": missing, "/?lang=zh-CN": "采集中心磁盘上的 block " + filepath.Base(block),
		"/hosts/" + host.name + "?range=24h": missing, "/hosts/" + host.name + "?range=15m": "",
		"/api/v1/report?customer=c&period=" + from.UTC().Format("2006-01"): missing,
	} {
		body := strings.ReplaceAll(s.mustGet(path), "&#39;", "'")
		if told := strings.Contains(body, "block "+filepath.Base(block)); told != (want != "") || !strings.Contains(body, want) {
			t.Errorf("GET %s: tells of the block %v, want %q", path, told, want)
		}
	}
	load := fmt.Sprintf("node_cpu_seconds_total{instance=%q}", host.name)
	if got := s.warnings(load, from, to); len(got) != 1 || !strings.Contains(got[0], "may be missing: block "+filepath.Base(block)) {
		t.Errorf("a query of that time: warnings %q, want one", got)
	}
	if got := s.warnings(load, to.Add(10*time.Minute), now); len(got) != 0 {
		t.Errorf("a query of another time: warnings %q, want none", got)
	}
	if got := s.warnings("plimsoll_service_availability_ratio", from, to); len(got) != 0 {
		t.Errorf("availability, which comes from the ledger: warnings %q, want none", got)
	}
}
