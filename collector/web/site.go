package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/api"
	"github.com/plimsoll/plimsoll/collector/damage"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/internal/settings"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

// Options are what the pages are made of.
type Options struct {
	Figures Figures
	Store   Store
	Samples Samples
	API     *api.API       // nil: only the pages
	Zone    *time.Location // of times that belong to no agreement; default: this machine's
	Version string
	Now     func() time.Time
	Log     *slog.Logger

	// Program is how a person calls the collector's program in a shell; plimsoll-collector where empty.
	Program string
	// Asked are the flags with which its commands reach this collector; nil: none are needed.
	Asked func() string

	// Periods closes and restates months; nil: none is ever closed.
	Periods Periods
	// Progress tells how far the series have caught up with the journal; nil: always ready.
	Progress func() (share float64, ready bool)
	// Damage gives what was lost of [from, to) and known at asOf, Unix ms; nil: nothing ever is.
	Damage func(from, to, asOf int64) []damage.Range
	// Ledger gives the pages of the ledger found damaged, and what a damaged
	// write-ahead log left out; nil: it is never damaged.
	Ledger func() (pages int, lost ledger.LostEnd)
	// CatalogueFaults are those for which the newest catalogue is not in force; nil: it is.
	CatalogueFaults func() settings.Faults
	// Next are the steps the overview offers; nil: none.
	Next func(ctx context.Context) []Step
	// Actions are what buttons of steps do, by name.
	Actions map[string]func(ctx context.Context) error
	// Mount adds handlers that are neither pages nor API: PromQL, metrics, health.
	Mount map[string]http.Handler

	// Work is planned and approved, Corrections are asked for and decided; nil: there are no such pages.
	Work        api.Work
	Corrections api.Corrections
	// Values are entered for indicators that no machine measures; nil: none are.
	Values api.Values

	// Door lets people and programs in; nil: everybody on this host is let in.
	Door Door
	// Login is when a person has to log in.
	Login Login
	// Secure tells that the pages are served over TLS.
	Secure bool
	// Demonstration tells on each page that what it shows is simulated.
	Demonstration bool
	// Refused counts a request that was refused, by why: login, token, role; nil: not counted.
	Refused func(why string)
}

// Step is one entry of the overview's "next" box. Texts are by language ("en", "zh-CN").
type Step struct {
	Title, Text map[string]string
	Command     string            // a line to copy; may be empty
	Action      string            // a name in Options.Actions; may be empty
	Button      map[string]string // the button's text
	Link        string            // may be empty
	LinkText    map[string]string
}

// Site is the handler of the people's listener.
type Site struct {
	Options
	books  words.Shelf
	pages  map[string]map[string]*template.Template // by language, by page
	gate   *gate
	access people.Table
}

// New parses every template in every language, so that a fault shows at the start.
func New(o Options) (*Site, error) {
	books, err := words.Read()
	if err != nil {
		return nil, err
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Program == "" {
		o.Program = "plimsoll-collector"
	}
	s := &Site{Options: o, books: books, pages: map[string]map[string]*template.Template{}, access: people.Access()}
	s.gate = &gate{site: s, mux: http.NewServeMux()}
	for lang, book := range books {
		if s.pages[lang], err = parsePages(book); err != nil {
			return nil, fmt.Errorf("parse the pages in %s: %w", lang, err)
		}
	}
	assets, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	s.routes(http.FileServerFS(assets))
	if missing := s.unlisted(); len(missing) > 0 {
		return nil, fmt.Errorf("nobody is told who may use %s: add a row for each to the access table in collector/people", strings.Join(missing, ", "))
	}
	return s, nil
}

func parsePages(book *words.Book) (map[string]*template.Template, error) {
	base, err := template.New("base.html").Funcs(template.FuncMap{"t": book.T}).ParseFS(templates, "templates/base.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		if name == "templates/base.html" || name == "templates/parts.html" {
			continue
		}
		page, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if page, err = page.ParseFS(templates, name); err != nil {
			return nil, err
		}
		pages[name[len("templates/"):len(name)-len(".html")]] = page
	}
	return pages, nil
}

// ServeHTTP answers one request of a person or a program. Forms from other
// sites are refused, and without logins so are names that a stranger could
// make point here (gate.go); pages may load nothing from elsewhere.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	http.NewCrossOriginProtection().Handler(s.gate).ServeHTTP(w, r)
}

