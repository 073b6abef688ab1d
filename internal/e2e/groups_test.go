package e2e

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/identity"
)

// The fleet of TestThreeHundredServers.
const (
	labelledServices = 40  // half of each customer, each with hosts of its own
	labelledCount    = 300 // seven or eight of a service, every other service has two databases among them
	labelledLines    = 150 // of the whole catalogue, at most
)

// labelledHost is one host and what its token says of it.
type labelledHost struct{ name, customer, app, role string }

func labelledHosts() []labelledHost {
	var all []labelledHost
	for i := range labelledCount {
		service, nth := i%labelledServices, i/labelledServices
		h := labelledHost{fmt.Sprintf("host-%03d", i), "acme", fmt.Sprintf("app-%02d", service), "web"}
		if service >= labelledServices/2 {
			h.customer = "globex"
		}
		if service%2 == 0 && nth < 2 {
			h.role = "db"
		}
		all = append(all, h)
	}
	return all
}

// labelledLedger lists the hosts as their enrolment did, two months ago, and keeps
// what they said of last month: the first two hosts of each service, both of its
// databases where it has any, are down together, for a minute in the first
// service, two in the second and so on.
//
// The ledger's own enrolment is the nearest door: the network's stamps the
// present, and a host is no part of the time before it enrolled.
func labelledLedger(t *testing.T, path string, from, to time.Time) {
	t.Helper()
	enrolled := from.AddDate(0, -1, 0)
	l, err := ledger.Open(ledger.Options{Path: path, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return enrolled }})
	if err != nil {
		t.Fatal(err)
	}
	var streaks []availability.Streak
	tokens := map[labelledHost]string{}
	for i, h := range labelledHosts() {
		kind := h
		kind.name = ""
		hash, ok := tokens[kind]
		if !ok {
			hash = fmt.Sprintf("token-%03d", len(tokens))
			tokens[kind] = hash
			if err := l.EnrolToken(t.Context(), hash, ledger.Token{Customer: h.customer, Labels: map[string]string{"app": h.app, "role": h.role}, ExpiresAt: enrolled.Add(time.Hour).UnixMilli(), Uses: labelledCount}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.UseToken(t.Context(), hash, ledger.Host{ID: fmt.Sprintf("id-%03d", i), Instance: h.name, OS: "linux", Arch: "amd64"}); err != nil {
			t.Fatal(err)
		}
		streaks = append(streaks, labelledStreaks(i, h.name, from, to)...)
	}
	if err := l.ApplyFold(t.Context(), ledger.Fold{Put: streaks}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func labelledStreaks(i int, name string, from, to time.Time) []availability.Streak {
	const step = 15_000
	streak := func(state availability.State, from, to int64) availability.Streak {
		return availability.Streak{Component: name, Observer: name, State: state, First: from, Last: to - step, Count: (to - from) / step, MaxGap: step}
	}
	begin, end := from.UnixMilli(), to.UnixMilli()
	service := i % labelledServices
	if i >= 2*labelledServices {
		return []availability.Streak{streak(availability.Up, begin, end)}
	}
	down := from.Add(time.Duration(24+12*service) * time.Hour).UnixMilli()
	again := down + int64(service+1)*60_000
	return []availability.Streak{streak(availability.Up, begin, down), streak(availability.Down, down, again), streak(availability.Up, again, end)}
}

// TestThreeHundredServers is the journey from 300 enrolled hosts to the figures
// of 40 services: suggest, what a person completes, check, reload. Then a host
// joins, and nothing that was said of last month is another.
func TestThreeHundredServers(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().In(shanghai)
	to := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, shanghai)
	from := to.AddDate(0, -1, 0)
	data, listen, agents := t.TempDir(), freeAddr(t), freeAddr(t)
	labelledLedger(t, filepath.Join(data, "ledger.db"), from, to)
	start(t, "plimsoll-collector", "run", "--data", data, "--listen", listen, "--listen-agents", agents)
	s := site{t, "http://" + listen}
	waitFor(t, "the collector ready", 30*time.Second, func() bool { status, _ := s.get("/-/ready"); return status == http.StatusOK })

	file := filepath.Join(data, "catalogue.yaml")
	must := func(args ...string) string {
		t.Helper()
		out, errs, status := runOnce(t, "plimsoll-collector", args...)
		if status != 0 {
			t.Fatalf("plimsoll-collector %s: status %d: %s%s", strings.Join(args, " "), status, out, errs)
		}
		return out
	}
	drafting := time.Now()
	must("catalogue", "suggest", "--collector", s.base, "--zone", "Asia/Shanghai", "--out", file)
	lines := completed(t, file)
	said := must("check", "--catalogue", file)
	if n := strings.Count(said, "SLA-"); n < labelledServices {
		t.Errorf("check speaks of %d agreements, want %d: %s", n, labelledServices, tail(said, 5))
	}
	must("reload", "--collector", s.base)
	t.Logf("%d lines for %d hosts and %d services, in force %v after suggest began", lines, labelledCount, labelledServices, time.Since(drafting).Round(time.Millisecond))

	lists := "/api/v1/outages?" + url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}.Encode()
	waitFor(t, "the outages of both hosts of each service listed", 30*time.Second, func() bool {
		var answer struct{ Outages []json.RawMessage }
		s.json(lists, &answer)
		return len(answer.Outages) == 2*labelledServices
	})
	asOf := time.Now().Format(time.RFC3339Nano)
	past := func() map[string]string {
		period := url.Values{"period": {from.Format("2006-01")}, "as_of": {asOf}}.Encode()
		all := map[string]string{}
		for _, path := range []string{"/api/v1/services", "/api/v1/services/app-02/explain"} {
			all[path] = s.mustGet(path + "?" + period)
		}
		all["/api/v1/outages"] = s.mustGet(lists + "&" + url.Values{"as_of": {asOf}}.Encode())
		return all
	}
	before := past()
	labelledFigures(t, before["/api/v1/services"])
	today := len(s.impacts("app-02"))

	waitFor(t, "the labels of the newcomer's token accepted", 5*time.Second, func() bool {
		return s.enrolAs(agents, "host-300", `{"ttl":"1h","customer":"acme","labels":{"app":"app-02","role":"web"}}`) == nil
	})
	waitFor(t, "the newcomer in its group", 30*time.Second, func() bool { return len(s.impacts("app-02")) == today+1 })
	for path, now := range past() {
		if now != before[path] {
			t.Errorf("a host that joined today moved last month: %s\nbefore %s\nafter  %s", path, differing(before[path], now), differing(now, before[path]))
		}
	}
	t.Logf("the whole journey took %v", time.Since(begin).Round(time.Millisecond))
}

// completed is what a person does to the draft: the first service is promised
// more, one may be patched longer, the hosts of one group are measured more
// often. It gives the number of lines of the whole that are not empty.
func completed(t *testing.T, file string) (lines int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	edited := string(text)
	for _, edit := range [][2]string{
		{`(service: app-00, .*)target: 99\.5%`, `${1}target: 99.9%`},
		{`(service: app-01, .*)cap: 8h/month`, `${1}cap: 16h/month`},
		{`(app-03.*role: web\})\}`, `${1}, interval: 30s}`},
		{`(name: app-02, customer: acme, needs: .*at_least: )\d+(, of: app-02-web)`, `${1}6${2}`},
	} {
		changed := regexp.MustCompile(edit[0]).ReplaceAllString(edited, edit[1])
		if changed == edited {
			t.Fatalf("the draft has nothing like %s:\n%s", edit[0], edited)
		}
		edited = changed
	}
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(edited) {
		if strings.TrimSpace(line) != "" {
			lines++
		}
	}
	if lines > labelledLines {
		t.Errorf("the catalogue has %d lines, want at most %d", lines, labelledLines)
	}
	return lines
}

// labelledFigures checks what last month was: every service has its figures, both
// customers have theirs, and those whose hosts failed together were down for
// just as long.
func labelledFigures(t *testing.T, body string) {
	t.Helper()
	var answer struct {
		Services []struct {
			Service, Customer string
			Availability      *float64
			DownS             float64 `json:"down_s"`
			Outages           []struct{ Components []string }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	of := map[string]int{}
	for i, each := range answer.Services {
		of[each.Customer]++
		// Two of seven or eight web servers, or both databases, are more than any needs can spare.
		if want := float64(i+1) * 60; each.Availability == nil || each.DownS != want || len(each.Outages) != 1 || len(each.Outages[0].Components) != 2 {
			t.Errorf("%s: availability %v, down %g s, outages %v; want one of %g s with two hosts", each.Service, each.Availability, each.DownS, each.Outages, want)
		}
	}
	if len(answer.Services) != labelledServices || of["acme"] != labelledServices/2 || of["globex"] != labelledServices/2 {
		t.Errorf("%d services with figures, by customer %v", len(answer.Services), of)
	}
}

// impacts are the components of a service as it is now.
func (s site) impacts(service string) []json.RawMessage {
	s.t.Helper()
	var answer struct{ Impacts []json.RawMessage }
	s.json("/api/v1/services/"+service+"/outlook", &answer)
	return answer.Impacts
}

// enrolAs lets one host in by a token made as ask says.
func (s site) enrolAs(agents, name, ask string) error {
	s.t.Helper()
	resp, err := http.Post(s.base+"/api/v1/enrol-tokens", "application/json", strings.NewReader(ask))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var made struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.Token == "" {
		return fmt.Errorf("make a token: status %d: %w", resp.StatusCode, err)
	}
	_, err = identity.Enrol(s.t.Context(), identity.Request{Token: made.Token, Collector: agents, Hostname: name, Dir: s.t.TempDir()})
	return err
}

// differing is where a text differs from another, with a little around it.
func differing(text, other string) string {
	at := 0
	for at < min(len(text), len(other)) && text[at] == other[at] {
		at++
	}
	return "…" + text[max(0, at-200):min(len(text), at+200)] + "…"
}
