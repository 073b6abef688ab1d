package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/need"
)

// trial is a running quickstart.
type trial struct {
	*process
	site
	data   string
	sample string // address of the sample page
	args   []string
}

func startTrial(t testing.TB) *trial {
	t.Helper()
	data, listen, sample := t.TempDir(), freeAddr(t), freeAddr(t)
	q := &trial{site: site{t, "http://" + listen}, data: data, sample: sample,
		args: []string{"quickstart", "--data", data, "--listen", listen, "--listen-agents", freeAddr(t), "--listen-sample", sample}}
	q.process = start(t, "plimsoll-collector", q.args...)
	return q
}

// ready waits for the printed address.
func (q *trial) ready() {
	q.site.t.Helper()
	waitFor(q.site.t, "the address of the first page in the log", 10*time.Second, func() bool {
		return strings.Contains(q.log.String(), "The first page is ready: "+q.base)
	})
}

func hostname(t testing.TB) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// service is the part of the JSON API's service these tests read.
type service struct {
	Service      string   `json:"service"`
	State        string   `json:"state"`
	Availability *float64 `json:"availability"`
	Coverage     *float64 `json:"coverage"`
	DownS        float64  `json:"down_s"`
	UnknownS     float64  `json:"unknown_s"`
	Started      int      `json:"outages_started"`
	Restored     int      `json:"outages_restored"`
}

// services asks the API; as_of may be empty.
func (s site) services(asOf string) map[string]service {
	s.t.Helper()
	path := "/api/v1/services"
	if asOf != "" {
		path += "?as_of=" + strings.ReplaceAll(asOf, "+", "%2B")
	}
	var answer struct {
		Services []service `json:"services"`
	}
	s.json(path, &answer)
	byName := map[string]service{}
	for _, v := range answer.Services {
		byName[v.Service] = v
	}
	return byName
}

// TestFirstMinute: within 60 s of the printed address the overview shows this
// host up with coverage and its filesystem's fill; the query API returns
// node_uname_info; promtool gets an answer.
func TestFirstMinute(t *testing.T) {
	t.Parallel()
	q := startTrial(t)
	q.ready()
	host := hostname(t)
	took := waitFor(t, "this host up with coverage on the API", 60*time.Second, func() bool {
		s := q.services("")["this-host"]
		return s.State == "up" && s.Availability != nil && s.Coverage != nil && *s.Coverage > 0
	})
	waitFor(t, "node_uname_info from the query API", 60*time.Second-took, func() bool {
		points, err := q.tryQuery(`node_uname_info`, time.Time{})
		return err == nil && len(points) == 1 && points[0].Metric["instance"] == host
	})
	page := q.mustGet("/")
	for _, want := range []string{host, "sample-shop", "plimsoll", "100"} {
		if !strings.Contains(page, want) {
			t.Errorf("the overview does not mention %q", want)
		}
	}
	if fill := q.query(`node_filesystem_size_bytes{mountpoint="/"}`, time.Time{}); len(fill) == 0 {
		t.Errorf("no size of the root filesystem")
	}
	t.Run("promtool", func(t *testing.T) {
		promtool := need.Program(t, "promtool", "prometheus")
		for _, expr := range []string{"up", "plimsoll_service_availability_ratio"} {
			out, err := exec.Command(promtool, "query", "instant", q.base+"/prometheus", expr).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "=>") {
				t.Errorf("promtool query instant %s: %v: %s", expr, err, out)
			}
		}
	})
	t.Run("pages", func(t *testing.T) {
		for _, path := range []string{"/", "/?lang=zh", "/services/sample-shop", "/hosts", "/hosts/" + host, "/problems", "/reports", "/api/v1/openapi.json", "/metrics", "/-/healthy", "/-/ready"} {
			if status, body := q.get(path); status != http.StatusOK || len(body) < 2 {
				t.Errorf("GET %s: %d, %d bytes", path, status, len(body))
			}
		}
	})
	t.Run("log reads like a story", func(t *testing.T) {
		for _, line := range strings.Split(q.log.String(), "\n") {
			for _, bad := range []string{"level=DEBUG", "panic", "goroutine ", "level=ERROR"} {
				if strings.Contains(line, bad) {
					t.Errorf("a newcomer reads: %s", line)
				}
			}
		}
		if n := strings.Count(q.log.String(), "\n"); n > 40 {
			t.Errorf("%d lines in the first minute", n)
		}
	})
	q.stop()
	if q.err != nil || !strings.Contains(q.log.String(), "Stopped cleanly") {
		t.Errorf("stop: %v", q.err)
	}
}

