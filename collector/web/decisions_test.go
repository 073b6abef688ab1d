package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/web"
)

// outageOf is the number of the outage of a component that began at that instant.
func (g *guarded) outageOf(component string, from int64) string {
	g.t.Helper()
	all, err := g.seed.Ledger.Outages(context.Background(), ledger.OutageFilter{Components: []string{component}})
	if err != nil {
		g.t.Fatal(err)
	}
	for _, o := range all {
		if o.From == from {
			return "/outages/" + jsonNumber(o.ID)
		}
	}
	g.t.Fatalf("no outage of %s began then", component)
	return ""
}

func jsonNumber(n int64) string {
	text, _ := json.Marshal(n)
	return string(text)
}

// follow reads the address of a link or form on a page.
func follow(t *testing.T, body, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("the page has nothing like %s", pattern)
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

// fields are the values of a form's inputs, as a browser that changes none sends them.
func fields(body string) url.Values {
	out := url.Values{}
	for _, m := range regexp.MustCompile(`<input[^>]* name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		out.Add(m[1], strings.NewReplacer("&amp;", "&", "&#34;", `"`, "&#43;", "+").Replace(m[2]))
	}
	for _, m := range regexp.MustCompile(`<select name="([a-z]+)"[^>]*>(.*?)</select>`).FindAllStringSubmatch(body, -1) {
		for _, o := range regexp.MustCompile(`<option(?: value="([^"]*)")? selected>([^<]*)`).FindAllStringSubmatch(m[2], -1) {
			value := o[1]
			if value == "" {
				value = o[2]
			}
			out.Add(m[1], value)
		}
	}
	return out
}

// TestPlannedAndForgotten: three clicks from the outage, another person
// approves, one alone does not; both figures stay.
func TestPlannedAndForgotten(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	for name, role := range map[string]people.Role{"li": people.Operator, "wang": people.Approver, "zhao": people.Approver} {
		g.add(name, role)
	}
	li, wang, zhao := g.browser(), g.browser(), g.browser()
	li.mustLogin("li")
	wang.mustLogin("wang")
	zhao.mustLogin("zhao")
	availabilityOf := func() float64 {
		all, err := g.seed.Engine.Period(context.Background(), "2026-11-01", "2026-12-01", g.seed.Clock())
		if err != nil {
			t.Fatal(err)
		}
		return *all[0].Availability
	}
	before := availabilityOf()

	for _, asker := range []struct {
		name    string
		browser *browser
		alone   string // what one who asked is told when deciding too; empty: the role is refused
	}{{"li", li, ""}, {"wang", wang, "another person with the role approver is missing"}} {
		page := asker.browser.get(g.outageOf("shop-page", g.seed.At(12, 3, 12, 15)))
		form := asker.browser.get(follow(t, page.body, `<a class="button" href="([^"]*why=planned)"`)) // click 1
		if !strings.Contains(form.body, "99.8") || !strings.Contains(form.body, "→") && !strings.Contains(form.body, "Availability before") {
			t.Errorf("%s: the form does not show the figures before and after:\n%s", asker.name, form.body)
		}
		sent := asker.browser.do("POST", "/corrections", fields(form.body)) // click 2
		if sent.status != http.StatusSeeOther {
			t.Fatalf("%s: status %d\n%s", asker.name, sent.status, sent.body)
		}
		alone := asker.browser.do("POST", sent.location+"/decide", url.Values{"decision": {"approve"}})
		if want := asker.alone; want == "" && alone.status != http.StatusForbidden || want != "" && (alone.status != http.StatusUnprocessableEntity || !strings.Contains(alone.body, want)) {
			t.Errorf("%s alone: status %d, want it refused with what is missing (%q):\n%s", asker.name, alone.status, want, alone.body)
		}
		if got := availabilityOf(); got != before {
			t.Errorf("%s: a request alone changed the figure from %v to %v", asker.name, before, got)
		}
	}
	if a := zhao.do("POST", "/corrections/ADJ-2026-0001/decide", url.Values{"decision": {"approve"}, "comment": {"seen the ticket"}}); a.status != http.StatusSeeOther {
		t.Fatalf("approval: status %d\n%s", a.status, a.body)
	}
	if a := zhao.do("POST", "/corrections/ADJ-2026-0001/decide", url.Values{"decision": {"refuse"}}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "decided already") {
		t.Errorf("decided twice: status %d", a.status)
	}
	after := availabilityOf()
	if after <= before {
		t.Errorf("availability: %v before, %v after the approval", before, after)
	}
	g.seed.Tick(time.Hour)
	past, err := g.seed.Engine.Period(context.Background(), "2026-11-01", "2026-12-01", g.seed.Now.Add(-time.Second))
	if err != nil || *past[0].Availability == after {
		t.Errorf("as known before the approval: %v %v, want the figure of then", *past[0].Availability, err)
	}
	li.mustLogin("li") // an hour later the session has ended
	for _, lang := range []string{"en", "zh"} {
		for _, path := range []string{"/corrections", "/corrections/new", "/corrections/ADJ-2026-0001", "/corrections/ADJ-2026-0002", g.outageOf("shop-page", g.seed.At(12, 3, 12, 15))} {
			if a := li.get(path + "?lang=" + lang); a.status != 200 || strings.Contains(a.body, "⟨") {
				t.Errorf("%s in %s: status %d, a text is missing:\n%s", path, lang, a.status, a.body)
			}
		}
	}
	if v, err := g.seed.Ledger.Verify(context.Background()); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit chain: %v %v", v.Faults, err)
	}
}

