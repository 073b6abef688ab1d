package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

// Frame is what surrounds each page.
type Frame struct {
	Lang, Title string
	Live        int // seconds between refreshes; 0 where an instant was asked for
	Nav         []navLink
	Langs       []langLink
	Banners     []banner
	AsOf        string
	Permalink   string
	Access      string
	User        string // who is logged in
	AtAccount   bool
	Known       bool // may see pages
	Version     string
}

type navLink struct {
	Link, Text string
	Here       bool
}

type langLink struct {
	Code, Text, Link string
	Here             bool
}

type banner struct{ Text, Link string }

// liveSeconds is how often an open page asks again.
const liveSeconds = 4

func (s *Site) frame(v *visit, page, nav, title string) Frame {
	f := Frame{Lang: v.Lang, Title: title, Live: liveSeconds, AsOf: words.Instant(v.AsOf, v.Zone), Version: s.Version}
	f.AtAccount, f.Known = nav == "account", v.Visitor.Kind != people.Nobody
	switch v.Visitor.Kind {
	case people.Person:
		f.User, f.Access = v.Visitor.Name, v.T("access.person", v.Visitor.Name, v.Or("role."+string(v.Visitor.Role), string(v.Visitor.Role)))
	case people.Anybody:
		f.Access = v.T("access.loopback")
	}
	for _, lang := range words.Languages() {
		f.Langs = append(f.Langs, langLink{lang, s.books[lang].T("language.name"), v.with("lang", lang), lang == v.Lang})
	}
	if page == "login" || page == "setup" || page == "account" || page == "plan" || page == "adjust" {
		f.Live = 0 // what is typed must not be taken away
	}
	if v.Method != http.MethodGet || !f.Known {
		f.Live = 0
		if !f.Known {
			return f
		}
	}
	for _, n := range []struct{ key, link string }{{"overview", "/"}, {"hosts", "/hosts"}, {"problems", "/problems"}, {"maintenance", "/maintenance"}, {"corrections", "/corrections"}, {"suppliers", "/suppliers"}, {"reports", "/reports"}} {
		f.Nav = append(f.Nav, navLink{v.at(n.link), v.T(n.key), n.key == nav})
	}
	if page == "account" {
		return f
	}
	f.Permalink = v.with("as_of", v.AsOf.UTC().Format(time.RFC3339Nano))
	if v.Explicit {
		f.Live = 0
		f.Banners = append(f.Banners, banner{v.T("as.of.past", f.AsOf), v.with("as_of", "")})
	}
	if s.Demonstration {
		f.Banners = append(f.Banners, banner{Text: v.T("demo.banner")})
	}
	if s.Ledger != nil {
		pages, lost := s.Ledger()
		if pages > 0 {
			f.Banners = append(f.Banners, banner{Text: v.T("ledger.damaged", pages)})
		}
		if text := v.behind(lost); text != "" {
			f.Banners = append(f.Banners, banner{Text: text})
		}
	}
	if s.CatalogueFaults != nil {
		if faults := s.CatalogueFaults(); len(faults) > 0 {
			f.Banners = append(f.Banners, banner{Text: v.T("catalogue.refused", len(faults), faults[0].String())})
		}
	}
	if s.Progress != nil {
		if share, ready := s.Progress(); !ready {
			f.Banners = append(f.Banners, banner{Text: v.T("catching.up", v.Percent(&share, 0))})
		}
	}
	return f
}

// behind says what a damaged write-ahead log left out; "": nothing.
func (v *visit) behind(lost ledger.LostEnd) string {
	switch {
	case lost.Bytes > 0:
		return v.T("ledger.behind", v.T("ledger.behind.all", lost.Bytes))
	case lost.Pages > 0:
		return v.T("ledger.behind", v.T("ledger.behind.end", lost.At, lost.Pages))
	}
	return ""
}

// with is this page's address with one parameter changed; empty removes it.
func (v *visit) with(key, value string) string {
	q := url.Values{}
	for k, vs := range v.Params {
		q[k] = vs
	}
	q.Set(key, value)
	if value == "" {
		q.Del(key)
	}
	u := url.URL{Path: v.URL.Path, RawQuery: q.Encode()}
	return u.String()
}

// When is an instant for people and for programs.
type When struct{ ISO, Text string }

func when(t time.Time, zone *time.Location) When {
	return When{t.In(zone).Format(time.RFC3339Nano), words.Instant(t, zone)}
}

func whenMS(ms int64, zone *time.Location) When { return when(time.UnixMilli(ms), zone) }

// Pair is a labelled text.
type Pair struct{ Label, Text string }

// pairs takes label, text, label, text …; a pair with an empty text is left out.
func pairs(texts ...string) []Pair {
	var all []Pair
	for i := 0; i+1 < len(texts); i += 2 {
		if strings.TrimSpace(texts[i+1]) != "" {
			all = append(all, Pair{texts[i], texts[i+1]})
		}
	}
	return all
}