// TestSamplePageOutage: stopped, the sample page is down on the overview
// within 15 s and the month's figure falls by those seconds; started, it is
// up again with one outage and no second one.
func TestSamplePageOutage(t *testing.T) {
	t.Parallel()
	q := startTrial(t)
	q.ready()
	waitFor(t, "the sample page up", 60*time.Second, func() bool { return q.services("")["sample-shop"].State == "up" })
	<-time.After(5 * time.Second)
	if status := q.post("/actions/stop-sample"); status/100 != 2 && status/100 != 3 {
		t.Fatalf("stop the sample page: status %d", status)
	}
	took := waitFor(t, "the sample page down", 15*time.Second, func() bool { return q.services("")["sample-shop"].State == "down" })
	t.Logf("down after %v", took)
	if page := q.mustGet("/"); !strings.Contains(page, "sample-shop") {
		t.Error("the overview does not name the sample shop")
	}
	<-time.After(10 * time.Second)
	if status := q.post("/actions/start-sample"); status/100 != 2 && status/100 != 3 {
		t.Fatalf("start the sample page: status %d", status)
	}
	waitFor(t, "the sample page up again", 15*time.Second, func() bool { return q.services("")["sample-shop"].State == "up" })
	<-time.After(6 * time.Second)

	s := q.services("")["sample-shop"]
	var outages struct {
		Outages []struct {
			From, To  string
			Component string `json:"component"`
		} `json:"outages"`
	}
	q.json("/api/v1/outages", &outages)
	var mine []float64
	for _, o := range outages.Outages {
		if o.Component != "sample-page" {
			continue
		}
		from, err1 := time.Parse(time.RFC3339, o.From)
		to, err2 := time.Parse(time.RFC3339, o.To)
		if err1 != nil || err2 != nil {
			t.Fatalf("outage %+v: %v %v", o, err1, err2)
		}
		mine = append(mine, to.Sub(from).Seconds())
	}
	if len(mine) != 1 || s.Started != 1 || s.Restored != 1 {
		t.Fatalf("got outages of %v s, %d begun, %d restored; want one of each", mine, s.Started, s.Restored)
	}
	if diff := s.DownS - mine[0]; diff > 0.001 || diff < -0.001 {
		t.Errorf("the month counts %.3f s down, the outage lasted %.3f s", s.DownS, mine[0])
	}
	if mine[0] < 10 || mine[0] > 35 {
		t.Errorf("an outage of %.3f s for a stop of about 12 to 25 s", mine[0])
	}
}

// TestOneNumberEverywhere: PromQL, JSON API, board query, page and report
// give the same availability for the same instant.
func TestOneNumberEverywhere(t *testing.T) {
	t.Parallel()
	q := startTrial(t)
	q.ready()
	waitFor(t, "the sample page up", 60*time.Second, func() bool { return q.services("")["sample-shop"].State == "up" })
	q.post("/actions/stop-sample")
	waitFor(t, "the sample page down", 20*time.Second, func() bool { return q.services("")["sample-shop"].State == "down" })
	q.post("/actions/start-sample")
	waitFor(t, "the sample page up again", 20*time.Second, func() bool { return q.services("")["sample-shop"].State == "up" })
	<-time.After(6 * time.Second)

	at := time.Now().UTC().Truncate(time.Second)
	asOf := at.Format(time.RFC3339)
	api := q.services(asOf)["sample-shop"]
	if api.Availability == nil || *api.Availability <= 0 || *api.Availability >= 1 {
		t.Fatalf("the API's availability is %v, want a value between 0 and 1", api.Availability)
	}
	points := q.query(`plimsoll_service_availability_ratio{service="sample-shop"}`, at)
	if len(points) != 1 {
		t.Fatalf("PromQL gave %d series, want 1", len(points))
	}
	promql, err := strconv.ParseFloat(points[0].Value[1].(string), 64)
	if err != nil || promql != *api.Availability {
		t.Errorf("PromQL says %v, the API %v", promql, *api.Availability)
	}
	// Printed figures are truncated to the digits the page shows.
	printed := truncatedPercent(*api.Availability)
	for _, path := range []string{"/?as_of=" + asOf, "/services/sample-shop?as_of=" + asOf,
		"/api/v1/report?customer=quickstart&period=" + at.Format("2006-01") + "&as_of=" + asOf} {
		if !strings.Contains(q.mustGet(path), printed) {
			t.Errorf("GET %s does not print %s %%", path, printed)
		}
	}
	t.Run("evaluate", func(t *testing.T) { sameAsEvaluate(t, q, at) })
}

