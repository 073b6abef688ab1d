package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestRequests: what each odd request gets.
func TestRequests(t *testing.T) {
	_, server := open(t)
	for _, c := range []struct {
		name, method, path string
		header             []string
		want               int
		says               string
	}{
		{"a page there is none of", "GET", "/nowhere", nil, 404, "There is no page /nowhere"},
		{"in Chinese", "GET", "/nowhere", []string{"Accept-Language", "zh"}, 404, "没有找到"},
		{"a service there is none of", "GET", "/services/x%3Cscript%3E", nil, 404, "x&lt;script&gt;"},
		{"a host there is none of", "GET", "/hosts/x", nil, 404, "There is no host x"},
		{"an outage there is none of", "GET", "/outages/77", nil, 404, "77"},
		{"an outage that is no number", "GET", "/outages/x", nil, 404, "x"},
		{"a problem there is none of", "GET", "/problems/PRB-1", nil, 404, "PRB-1"},
		{"an instant that is none", "GET", "/?as_of=yesterday", nil, 400, "as_of=yesterday"},
		{"a month that is none", "GET", "/services/shop?period=2026", nil, 400, "period=2026"},
		{"a language there is none of", "GET", "/?lang=xx", nil, 200, "What is wrong now"},
		{"the language by switch", "GET", "/?lang=zh", nil, 200, "当前异常"},
		{"the language by cookie", "GET", "/", []string{"Cookie", "plimsoll_lang=zh-CN"}, 200, "当前异常"},
		{"the script", "GET", "/static/plimsoll.js", nil, 200, "refresh"},
		{"a button", "POST", "/actions/stop", []string{"Sec-Fetch-Site", "same-origin"}, 303, ""},
		{"a button of another site", "POST", "/actions/stop", []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"a button there is none of", "POST", "/actions/explode", nil, 404, ""},
		{"a button by link", "GET", "/actions/stop", nil, 404, ""},
		{"a name made to point here", "GET", "/", []string{"Host", "evil.example:1876"}, 421, "refused"},
		{"localhost", "GET", "/", []string{"Host", "localhost:1876"}, 200, ""},
		{"IPv6", "GET", "/", []string{"Host", "[::1]:1876"}, 200, ""},
		{"the API: none", "GET", "/api/v1/nothing", nil, 404, `"detail"`},
		{"the API: a service there is none of", "GET", "/api/v1/services/x", nil, 404, "there is no service x"},
		{"the API: an outage there is none of", "GET", "/api/v1/outages/77", nil, 404, "there is no outage 77"},
		{"the API: a problem there is none of", "GET", "/api/v1/problems/x", nil, 404, "there is no problem x"},
		{"the API: an instant that is none", "GET", "/api/v1/services?as_of=yesterday", nil, 422, "as_of"},
		{"the API: half a period", "GET", "/api/v1/services?from=2026-11-01", nil, 400, "both from and to"},
		{"the API: a bound that is none", "GET", "/api/v1/services?from=x&to=2026-11-02", nil, 400, "x"},
		{"the API: an empty period", "GET", "/api/v1/services?from=2026-11-02&to=2026-11-02", nil, 400, "period"},
		{"the API: a parameter there is none of", "GET", "/api/v1/services?asof=x", nil, 422, "asof"},
		{"the API: a report of nobody", "GET", "/api/v1/report?customer=x&period=2026-11", nil, 404, "acme, bolt"},
		{"the API: a report of no month", "GET", "/api/v1/report?customer=acme&period=2026-13", nil, 400, "month"},
		{"the API: facts of no time", "GET", "/api/v1/facts.csv?from=x&to=2026-11-02", nil, 400, "x"},
		{"the API: facts", "GET", "/api/v1/facts.csv?from=2026-11-01&to=2026-11-02", nil, 200, "time,component,state,observer"},
		{"the API: the catalogue", "GET", "/api/v1/catalogue", nil, 200, "SLA-2026-001"},
		{"the API: the audit chain", "GET", "/api/v1/audit/verify", nil, 200, `"head"`},
		{"the API: its description", "GET", "/api/v1/openapi.json", nil, 200, `"openapi":"3.1.0"`},
	} {
		req, err := http.NewRequest(c.method, server.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(c.header); i += 2 {
			req.Header.Set(c.header[i], c.header[i+1])
			if c.header[i] == "Host" {
				req.Host = c.header[i+1]
			}
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		buf := make([]byte, 64<<10)
		for {
			n, err := resp.Body.Read(buf)
			b.Write(buf[:n])
			if err != nil {
				break
			}
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.want || !strings.Contains(b.String(), c.says) {
			t.Errorf("%s: %s %s: status %d, want %d saying %q; got %.400s", c.name, c.method, c.path, resp.StatusCode, c.want, c.says, b.String())
		}
	}
}
