package people

import (
	"context"
	"slices"
	"strings"
)

// Kind is how a visitor came to be known.
type Kind string

// The kinds of visitor.
const (
	Nobody  Kind = ""        // not known
	Anybody Kind = "anybody" // on loopback while no login is needed
	Person  Kind = "person"  // a session
	Program Kind = "program" // a token
	Host    Kind = "host"    // came through the socket in the data directory
)

// Visitor is the one behind a request.
type Visitor struct {
	Kind    Kind
	Name    string // of the user; of a token's maker
	Role    Role   // of a person; of a token's maker
	Token   string // the token's name
	Scopes  []Scope
	Session string // the hash of the session's id
	From    string // address the request came from
}

// The names of those who act without having one. They are written into papers
// and the audit chain, so they stay as they are; pages say them in the
// reader's language.
const (
	ActorHost    = "the host's administrator"
	ActorAnybody = "somebody on this host, without login"
	ActorUnknown = "somebody unknown"
	actorToken   = "token "
	actorByToken = " by token "
)

// ByToken takes the name of an actor who came by a token apart: who made the
// token, empty where that is not known, and its name.
func ByToken(actor string) (maker, token string, ok bool) {
	if token, ok = strings.CutPrefix(actor, actorToken); ok {
		return "", token, true
	}
	return strings.Cut(actor, actorByToken)
}

// Actor is how the audit chain names the visitor.
func (v Visitor) Actor() string {
	switch v.Kind {
	case Person:
		return v.Name
	case Program:
		if v.Name == "" {
			return actorToken + v.Token
		}
		return v.Name + actorByToken + v.Token
	case Host:
		return ActorHost
	case Anybody:
		return ActorAnybody
	}
	return ActorUnknown
}

// By is the visitor as the author of a change.
func (v Visitor) By() Act { return Act{Who: v.Actor(), From: v.From} }

// role is what the visitor may do as a person; empty for programs.
func (v Visitor) role() Role {
	switch v.Kind {
	case Person:
		return v.Role
	case Anybody, Host:
		return Admin
	}
	return ""
}

// has tells whether a program carries the scope, and its maker still may.
func (v Visitor) has(s Scope) bool {
	return v.Kind == Program && slices.Contains(v.Scopes, s) && v.Role.atLeast(s.needs())
}

// Act is who did something and from where.
type Act struct{ Who, From string }

type visitorKey struct{}

// With is ctx with its visitor.
func With(ctx context.Context, v Visitor) context.Context {
	return context.WithValue(ctx, visitorKey{}, v)
}

// From is the visitor of ctx; ok is false where nobody was set: the program
// acts by itself.
func From(ctx context.Context) (v Visitor, ok bool) {
	v, ok = ctx.Value(visitorKey{}).(Visitor)
	return v, ok
}
