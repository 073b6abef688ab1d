package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/closing"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

// maxForm bounds what a form of these pages may send, in bytes.
const maxForm = 16 << 10

// sessionCookie is the cookie's name; with TLS the browser itself makes sure
// that it is Secure, of this host alone and for all paths.
func (s *Site) sessionCookie() string {
	if s.Secure {
		return "__Host-plimsoll"
	}
	return "plimsoll"
}

// setSession gives the browser the id of its session; empty takes it away.
func (s *Site) setSession(w http.ResponseWriter, id string) {
	c := &http.Cookie{Name: s.sessionCookie(), Value: id, Path: "/", Secure: s.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if id == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// endSession ends the session the browser came with, if it has one.
func (s *Site) endSession(r *http.Request) error {
	c, err := r.Cookie(s.sessionCookie())
	if err != nil {
		return nil
	}
	return s.Door.Logout(r.Context(), c.Value, r.RemoteAddr)
}

// within is text when it is an address of this site, and else its first page.
func within(text string) string {
	if !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") || strings.ContainsAny(text, "\\\r\n\t") || strings.HasPrefix(text, "/login") {
		return "/"
	}
	return text
}

// form is a page that takes input. show fills it; send does what it is for and
// tells where to go on, or why not.
type form struct {
	name string
	nav  string
	show func(ctx context.Context, v *visit) (title string, view any, err error)
	send func(w http.ResponseWriter, v *visit) (next string, err error)
}

// post makes the handler of a form that is sent: it goes on, or shows the form
// again with what was wrong.
func (s *Site) post(f form) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.Door == nil {
			http.Error(w, "there are no logins here", http.StatusNotFound)
			return
		}
		s.send(f)(w, r)
	}
}

// send makes the handler of a form that is sent, also where nobody logs in.
func (s *Site) send(f form) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		v, err := s.visit(w, r)
		if err == nil {
			err = r.ParseForm()
			if err != nil {
				err = badInput(f.name)
			}
		}
		next := ""
		if err == nil {
			next, err = f.send(w, v)
		}
		if err == nil {
			http.Redirect(w, r, next, http.StatusSeeOther)
			return
		}
		text, status := v.wrong(err)
		if text == "" {
			s.fail(w, v, err)
			return
		}
		v.Wrong = text
		var limited *people.Limited
		if errors.As(err, &limited) {
			w.Header().Set("Retry-After", seconds(limited.Wait))
		}
		title, view, err := f.show(r.Context(), v)
		if err != nil {
			s.fail(w, v, err)
			return
		}
		s.render(w, v, f.name, f.nav, title, view, status)
	}
}

// wrong is the sentence and status for what a person may do better; an empty
// text is for all other errors.
func (v *visit) wrong(err error) (text string, status int) {
	var weak *people.Weak
	var limited *people.Limited
	var refusal *words.Refusal
	var refused *closing.Refusal
	var texts []string
	if errors.Is(err, people.ErrName) {
		texts = append(texts, v.T("user.name.bad"))
	}
	switch {
	case errors.As(err, &weak):
		for _, why := range weak.Why {
			texts = append(texts, v.T("password.weak."+string(why)))
		}
		status = http.StatusUnprocessableEntity
	case len(texts) > 0:
		status = http.StatusUnprocessableEntity
	case errors.As(err, &limited):
		texts, status = append(texts, v.T("login.limited", v.Millis(limited.Wait.Round(time.Second).Milliseconds()))), http.StatusTooManyRequests
	case errors.Is(err, people.ErrWrong):
		texts, status = append(texts, v.T("login.wrong")), http.StatusUnauthorized
	case errors.Is(err, people.ErrLink):
		texts, status = append(texts, v.T("setup.void")), http.StatusGone
	case errors.As(err, &refusal):
		texts, status = append(texts, refusal.In(v.Book)), http.StatusUnprocessableEntity
	case errors.As(err, &refused):
		texts, status = append(texts, refused.Why), http.StatusUnprocessableEntity
	case errors.Is(err, errTwice):
		texts, status = append(texts, v.T("password.twice")), http.StatusUnprocessableEntity
	}
	return strings.Join(texts, " "), status
}

var errTwice = errors.New("the two passwords differ")

// newPassword is the password a form gives twice.
func newPassword(r *http.Request) (string, error) {
	p := r.PostFormValue("password")
	if p != r.PostFormValue("again") {
		return "", errTwice
	}
	return p, nil
}

type loginView struct {
	Wrong, Name, Next string
	NoUser, Out       bool
}

func (s *Site) loginForm() form {
	return form{name: "login", show: s.login, send: func(w http.ResponseWriter, v *visit) (string, error) {
		id, err := s.Door.Login(v.Context(), v.PostFormValue("name"), v.PostFormValue("password"), v.RemoteAddr, v.UserAgent())
		if err != nil {
			return "", err
		}
		err = s.endSession(v.Request) // a login always begins another session
		s.setSession(w, id)
		return within(v.PostFormValue("next")), err
	}}
}

func (s *Site) login(ctx context.Context, v *visit) (string, any, error) {
	view := loginView{Wrong: v.Wrong, Name: v.PostFormValue("name"), Next: within(v.Params.Get("next")), Out: v.Params.Has("out") && v.Wrong == ""}
	if v.Method == http.MethodPost {
		view.Next = within(v.PostFormValue("next"))
	}
	if s.Door != nil {
		any, err := s.Door.AnyUser(ctx)
		if err != nil {
			return "", nil, err
		}
		view.NoUser = !any
	}
	return v.T("login"), view, nil
}

// unlessIn sends one who is in already where the login would lead.
func unlessIn(login http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if v, _ := people.From(r.Context()); v.Kind == people.Person {
			http.Redirect(w, r, within(r.URL.Query().Get("next")), http.StatusSeeOther)
			return
		}
		login(w, r)
	}
}

func (s *Site) logout(w http.ResponseWriter, r *http.Request) {
	if s.Door != nil {
		if err := s.endSession(r); err != nil {
			s.Log.Error("end a session", "err", err)
			http.Error(w, "the session could not be ended; the collector's log says why", http.StatusInternalServerError)
			return
		}
	}
	s.setSession(w, "")
	http.Redirect(w, r, "/login?out", http.StatusSeeOther)
}

type setupView struct {
	Wrong, Name, Link string
	Offered           bool
	Least             int
}

func (s *Site) setupForm() form {
	return form{name: "setup", show: s.setup, send: func(w http.ResponseWriter, v *visit) (string, error) {
		password, err := newPassword(v.Request)
		if err != nil {
			return "", err
		}
		id, err := s.Door.Setup(v.Context(), v.PostFormValue("link"), v.PostFormValue("name"), password, v.RemoteAddr, v.UserAgent())
		if err != nil {
			return "", err
		}
		s.setSession(w, id)
		return "/", nil
	}}
}

func (s *Site) setup(ctx context.Context, v *visit) (_ string, _ any, err error) {
	view := setupView{Wrong: v.Wrong, Name: v.PostFormValue("name"), Link: v.Params.Get("link"), Least: people.MinPassword}
	if v.Method == http.MethodPost {
		view.Link = v.PostFormValue("link")
	}
	if s.Door != nil {
		view.Offered, err = s.Door.SetupOffered(ctx, view.Link)
	}
	if !view.Offered {
		view.Wrong = ""
	}
	return v.T("setup"), view, err
}

// seconds is a wait for the header Retry-After, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

func writeJSON(w http.ResponseWriter, kind string, status int, body any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller may have gone
}