// ownName tells whether host (with or without a port) is an address or localhost.
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// visit is one request for a page.
type visit struct {
	*http.Request
	*words.Book
	AsOf     time.Time
	Explicit bool // the reader asked for AsOf
	Zone     *time.Location
	Params   url.Values
	Visitor  people.Visitor
	Wrong    string // what a form that is shown again says
}

// at appends the instant asked for to a link within the site.
func (v *visit) at(link string) string {
	if !v.Explicit {
		return link
	}
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	q := u.Query()
	q.Set("as_of", v.Params.Get("as_of"))
	u.RawQuery = q.Encode()
	return u.String()
}

// fault is an error with the status and the sentence a reader gets.
type fault struct {
	status int
	key    string // of the sentence
	detail string
}

func (f *fault) Error() string { return fmt.Sprintf("%s: %s", f.key, f.detail) }

func notFound(what string) error { return &fault{http.StatusNotFound, "error.missing", what} }
func badInput(what string) error { return &fault{http.StatusBadRequest, "error.input", what} }

// page makes a handler of a function that fills a view.
func (s *Site) page(name, nav string, fill func(context.Context, *visit) (title string, view any, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := name // an error shows another page, once
		v, err := s.visit(w, r)
		var title string
		var view any
		if err == nil {
			title, view, err = fill(r.Context(), v)
		}
		status := http.StatusOK
		if err != nil {
			name, title, view, status = s.explain(v, err)
		}
		s.render(w, v, name, nav, title, view, status)
	}
}

// render writes one page.
func (s *Site) render(w http.ResponseWriter, v *visit, name, nav, title string, view any, status int) {
	var b bytes.Buffer
	data := map[string]any{"Frame": s.frame(v, name, nav, title), "View": view}
	if err := s.pages[v.Lang][name].ExecuteTemplate(&b, "base.html", data); err != nil {
		s.Log.Error("render a page", "page", name, "err", err)
		http.Error(w, "this page cannot be shown; the log of the collector says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the reader may have gone
}

// fail shows the page of an error.
func (s *Site) fail(w http.ResponseWriter, v *visit, err error) {
	name, title, view, status := s.explain(v, err)
	s.render(w, v, name, "", title, view, status)
}

const langCookie = "plimsoll_lang"

// visit reads what each page takes: language and instant.
func (s *Site) visit(w http.ResponseWriter, r *http.Request) (*visit, error) {
	q := r.URL.Query()
	wish := q.Get("lang")
	if wish != "" {
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: s.books.Choose(wish, "").Lang, Path: "/", MaxAge: 365 * 86400, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	} else if c, err := r.Cookie(langCookie); err == nil {
		wish = c.Value
	}
	v := &visit{Request: r, Book: s.books.Choose(wish, r.Header.Get("Accept-Language")), AsOf: s.Now(), Zone: s.Zone, Params: q}
	v.Visitor, _ = people.From(r.Context())
	if text := q.Get("as_of"); text != "" {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return v, badInput("as_of=" + text)
		}
		if now := s.Now(); at.After(now) {
			return v, &fault{http.StatusBadRequest, "error.future", text}
		}
		v.AsOf, v.Explicit = at, true
	}
	return v, nil
}

// errorView is the page of an error.
type errorView struct{ Heading, Text string }

func (s *Site) explain(v *visit, err error) (name, title string, view any, status int) {
	var f *fault
	if !errors.As(err, &f) {
		if !errors.Is(err, context.Canceled) {
			s.Log.Error("fill a page", "path", v.URL.Path, "err", err)
		}
		f = &fault{http.StatusInternalServerError, "error.inside", err.Error()}
	}
	heading := v.T(f.key)
	return "error", heading, errorView{heading, v.T(f.key+".text", f.detail)}, f.status
}

// act runs what a button stands for and returns to the overview.
func (s *Site) act(w http.ResponseWriter, r *http.Request) {
	do, ok := s.Actions[r.PathValue("name")]
	if !ok {
		http.Error(w, "there is no such action", http.StatusNotFound)
		return
	}
	if err := do(r.Context()); err != nil {
		s.Log.Error("run an action", "action", r.PathValue("name"), "err", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// nothing answers for addresses there are none of.
func (s *Site) nothing(_ context.Context, v *visit) (string, any, error) {
	return "", nil, notFound(v.T("kind.page", v.URL.Path))
}