// TestPlanWork: what a plan will become is said before it is saved, and the
// export has what was approved.
func TestPlanWork(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	g.add("li", people.Operator)
	g.add("wang", people.Approver)
	li, wang := g.browser(), g.browser()
	li.mustLogin("li")
	wang.mustLogin("wang")
	for _, c := range []struct {
		name, service, from, to string
		more                    url.Values
		want                    []string
	}{
		{"in time, 7 h of 8 h are left", "office", "2026-11-27T09:00", "2026-11-27T12:00", nil, []string{"All of it will count as planned", "7 h of 8 h left in that month", "To be approved by 2026-11-26 09:00:00"}},
		{"too late", "office", "2026-11-25T14:00", "2026-11-25T15:00", nil, []string{"1 d notice agreed, 2 h given", "too late", "marked emergency"}},
		{"beyond the cap", "office", "2026-11-27T09:00", "2026-11-27T18:00", nil, []string{"Only 7 h of 9 h"}},
		{"outside agreed time", "office", "2026-11-28T09:00", "2026-11-28T12:00", nil, []string{"outside agreed time"}},
		{"no agreement", "lab", "2026-11-28T09:00", "2026-11-28T12:00", nil, []string{"names a service with an agreement"}},
		{"ends before it begins", "shop", "2026-11-28T09:00", "2026-11-28T08:00", nil, []string{"ends before it begins"}},
		{"a rule without an end", "shop", "2026-11-28T09:00", "2026-11-28T10:00", url.Values{"repeat": {"week"}}, []string{"needs an end"}},
		{"every fourth Saturday", "shop", "2026-11-28T09:00", "2026-11-28T10:00", url.Values{"repeat": {"month_day"}, "until": {"2027-03-31"}}, []string{"5 window(s)"}},
	} {
		q := url.Values{"check": {"1"}, "title": {"patching"}, "service": {c.service}, "from": {c.from}, "to": {c.to}, "zone": {"Asia/Shanghai"}}
		for k, v := range c.more {
			q[k] = v
		}
		a := li.get("/maintenance/new?" + q.Encode())
		for _, want := range c.want {
			if a.status != 200 || !strings.Contains(strings.ReplaceAll(a.body, "\u00a0", " "), want) {
				t.Errorf("%s: status %d, no %q in\n%s", c.name, a.status, want, a.body)
			}
		}
	}
	q := url.Values{"title": {"patching"}, "service": {"office"}, "from": {"2026-11-27T09:00"}, "to": {"2026-11-27T12:00"}, "zone": {"Asia/Shanghai"}}
	sent := li.do("POST", "/maintenance", q)
	if sent.location != "/maintenance/CHG-2026-0001" {
		t.Fatalf("plan: status %d to %q\n%s", sent.status, sent.location, sent.body)
	}
	if a := wang.do("POST", sent.location+"/decide", url.Values{"decision": {"approve"}}); a.status != http.StatusSeeOther {
		t.Fatalf("approval: status %d\n%s", a.status, a.body)
	}
	g.seed.Tick(2 * time.Second) // the snapshot of a second ago is shared
	same(t, g)
	g.seed.Tick(49 * time.Hour) // 27 November, 13:00: cancelling cannot undo what has passed
	li.mustLogin("li")
	wang.mustLogin("wang")
	if a := li.do("POST", sent.location+"/cancel", url.Values{}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "have passed") {
		t.Errorf("cancelled after the end: status %d", a.status)
	}
	for _, lang := range []string{"en", "zh"} {
		for _, path := range []string{"/maintenance", sent.location, "/maintenance/new?" + q.Encode() + "&check=1"} {
			if a := wang.get(path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "lang=" + lang); a.status != 200 || strings.Contains(a.body, "⟨") {
				t.Errorf("%s in %s: status %d, a text is missing:\n%s", path, lang, a.status, a.body)
			}
		}
	}
	if a := wang.get("/api/v1/maintenance.ics?customer=bolt"); strings.Contains(a.body, "VEVENT") {
		t.Errorf("bolt's calendar shows work on acme's service:\n%s", a.body)
	}
	if a := wang.get("/api/v1/maintenance.ics?customer=acme"); !strings.Contains(a.body, "DTSTART:20261127T010000Z") {
		t.Errorf("acme's calendar lacks the window:\n%s", a.body)
	}
}

