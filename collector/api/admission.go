package api

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// Admission is who lets hosts in and out. An error that wraps ErrConflict
// says in its text what stands in the way.
type Admission interface {
	NewToken(ctx context.Context, w TokenWish) (Token, error)
	EnrolTokens(ctx context.Context) ([]ledger.TokenState, error)
	RevokeEnrolToken(ctx context.Context, id string) error
	RevokeHost(ctx context.Context, instance, why string) error
	Authorities(ctx context.Context) ([]Authority, error)
	RotateCA(ctx context.Context) error
	RetireCA(ctx context.Context) error
}

// ErrConflict is wrapped when what is asked for cannot be done now.
var ErrConflict = errors.New("not now")

// Token is a permission to enrol.
type Token struct {
	Token   string    `json:"token" doc:"secret and the fingerprint of the collector's authority; shown once"`
	Address string    `json:"address" doc:"where agents deliver to"`
	Expires time.Time `json:"expires"`

	Warnings []string `json:"warnings" doc:"what keeps it from being of use: an address other hosts cannot reach, a customer the catalogue does not name"`
}

// TokenWish is what a token is to be good for.
type TokenWish struct {
	Customer string
	TTL      time.Duration
	Uses     int
	Labels   map[string]string
	CIDR     []netip.Prefix // empty: from anywhere
}

// Bounds of a token.
const (
	maxTokenTTL   = 30 * 24 * time.Hour
	maxTokenUses  = 10_000
	maxTokenCIDR  = 16
	maxHostLabels = 16
	maxLabelBytes = 128 // of a name or a value
)

// EnrolTokenBody asks for a token.
type EnrolTokenBody struct {
	TTL      string            `json:"ttl,omitempty" doc:"how long it is good for, up to 30d; default 24h"`
	Customer string            `json:"customer,omitempty" doc:"whose hosts enrol with it"`
	Uses     int               `json:"uses,omitempty" doc:"how many hosts may enrol with it, up to 10000; default 1"`
	Labels   map[string]string `json:"labels,omitempty" doc:"given to each host; customer among them is the customer"`
	CIDR     []string          `json:"cidr,omitempty" doc:"addresses it may be used from; default: any"`
}

// NewToken makes an enrolment token.
func (a *API) NewToken(ctx context.Context, in *struct{ Body EnrolTokenBody }) (*struct{ Body Token }, error) {
	wish, faults := in.Body.wish()
	if len(faults) > 0 {
		return nil, huma.Error400BadRequest("the token cannot be made", faults...)
	}
	t, err := a.o.Admission.NewToken(ctx, wish)
	if err != nil {
		return nil, a.answer(err, "token")
	}
	return &struct{ Body Token }{t}, nil
}

// wish checks all that is asked for and names all faults.
func (b *EnrolTokenBody) wish() (w TokenWish, faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	w = TokenWish{Customer: b.Customer, TTL: 24 * time.Hour, Uses: b.Uses, Labels: map[string]string{}}
	if b.TTL != "" {
		ttl, err := settings.ParseDuration(b.TTL)
		if err != nil || ttl <= 0 || ttl.Std() > maxTokenTTL {
			fault("ttl %q is not a time up to 30d; write it like 24h", b.TTL)
		}
		w.TTL = ttl.Std()
	}
	if w.Uses == 0 {
		w.Uses = 1
	}
	if w.Uses < 1 || w.Uses > maxTokenUses {
		fault("uses %d is not between 1 and %d", b.Uses, maxTokenUses)
	}
	if len(b.Labels) > maxHostLabels {
		fault("%d labels, at most %d", len(b.Labels), maxHostLabels)
	}
	for name, value := range b.Labels {
		if err := checkLabel(name, value); err != nil {
			faults = append(faults, err)
		}
		w.Labels[name] = value
	}
	if named, ok := w.Labels["customer"]; ok {
		if w.Customer != "" && w.Customer != named {
			fault("customer is %q and the label customer is %q; give one", w.Customer, named)
		}
		w.Customer = named
		delete(w.Labels, "customer")
	}
	if len(b.CIDR) > maxTokenCIDR {
		fault("%d address ranges, at most %d", len(b.CIDR), maxTokenCIDR)
	}
	for _, text := range b.CIDR {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			fault("cidr %q is not an address range; write it like 10.0.0.0/8 or fd00::/8", text)
			continue
		}
		w.CIDR = append(w.CIDR, p.Masked())
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return w, faults
}

