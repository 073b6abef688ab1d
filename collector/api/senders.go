package api

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// SenderAsk is what a person wants of a foreign sender.
type SenderAsk struct {
	For, Name, Customer, By string
	Rules                   []labels.Label // without customer
	TTL                     time.Duration  // 0: until it is revoked
}

// SenderToken is a token of a foreign sender, and all it needs to deliver.
type SenderToken struct {
	Name        string     `json:"name" doc:"observer of its facts"`
	For         string     `json:"for"`
	Customer    string     `json:"customer"`
	Labels      string     `json:"labels" doc:"given to its series whatever they bring"`
	Token       string     `json:"token" doc:"secret; shown once"`
	URL         string     `json:"url" doc:"of remote write"`
	ServerName  string     `json:"server_name" doc:"TLS server name to ask for and to verify"`
	CA          string     `json:"ca" doc:"certificate of the collector's authority, PEM"`
	Fingerprint string     `json:"fingerprint" doc:"SHA-256 of that certificate"`
	Expires     *time.Time `json:"expires" doc:"null: when it is revoked"`
}

// Senders keeps the foreign senders.
type Senders interface {
	Senders(ctx context.Context) ([]ledger.Sender, error)
	RevokeSender(ctx context.Context, name, by string) (int64, error)
}

// NewSender makes a token for a foreign sender.
func (a *API) NewSender(ctx context.Context, in *struct {
	Body struct {
		For    string `json:"for" enum:"prometheus,vmagent,telegraf,otel"`
		Name   string `json:"name,omitempty" doc:"observer of its facts; default: what it is"`
		Labels string `json:"labels,omitempty" doc:"given to its series, as customer=acme,site=sh"`
		TTL    string `json:"ttl,omitempty" doc:"how long the token is good for; default: until it is revoked"`
	}
}) (*struct{ Body SenderToken }, error) {
	ask := SenderAsk{For: in.Body.For, Name: in.Body.Name}
	if ask.Name == "" {
		ask.Name = ask.For
	}
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`).MatchString(ask.Name) {
		return nil, huma.Error400BadRequest(fmt.Sprintf("%q is no name of a sender: letters, digits, dots, dashes and underscores, at most 63", ask.Name))
	}
	rules, err := batch.ParseRules(in.Body.Labels)
	if err != nil {
		return nil, huma.Error400BadRequest(err.Error())
	}
	for _, l := range rules {
		if l.Name == "customer" {
			ask.Customer = l.Value
		}
	}
	ask.Rules = slices.DeleteFunc(rules, func(l labels.Label) bool { return l.Name == "customer" })
	if in.Body.TTL != "" {
		ttl, err := settings.ParseDuration(in.Body.TTL)
		if err != nil || ttl <= 0 || ttl.Std() > 10*365*24*time.Hour {
			return nil, huma.Error400BadRequest(fmt.Sprintf("ttl %q is not a time up to 10 years; write it like 365d, or leave it out", in.Body.TTL))
		}
		ask.TTL = ttl.Std()
	}
	made, err := a.o.NewSender(ctx, ask)
	switch {
	case errors.Is(err, ledger.ErrSenderName), errors.Is(err, ledger.ErrSenderOther):
		return nil, huma.Error409Conflict(err.Error() + ": give it another --name")
	case err != nil:
		return nil, a.answer(err, "sender")
	}
	return &struct{ Body SenderToken }{made}, nil
}

// Senders lists the foreign senders.
func (a *API) Senders(ctx context.Context, _ *struct{}) (*struct{ Body []ledger.Sender }, error) {
	all, err := a.o.Senders.Senders(ctx)
	if err != nil {
		return nil, a.answer(err, "senders")
	}
	return &struct{ Body []ledger.Sender }{append([]ledger.Sender{}, all...)}, nil
}

// RevokeSender makes every token of a sender useless.
func (a *API) RevokeSender(ctx context.Context, in *struct {
	Name string `path:"name"`
}) (*struct {
	Body struct {
		Revoked int64 `json:"revoked" doc:"tokens that were good"`
	}
}, error) {
	n, err := a.o.Senders.RevokeSender(ctx, in.Name, "")
	if err != nil {
		return nil, a.answer(err, "sender "+in.Name)
	}
	out := &struct {
		Body struct {
			Revoked int64 `json:"revoked" doc:"tokens that were good"`
		}
	}{}
	out.Body.Revoked = n
	return out, nil
}