// same wants the figures of the engine from the exported catalogue alone.
func same(t *testing.T, g *guarded) {
	t.Helper()
	ctx, now := context.Background(), g.seed.Clock()
	b := g.browser()
	b.mustLogin("wang")
	text := b.get("/api/v1/catalogue").body
	parsed, faults := catalogue.Parse("exported.yaml", []byte(text))
	if len(faults) > 0 {
		t.Fatalf("the exported catalogue: %v\n%s", faults, text)
	}
	streaks, err := g.seed.Engine.Streaks(ctx, nil, 0, now.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	from, _ := availability.ParseBound("2026-11-01")
	to, _ := availability.ParseBound("2026-12-01")
	got, err := availability.Evaluate(availability.Input{Catalogue: parsed.Availability, Streaks: streaks, From: from, To: to, AsOf: now.UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	want, err := g.seed.Engine.Period(ctx, "2026-11-01", "2026-12-01", now)
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := json.Marshal(got)
	theirs, _ := json.Marshal(want)
	if diff := cmp.Diff(string(theirs), string(mine)); diff != "" {
		t.Errorf("figures from the export (-engine +export)\n%s", diff)
	}
	if !strings.Contains(text, "CHG-2026-0001") {
		t.Errorf("the export lacks the change:\n%s", text)
	}
}

// TestAnnotations: each version stays, and the newest is in the report.
func TestAnnotations(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	g.add("li", people.Operator)
	li := g.browser()
	li.mustLogin("li")
	page := g.outageOf("shop-page", g.seed.At(12, 3, 12, 15))
	for _, c := range []struct {
		form url.Values
		want int
	}{
		{url.Values{}, http.StatusUnprocessableEntity},
		{url.Values{"cause": {"disk"}, "category": {"gremlins"}}, http.StatusUnprocessableEntity},
		{url.Values{"cause": {"disk controller"}, "category": {"hardware"}}, http.StatusSeeOther},
		{url.Values{"cause": {"disk controller"}, "category": {"hardware"}}, http.StatusUnprocessableEntity}, // the same again
		{url.Values{"cause": {"firmware of the controller"}, "category": {"supplier"}, "supplier": {"Bright & Co"}, "incident": {"INC-77"}}, http.StatusSeeOther},
	} {
		if a := li.do("POST", page+"/annotations", c.form); a.status != c.want {
			t.Errorf("%v: status %d, want %d\n%s", c.form, a.status, c.want, a.body)
		}
	}
	body := li.get(page).body
	for _, want := range []string{"firmware of the controller", "Bright &amp; Co", "INC-77", "<s>Cause: disk controller"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if body := li.get("/api/v1/report?customer=acme&period=2026-11").body; !strings.Contains(body, "supplier · firmware of the controller") {
		t.Error("the report's outages lack the cause")
	}
}
