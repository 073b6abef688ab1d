package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// People keeps users and API tokens (collector/people).
type People interface {
	Users(ctx context.Context) ([]people.User, error)
	AddUser(ctx context.Context, name, password string, role people.Role, by people.Act) error
	ChangeUser(ctx context.Context, name string, password *string, c people.Change, by people.Act) error
	Tokens(ctx context.Context) ([]people.Token, error)
	NewToken(ctx context.Context, v people.Visitor, name string, scopes []people.Scope, ttl time.Duration) (string, people.Token, error)
	RevokeToken(ctx context.Context, id string, by people.Act) error
}

// UserBody is a user without anything secret.
type UserBody struct {
	Name      string     `json:"name"`
	Role      string     `json:"role" doc:"viewer, operator, approver or admin"`
	Disabled  bool       `json:"disabled"`
	CreatedAt *time.Time `json:"created_at"`
	LastLogin *time.Time `json:"last_login"`
}

// UsersBody lists users by name.
type UsersBody struct {
	Users []UserBody `json:"users"`
}

// TokenBody is an API token; its secret is told once, when it is made.
type TokenBody struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Scopes    []people.Scope `json:"scopes" doc:"read, enrol, plan, approve, admin"`
	By        string         `json:"made_by" doc:"user who made it; it never does more than that one may; empty: the host's administrator"`
	CreatedAt *time.Time     `json:"created_at"`
	ExpiresAt *time.Time     `json:"expires_at"`
	RevokedAt *time.Time     `json:"revoked_at"`
	LastUsed  *time.Time     `json:"last_used" doc:"exact to a minute"`
	Token     string         `json:"token,omitempty" doc:"the secret; only in the answer that makes it"`
}

// TokensBody lists API tokens, the newest first.
type TokensBody struct {
	Tokens []TokenBody `json:"tokens"`
}

func tokenBody(t people.Token) TokenBody {
	return TokenBody{ID: t.ID, Name: t.Name, Scopes: t.Scopes, By: t.By, CreatedAt: instant(t.CreatedAt), ExpiresAt: instant(t.ExpiresAt),
		RevokedAt: instant(t.RevokedAt), LastUsed: instant(t.LastUsed)}
}

// people turns an error about users and tokens into a status.
func (a *API) people(err error) error {
	var weak *people.Weak
	var refusal *people.Refusal
	switch {
	case errors.As(err, &weak), errors.As(err, &refusal), errors.Is(err, people.ErrName):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, people.ErrUnknown):
		return huma.Error404NotFound(people.ErrUnknown.Error())
	case errors.Is(err, people.ErrTaken):
		return huma.Error409Conflict(people.ErrTaken.Error())
	case errors.Is(err, people.ErrLastAdmin):
		return huma.Error409Conflict(people.ErrLastAdmin.Error())
	}
	return a.answer(err, "users and tokens")
}

// Users lists users.
func (a *API) Users(ctx context.Context, _ *struct{}) (*struct{ Body UsersBody }, error) {
	all, err := a.o.People.Users(ctx)
	if err != nil {
		return nil, a.people(err)
	}
	body := UsersBody{Users: []UserBody{}}
	for _, u := range all {
		body.Users = append(body.Users, UserBody{u.Name, string(u.Role), u.Disabled, instant(u.CreatedAt), instant(u.LastLogin)})
	}
	return &struct{ Body UsersBody }{body}, nil
}

// AddUser makes a user.
func (a *API) AddUser(ctx context.Context, in *struct {
	Body struct {
		Name     string `json:"name"`
		Role     string `json:"role" doc:"viewer, operator, approver or admin"`
		Password string `json:"password"`
	}
}) (*struct{}, error) {
	v, _ := people.From(ctx)
	if err := a.o.People.AddUser(ctx, in.Body.Name, in.Body.Password, people.Role(in.Body.Role), v.By()); err != nil {
		return nil, a.people(err)
	}
	return &struct{}{}, nil
}

// ChangeUser gives a user another password, role or state; the user's sessions end.
func (a *API) ChangeUser(ctx context.Context, in *struct {
	Name string `path:"name"`
	Body struct {
		Role     *people.Role `json:"role,omitempty"`
		Password *string      `json:"password,omitempty"`
		Disabled *bool        `json:"disabled,omitempty"`
	}
}) (*struct{}, error) {
	v, _ := people.From(ctx)
	if err := a.o.People.ChangeUser(ctx, in.Name, in.Body.Password, people.Change{Role: in.Body.Role, Disabled: in.Body.Disabled}, v.By()); err != nil {
		return nil, a.people(err)
	}
	return &struct{}{}, nil
}

// Tokens lists API tokens.
func (a *API) Tokens(ctx context.Context, _ *struct{}) (*struct{ Body TokensBody }, error) {
	all, err := a.o.People.Tokens(ctx)
	if err != nil {
		return nil, a.people(err)
	}
	body := TokensBody{Tokens: []TokenBody{}}
	for _, t := range all {
		body.Tokens = append(body.Tokens, tokenBody(t))
	}
	return &struct{ Body TokensBody }{body}, nil
}

// AddToken makes an API token and tells its secret, once.
func (a *API) AddToken(ctx context.Context, in *struct {
	Body struct {
		Name   string `json:"name" doc:"what uses it"`
		Scopes string `json:"scopes" doc:"read, enrol, plan, approve, admin; several with commas"`
		TTL    string `json:"ttl,omitempty" doc:"how long it is good for; default 90d, at most 366d"`
	}
}) (*struct{ Body TokenBody }, error) {
	ttl := people.TokenFor
	if in.Body.TTL != "" {
		parsed, err := settings.ParseDuration(in.Body.TTL)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("ttl %q is not a time; write it like 90d", in.Body.TTL))
		}
		ttl = parsed.Std()
	}
	scopes, err := people.ParseScopes(in.Body.Scopes)
	if err != nil {
		return nil, a.people(err)
	}
	v, _ := people.From(ctx)
	text, t, err := a.o.People.NewToken(ctx, v, in.Body.Name, scopes, ttl)
	if err != nil {
		return nil, a.people(err)
	}
	body := tokenBody(t)
	body.Token = text
	return &struct{ Body TokenBody }{body}, nil
}

// RevokeToken shuts an API token out at once.
func (a *API) RevokeToken(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*struct{}, error) {
	v, _ := people.From(ctx)
	if err := a.o.People.RevokeToken(ctx, in.ID, v.By()); err != nil {
		return nil, a.people(err)
	}
	return &struct{}{}, nil
}
