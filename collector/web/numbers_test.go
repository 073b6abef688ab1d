package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/dashboards"
)

// services is what of the API's answer the tests read.
type services struct {
	AsOf     string `json:"as_of"`
	Services []struct {
		Service      string   `json:"service"`
		Availability *float64 `json:"availability"`
		State        string   `json:"state"`
	} `json:"services"`
}

func read(t *testing.T, address string, into any) {
	t.Helper()
	status, _, body := get(t, address)
	if status != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", address, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("GET %s: %v", address, err)
	}
}

// vector is an instant or range answer of the query API.
type vector struct {
	Status string
	Data   struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
			Values [][2]any
		}
	}
}

// TestOneNumber: engine, API, PromQL at an instant and in a range, overview,
// service page and report give the same availability for the same instants,
// in and after the outage of the 12th.
func TestOneNumber(t *testing.T) {
	s, server := open(t)
	for _, at := range []int64{s.At(12, 3, 15, 1), s.At(12, 3, 40, 0), s.At(18, 10, 3, 0) + 137, s.At(25, 11, 50, 0), s.Now.UnixMilli()} {
		instant := time.UnixMilli(at).UTC()
		asOf := instant.Format(time.RFC3339Nano)
		all, err := s.Engine.Month(t.Context(), instant)
		if err != nil {
			t.Fatal(err)
		}
		var answer services
		read(t, server.URL+"/api/v1/services?as_of="+asOf, &answer)
		for i := range all {
			want := all[i].Availability
			name := all[i].Service
			if got := answer.Services[i].Availability; answer.Services[i].Service != name || (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("%s at %s: the API says %v, the engine %v", name, asOf, got, want)
			}
			if want == nil {
				continue
			}
			query := url.Values{"query": {`plimsoll_service_availability_ratio{service="` + name + `"}`}, "time": {strconv.FormatFloat(float64(at)/1000, 'f', 3, 64)}}
			var v vector
			read(t, server.URL+"/prometheus/api/v1/query?"+query.Encode(), &v)
			if len(v.Data.Result) != 1 || v.Data.Result[0].Value[1] != strconv.FormatFloat(*want, 'f', -1, 64) {
				t.Errorf("%s at %s: PromQL says %v, the engine %v", name, asOf, v.Data.Result, *want)
			}
			query = url.Values{"query": query["query"], "start": {strconv.FormatFloat(float64(at)/1000-1800, 'f', 3, 64)}, "end": query["time"], "step": {"600"}}
			v = vector{}
			read(t, server.URL+"/prometheus/api/v1/query_range?"+query.Encode(), &v)
			if values := v.Data.Result[0].Values; values[len(values)-1][1] != strconv.FormatFloat(*want, 'f', -1, 64) {
				t.Errorf("%s at %s: the end of a range says %v, the engine %v", name, asOf, values[len(values)-1], *want)
			}
			printed := strings.ReplaceAll(availability.Percent(all[i].Exact.Availability, 3), " ", "\u00a0")
			for _, page := range []string{"/?as_of=" + asOf, "/services/" + name + "?as_of=" + asOf,
				"/api/v1/report?period=2026-11&customer=" + all[i].Customer + "&as_of=" + asOf} {
				if status, _, body := get(t, server.URL+page); status != http.StatusOK || !strings.Contains(body, printed) {
					t.Errorf("%s does not print %s of %s (status %d)", page, printed, name, status)
				}
			}
		}
	}
}

// TestRangeIsAsOf: each step of a range is the figure as of that step.
func TestRangeIsAsOf(t *testing.T) {
	s, server := open(t)
	end := s.At(25, 12, 0, 0)
	query := url.Values{"query": {`plimsoll_service_availability_ratio{service="office"}`}, "start": {strconv.FormatInt(end/1000-3600, 10)}, "end": {strconv.FormatInt(end/1000, 10)}, "step": {"300"}}
	var v vector
	read(t, server.URL+"/prometheus/api/v1/query_range?"+query.Encode(), &v)
	if len(v.Data.Result) != 1 || len(v.Data.Result[0].Values) != 13 {
		t.Fatalf("got %v", v)
	}
	for _, value := range v.Data.Result[0].Values {
		all, err := s.Engine.Month(t.Context(), time.UnixMilli(int64(value[0].(float64)*1000)))
		if err != nil {
			t.Fatal(err)
		}
		if want := strconv.FormatFloat(*all[1].Availability, 'f', -1, 64); value[1] != want {
			t.Errorf("at %v: got %v, want %s", value[0], value[1], want)
		}
	}
	if first, last := v.Data.Result[0].Values[0][1], v.Data.Result[0].Values[12][1]; first == last {
		t.Error("the outage that began at 11:48 does not show")
	}
}

// TestBoardHasNoEmptyPanel sends what Grafana sends.
func TestBoardHasNoEmptyPanel(t *testing.T) {
	s, server := open(t)
	vars := dashboards.Vars{From: s.Now.Add(-3 * time.Hour), To: s.Now, Values: map[string][]string{"host": {"web-1", "db-1"}}}
	queries, err := dashboards.Queries(vars)
	if err != nil {
		t.Fatal(err)
	}
	choices, err := dashboards.Choices(vars)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		resp, err := http.PostForm(server.URL+"/prometheus"+q.Path, q.Form)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
			t.Error(err)
		}
		_ = resp.Body.Close()
		if v.Status != "success" || len(v.Data.Result) == 0 && !q.MayBeEmpty {
			t.Errorf("%s %s: an empty panel: %s", q.Panel, q.Ref, q.Form.Get("query"))
		}
	}
	for _, c := range choices {
		var answer struct{ Data []string }
		read(t, server.URL+"/prometheus"+c.Path+"?"+c.Form.Encode(), &answer)
		if len(answer.Data) < 2 {
			t.Errorf("variable %s: got %v", c.Ref, answer.Data)
		}
	}
}
