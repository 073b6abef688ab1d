package people

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"
)

// userName is what a user may be called: it stands in addresses and in the audit chain.
var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,63}$`)

// ErrName is what a name gets that cannot be a user's.
var ErrName = errors.New("a user's name is 1 to 64 of a-z 0-9 . _ @ - and begins with a letter or digit")

// newUser checks everything about a new user; all faults at once.
func (d *Door) newUser(ctx context.Context, name, password string, role Role) (User, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	var badName error
	if !userName.MatchString(name) {
		badName = ErrName
	}
	_, badRole := ParseRole(string(role))
	if err := errors.Join(badName, badRole, CheckPassword(name, password)); err != nil {
		return User{}, err
	}
	kept, err := d.hash(ctx, password)
	return User{Name: name, Role: role, Password: kept, CreatedAt: d.o.Now().UnixMilli()}, err
}

// AddUser makes a user who can log in at once.
func (d *Door) AddUser(ctx context.Context, name, password string, role Role, by Act) error {
	u, err := d.newUser(ctx, name, password, role)
	if err != nil {
		return err
	}
	return d.o.Store.AddUser(ctx, u, by)
}

// Users lists all, disabled ones too.
func (d *Door) Users(ctx context.Context) ([]User, error) { return d.o.Store.Users(ctx) }

// ChangeUser gives the user another password, role or state, and ends the
// user's sessions; nil stays as it is, password is the new one itself.
func (d *Door) ChangeUser(ctx context.Context, name string, password *string, c Change, by Act) error {
	var badRole, weak error
	if c.Role != nil {
		_, badRole = ParseRole(string(*c.Role))
	}
	if password != nil {
		weak = CheckPassword(name, *password)
	}
	if err := errors.Join(badRole, weak); err != nil {
		return err
	}
	if password != nil {
		kept, err := d.hash(ctx, *password)
		if err != nil {
			return err
		}
		c.Password = &kept
	}
	return d.o.Store.ChangeUser(ctx, name, c, by)
}

// ChangeOwn is a new password by the person, who proves the old one; tries
// count as logins. All sessions end; the answer is the cookie of a fresh one.
func (d *Door) ChangeOwn(ctx context.Context, v Visitor, old, password, agent string) (cookie string, err error) {
	user, err := d.o.Store.User(ctx, v.Name)
	if err != nil {
		return "", err
	}
	if err := d.attempt(ctx, v.Name, old, user, true, "user "+v.Name, v.By()); err != nil {
		return "", err
	}
	if err := d.ChangeUser(ctx, v.Name, &password, Change{}, v.By()); err != nil {
		return "", err
	}
	return d.begin(ctx, v.Name, v.From, agent)
}

// OfferSetup makes the secret of a one-time link to the first administrator;
// what was offered before is void.
func (d *Door) OfferSetup(ctx context.Context) (secret string, expires time.Time, err error) {
	secret, expires = newSecret(), d.o.Now().Add(SetupFor)
	return secret, expires, d.o.Store.OfferSetup(ctx, hashSecret(secret), expires.UnixMilli())
}

// SetupOffered tells whether a set-up link still serves.
func (d *Door) SetupOffered(ctx context.Context, secret string) (bool, error) {
	if !validSecret(secret) {
		return false, nil
	}
	return d.o.Store.SetupOffered(ctx, hashSecret(secret), d.o.Now().UnixMilli())
}

// Setup spends the link: the first administrator, who is logged in at once.
func (d *Door) Setup(ctx context.Context, secret, name, password, from, agent string) (cookie string, err error) {
	if ok, err := d.SetupOffered(ctx, secret); err != nil || !ok {
		return "", errors.Join(ErrLink, err)
	}
	u, err := d.newUser(ctx, name, password, Admin)
	if err != nil {
		return "", err
	}
	if err := d.o.Store.TakeSetup(ctx, hashSecret(secret), u, Act{Who: u.Name, From: from}); err != nil {
		return "", err
	}
	d.o.Log.Info("the first administrator was made by the set-up link", "user", u.Name, "remote", from)
	return d.begin(ctx, u.Name, from, agent)
}

// Bounds of a token's life.
const (
	TokenFor    = 90 * 24 * time.Hour  // unless said otherwise
	MaxTokenFor = 366 * 24 * time.Hour // at most
)

// NewToken makes a token; its text is told once and kept nowhere. A visitor
// gives no more than the visitor may.
func (d *Door) NewToken(ctx context.Context, v Visitor, name string, scopes []Scope, ttl time.Duration) (text string, t Token, err error) {
	name = strings.TrimSpace(name)
	var faults []error
	if name == "" || len(name) > 100 || printable(name) != name {
		faults = append(faults, &Refusal{"give the token a name of at most 100 bytes that says what uses it"})
	}
	if ttl <= 0 || ttl > MaxTokenFor {
		faults = append(faults, &Refusal{"a token lives longer than nothing and at most 366d"})
	}
	if len(scopes) == 0 {
		faults = append(faults, &Refusal{"name at least one scope: read, enrol, plan, approve or admin"})
	}
	for _, s := range scopes {
		if !v.role().atLeast(s.needs()) && !v.has(s) {
			faults = append(faults, &Refusal{"scope " + string(s) + " is more than " + v.Actor() + " may give"})
		}
	}
	if err := errors.Join(faults...); err != nil {
		return "", t, err
	}
	now := d.o.Now()
	secret := newSecret()
	t = Token{ID: newTokenID(), Name: name, Hash: hashSecret(secret), By: v.Name, Scopes: scopes, CreatedAt: now.UnixMilli(), ExpiresAt: now.Add(ttl).UnixMilli()}
	if err := d.o.Store.AddToken(ctx, t, v.By()); err != nil {
		return "", Token{}, err
	}
	return tokenText(t.ID, secret), t, nil
}

// Tokens lists all, revoked and expired ones too.
func (d *Door) Tokens(ctx context.Context) ([]Token, error) { return d.o.Store.Tokens(ctx) }

// RevokeToken shuts a token out at once.
func (d *Door) RevokeToken(ctx context.Context, id string, by Act) error {
	return d.o.Store.RevokeToken(ctx, id, by)
}
