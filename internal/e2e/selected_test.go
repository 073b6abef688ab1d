package e2e

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// application is a program that says of itself whether it is healthy, and
// remembers when somebody first heard each word.
type application struct {
	mu    sync.Mutex
	says  string
	heard map[string]time.Time
}

func (a *application) set(says string) { a.mu.Lock(); a.says = says; a.mu.Unlock() }

func (a *application) first(says string) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.heard[says]
}

// ServeHTTP exposes the word and, for the other components, two series of one
// metric and one that is no 0 or 1.
func (a *application) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.heard[a.says].IsZero() {
		a.heard[a.says] = time.Now()
	}
	value, _, _ := strings.Cut(a.says, " ")
	fmt.Fprintf(w, "my_app_healthy{part=\"web\"} %s\n", value)
	fmt.Fprintln(w, "my_job_ok{zone=\"a\"} 1\nmy_job_ok{zone=\"b\"} 0\nmy_load 7")
}

// TestComponentBySeries: a Debian Prometheus brings a series of an application
// of its own, the catalogue says it is a component: 1, 1, 0, 0, 1 is one outage
// as long as the 0 was heard, and evaluate says the same from the exported
// facts. Two series that match, and a value that is no 0 or 1, are unknown, with
// a sentence.
func TestComponentBySeries(t *testing.T) {
	t.Parallel()
	need.Program(t, "prometheus", "prometheus")
	dir, people, agents := t.TempDir(), freeAddr(t), freeAddr(t)
	app := &application{says: "1 at first", heard: map[string]time.Time{}}
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	target, data := strings.TrimPrefix(server.URL, "http://"), filepath.Join(dir, "collector")
	if err := os.MkdirAll(data, 0o750); err != nil {
		t.Fatal(err)
	}
	appendTo(t, filepath.Join(data, "catalogue.yaml"), `components:
  - {name: app, interval: 2s, series: 'my_app_healthy{job="app",part="web",site="sh"}'}
  - {name: twice, interval: 5s, series: 'my_job_ok{job="app",site="sh"}'}
  - {name: no-bool, interval: 2s, series: 'my_load{job="app"}'}
services:
  - {name: shop, needs: app}
  - {name: jobs, needs: {all_of: [twice, no-bool]}}
agreements:
  - {number: SLA-1, service: shop, zone: UTC, indicators: [{name: availability, target: 99.9%}]}
  - {number: SLA-2, service: jobs, zone: UTC, indicators: [{name: availability, target: 99.9%}]}
`)
	q := &trial{site: site{t, "http://" + people}, data: data}
	q.process = start(t, "plimsoll-collector", "run", "--data", data, "--listen", people, "--listen-agents", agents)
	waitFor(t, "the collector is ready", 20*time.Second, func() bool { status, _ := q.get("/-/ready"); return status == http.StatusOK })
	config := filepath.Join(dir, "scrape.yaml")
	appendTo(t, config, fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs: [{job_name: app, static_configs: [{targets: [%q]}]}]\n", target))
	said, errs, status := runOnce(t, "plimsoll-collector", "token", "create", "--for", "prometheus", "--labels", "customer=acme,site=sh", "--dir", dir, "--collector", q.base)
	if status != 0 {
		t.Fatalf("token create: %s", errs)
	}
	appendTo(t, config, pasted(t, dir, said))
	startPeer(t, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+freeAddr(t))

	is := func(state string) func() bool { return func() bool { return q.services("")["shop"].State == state } }
	heard := func(word string) func() bool { return func() bool { return !app.first(word).IsZero() } }
	waitFor(t, "the component is up", 40*time.Second, is("up"))
	app.set("0 for a while")
	waitFor(t, "the component is down", 20*time.Second, is("down"))
	<-time.After(4 * time.Second)
	app.set("1 again")
	waitFor(t, "the application is heard again", 20*time.Second, heard("1 again"))
	waitFor(t, "the component is up again", 20*time.Second, is("up"))
	want := app.first("1 again").Sub(app.first("0 for a while"))

	var found struct {
		Outages []struct {
			ID        int64
			Component string
			From      time.Time
			To        *time.Time
			Observers []string
		}
	}
	waitFor(t, "the outage has its end in the ledger", 20*time.Second, func() bool {
		q.json("/api/v1/outages?component=app", &found)
		return len(found.Outages) == 1 && found.Outages[0].To != nil
	})
	o := found.Outages[0]
	if got := o.To.Sub(o.From); math.Abs((got-want).Seconds()) > 0.2 || len(o.Observers) != 1 || o.Observers[0] != `prometheus{instance=`+target+`}` {
		t.Errorf("an outage of %v by %v, want %v by prometheus{instance=%s}", got, o.Observers, want, target)
	} else {
		t.Logf("the outage lasts %v; the application said 0 for %v", got, want)
	}
	var detail struct {
		Reasons []struct{ State, Reason string }
	}
	q.json(fmt.Sprintf("/api/v1/outages/%d", o.ID), &detail)
	if len(detail.Reasons) == 0 || !strings.Contains(fmt.Sprint(detail.Reasons), "my_app_healthy of prometheus{instance="+target+"} is 0") {
		t.Errorf("the outage has the reasons %v", detail.Reasons)
	}
	if got := q.services("")["jobs"]; got.State != "unknown" || got.DownS != 0 {
		t.Errorf("two series of one component and a value of 7: %s, %v s down; want unknown, 0", got.State, got.DownS)
	}
	metrics := q.mustGet("/metrics")
	for _, want := range []string{`plimsoll_fold_unusable_samples_total{component="twice",why="ambiguous"}`, `plimsoll_fold_unusable_samples_total{component="no-bool",why="value"}`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s is counted", want)
		}
	}
	page := q.mustGet("/services/jobs")
	for _, want := range []string{"2 series match my_job_ok{job=&#34;app&#34;,site=&#34;sh&#34;} at once (prometheus{instance=" + target + ",zone=a}", "my_load of prometheus{instance=" + target + ",site=sh} is 7, which is neither 1 (up) nor 0 (down)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the service does not say %q:\n%s", want, page)
		}
	}
	sameAsEvaluate(t, q, time.Now().UTC().Truncate(time.Second).Add(-time.Second))
}
