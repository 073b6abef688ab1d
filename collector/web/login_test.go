package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/web"
)

// TestALogin is one day of one session: each row says what happens next and
// whether the person is still in.
func TestALogin(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	g.add("li", people.Operator)
	b := g.browser()
	if a := b.get("/hosts?x=1"); a.status != 303 || a.location != "/login?next=%2Fhosts%3Fx%3D1" {
		t.Fatalf("a stranger: got %d %q, want the login that leads back", a.status, a.location)
	}
	a := b.do("POST", "/login", url.Values{"name": {"Li "}, "password": {good}, "next": {"/hosts?x=1"}})
	if a.status != 303 || a.location != "/hosts?x=1" {
		t.Fatalf("login: got %d %q %s", a.status, a.location, a.body)
	}
	cookie := a.header.Get("Set-Cookie")
	for _, want := range []string{"__Host-plimsoll=", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	for _, row := range []struct {
		after time.Duration
		live  bool // asked by an open page, not by the person
		in    bool
		what  string
	}{
		{0, false, true, "at once"},
		{29 * time.Minute, false, true, "before it is idle"},
		{29 * time.Minute, true, true, "an open page asks; that does not count"},
		{59 * time.Second, false, true, "29:59 after the person's last request"},
		{30 * time.Minute, false, false, "idle for 30 minutes"},
	} {
		g.seed.Tick(row.after)
		var header []string
		if row.live {
			header = []string{"Plimsoll-Live", "1"}
		}
		if a := b.get("/account", header...); (a.status == 200) != row.in {
			t.Errorf("%s: status %d, want in: %v", row.what, a.status, row.in)
		}
	}
	b.mustLogin("li")
	for range 36 { // every 20 minutes for 12 hours
		if a := b.get("/account"); a.status != 200 {
			t.Fatalf("busy session: status %d", a.status)
		}
		g.seed.Tick(20 * time.Minute)
	}
	if a := b.get("/account"); a.status != 303 {
		t.Errorf("12 hours after the login: status %d, want the login", a.status)
	}
}

// TestSessionsEnd: rotation at login, logout, sign out everywhere, a new
// password, another role, disabled. What was a session before is none after.
func TestSessionsEnd(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	g.add("root", people.Admin)
	disabled, viewer := true, people.Viewer
	for _, c := range []struct {
		what  string
		end   func(b *browser)
		other bool // the other browser's session lives on
	}{
		{"another login in the same browser", func(b *browser) { b.mustLogin("u1") }, true},
		{"logout", func(b *browser) { b.do("POST", "/logout", url.Values{}) }, true},
		{"sign out everywhere", func(b *browser) { b.do("POST", "/account/sign-out", url.Values{}) }, false},
		{"a new password of one's own", func(b *browser) {
			if a := b.do("POST", "/account/password", url.Values{"old": {good}, "password": {good + "!"}, "again": {good + "!"}}); a.location != "/account?changed" {
				t.Errorf("new password: %d %s", a.status, a.body)
			}
			if a := b.get("/account"); a.status != 200 {
				t.Errorf("after a new password the person is out: %d", a.status)
			}
		}, false},
		{"another role", func(*browser) {
			if err := g.door.ChangeUser(context.Background(), "u5", nil, people.Change{Role: &viewer}, g.host.By()); err != nil {
				t.Error(err)
			}
		}, false},
		{"disabled", func(*browser) {
			if err := g.door.ChangeUser(context.Background(), "u6", nil, people.Change{Disabled: &disabled}, g.host.By()); err != nil {
				t.Error(err)
			}
		}, false},
	} {
		name := "u" + string(rune('1'+len(g.users())-1))
		g.add(name, people.Operator)
		here, there := g.browser(), g.browser()
		here.mustLogin(name)
		there.mustLogin(name)
		old := here.cookie()
		c.end(here)
		if a := g.browser().get("/account", "Cookie", "__Host-plimsoll="+old); a.status != 303 {
			t.Errorf("%s: the old cookie still serves: %d", c.what, a.status)
		}
		if a := there.get("/account"); (a.status == 200) != c.other {
			t.Errorf("%s: the other browser gets %d, want in: %v", c.what, a.status, c.other)
		}
	}
	if a := g.browser().login("u6", good); a.status != 401 {
		t.Errorf("a disabled user: %d, want 401", a.status)
	}
}

func (g *guarded) users() []people.User {
	all, err := g.door.Users(context.Background())
	if err != nil {
		g.t.Fatal(err)
	}
	return all
}

// TestGuessing: what a guesser gets, by the injected clock.
func TestGuessing(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	g.add("li", people.Viewer)
	b := g.browser()
	for i := range 10 {
		if a := b.login("li", "wrong wrong wrong"); a.status != 401 || !strings.Contains(a.body, "Name or password is wrong") {
			t.Fatalf("guess %d: %d", i, a.status)
		}
		g.seed.Tick(time.Second)
	}
	a := b.login("li", good)
	if a.status != 429 || a.header.Get("Retry-After") != "890" {
		t.Errorf("the 11th, with the right password: %d, Retry-After %q, want 429 and 890 s", a.status, a.header.Get("Retry-After"))
	}
	if other := b.login("nobody-of-that-name", "wrong wrong wrong"); other.status != 401 || strings.Count(other.body, "Name or password is wrong") != 1 {
		t.Errorf("an unknown name is told apart: %d", other.status)
	}
	g.seed.Tick(890 * time.Second)
	b.mustLogin("li")
	metrics := b.get("/metrics", "Authorization", "Bearer "+g.token(people.Read)).body
	for _, want := range []string{`plimsoll_logins_total{result="wrong"} 11`, `plimsoll_logins_total{result="limited_user"} 1`, `plimsoll_logins_total{result="ok"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s:\n%s", want, metrics)
		}
	}
}

// TestOtherSites: forms and links of other sites.
func TestOtherSites(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	g.add("li", people.Operator)
	b := g.browser()
	b.mustLogin("li")
	for _, path := range []string{"/login", "/logout", "/setup", "/account/password", "/account/sign-out", "/actions/stop"} {
		if a := b.do("POST", path, url.Values{}, "Sec-Fetch-Site", "cross-site"); a.status != 403 {
			t.Errorf("POST %s from another site: %d, want 403", path, a.status)
		}
		if a := b.do("POST", path, url.Values{}, "Sec-Fetch-Site", "", "Origin", "https://evil.example"); a.status != 403 {
			t.Errorf("POST %s with a foreign origin: %d, want 403", path, a.status)
		}
	}
	a := g.browser().get("/outages/1?a=1&b=2", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")
	if a.status != 200 || !strings.Contains(a.body, `content="0; url=/outages/1?a=1&amp;b=2"`) {
		t.Errorf("a link in a mail: got %d %s, want to be asked again from this site", a.status, a.body)
	}
	for _, c := range []struct{ next, want string }{
		{"/hosts", "/hosts"}, {"", "/"}, {"//evil.example", "/"}, {"https://evil.example", "/"}, {`/\evil.example`, "/"}, {"/login?next=/x", "/"}, {"/a\r\nSet-Cookie: x", "/"}, {"javascript:alert(1)", "/"},
	} {
		if a := g.browser().do("POST", "/login", url.Values{"name": {"li"}, "password": {good}, "next": {c.next}}); a.location != c.want {
			t.Errorf("next %q: led to %q, want %q", c.next, a.location, c.want)
		}
	}
}

// TestSetup: one link, one administrator.
func TestSetup(t *testing.T) {
	g := openGuarded(t, web.LoginAlways)
	offer := func() string {
		secret, _, err := g.door.OfferSetup(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	send := func(link, name, password, again string) answer {
		return g.browser().do("POST", "/setup", url.Values{"link": {link}, "name": {name}, "password": {password}, "again": {again}})
	}
	first := offer()
	second := offer()
	if a := g.browser().get("/login"); !strings.Contains(a.body, "Nobody can sign in yet") {
		t.Errorf("the login without users says nothing of it: %s", a.body)
	}
	for _, c := range []struct {
		what                        string
		link, name, password, again string
		wait                        time.Duration
		status                      int
		says                        string
	}{
		{"a link that another replaced", first, "root", good, good, 0, 410, "used already"},
		{"no link", "", "root", good, good, 0, 410, "used already"},
		{"a bad name and a weak password, both told", second, "a b", "short", "short", 0, 422, "too few different"},
		{"two passwords", second, "root", good, good + "x", 0, 422, "differ"},
		{"the password is the name", second, "correct", good, good, 0, 422, "contains the user name"},
		{"an hour later", second, "root", good, good, time.Hour, 410, "used already"},
	} {
		g.seed.Tick(c.wait)
		if a := send(c.link, c.name, c.password, c.again); a.status != c.status || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: %d, want %d saying %q:\n%s", c.what, a.status, c.status, c.says, a.body)
		}
	}
	third := offer()
	if a := g.browser().get("/setup?link=" + third); a.status != 200 || !strings.Contains(a.body, "works once") {
		t.Errorf("the link's page: %d %s", a.status, a.body)
	}
	b := g.browser()
	if a := b.do("POST", "/setup", url.Values{"link": {third}, "name": {"root"}, "password": {good}, "again": {good}}); a.status != 303 || a.location != "/" {
		t.Fatalf("set-up: %d %s", a.status, a.body)
	}
	if a := b.get("/"); a.status != 200 || !strings.Contains(a.body, "signed in as root (administrator)") {
		t.Errorf("after set-up: %d", a.status)
	}
	if a := send(third, "eve", good, good); a.status != 410 {
		t.Errorf("the link served twice: %d", a.status)
	}
	if a := send(offer(), "eve", good, good); a.status != 410 {
		t.Errorf("a link serves though there is a user: %d", a.status)
	}
}

// TestTokens: what a bearer gets, and what a broken one must not.
func TestTokens(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	g.add("root", people.Admin)
	g.add("op", people.Operator)
	op := people.Visitor{Kind: people.Person, Name: "op", Role: people.Operator}
	ctx := context.Background()
	if _, _, err := g.door.NewToken(ctx, op, "too much", []people.Scope{people.Manage}, time.Hour); err == nil {
		t.Error("an operator made an admin token")
	}
	text, token, err := g.door.NewToken(ctx, op, "grafana", []people.Scope{people.Read, people.Enrol}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	status := func(header string) int { return g.browser().get("/api/v1/hosts", "Authorization", header).status }
	enrol := func() int {
		return g.browser().do("POST", "/api/v1/enrol-tokens", nil, "Authorization", "Bearer "+text, "Content-Type", "application/json").status
	}
	for _, c := range []struct {
		what, header string
		want         int
	}{
		{"as made", "Bearer " + text, 200}, {"another case", "bearer " + text, 200}, {"cut", "Bearer " + text[:len(text)-1], 401}, {"longer", "Bearer " + text + "A", 401},
		{"nothing", "Bearer ", 401}, {"Basic", "Basic cm9vdDpyb290", 401}, {"another's secret", "Bearer " + token.ID + g.token(people.Read)[21:], 401},
	} {
		if got := status(c.header); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
	if a := g.browser().get("/-/healthy", "Authorization", "Bearer nonsense"); a.status != 200 {
		t.Errorf("health with a wrong token: %d, want 200: it is open to everybody", a.status)
	}
	viewer, disabled := people.Viewer, true
	if err := g.door.ChangeUser(ctx, "op", nil, people.Change{Role: &viewer}, g.host.By()); err != nil {
		t.Fatal(err)
	}
	if got := [2]int{status("Bearer " + text), enrol()}; got != [2]int{200, 403} {
		t.Errorf("its maker became a viewer: read, enrol get %v, want 200, 403", got)
	}
	if err := g.door.ChangeUser(ctx, "op", nil, people.Change{Disabled: &disabled}, g.host.By()); err != nil {
		t.Fatal(err)
	}
	if got := status("Bearer " + text); got != 401 {
		t.Errorf("its maker was disabled: %d, want 401", got)
	}
	own := g.token(people.Read)
	if got := status("Bearer " + own); got != 200 {
		t.Errorf("the host's: %d", got)
	}
	g.seed.Tick(time.Hour)
	if got := status("Bearer " + own); got != 401 {
		t.Errorf("expired: %d, want 401", got)
	}
	fresh, made, err := g.door.NewToken(ctx, g.host, "x", []people.Scope{people.Read}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.door.RevokeToken(ctx, made.ID, g.host.By()); err != nil {
		t.Fatal(err)
	}
	if got := status("Bearer " + fresh); got != 401 {
		t.Errorf("revoked: %d, want 401", got)
	}
}

// TestNoSecretLeaves plants secrets everywhere and looks for them in the log,
// the metrics, every answer of the API, the pages and the audit chain.
func TestNoSecretLeaves(t *testing.T) {
	g := openGuarded(t, web.LoginWithUsers)
	ctx := context.Background()
	setup, _, err := g.door.OfferSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	const password, next, mistyped, inName = "canary-setup-password", "canary-second-password", "canary-mistyped-password", "canary-password-in-the-name-field"
	b := g.browser()
	b.do("POST", "/setup", url.Values{"link": {setup}, "name": {"root"}, "password": {password}, "again": {password}})
	first := b.cookie()
	g.browser().login("root", mistyped)
	g.browser().login(inName, password)
	for range 12 {
		g.browser().login(inName, password)
	}
	b.do("POST", "/account/password", url.Values{"old": {password}, "password": {next}, "again": {next}})
	second := b.cookie()
	token := g.token(people.Read, people.Manage)
	bearer := []string{"Authorization", "Bearer " + token}
	g.browser().get("/api/v1/hosts", "Authorization", "Bearer "+token+"x")
	secrets := []string{setup, password, next, mistyped, inName, first, second, strings.Split(token, ".")[2], "$argon2id$"}
	texts := map[string]string{"the log": g.log.String()}
	for _, path := range []string{"/metrics", "/api/v1/users", "/api/v1/tokens", "/api/v1/audit/verify", "/api/v1/hosts", "/api/v1/openapi.json"} {
		a := b.get(path, bearer...)
		if a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		texts[path] = a.body
	}
	for _, path := range append(pages(), "/account", "/login") {
		texts[path] = b.get(path).body
	}
	entries, err := g.seed.Ledger.Entries(ctx, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, e := range entries {
		told[e.Action]++
		texts["the audit chain"] += e.Actor + " " + e.Action + " " + e.Subject + " " + e.Detail + "\n"
	}
	for where, text := range texts {
		for _, secret := range secrets {
			if secret == "" || strings.Contains(text, secret) {
				t.Errorf("%q is in %s", secret, where)
			}
		}
	}
	for action, want := range map[string]int{"setup.offered": 1, "setup.used": 1, "user.added": 1, "login": 2, "login.failed": 11, "login.limited": 1, "user.password": 1, "api_token.created": 1} {
		if told[action] != want {
			t.Errorf("audit: %s %d times, want %d", action, told[action], want)
		}
	}
	if v, err := g.seed.Ledger.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit chain: %v %v", v.Faults, err)
	}
}
