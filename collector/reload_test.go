package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// fleet is a catalogue of n services on the host victim; needs is what the
// last one needs.
func fleet(n int, needs string) string {
	var b strings.Builder
	b.WriteString("components:\n  - {name: victim, interval: 60s, hold: 150s}\nservices:\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "  - {name: s%d, customer: acme, needs: victim}\n", i)
	}
	fmt.Fprintf(&b, "  - {name: s%d, customer: acme, needs: %s}\n", n, needs)
	fmt.Fprintf(&b, "agreements:\n  - {number: SLA-1, service: s%d, zone: UTC, indicators: [{name: availability, target: 99.9%%}]}\n", n)
	return b.String()
}

// TestReload: the file is edited and SIGHUP sent; the figures of the new
// service are there, from facts that came before it was described. Then one
// fault among 40 services: the version before stays, and the page says why.
func TestReload(t *testing.T) {
	r := newRunning(t)
	host, _ := r.enrol("victim")
	client, began := clientOf(host.ClientTLS(), false), time.Now()
	for i := range 3 {
		if status, err := deliver(client, r.c.AgentsAddr(), "up", began.Add(time.Duration(i-3)*10*time.Second).UnixMilli(), uint64(i+1)); status != http.StatusNoContent {
			t.Fatalf("deliver: %d, %v", status, err)
		}
	}
	r.query("up", func(map[string]string, string) {})
	stop := make(chan struct{})
	reading := make(chan struct{})
	go func() { // someone looks on all the while
		defer close(reading)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = r.c.figures.Month(context.Background(), time.Now())
			}
		}
	}()
	defer func() { close(stop); <-reading }()

	r.describe(fleet(1, "victim"), "loaded")
	r.until("the service is up, from facts of before", func() bool {
		all, err := r.c.figures.Month(context.Background(), time.Now())
		return err == nil && len(all) == 1 && all[0].Service == "s1" && all[0].UpS >= 20
	})
	r.describe(fleet(40, "viktim"), "refused")
	if got := r.page(); !strings.Contains(got, "viktim") || !strings.Contains(got, "catalogue.yaml:43") {
		t.Error("no banner with the first fault and its line on the page")
	}
	if n, version := len(r.c.agreed().Services), r.c.inForceVersion(); n != 1 || version != 2 {
		t.Errorf("in force are %d services of version %d, want 1 of 2", n, version)
	}
	resp, err := http.Post(r.c.URL()+"/api/v1/catalogue/reload", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(text), "did you mean") {
		t.Errorf("the API answered %d %s", resp.StatusCode, text)
	}
	r.describe(fleet(40, "victim"), "loaded")
	if strings.Contains(r.page(), "viktim") {
		t.Error("the banner is still there")
	}
	if n, version := len(r.c.agreed().Services), r.c.inForceVersion(); n != 40 || version != 3 {
		t.Errorf("in force are %d services of version %d, want 40 of 3", n, version)
	}
	kept, err := r.c.ledger.Catalogue(context.Background())
	if err != nil || kept.Number != 3 || kept.Source != fleet(40, "victim") {
		t.Errorf("the ledger has version %d: %v", kept.Number, err)
	}
}

// TestStartWithFaults starts on a file with one fault among 40 services: a new
// collector refuses and names it; one whose ledger has the version of before
// goes on with that one, and says so until the file is right.
func TestStartWithFaults(t *testing.T) {
	config := Defaults()
	config.Data, config.Listen, config.ListenAgents = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	open := func(text string) (*running, error) {
		if err := os.WriteFile(filepath.Join(config.Data, "catalogue.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := New(Options{Config: config, Version: "test", Log: slog.New(slog.DiscardHandler)})
		return &running{t: t, c: c, data: config.Data}, err
	}
	run := func(r *running, do func()) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- r.c.Run(ctx) }()
		do()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	var faults settings.Faults
	if _, err := open(fleet(40, "viktim")); !errors.As(err, &faults) || !strings.Contains(err.Error(), "viktim") {
		t.Fatalf("a new collector: %v, want the fault", err)
	}
	r, err := open(fleet(40, "victim"))
	if err != nil {
		t.Fatal(err)
	}
	run(r, func() {})
	if r, err = open(fleet(41, "viktim")); err != nil {
		t.Fatalf("one that had a catalogue: %v", err)
	}
	run(r, func() {
		if n, version := len(r.c.agreed().Services), r.c.inForceVersion(); n != 40 || version != 1 {
			t.Errorf("in force are %d services of version %d, want 40 of 1", n, version)
		}
		if !strings.Contains(r.page(), "viktim") {
			t.Error("the page does not name the fault")
		}
		r.describe(fleet(41, "victim"), "loaded")
		if n := len(r.c.agreed().Services); n != 41 || strings.Contains(r.page(), "viktim") {
			t.Errorf("%d services in force, want 41 and no banner", n)
		}
	})
}

// describe writes the catalogue, sends SIGHUP and waits for the result.
func (r *running) describe(text, result string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.data, "catalogue.yaml"), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	before := r.metric("plimsoll_catalogue_reloads_total", "result", result)
	r.page() // it runs
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
	r.until("the catalogue is "+result, func() bool { return r.metric("plimsoll_catalogue_reloads_total", "result", result) > before })
}

