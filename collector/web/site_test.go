package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures/figurestest"
	"github.com/plimsoll/plimsoll/collector/report"
	"github.com/plimsoll/plimsoll/collector/web"
	"github.com/plimsoll/plimsoll/collector/words"
)

// noFacts is a store without raw samples of facts.
type noFacts struct{}

func (noFacts) Facts(context.Context, int64, int64, int64, func(availability.Fact) error) error {
	return nil
}

// open serves the whole people's listener over the seed.
func open(t *testing.T) (*figurestest.Seed, *httptest.Server) {
	t.Helper()
	s := figurestest.Open(t)
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	now, log := s.Clock, slog.New(slog.NewTextHandler(t.Output(), nil))
	programs := api.New(api.Options{Periods: s.Book, Work: s.Work, Corrections: s.Corrections, Words: shelf, Figures: s.Engine, Store: s.Ledger, Facts: noFacts{}, Version: "test", Now: now, Log: log,
		Report: func(ctx context.Context, w io.Writer, customer, period, lang string, asOf time.Time) error {
			m, err := report.Build(ctx, report.Source{Figures: s.Engine, Records: s.Ledger, Words: shelf, Annotations: s.Corrections}, report.Options{Customer: customer, Period: period, Lang: lang, AsOf: asOf})
			if err != nil {
				return err
			}
			return report.HTML(w, m)
		}})
	site, err := web.New(web.Options{Periods: s.Book, Work: s.Work, Corrections: s.Corrections, Figures: s.Engine, Store: s.Ledger, Samples: s.PromQL, API: programs, Zone: s.Zone, Version: "test", Now: now, Log: log,
		Mount: map[string]http.Handler{"/prometheus/api/v1/": api.Prometheus(s.PromQL, "test")},
		Next: func(context.Context) []web.Step {
			return []web.Step{{Title: map[string]string{"en": "Break something", "zh-CN": "试着让它中断"}, Text: map[string]string{"en": "The sample page is up. Stop it: within 15 seconds you see an outage being born."},
				Action: "stop", Button: map[string]string{"en": "Stop the sample page"}},
				{Title: map[string]string{"en": "Add a server"}, Text: map[string]string{"en": "Make a one-time token; it prints the line to run there."}, Command: "plimsoll-collector enrol create"}}
		},
		Actions: map[string]func(context.Context) error{"stop": func(context.Context) error { return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	return s, server
}

func get(t *testing.T, url string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// pages are all there are, on the seed's data.
func pages() []string {
	return []string{"/", "/services/shop", "/services/office", "/services/lab", "/services/portal?explain", "/hosts", "/exceptions", "/hosts/db-1", "/hosts/web-1?range=6h", "/outages/1", "/outages/2", "/outages/4",
		"/problems", "/problems/PRB-2026-000001", "/reports", "/services/shop?period=2026-10", "/services/shop/explain?row=3", "/services/office/explain?period=2026-11&row=1", "/suppliers", "/suppliers/NetCo?period=2026-11", "/periods", "/?as_of=2026-11-18T02:03:00Z"}
}

// TestEveryPage: 200 in both languages, no text without words, no inline
// style or script, every link and form of the site leads somewhere.
func TestEveryPage(t *testing.T) {
	_, server := open(t)
	dump := os.Getenv("PLIMSOLL_PAGES") // a folder to look at the pages in
	seen := map[string]bool{}
	for _, lang := range words.Languages() {
		for _, page := range pages() {
			status, header, body := get(t, server.URL+page, "Accept-Language", lang)
			if status != http.StatusOK {
				t.Errorf("%s in %s: status %d\n%s", page, lang, status, body)
				continue
			}
			for _, bad := range []string{"⟨", "%!", " style=", "<style", "onclick", "NaN", "ZgotmplZ"} {
				if i := strings.Index(body, bad); i >= 0 {
					t.Errorf("%s in %s contains %q: …%s…", page, lang, bad, body[max(0, i-80):min(len(body), i+80)])
				}
			}
			if !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("%s: no content security policy", page)
			}
			if dump != "" {
				name := strings.NewReplacer("/", "_", "?", "_", "=", "_", ":", "_").Replace(lang + page)
				if err := os.WriteFile(filepath.Join(dump, name+".html"), []byte(body), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, part := range strings.Split(body, ` href="`)[1:] {
				link := strings.ReplaceAll(part[:strings.IndexByte(part, '"')], "&amp;", "&")
				if seen[link] || strings.HasPrefix(link, "#") {
					continue
				}
				seen[link] = true
				if status, _, body := get(t, server.URL+link); status != http.StatusOK {
					t.Errorf("%s links to %s: status %d %s", page, link, status, body)
				}
			}
		}
	}
}

// TestShortNumber: /problems/1 is the first problem of this year.
func TestShortNumber(t *testing.T) {
	_, server := open(t)
	for path, want := range map[string]int{"/problems/1": http.StatusOK, "/problems/PRB-2026-000001": http.StatusOK, "/problems/2": http.StatusNotFound, "/problems/x": http.StatusNotFound} {
		status, _, body := get(t, server.URL+path)
		if status != want || want == http.StatusOK && !strings.Contains(body, "<h1>PRB-2026-000001</h1>") {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
}
