package web_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/figures/figurestest"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/report"
	"github.com/plimsoll/plimsoll/collector/web"
	"github.com/plimsoll/plimsoll/collector/words"
)

// cheap makes hashing fast; everything else is as it is served.
var cheap = people.Cost{Time: 1, Memory: 64, Threads: 1}

// good is a password that is accepted.
const good = "correct horse battery"

// buffer is a log that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// guarded is the whole people's listener with logins, over real TLS.
type guarded struct {
	t      *testing.T
	seed   *figurestest.Seed
	door   *people.Door
	site   *web.Site
	server *httptest.Server
	log    *buffer
	host   people.Visitor
}

// noAdmission lets nobody in or out: these tests ask who may ask for it.
type noAdmission struct{}

func (noAdmission) NewToken(context.Context, api.TokenWish) (api.Token, error) {
	return api.Token{Token: "plm1"}, nil
}
func (noAdmission) EnrolTokens(context.Context) ([]ledger.TokenState, error) { return nil, nil }
func (noAdmission) RevokeEnrolToken(context.Context, string) error           { return ledger.ErrNotFound }
func (noAdmission) RevokeHost(context.Context, string, string) error         { return ledger.ErrNotFound }
func (noAdmission) Authorities(context.Context) ([]api.Authority, error)     { return nil, nil }
func (noAdmission) RotateCA(context.Context) error                           { return api.ErrConflict }
func (noAdmission) RetireCA(context.Context) error                           { return api.ErrConflict }

func openGuarded(t *testing.T, login web.Login) *guarded {
	t.Helper()
	g := &guarded{t: t, seed: figurestest.Open(t), log: &buffer{}, host: people.Visitor{Kind: people.Host, From: "test"}}
	s := g.seed
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(g.log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	registry := prometheus.NewRegistry()
	logins := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "plimsoll_logins_total"}, []string{"result"})
	registry.MustRegister(logins)
	g.door = people.NewDoor(people.Options{Store: s.Ledger, Now: s.Clock, Log: log, Cost: cheap, Count: func(result string) { logins.WithLabelValues(result).Inc() }})
	programs := api.New(api.Options{Periods: s.Book, Work: s.Work, Corrections: s.Corrections, Words: shelf, Figures: s.Engine, Store: s.Ledger, Facts: noFacts{}, People: g.door, Version: "test", Now: s.Clock, Log: log,
		Admission: noAdmission{}, Senders: s.Ledger, Reload: func(context.Context) (api.Reloaded, error) { return api.Reloaded{Version: 1}, nil },
		NewSender: func(context.Context, api.SenderAsk) (api.SenderToken, error) {
			return api.SenderToken{}, ledger.ErrNotFound
		},
		Report: func(ctx context.Context, w io.Writer, customer, period, lang string, asOf time.Time) error {
			m, err := report.Build(ctx, report.Source{Figures: s.Engine, Records: s.Ledger, Words: shelf, Annotations: s.Corrections}, report.Options{Customer: customer, Period: period, Lang: lang, AsOf: asOf})
			if err != nil {
				return err
			}
			return report.HTML(w, m)
		}})
	fine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine\n") })
	g.site, err = web.New(web.Options{Periods: s.Book, Work: s.Work, Corrections: s.Corrections, Figures: s.Engine, Store: s.Ledger, Samples: s.PromQL, API: programs, Zone: s.Zone, Version: "test", Now: s.Clock, Log: log,
		Door: g.door, Login: login, Secure: true,
		Mount: map[string]http.Handler{"/prometheus/api/v1/": api.Prometheus(s.PromQL, "test"), "GET /metrics": promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
			"GET /-/healthy": fine, "GET /-/ready": fine},
		Next: func(context.Context) []web.Step {
			return []web.Step{{Title: map[string]string{"en": "Break something"}, Action: "stop", Button: map[string]string{"en": "Stop the sample page"}}}
		},
		Actions: map[string]func(context.Context) error{"stop": func(context.Context) error { return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	g.server = httptest.NewTLSServer(g.site)
	t.Cleanup(g.server.Close)
	return g
}

// add makes a user.
func (g *guarded) add(name string, role people.Role) {
	g.t.Helper()
	if err := g.door.AddUser(context.Background(), name, good, role, g.host.By()); err != nil {
		g.t.Fatal(err)
	}
}

// browser is one person's: it keeps cookies and follows nothing by itself.
type browser struct {
	g      *guarded
	client *http.Client
}

func (g *guarded) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	client := *g.server.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{g, &client}
}

type answer struct {
	status   int
	location string
	header   http.Header
	body     string
}

func (b *browser) do(method, path string, form url.Values, header ...string) answer {
	b.g.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, b.g.server.URL+path, body)
	if err != nil {
		b.g.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.g.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.g.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header.Get("Location"), resp.Header, string(text)}
}

func (b *browser) get(path string, header ...string) answer { return b.do("GET", path, nil, header...) }

// login signs in and wants to land where next says.
func (b *browser) login(name, password string) answer {
	b.g.t.Helper()
	return b.do("POST", "/login", url.Values{"name": {name}, "password": {password}})
}

func (b *browser) mustLogin(name string) {
	b.g.t.Helper()
	if a := b.login(name, good); a.status != http.StatusSeeOther {
		b.g.t.Fatalf("login of %s: status %d %s", name, a.status, a.body)
	}
}

// cookie is the value of the session's.
func (b *browser) cookie() string {
	u, _ := url.Parse(b.g.server.URL)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "__Host-plimsoll" {
			return c.Value
		}
	}
	return ""
}

// token makes one as the host's administrator.
func (g *guarded) token(scopes ...people.Scope) string {
	g.t.Helper()
	text, _, err := g.door.NewToken(context.Background(), g.host, "test", scopes, time.Hour)
	if err != nil {
		g.t.Fatal(err)
	}
	return text
}
