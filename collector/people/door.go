package people

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

// How long things live.
const (
	Idle     = 30 * time.Minute // a session without a request of its person
	Absolute = 12 * time.Hour   // a session, whatever happens
	SetupFor = time.Hour        // a set-up link
	// seenEvery is how exactly the last use of a session or token is kept.
	seenEvery = time.Minute
	// hashers is how many passwords are tried at once: each takes Cost.Memory,
	// and guessers must not take every processor.
	hashers = 1
)

// Results of a login that was tried; they are counted.
const (
	LoginOK    = "ok"
	LoginWrong = "wrong"
)

// Options of a Door. Store is needed.
type Options struct {
	Store  Store
	Now    func() time.Time
	Log    *slog.Logger
	Cost   Cost                // zero: DefaultCost
	Limits Limits              // zero: DefaultLimits
	Count  func(result string) // of logins; nil: not counted
	Forgot func()              // a user or address was forgotten for want of room; nil: not counted
}

// Door lets people and programs in. Safe for concurrent use.
type Door struct {
	o       Options
	limiter *limiter
	hashing chan struct{}
	// decoy is verified where there is no such user: it takes as long. It is
	// made by the first login, whoever that is: 64 MiB and half a second at each
	// start would be for nothing where nobody logs in.
	decoy   func() string
	peopled atomic.Bool
}

// NewDoor makes a Door.
func NewDoor(o Options) *Door {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Cost == (Cost{}) {
		o.Cost = DefaultCost()
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	if o.Count == nil {
		o.Count = func(string) {}
	}
	if o.Forgot == nil {
		o.Forgot = func() {}
	}
	return &Door{o: o, limiter: newLimiter(o.Limits, o.Forgot), hashing: make(chan struct{}, hashers), decoy: sync.OnceValue(func() string { return HashPassword(newSecret(), o.Cost) })}
}

// Limited is the refusal of one login too many.
type Limited struct{ Wait time.Duration }

func (l *Limited) Error() string {
	return fmt.Sprintf("too many failed logins; come back in %s", l.Wait.Round(time.Second))
}

// ErrWrong does not tell which of the two is wrong, nor whether the user is disabled.
var ErrWrong = errors.New("name or password is wrong")

// AnyUser tells whether there is a user, so that a login is needed.
func (d *Door) AnyUser(ctx context.Context) (bool, error) {
	if d.peopled.Load() { // users are never removed
		return true, nil
	}
	found, err := d.o.Store.AnyUser(ctx)
	if found {
		d.peopled.Store(true)
	}
	return found, err
}

// Login tries name and password, and begins a session: the text of its cookie.
// Unknown, disabled and known names take the same time and get the same error.
func (d *Door) Login(ctx context.Context, name, password, from, agent string) (cookie string, err error) {
	name = strings.ToLower(strings.TrimSpace(name))
	user, err := d.o.Store.User(ctx, name)
	known := err == nil
	if err != nil && !errors.Is(err, ErrUnknown) {
		return "", err
	}
	// Never the name of an unknown one: people type their password into the wrong field.
	subject, by := "an unknown user", Visitor{From: from}.By()
	if known {
		subject, by.Who = "user "+user.Name, user.Name
	}
	if err := d.attempt(ctx, name, password, user, known, subject, by); err != nil {
		return "", err
	}
	cookie, err = d.begin(ctx, user.Name, from, agent)
	if err == nil {
		d.o.Count(LoginOK)
		d.o.Log.Info("login", "user", user.Name, "remote", from)
	}
	return cookie, err
}

// attempt is one try of a password, limited, counted and audited. The error is
// a *Limited, ErrWrong, or the store's.
func (d *Door) attempt(ctx context.Context, name, password string, user User, known bool, subject string, by Act) error {
	now := d.o.Now()
	if l := d.limiter.begin(name, by.From, now); l.result != "" {
		d.o.Count(l.result)
		var err error
		if l.first { // one entry for a row of refusals: guessing must not fill the disk
			d.o.Log.Warn("too many failed logins", "why", l.result, "who", subject, "remote", by.From)
			err = d.o.Store.Tell(ctx, "login.limited", subject, l.result, by)
		}
		return errors.Join(&Limited{l.wait}, err)
	}
	ok, err := d.verify(ctx, user, known, password)
	if err != nil {
		return err
	}
	if !ok {
		d.o.Count(LoginWrong)
		d.o.Log.Warn("login failed", "who", subject, "remote", by.From)
		return errors.Join(ErrWrong, d.o.Store.Tell(ctx, "login.failed", subject, "", by))
	}
	d.limiter.succeeded(name, by.From, now)
	return nil
}

// verify computes one hash in any case.
func (d *Door) verify(ctx context.Context, user User, known bool, password string) (bool, error) {
	select {
	case d.hashing <- struct{}{}:
		defer func() { <-d.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	kept := d.decoy()
	if known {
		kept = user.Password
	}
	if len(password) > MaxPassword {
		password = ""
	}
	ok, err := VerifyPassword(kept, password)
	if err != nil {
		return false, fmt.Errorf("read the password hash of user %s: %w; give a new password on the host with \"plimsoll-collector user passwd\"", user.Name, err)
	}
	return ok && known && !user.Disabled, nil
}

// hash computes the text to keep of a new password.
func (d *Door) hash(ctx context.Context, password string) (string, error) {
	select {
	case d.hashing <- struct{}{}:
		defer func() { <-d.hashing }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return HashPassword(password, d.o.Cost), nil
}

// begin makes a session under a fresh id.
func (d *Door) begin(ctx context.Context, user, from, agent string) (cookie string, err error) {
	now := d.o.Now()
	if err := d.o.Store.DropSessions(ctx, now.Add(-Absolute).UnixMilli(), now.Add(-Idle).UnixMilli()); err != nil {
		return "", err
	}
	cookie = newSecret()
	s := Session{Hash: hashSecret(cookie), User: user, CreatedAt: now.UnixMilli(), LastSeen: now.UnixMilli(), From: from, Agent: printable(agent)}
	if err := d.o.Store.AddSession(ctx, s, Act{Who: user, From: from}); err != nil {
		return "", err
	}
	return cookie, nil
}

// printable is at most 200 characters of what a browser calls itself.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, ""))
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200])
	}
	return text
}

