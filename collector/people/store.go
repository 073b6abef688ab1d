package people

import (
	"context"
	"errors"
)

// User is somebody who may log in. Users are disabled, never removed: the
// audit chain names them.
type User struct {
	Name      string
	Role      Role
	Password  string // as HashPassword writes it
	Disabled  bool
	CreatedAt int64 // Unix milliseconds, as all instants here
	LastLogin int64
}

// Session is one login of a user.
type Session struct {
	Hash      string // of the id in the cookie
	User      string
	CreatedAt int64
	LastSeen  int64
	From      string // address it was made from
	Agent     string // browser it was made with
}

// Token lets a program in.
type Token struct {
	ID        string
	Name      string
	Hash      string // of its secret
	By        string // user who made it; empty: the host's administrator
	Scopes    []Scope
	CreatedAt int64
	ExpiresAt int64
	RevokedAt int64
	LastUsed  int64
}

// Change is what is to be different about a user; nil stays as it is.
type Change struct {
	Password *string // as HashPassword writes it
	Role     *Role
	Disabled *bool
}

// Store keeps users, sessions, tokens and set-up links. Each method that
// changes something appends its audit entry in the same transaction; those
// that only note a use or forget what has ended do not.
type Store interface {
	AnyUser(ctx context.Context) (bool, error)
	User(ctx context.Context, name string) (User, error) // ErrUnknown
	Users(ctx context.Context) ([]User, error)
	AddUser(ctx context.Context, u User, by Act) error // ErrTaken
	// ChangeUser ends all sessions of the user too; ErrUnknown, ErrLastAdmin.
	ChangeUser(ctx context.Context, name string, c Change, by Act) error

	// OfferSetup replaces what was offered before.
	OfferSetup(ctx context.Context, hash string, expires int64) error
	// SetupOffered tells whether the link serves at that instant: until it is
	// used, expires, or there is a user.
	SetupOffered(ctx context.Context, hash string, at int64) (bool, error)
	// TakeSetup spends the link at u.CreatedAt and adds the first user, both or
	// neither; ErrLink.
	TakeSetup(ctx context.Context, hash string, u User, by Act) error

	AddSession(ctx context.Context, s Session, by Act) error
	Session(ctx context.Context, hash string) (Session, error) // ErrSession
	Sessions(ctx context.Context, user string) ([]Session, error)
	SeenSession(ctx context.Context, hash string, at int64) error
	// EndSessions ends one session of the user, or all where hash is empty.
	EndSessions(ctx context.Context, user, hash string, by Act) error
	// DropSessions forgets those begun or last seen before.
	DropSessions(ctx context.Context, begun, seen int64) error

	AddToken(ctx context.Context, t Token, by Act) error
	Token(ctx context.Context, id string) (Token, error) // ErrToken
	Tokens(ctx context.Context) ([]Token, error)
	SeenToken(ctx context.Context, id string, at int64) error
	RevokeToken(ctx context.Context, id string, by Act) error // ErrUnknown

	// Tell appends to the audit chain what changed nothing else.
	Tell(ctx context.Context, action, subject, detail string, by Act) error
}

// Errors of a Store that callers tell apart.
var (
	ErrUnknown   = errors.New("there is no such user or token")
	ErrTaken     = errors.New("a user of that name exists already; users are disabled, never removed")
	ErrLastAdmin = errors.New("this is the last administrator who can log in; make another one first")
	ErrLink      = errors.New("the set-up link was used, has expired, or is not this collector's; start the collector again for a new one, or use \"plimsoll-collector user add\" on its host")
)
