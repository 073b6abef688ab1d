package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/web"
	"github.com/plimsoll/plimsoll/internal/need"
)

// screen is one page of a real browser.
type screen struct {
	t   *testing.T
	ctx context.Context
}

func must[T any](s screen, what string, a chromedp.Action[T]) T {
	s.t.Helper()
	v, err := chromedp.Run(s.ctx, a)
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
	return v
}

// until waits for a condition, across a change of page.
func (s screen) until(what, condition string) {
	s.t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if _, err = chromedp.Run(s.ctx, chromedp.Poll[bool](condition, chromedp.WithPollingTimeout(5*time.Second))); err == nil {
			return
		}
	}
	s.t.Fatalf("%s: %v at %s", what, err, must(s, "where", chromedp.Location()))
}

func (s screen) fill(form, name, text string) {
	s.t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if _, err = chromedp.Run(s.ctx, chromedp.SendKeys(form+` [name="`+name+`"]`, text)); err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Could not find node") { // else the page was replaced after the field was found in it
			break
		}
	}
	s.t.Fatalf("fill in %s: %v", name, err)
}

// picture keeps what is seen, where PLIMSOLL_PAGES names a folder.
func (s screen) picture(name string) {
	s.t.Helper()
	if dir := os.Getenv("PLIMSOLL_PAGES"); dir != "" {
		png := must(s, "picture", chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestLoginInABrowser sets up the first administrator, signs out and in again,
// comes by a link of another site, and is shown the login when the session has
// ended under an open page.
func TestLoginInABrowser(t *testing.T) {
	program := need.Program(t, "chromium", "chromium")
	g := openGuarded(t, web.LoginAlways)
	link, _, err := g.door.OfferSetup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<a id="link" href="%s/problems">a notice</a>`, g.server.URL)
	}))
	t.Cleanup(elsewhere.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("ignore-certificate-errors", true), chromedp.WindowSize(1280, 900))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	s := screen{t, ctx}

	must(s, "the login without users", chromedp.Navigate(g.server.URL+"/"))
	s.until("how to make one", `location.pathname == "/login" && document.querySelector("code.copy") != null`)
	s.picture("nobody")
	must(s, "the set-up link", chromedp.Navigate(g.server.URL+"/setup?link="+link))
	s.picture("setup")
	s.fill("#setup", "name", "root")
	s.fill("#setup", "password", good)
	s.fill("#setup", "again", good)
	must(s, "send", chromedp.Click("#setup button"))
	s.until("the overview", `location.pathname == "/" && document.querySelector(".user").textContent == "root"`)
	s.picture("overview")

	must(s, "another site", chromedp.Navigate(elsewhere.URL))
	must(s, "its link", chromedp.Click("#link"))
	s.until("the page behind the link, still signed in", `location.pathname == "/problems" && document.querySelector(".user") != null`)

	must(s, "the account", chromedp.Navigate(g.server.URL+"/account"))
	s.until("the session", `document.querySelectorAll("#sessions tbody tr").length == 1`)
	s.picture("account")
	must(s, "sign out", chromedp.Click("#who button"))
	s.until("signed out", `location.pathname == "/login" && document.querySelector(".good") != null`)
	s.picture("signed-out")

	must(s, "a page while signed out", chromedp.Navigate(g.server.URL+"/hosts"))
	s.fill("#login", "name", "root")
	s.fill("#login", "password", "not the password")
	must(s, "send", chromedp.Click("#login button"))
	s.until("wrong", `document.querySelector(".wrong") != null`)
	s.picture("wrong")
	s.fill("#login", "password", good)
	must(s, "send", chromedp.Click("#login button"))
	s.until("the page asked for first", `location.pathname == "/hosts"`)

	g.seed.Tick(people.Idle)
	s.until("the login when the session ended under an open page", `location.pathname == "/login" && location.search == "?next=%2Fhosts"`)
}