// lives tells whether a session still stands at now.
func (s Session) lives(now time.Time) bool {
	ms := now.UnixMilli()
	return ms-s.CreatedAt < Absolute.Milliseconds() && ms-s.LastSeen < Idle.Milliseconds()
}

// BySession finds the person behind a cookie. active is false for requests
// that a page makes by itself: they do not keep a session alive.
// The error is ErrSession, or the store's.
func (d *Door) BySession(ctx context.Context, cookie, from string, active bool) (Visitor, error) {
	if !validSecret(cookie) {
		return Visitor{}, ErrSession
	}
	s, err := d.o.Store.Session(ctx, hashSecret(cookie))
	if err != nil {
		return Visitor{}, err
	}
	now := d.o.Now()
	if !s.lives(now) {
		return Visitor{}, ErrSession
	}
	user, err := d.o.Store.User(ctx, s.User)
	if errors.Is(err, ErrUnknown) || err == nil && user.Disabled {
		return Visitor{}, ErrSession
	}
	if err != nil {
		return Visitor{}, err
	}
	if active && now.UnixMilli()-s.LastSeen >= seenEvery.Milliseconds() {
		if err := d.o.Store.SeenSession(ctx, s.Hash, now.UnixMilli()); err != nil {
			return Visitor{}, err
		}
	}
	return Visitor{Kind: Person, Name: user.Name, Role: user.Role, Session: s.Hash, From: from}, nil
}

// ByToken finds the program behind a bearer token. The error is ErrToken, or the store's.
func (d *Door) ByToken(ctx context.Context, text, from string) (Visitor, error) {
	id, secret, err := parseToken(text)
	if err != nil {
		return Visitor{}, err
	}
	t, err := d.o.Store.Token(ctx, id)
	if err != nil {
		return Visitor{}, err
	}
	now := d.o.Now().UnixMilli()
	if !sameHash(t.Hash, hashSecret(secret)) || t.RevokedAt != 0 || t.ExpiresAt <= now {
		return Visitor{}, ErrToken
	}
	v := Visitor{Kind: Program, Name: t.By, Role: Admin, Token: t.Name, Scopes: t.Scopes, From: from}
	if t.By != "" {
		user, err := d.o.Store.User(ctx, t.By)
		if errors.Is(err, ErrUnknown) || err == nil && user.Disabled {
			return Visitor{}, ErrToken // its maker may nothing any more
		}
		if err != nil {
			return Visitor{}, err
		}
		v.Role = user.Role
	}
	if now-t.LastUsed >= seenEvery.Milliseconds() {
		if err := d.o.Store.SeenToken(ctx, t.ID, now); err != nil {
			return Visitor{}, err
		}
	}
	return v, nil
}

// Logout ends the session of a cookie; one that has ended already is no error.
func (d *Door) Logout(ctx context.Context, cookie, from string) error {
	v, err := d.BySession(ctx, cookie, from, false)
	if errors.Is(err, ErrSession) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.o.Store.EndSessions(ctx, v.Name, v.Session, v.By())
}

// SignOut ends one session of the person (its hash), or all where it is empty.
func (d *Door) SignOut(ctx context.Context, v Visitor, session string) error {
	return d.o.Store.EndSessions(ctx, v.Name, session, v.By())
}

// Sessions are the living sessions of a user, newest first.
func (d *Door) Sessions(ctx context.Context, user string) ([]Session, error) {
	all, err := d.o.Store.Sessions(ctx, user)
	var living []Session
	for _, s := range all {
		if s.lives(d.o.Now()) {
			living = append(living, s)
		}
	}
	return living, err
}