// until waits for something that comes soon.
func (r *running) until(what string, is func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// page is the first page.
func (r *running) page() string {
	r.t.Helper()
	return r.pageAt("/")
}

// TestReloadOfAFolder: a file more in the folder beside the catalogue is a
// customer more; a name that it takes from the file is refused with both places.
func TestReloadOfAFolder(t *testing.T) {
	r := newRunning(t)
	r.describe(fleet(1, "victim"), "loaded")
	dir := catalogue.Folder(r.c.opt.Config.cataloguePath())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		text, fault string
		services    int
	}{
		{"services: [{name: s2, customer: globex, needs: victim}]\n", "", 2},
		{"\nservices: [{name: s1, needs: victim}]\n", `globex.yaml:2: services[1].name: "s1" is already the name of services[0] on line 4 of catalogue.yaml`, 2},
		{"", "", 1},
	} {
		if err := os.WriteFile(filepath.Join(dir, "globex.yaml"), []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := r.c.ReloadCatalogue(t.Context())
		if (err == nil) != (row.fault == "") || err != nil && !strings.Contains(err.Error(), row.fault) {
			t.Errorf("%q: got %v, want %q", row.text, err, row.fault)
		}
		if n := len(r.c.agreed().Services); n != row.services {
			t.Errorf("%q: %d services in force, want %d", row.text, n, row.services)
		}
		if last, err := r.c.lastCatalogue(t.Context()); err != nil || last == nil || last.Hash != r.c.inForce().Hash {
			t.Errorf("%q: what the ledger has is not read again as what is in force: %v", row.text, err)
		}
	}
}

// TestBadInputsAtOnce loads a catalogue of 40 services that has one fault of
// each kind people make: all are named together, each with file, line and
// remedy; what was in force goes on, and a banner says so.
func TestBadInputsAtOnce(t *testing.T) {
	r := newRunning(t)
	r.describe(fleet(1, "victim"), "loaded")
	var lines []string
	line := func(text string) int {
		lines = append(lines, text)
		return len(lines)
	}
	type fault struct {
		what string
		line int
		says []string // the message, and the remedy
	}
	var faults []fault
	bad := func(what, text string, says ...string) { faults = append(faults, fault{what, line(text), says}) }

	line("holidays:")
	bad("a holiday file of the wrong year", "  cn-2027: {year: 2027, closed: [2026-10-01/2026-10-07]}", "2026-10-01 is not in 2027", "give the other year a name of its own")
	line("components:")
	line("  - {name: victim, interval: 10s}")
	bad("a hold below the gap streaks allow", "  - {name: db, interval: 60s, hold: 60s}", "hold: 1m is below 1.5 x the interval of 1m", "facts that came in time would not hold to the next one")
	line("services:")
	bad("a cycle", "  - {name: a, needs: {all_of: [b, victim]}}", "a needs b needs a", "take one of them out")
	line("  - {name: b, needs: a}")
	for i := range 37 {
		line(fmt.Sprintf("  - {name: s%d, needs: victim}", i+1))
	}
	bad("an unknown name", "  - {name: s38, needs: viktim}", `no component or service "viktim"`, `did you mean "victim"?`)
	line("agreements:")
	line("  - {number: SLA-1, version: 1, service: s1, zone: UTC, effective: {from: 2026-01-01}, indicators: [{name: availability, target: 99%}]}")
	bad("overlapping versions", "  - {number: SLA-1, version: 2, service: s1, zone: UTC, effective: {from: 2026-07-01}, indicators: [{name: availability, target: 99%}]}",
		"version 2 of SLA-1 is in force together with version 1", "let one end where the other begins")
	line("maintenance:")
	bad("a window that ends before it starts", `  - {change: CHG-1, services: [s1], from: "2026-10-20T04:00:00Z", to: "2026-10-20T00:00:00Z", approved_at: "2026-10-15T10:00:00Z"}`, "ends at 2026-10-20T00:00:00Z, not after its beginning", "were the two exchanged?")
	r.describe(strings.Join(lines, "\n")+"\n", "refused")

	resp, err := http.Post(r.c.URL()+"/api/v1/catalogue/reload", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("the API answered %d %s, %v", resp.StatusCode, text, err)
	}
	var problem struct {
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(text, &problem); err != nil {
		t.Fatal(err)
	}
	if len(problem.Errors) != len(faults) {
		t.Errorf("%d faults are named, want %d", len(problem.Errors), len(faults))
	}
	for _, f := range faults {
		if !slices.ContainsFunc(problem.Errors, func(e struct{ Message string }) bool {
			return strings.Contains(e.Message, fmt.Sprintf("catalogue.yaml:%d: ", f.line)) && strings.Contains(e.Message, f.says[0]) && strings.Contains(e.Message, f.says[1])
		}) {
			t.Errorf("%s (line %d) is not named as %q:\n%s", f.what, f.line, f.says, text)
		}
	}
	if page := r.page(); !strings.Contains(page, "catalogue.yaml:2") {
		t.Error("no banner with the first fault on the page")
	}
	if n := len(r.c.agreed().Services); n != 1 {
		t.Errorf("%d services are in force, want the one of before", n)
	}
}
