package web_test

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/web"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestEveryRouteForEveryRole asks each registered route as each kind of
// visitor, over real TLS, and compares who got in with testdata/access.txt.
// A route that is not in that file fails: somebody has to decide.
func TestEveryRouteForEveryRole(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	visitors := []struct {
		name    string
		browser *browser
		header  []string
	}{{"nobody", g.browser(), nil}}
	for _, role := range people.Roles() {
		g.add("the-"+string(role), role)
		b := g.browser()
		b.mustLogin("the-" + string(role))
		visitors = append(visitors, struct {
			name    string
			browser *browser
			header  []string
		}{string(role), b, nil})
	}
	for _, scope := range people.Scopes() {
		visitors = append(visitors, struct {
			name    string
			browser *browser
			header  []string
		}{"+" + string(scope), g.browser(), []string{"Authorization", "Bearer " + g.token(scope)}})
	}
	routes := g.site.Routes()
	if len(routes) < 40 {
		t.Errorf("only %d routes are registered", len(routes))
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-42s", "")
	for _, v := range visitors {
		fmt.Fprintf(&table, " %-8s", v.name)
	}
	table.WriteString(" customer\n")
	for _, route := range routes {
		fmt.Fprintf(&table, "%-42s", route)
		for _, v := range visitors {
			in := "-"
			if admitted(v.browser, route, v.header) {
				in = "yes"
			}
			fmt.Fprintf(&table, " %-8s", in)
		}
		fmt.Fprintf(&table, " %s\n", people.Access()[route].Customer)
	}
	const golden = "testdata/access.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got := table.String()
	if got == string(want) {
		return
	}
	listed := map[string]bool{}
	for _, line := range strings.Split(string(want), "\n") {
		listed[line] = true
	}
	for _, line := range strings.Split(got, "\n") {
		if !listed[line] {
			t.Errorf("not in %s; look at it, then run with -update:\n%s", golden, line)
		}
	}
	t.Errorf("%s is not what is served", golden)
}

// admitted tells whether the route's handler was reached: neither 401 nor 403,
// nor sent to the login.
func admitted(b *browser, route string, header []string) bool {
	method, path, ok := strings.Cut(route, " ")
	if !ok {
		method, path = "GET", route
	}
	path = strings.NewReplacer("{$}", "", "{name}", "x", "{instance}", "db-1", "{id}", "1", "{no}", "PRB-2026-000001", "{schema}", "x.json").Replace(path)
	switch route {
	case "GET /api/v1/facts.csv":
		path += "?from=2026-11-01&to=2026-11-02"
	case "POST /logout": // tried apart: it would end the session of the next rows
		return true
	case "POST /account/sign-out":
		a := b.do(method, path, url.Values{"session": {"none"}}, header...)
		return a.location == "/account" || a.status == 404
	case "/", "/api/", "/prometheus/api/v1/":
		path += "nothing-here"
	}
	var form url.Values
	if method == "POST" && !strings.HasPrefix(path, "/api/") {
		form = url.Values{}
	}
	a := b.do(method, path, form, header...)
	if method == "POST" && path == "/login" {
		return a.status != 403 && a.location == "" // 401 is the answer to a wrong password
	}
	if route == "POST /account/password" {
		return a.status != 403 && a.location == "" && !strings.Contains(a.body, "a token is needed") // 401 is a wrong old password
	}
	return a.status != 401 && a.status != 403 && !strings.HasPrefix(a.location, "/login")
}

// TestPrometheusRoutesAreBehindTheGate: the query API has a mux of its own;
// each of its addresses asks for a login too.
func TestPrometheusRoutesAreBehindTheGate(t *testing.T) {
	g := openGuarded(t, web.LoginAlways)
	b, reader := g.browser(), []string{"Authorization", "Bearer " + g.token(people.Read)}
	for _, path := range []string{"query?query=1", "query_range?query=1&start=0&end=1&step=1", "format_query?query=1", "series?match[]=up", "labels", "label/job/values",
		"metadata", "rules", "alerts", "query_exemplars?query=up&start=0&end=1", "status/buildinfo"} {
		for _, c := range []struct {
			header []string
			want   int
		}{{nil, 401}, {[]string{"Authorization", "Bearer " + g.token(people.Enrol)}, 403}, {reader, 200}} {
			if a := b.get("/prometheus/api/v1/"+path, c.header...); a.status != c.want {
				t.Errorf("%s with %q: status %d, want %d: %s", path, c.header, a.status, c.want, a.body)
			}
		}
	}
}
