package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/collector/people"
)

// origin is the detail of an audit entry that says where a change came from.
func origin(detail string, by people.Act) string {
	switch {
	case by.From == "":
		return detail
	case detail == "":
		return "from " + by.From
	}
	return detail + ", from " + by.From
}

// Tell appends an entry that changed nothing else.
func (l *Ledger) Tell(ctx context.Context, action, subject, detail string, by people.Act) error {
	return l.Append(ctx, Entry{Actor: orSelf(by.Who), Action: action, Subject: subject, Detail: origin(detail, by)})
}

func userSubject(name string) string { return "user " + name }

// userContent is what the chain proves of a user: a role or password hash
// that was changed behind the ledger's back shows.
func userContent(u people.User) (string, error) {
	u.LastLogin = 0
	return contentHash(u)
}

const selectUsers = `SELECT name, role, password, disabled, created_at, last_login FROM users `

func scanUser(s scanner) (u people.User, err error) {
	var disabled int64
	err = s.Scan(&u.Name, &u.Role, &u.Password, &disabled, &u.CreatedAt, &u.LastLogin)
	u.Disabled = disabled != 0
	return u, err
}

// AnyUser tells whether there is a user, disabled or not.
func (l *Ledger) AnyUser(ctx context.Context) (bool, error) {
	var n int64
	if err := l.read.QueryRowContext(ctx, `SELECT count(*) FROM users`).Scan(&n); err != nil {
		return false, fmt.Errorf("count the users: %w", err)
	}
	return n > 0, nil
}

// User returns one user; people.ErrUnknown.
func (l *Ledger) User(ctx context.Context, name string) (people.User, error) {
	return userOf(ctx, l.read, name)
}

func userOf(ctx context.Context, q querier, name string) (people.User, error) {
	rows, err := q.QueryContext(ctx, selectUsers+`WHERE name = $1`, name)
	found, err := collect(rows, err, scanUser)
	if err != nil {
		return people.User{}, fmt.Errorf("read a user: %w", err)
	}
	if len(found) == 0 {
		return people.User{}, people.ErrUnknown
	}
	return found[0], nil
}

// Users returns all users by name.
func (l *Ledger) Users(ctx context.Context) ([]people.User, error) {
	rows, err := l.read.QueryContext(ctx, selectUsers+`ORDER BY name`)
	out, err := collect(rows, err, scanUser)
	if err != nil {
		return nil, fmt.Errorf("read the users: %w", err)
	}
	return out, nil
}

// AddUser keeps a new user; people.ErrTaken.
func (l *Ledger) AddUser(ctx context.Context, u people.User, by people.Act) error {
	return l.inTx(ctx, "add user "+u.Name, func(tx *sql.Tx) error { return l.addUser(ctx, tx, u, by) })
}