// truncatedPercent prints a ratio as the pages do: percent, three digits, cut off.
func truncatedPercent(ratio float64) string {
	text := strconv.FormatFloat(ratio*100, 'f', 9, 64)
	return text[:strings.Index(text, ".")+4]
}

// sameAsEvaluate exports the facts, computes every figure from the files
// alone and compares all fields.
func sameAsEvaluate(t *testing.T, q *trial, at time.Time) {
	facts := filepath.Join(t.TempDir(), "facts.csv")
	month := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
	if _, errs, status := runOnce(t, "plimsoll-collector", "export", "facts", "--collector", q.base, "--from", month.Format("2006-01-02"),
		"--to", month.AddDate(0, 1, 0).Format("2006-01-02"), "--as-of", at.Format(time.RFC3339), "--out", facts); status != 0 {
		t.Fatalf("export facts: %s", errs)
	}
	out, errs, status := runOnce(t, "plimsoll-collector", "evaluate", "--facts", facts, "--catalogue", filepath.Join(q.data, "catalogue.yaml"),
		"--from", month.Format("2006-01-02"), "--to", month.AddDate(0, 1, 0).Format("2006-01-02"), "--as-of", at.Format(time.RFC3339))
	if status != 0 {
		t.Fatalf("evaluate: %s", errs)
	}
	var alone, collector struct {
		Services []map[string]any `json:"services"`
	}
	if err := json.Unmarshal([]byte(out), &alone); err != nil {
		t.Fatal(err)
	}
	q.json("/api/v1/services?as_of="+at.Format(time.RFC3339), &collector)
	if len(alone.Services) == 0 || len(alone.Services) != len(collector.Services) {
		t.Fatalf("evaluate gives %d services, the collector %d", len(alone.Services), len(collector.Services))
	}
	byName := map[string]map[string]any{}
	for _, s := range collector.Services {
		byName[s["service"].(string)] = s
	}
	fields := 0
	for _, want := range alone.Services {
		got := byName[want["service"].(string)]
		for field, value := range want {
			fields++
			a, _ := json.Marshal(value)
			b, _ := json.Marshal(got[field])
			if string(a) != string(b) {
				t.Errorf("%v %s: evaluate says %s, the collector %s", want["service"], field, a, b)
			}
		}
	}
	t.Logf("%d fields compared", fields)
}

// TestMovedAddresses: started again with other ports, the checks of quickstart
// follow; the move is no outage of anything.
func TestMovedAddresses(t *testing.T) {
	t.Parallel()
	q := startTrial(t)
	q.ready()
	up := func(q *trial) {
		waitFor(t, "both pages up", 60*time.Second, func() bool {
			now := q.services("")
			return now["sample-shop"].State == "up" && now["plimsoll"].State == "up"
		})
	}
	up(q)
	q.stop()
	listen, sample := freeAddr(t), freeAddr(t)
	again := &trial{site: site{t, "http://" + listen}, data: q.data, sample: sample}
	again.process = start(t, "plimsoll-collector", "quickstart", "--data", q.data, "--listen", listen, "--listen-agents", freeAddr(t), "--listen-sample", sample)
	again.ready()
	<-time.After(20 * time.Second) // longer than any fact of the first start holds
	up(again)
	var found struct{ Outages []map[string]any }
	again.json("/api/v1/outages", &found)
	if len(found.Outages) != 0 {
		t.Errorf("the move was booked as outages: %v", found.Outages)
	}
	for _, want := range []string{"it asks http://" + sample + "/ from now on, not http://" + q.sample + "/.", "it asks " + again.base + "/-/healthy from now on, not " + q.base + "/-/healthy."} {
		if !strings.Contains(again.log.String(), want) {
			t.Errorf("the story does not say %q", want)
		}
	}
}
