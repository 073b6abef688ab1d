package web

import (
	"context"
	"net"
	"net/http"

	"github.com/plimsoll/plimsoll/collector/people"
)

type accountView struct {
	Wrong    string
	Changed  bool
	Known    bool // there is a person, not just anybody on this host
	Name     string
	Role     string
	Sessions []sessionRow
	Least    int
}

type sessionRow struct {
	ID, From, Agent string
	Since, Seen     When
	Here            bool
}

// sessionID is enough of a session's hash to tell those of one person apart.
func sessionID(hash string) string { return hash[:min(12, len(hash))] }

// address is from without its port.
func address(from string) string {
	if host, _, err := net.SplitHostPort(from); err == nil {
		return host
	}
	return from
}

func (s *Site) account(ctx context.Context, v *visit) (string, any, error) {
	who := v.Visitor
	view := accountView{Wrong: v.Wrong, Changed: v.Params.Has("changed") && v.Wrong == "", Known: who.Kind == people.Person, Least: people.MinPassword}
	if !view.Known {
		return v.T("account"), view, nil
	}
	view.Name, view.Role = who.Name, v.Or("role."+string(who.Role), string(who.Role))
	sessions, err := s.Door.Sessions(ctx, who.Name)
	for _, p := range sessions {
		view.Sessions = append(view.Sessions, sessionRow{sessionID(p.Hash), address(p.From), p.Agent, whenMS(p.CreatedAt, v.Zone), whenMS(p.LastSeen, v.Zone), p.Hash == who.Session})
	}
	return v.T("account"), view, err
}

func (s *Site) passwordForm() form {
	return form{name: "account", show: s.account, send: func(w http.ResponseWriter, v *visit) (string, error) {
		if v.Visitor.Kind != people.Person {
			return "", notFound(v.T("kind.user"))
		}
		password, err := newPassword(v.Request)
		if err != nil {
			return "", err
		}
		id, err := s.Door.ChangeOwn(v.Context(), v.Visitor, v.PostFormValue("old"), password, v.UserAgent())
		if err != nil {
			return "", err
		}
		s.setSession(w, id)
		return "/account?changed", nil
	}}
}

// signOutForm ends one session of the person, or all.
func (s *Site) signOutForm() form {
	return form{name: "account", show: s.account, send: func(w http.ResponseWriter, v *visit) (string, error) {
		if v.Visitor.Kind != people.Person {
			return "", notFound(v.T("kind.user"))
		}
		id := v.PostFormValue("session")
		if id == "" {
			s.setSession(w, "")
			return "/login?out", s.Door.SignOut(v.Context(), v.Visitor, "")
		}
		sessions, err := s.Door.Sessions(v.Context(), v.Visitor.Name)
		if err != nil {
			return "", err
		}
		for _, p := range sessions {
			if sessionID(p.Hash) == id {
				return "/account", s.Door.SignOut(v.Context(), v.Visitor, p.Hash)
			}
		}
		return "/account", nil // it has ended meanwhile
	}}
}