func checkLabel(name, value string) error {
	switch {
	case len(name) > maxLabelBytes || !regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`).MatchString(name) || strings.HasPrefix(name, "__"):
		return fmt.Errorf("label %q is not a name; write it with letters, digits and _", name)
	case name == "instance" || name == "job" || name == "host":
		return fmt.Errorf("label %q is the collector's own; choose another name", name)
	case value == "" || len(value) > maxLabelBytes || !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("label %s: value %q is not 1 to %d bytes that can be printed", name, value, maxLabelBytes)
	}
	return nil
}

// TokenInfo is a token as it stands, without its secret.
type TokenInfo struct {
	ID       string            `json:"id" doc:"names it in enrol revoke"`
	State    string            `json:"state" enum:"open,used,expired,revoked"`
	Created  time.Time         `json:"created"`
	Expires  time.Time         `json:"expires"`
	Uses     int64             `json:"uses" doc:"how many hosts may enrol with it"`
	Left     int64             `json:"left" doc:"how many still may"`
	Customer string            `json:"customer"`
	Labels   map[string]string `json:"labels"`
	CIDR     []netip.Prefix    `json:"cidr"`
	Hosts    []string          `json:"hosts" doc:"that enrolled with it"`
}

// EnrolTokensBody lists tokens.
type EnrolTokensBody struct {
	Tokens []TokenInfo `json:"tokens"`
}

// EnrolTokens lists the enrolment tokens of the last 90 days, newest first.
func (a *API) EnrolTokens(ctx context.Context, _ *struct{}) (*struct{ Body EnrolTokensBody }, error) {
	all, err := a.o.Admission.EnrolTokens(ctx)
	if err != nil {
		return nil, a.answer(err, "tokens")
	}
	body, now := EnrolTokensBody{Tokens: []TokenInfo{}}, a.o.Now().UnixMilli()
	for i := range all {
		t := &all[i]
		info := TokenInfo{ID: t.ID, State: "open", Created: time.UnixMilli(t.CreatedAt).UTC(), Expires: time.UnixMilli(t.ExpiresAt).UTC(),
			Uses: t.Uses, Left: t.UsesLeft, Customer: t.Customer, Labels: t.Labels, CIDR: append([]netip.Prefix{}, t.CIDR...), Hosts: append([]string{}, t.Hosts...)}
		switch {
		case t.RevokedAt > 0:
			info.State = "revoked"
		case t.UsesLeft < 1:
			info.State = "used"
		case t.ExpiresAt <= now:
			info.State = "expired"
		}
		body.Tokens = append(body.Tokens, info)
	}
	return &struct{ Body EnrolTokensBody }{body}, nil
}

// RevokeEnrolToken ends an open token before its time.
func (a *API) RevokeEnrolToken(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{}, error) {
	if err := a.o.Admission.RevokeEnrolToken(ctx, in.ID); err != nil {
		return nil, a.answer(err, "open token with that id")
	}
	return nil, nil //nolint:nilnil // 204
}

// RevokeHost takes a host out and its certificates back.
func (a *API) RevokeHost(ctx context.Context, in *struct {
	Instance string `path:"instance" maxLength:"300"`
	Body     struct {
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"for the audit chain"`
	}
}) (*struct{}, error) {
	if err := a.o.Admission.RevokeHost(ctx, in.Instance, in.Body.Reason); err != nil {
		return nil, a.answer(err, "host of that name")
	}
	return nil, nil //nolint:nilnil // 204
}

// Authority is one that is trusted.
type Authority struct {
	Fingerprint string    `json:"fingerprint" doc:"SHA-256 of its certificate"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Serving     bool      `json:"serving" doc:"proves the collector to hosts; tokens carry its fingerprint"`
	Signing     bool      `json:"signing" doc:"signs hosts"`
	Hosts       []string  `json:"hosts" doc:"that have no certificate of another one"`
}

// AuthoritiesBody lists authorities.
type AuthoritiesBody struct {
	Authorities []Authority `json:"authorities"`
}

// Authorities lists those in force; two while one is being replaced.
func (a *API) Authorities(ctx context.Context, _ *struct{}) (*struct{ Body AuthoritiesBody }, error) {
	all, err := a.o.Admission.Authorities(ctx)
	if err != nil {
		return nil, a.answer(err, "authorities")
	}
	return &struct{ Body AuthoritiesBody }{AuthoritiesBody{all}}, nil
}

// RotateCA begins to replace the authority.
func (a *API) RotateCA(ctx context.Context, _ *struct{}) (*struct{ Body AuthoritiesBody }, error) {
	if err := a.o.Admission.RotateCA(ctx); err != nil {
		return nil, a.answer(err, "authority")
	}
	return a.Authorities(ctx, nil)
}

// RetireCA ends the replacement.
func (a *API) RetireCA(ctx context.Context, _ *struct{}) (*struct{ Body AuthoritiesBody }, error) {
	if err := a.o.Admission.RetireCA(ctx); err != nil {
		return nil, a.answer(err, "authority")
	}
	return a.Authorities(ctx, nil)
}
