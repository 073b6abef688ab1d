package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make an API token and print it, once."`
	List   tokenListCmd   `cmd:"" help:"List API tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"Shut an API token out at once."`
}

// apiToken is what the collector tells of one.
type apiToken struct {
	ID        string
	Name      string
	Scopes    []string
	MadeBy    string     `json:"made_by"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	LastUsed  *time.Time `json:"last_used"`
	Token     string
}

type tokenCreateCmd struct {
	asking
	Name   string           `help:"What uses it; of a sender its name."`
	Scope  string           `help:"What it may do: read, enrol, plan, approve, admin; several with commas." default:"read" name:"scope"`
	TTL    optionalLifetime `help:"How long it is good for; at most 366d (default: 90d, that of a sender until it is revoked)." name:"ttl"`
	For    string           `help:"Make it for a foreign sender instead, as sender create does." enum:",prometheus,vmagent,telegraf,otel" default:""`
	Labels string           `help:"Of a sender: labels its series are given, as customer=acme,site=sh." placeholder:"LABELS"`
	Dir    string           `help:"Of a sender: folder on its machine for the token and the authority's certificate." default:"/etc/plimsoll-sender" placeholder:"DIR"`
	Out    string           `help:"Write it to a new file that you alone can read, instead of printing it." placeholder:"FILE"`
}

func (c *tokenCreateCmd) Run(ctx context.Context) error {
	switch {
	case c.For != "":
		return (&senderCreateCmd{asking: c.asking, For: c.For, Name: c.Name, Labels: c.Labels, TTL: string(c.TTL), Dir: c.Dir}).Run(ctx)
	case c.Name == "":
		return errors.New("a token needs the name of what uses it: --name, or --for a foreign sender")
	case c.TTL == "":
		c.TTL = "90d"
	}
	var f *os.File
	if c.Out != "" { // first, so that no token is made that goes nowhere
		var err error
		if f, err = os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return fmt.Errorf("write the token: %w", err)
		}
		defer func() { _ = f.Close() }()
	}
	var made apiToken
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/tokens", map[string]string{"name": c.Name, "scopes": c.Scope, "ttl": string(c.TTL)}, &made); err != nil {
		if f != nil {
			_ = os.Remove(c.Out)
		}
		return err
	}
	fmt.Fprintf(os.Stderr, "# token %s, scopes %s, good until %s; it is not shown again\n", made.ID, strings.Join(made.Scopes, ","), instant(made.ExpiresAt))
	if f == nil {
		fmt.Println(made.Token)
		return nil
	}
	if _, err := fmt.Fprintln(f, made.Token); err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	return f.Close()
}

type tokenListCmd struct{ asking }

func (c *tokenListCmd) Run(ctx context.Context) error {
	var all struct{ Tokens []apiToken }
	if err := c.fetch(ctx, http.MethodGet, "/api/v1/tokens", nil, &all); err != nil {
		return err
	}
	return table("ID\tNAME\tSCOPES\tMADE BY\tEXPIRES\tLAST USED\tSTATE", len(all.Tokens), func(i int) []string {
		t, state := &all.Tokens[i], "good"
		switch {
		case t.RevokedAt != nil:
			state = "revoked"
		case t.ExpiresAt != nil && t.ExpiresAt.Before(time.Now()):
			state = "expired"
		}
		by := t.MadeBy
		if by == "" {
			by = "(host)"
		}
		return []string{t.ID, t.Name, strings.Join(t.Scopes, ","), by, instant(t.ExpiresAt), instant(t.LastUsed), state}
	})
}

type tokenRevokeCmd struct {
	asking
	ID string `arg:"" help:"Its id, as list shows it."`
}

func (c *tokenRevokeCmd) Run(ctx context.Context) error {
	return c.fetch(ctx, http.MethodDelete, "/api/v1/tokens/"+url.PathEscape(c.ID), nil, nil)
}
