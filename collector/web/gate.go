package web

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/collector/people"
)

// Door lets people and programs in (collector/people).
type Door interface {
	AnyUser(ctx context.Context) (bool, error)
	Login(ctx context.Context, name, password, from, agent string) (cookie string, err error)
	BySession(ctx context.Context, cookie, from string, active bool) (people.Visitor, error)
	ByToken(ctx context.Context, text, from string) (people.Visitor, error)
	Logout(ctx context.Context, cookie, from string) error
	SignOut(ctx context.Context, v people.Visitor, session string) error
	Sessions(ctx context.Context, user string) ([]people.Session, error)
	ChangeOwn(ctx context.Context, v people.Visitor, old, password, agent string) (cookie string, err error)
	SetupOffered(ctx context.Context, secret string) (bool, error)
	Setup(ctx context.Context, secret, name, password, from, agent string) (cookie string, err error)
}

// Login is when a person has to log in.
type Login string

// When a login is needed.
const (
	LoginWithUsers Login = ""       // as soon as there is a user
	LoginAlways    Login = "always" // beyond loopback
	LoginNever     Login = "never"  // on loopback, when the configuration says so
)

// gate is the mux of the people's listener: it puts the access table before
// each route that is registered, whoever registers it.
type gate struct {
	site     *Site
	mux      *http.ServeMux
	patterns []string
}

// HandleFunc registers a route behind the access table.
func (g *gate) HandleFunc(pattern string, f func(http.ResponseWriter, *http.Request)) {
	g.Handle(pattern, http.HandlerFunc(f))
}

// Handle registers a route behind the access table.
func (g *gate) Handle(pattern string, h http.Handler) {
	g.patterns = append(g.patterns, pattern)
	g.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { g.site.admit(w, r, pattern, h) })
}

// ServeHTTP answers by the route that fits.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// Routes are all patterns of the people's listener, sorted.
func (s *Site) Routes() []string { return slices.Sorted(slices.Values(s.gate.patterns)) }

// unlisted are the routes without a row in the access table: nobody may use them.
func (s *Site) unlisted() (all []string) {
	for _, p := range s.Routes() {
		if _, ok := s.access[p]; !ok {
			all = append(all, p)
		}
	}
	return all
}

// admit serves r by h when its visitor may use the route.
func (s *Site) admit(w http.ResponseWriter, r *http.Request, pattern string, h http.Handler) {
	v, err := s.visitor(r)
	switch {
	case err != nil && !errors.Is(err, people.ErrToken):
		if r.Context().Err() == nil {
			s.Log.Error("find out who is asking", "err", err)
		}
		http.Error(w, "the collector cannot find out who is asking; its log says why", http.StatusInternalServerError)
		return
	case v.Kind == people.Anybody && !ownName(r.Host):
		http.Error(w, "refused: without logins these pages answer under an address or localhost only, so that no other site's name can be made to point here", http.StatusMisdirectedRequest)
		return
	case err != nil && !s.access[pattern].Open, !s.access.Allows(pattern, v):
		s.refuse(w, r, v, err)
		return
	}
	h.ServeHTTP(w, r.WithContext(people.With(r.Context(), v)))
}

// bearer is the token a program shows; shown is true for any credentials,
// also for such as are not understood here.
func bearer(r *http.Request) (text string, shown bool) {
	header := r.Header.Get("Authorization")
	kind, text, _ := strings.Cut(header, " ")
	if !strings.EqualFold(kind, "Bearer") {
		text = ""
	}
	return strings.TrimSpace(text), header != ""
}

// liveHeader marks what an open page asks by itself: it keeps no session alive.
const liveHeader = "Plimsoll-Live"

// visitor finds out who is asking. A wrong token is an error, never less than
// that: a program must not go on as somebody else.
func (s *Site) visitor(r *http.Request) (people.Visitor, error) {
	if v, ok := people.From(r.Context()); ok {
		return v, nil // the listener knows
	}
	nobody := people.Visitor{From: r.RemoteAddr}
	anybody := people.Visitor{Kind: people.Anybody, From: r.RemoteAddr}
	if s.Door == nil {
		return anybody, nil
	}
	if text, shown := bearer(r); shown {
		v, err := s.Door.ByToken(r.Context(), text, r.RemoteAddr)
		if err != nil {
			v = nobody
		}
		return v, err
	}
	if c, err := r.Cookie(s.sessionCookie()); err == nil {
		v, err := s.Door.BySession(r.Context(), c.Value, r.RemoteAddr, r.Header.Get(liveHeader) == "")
		if !errors.Is(err, people.ErrSession) {
			return v, err
		}
	}
	switch s.Login {
	case LoginAlways:
		return nobody, nil
	case LoginNever:
		return anybody, nil
	}
	any, err := s.Door.AnyUser(r.Context())
	if any || err != nil {
		return nobody, err
	}
	return anybody, nil
}

// program tells whether the answer is for a program rather than a person.
func program(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" || strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/prometheus/") || r.URL.Path == "/metrics"
}

// refuse answers one who may not: the login for a person not known yet, 401
// or 403 with the remedy for everybody else.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, v people.Visitor, err error) {
	why, status, text := "login", http.StatusUnauthorized, "a login or a token is needed: send it as \"Authorization: Bearer TOKEN\"; plimsoll-collector token create makes one"
	switch {
	case errors.Is(err, people.ErrToken):
		why, text = "token", people.ErrToken.Error()
	case v.Kind != people.Nobody:
		why, status, text = "role", http.StatusForbidden, v.Actor()+" may not do this; an administrator gives the role or scope it needs"
	}
	s.refused(why)
	w.Header().Set("Cache-Control", "no-store")
	if program(r) {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="plimsoll"`)
		}
		refuseProgram(w, r, status, text)
		return
	}
	switch {
	case why == "role":
		s.page("error", "", func(context.Context, *visit) (string, any, error) {
			return "", nil, &fault{http.StatusForbidden, "error.role", v.Actor()}
		})(w, r.WithContext(people.With(r.Context(), v)))
	case r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") == "navigate":
		again(w, r)
	default:
		http.Redirect(w, r, loginFor(r), http.StatusSeeOther)
	}
}

func (s *Site) refused(why string) {
	if s.Refused != nil {
		s.Refused(why)
	}
}

// loginFor is the address of the login that leads back to what was asked for.
func loginFor(r *http.Request) string {
	next := r.URL.RequestURI()
	if r.Method != http.MethodGet || next == "/" {
		return "/login"
	}
	return "/login?" + url.Values{"next": {next}}.Encode()
}

// again has the browser ask once more from this very site: it sends no
// SameSite=Strict cookie with the first request that a link in a mail makes.
func again(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = againPage().Execute(w, r.URL.RequestURI()) // the reader may have gone
}

func againPage() *template.Template {
	return template.Must(template.New("again").Parse(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Plimsoll</title><meta http-equiv="refresh" content="0; url={{.}}"></head><body><p><a href="{{.}}">Plimsoll</a></p></body></html>`))
}

// refuseProgram answers in the form each API has.
func refuseProgram(w http.ResponseWriter, r *http.Request, status int, text string) {
	kind, body := "application/problem+json", map[string]any{"title": http.StatusText(status), "status": status, "detail": text}
	switch {
	case strings.HasPrefix(r.URL.Path, "/prometheus/"):
		kind, body = "application/json", map[string]any{"status": "error", "errorType": "unauthorized", "error": text}
	case !strings.HasPrefix(r.URL.Path, "/api/"):
		http.Error(w, text, status)
		return
	}
	writeJSON(w, kind, status, body)
}
