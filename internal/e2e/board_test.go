package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/dashboards"
)

// TestBoard sends every query of the boards through the real API, as
// Grafana's Prometheus data source would, and refuses an empty panel.
func TestBoard(t *testing.T) {
	t.Parallel()
	q := startTrial(t)
	q.ready()
	waitFor(t, "the sample page up", 60*time.Second, func() bool { return q.services("")["sample-shop"].State == "up" })
	// One outage, so that the panels of outages have something to show.
	q.post("/actions/stop-sample")
	waitFor(t, "the sample page down", 20*time.Second, func() bool { return q.services("")["sample-shop"].State == "down" })
	q.post("/actions/start-sample")
	waitFor(t, "the sample page up again", 20*time.Second, func() bool { return q.services("")["sample-shop"].State == "up" })
	<-time.After(30 * time.Second) // two samples for each rate

	vars := dashboards.Vars{From: time.Now().Add(-15 * time.Minute), To: time.Now(), Values: map[string][]string{
		"customer": {"quickstart"}, "service": {"sample-shop", "this-host", "plimsoll"}, "host": {hostname(t)},
	}}
	choices, err := dashboards.Choices(vars)
	if err != nil {
		t.Fatal(err)
	}
	queries, err := dashboards.Queries(vars)
	if err != nil {
		t.Fatal(err)
	}
	if len(queries) < 10 || len(choices) < 2 {
		t.Fatalf("only %d queries and %d variables", len(queries), len(choices))
	}
	for _, r := range append(choices, queries...) {
		ask := func() (*http.Response, error) { return http.PostForm(q.base+"/prometheus"+r.Path, r.Form) }
		if strings.HasPrefix(r.Path, "/api/v1/label/") { // Grafana reads these by GET
			ask = func() (*http.Response, error) {
				return http.Get(q.base + "/prometheus" + r.Path + "?" + r.Form.Encode())
			}
		}
		resp, err := ask()
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Status, Error string
			Data          json.RawMessage
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		_ = resp.Body.Close()
		if err != nil || answer.Status != "success" {
			t.Errorf("%s: %s %v: %v %s", r.Panel, r.Path, r.Form, err, answer.Error)
			continue
		}
		if !r.MayBeEmpty && emptyAnswer(answer.Data) {
			t.Errorf("%s: an empty panel: %v", r.Panel, r.Form)
		}
	}
	t.Logf("%d queries, %d variables", len(queries), len(choices))
}

// emptyAnswer tells whether a query or a list of labels or series found nothing.
func emptyAnswer(data json.RawMessage) bool {
	var list []any
	if json.Unmarshal(data, &list) == nil {
		return len(list) == 0
	}
	var result struct {
		Result []struct {
			Value  []any
			Values [][]any
		}
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return true
	}
	for _, r := range result.Result {
		if len(r.Value) > 0 || len(r.Values) > 0 {
			return false
		}
	}
	return true
}