func (l *Ledger) addUser(ctx context.Context, tx *sql.Tx, u people.User, by people.Act) error {
	switch _, err := userOf(ctx, tx, u.Name); {
	case err == nil:
		return people.ErrTaken
	case !errors.Is(err, people.ErrUnknown):
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO users (name, role, password, disabled, created_at, last_login)
		VALUES ($1, $2, $3, $4, $5, 0)`, u.Name, string(u.Role), u.Password, number(u.Disabled), u.CreatedAt); err != nil {
		return err
	}
	return l.tellUser(ctx, tx, "user.added", u, "role "+string(u.Role), by)
}

// tellUser chains an entry that proves the user as it is now.
func (l *Ledger) tellUser(ctx context.Context, tx *sql.Tx, action string, u people.User, detail string, by people.Act) error {
	content, err := userContent(u)
	if err != nil {
		return err
	}
	return appendAudit(ctx, tx, Entry{At: l.ms(), Actor: orSelf(by.Who), Action: action, Subject: userSubject(u.Name), Content: content, Detail: origin(detail, by)})
}

// ChangeUser changes a user and ends the user's sessions; people.ErrUnknown,
// people.ErrLastAdmin.
func (l *Ledger) ChangeUser(ctx context.Context, name string, c people.Change, by people.Act) error {
	return l.inTx(ctx, "change user "+name, func(tx *sql.Tx) error {
		before, err := userOf(ctx, tx, name)
		if err != nil {
			return err
		}
		after := before
		if c.Password != nil {
			after.Password = *c.Password
		}
		if c.Role != nil {
			after.Role = *c.Role
		}
		if c.Disabled != nil {
			after.Disabled = *c.Disabled
		}
		if err := keepsAdmin(ctx, tx, before, after); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE users SET role = $1, password = $2, disabled = $3 WHERE name = $4`,
			string(after.Role), after.Password, number(after.Disabled), name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE user_name = $1`, name); err != nil {
			return err
		}
		for _, told := range [...]struct {
			changed        bool
			action, detail string
		}{
			{c.Role != nil, "user.role", string(before.Role) + " to " + string(after.Role)},
			{c.Disabled != nil && after.Disabled, "user.disabled", ""},
			{c.Disabled != nil && !after.Disabled, "user.enabled", ""},
			{c.Password != nil, "user.password", ""},
		} {
			if told.changed {
				if err := l.tellUser(ctx, tx, told.action, after, told.detail, by); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// keepsAdmin refuses a change after which nobody could administer.
func keepsAdmin(ctx context.Context, tx *sql.Tx, before, after people.User) error {
	if before.Role != people.Admin || before.Disabled || after.Role == people.Admin && !after.Disabled {
		return nil
	}
	var others int64
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM users WHERE role = $1 AND disabled = 0 AND name <> $2`, string(people.Admin), before.Name).Scan(&others); err != nil {
		return err
	}
	if others == 0 {
		return people.ErrLastAdmin
	}
	return nil
}

// OfferSetup keeps the hash of a set-up link until expires, and no other.
func (l *Ledger) OfferSetup(ctx context.Context, hash string, expires int64) error {
	return l.inTx(ctx, "offer a set-up link", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM setup_links`); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO setup_links (hash, expires_at) VALUES ($1, $2)`, hash, expires); err != nil {
			return err
		}
		return appendAudit(ctx, tx, Entry{At: l.ms(), Actor: Actor, Action: "setup.offered", Subject: "set-up link " + short(hash)})
	})
}

// SetupOffered tells whether the link with that hash serves at that instant:
// until it is used, expires, or there is a user.
func (l *Ledger) SetupOffered(ctx context.Context, hash string, at int64) (bool, error) {
	ok, err := setupOffered(ctx, l.read, hash, at)
	if err != nil {
		return false, fmt.Errorf("look for a set-up link: %w", err)
	}
	return ok, nil
}

func setupOffered(ctx context.Context, q querier, hash string, at int64) (bool, error) {
	rows, err := q.QueryContext(ctx, `SELECT count(*) FROM setup_links WHERE hash = $1 AND expires_at > $2 AND NOT EXISTS (SELECT 1 FROM users)`, hash, at)
	n, err := collect(rows, err, func(s scanner) (n int64, err error) {
		err = s.Scan(&n)
		return n, err
	})
	return err == nil && n[0] > 0, err
}

// TakeSetup spends the link and adds the first user, both or neither; people.ErrLink.
func (l *Ledger) TakeSetup(ctx context.Context, hash string, u people.User, by people.Act) error {
	return l.inTx(ctx, "set up the first administrator", func(tx *sql.Tx) error {
		ok, err := setupOffered(ctx, tx, hash, u.CreatedAt)
		if err != nil {
			return err
		}
		if !ok {
			return people.ErrLink
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM setup_links`); err != nil {
			return err
		}
		if err := appendAudit(ctx, tx, Entry{At: l.ms(), Actor: orSelf(by.Who), Action: "setup.used", Subject: "set-up link " + short(hash), Detail: origin("", by)}); err != nil {
			return err
		}
		return l.addUser(ctx, tx, u, by)
	})
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
