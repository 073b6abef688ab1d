package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

type userCmd struct {
	Add     userAddCmd     `cmd:"" help:"Make a user; asks for the password."`
	List    userListCmd    `cmd:"" help:"List users."`
	Passwd  userPasswdCmd  `cmd:"" help:"Give a user a new password and end the user's sessions."`
	Role    userRoleCmd    `cmd:"" help:"Give a user another role and end the user's sessions."`
	Disable userDisableCmd `cmd:"" help:"Shut a user out, at once; tokens the user made too."`
	Enable  userEnableCmd  `cmd:"" help:"Let a disabled user in again."`
}

// newPassword is where a password comes from that must not be on a command line.
type newPassword struct {
	PasswordFile string `help:"File whose first line is the password; - or a pipe is standard input." placeholder:"FILE"`
}

// read takes it from the file, from a pipe, or twice from the terminal.
func (p newPassword) read() (string, error) {
	terminal := int(os.Stdin.Fd())
	if p.PasswordFile == "" && term.IsTerminal(terminal) {
		ask := func(prompt string) (string, error) {
			fmt.Fprint(os.Stderr, prompt)
			text, err := term.ReadPassword(terminal)
			fmt.Fprintln(os.Stderr)
			return string(text), err
		}
		first, err := ask("Password: ")
		if err != nil {
			return "", err
		}
		second, err := ask("Once more: ")
		if err == nil && first != second {
			err = errors.New("the two passwords differ")
		}
		return first, err
	}
	var from io.Reader = os.Stdin
	if p.PasswordFile != "" && p.PasswordFile != "-" {
		f, err := os.Open(p.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	line, err := bufio.NewReader(io.LimitReader(from, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type userAddCmd struct {
	asking
	newPassword
	Name string `arg:"" help:"Its name: small letters, digits, and . _ @ -"`
	Role string `help:"viewer, operator, approver or admin." enum:"viewer,operator,approver,admin" default:"viewer"`
}

func (c *userAddCmd) Run(ctx context.Context) error {
	password, err := c.read()
	if err != nil {
		return err
	}
	if err := c.fetch(ctx, http.MethodPost, "/api/v1/users", map[string]string{"name": c.Name, "role": c.Role, "password": password}, nil); err != nil {
		return err
	}
	fmt.Printf("user %s, %s\n", c.Name, c.Role)
	return nil
}

func (a asking) changeUser(ctx context.Context, name string, change map[string]any) error {
	return a.fetch(ctx, http.MethodPatch, "/api/v1/users/"+url.PathEscape(name), change, nil)
}

type userListCmd struct{ asking }

func (c *userListCmd) Run(ctx context.Context) error {
	var all struct {
		Users []struct {
			Name, Role string
			Disabled   bool
			LastLogin  *time.Time `json:"last_login"`
		}
	}
	if err := c.fetch(ctx, http.MethodGet, "/api/v1/users", nil, &all); err != nil {
		return err
	}
	if len(all.Users) == 0 {
		fmt.Println("no user yet: plimsoll-collector user add makes one")
		return nil
	}
	return table("NAME\tROLE\tSTATE\tLAST LOGIN", len(all.Users), func(i int) []string {
		u, state := &all.Users[i], "may log in"
		if u.Disabled {
			state = "disabled"
		}
		return []string{u.Name, u.Role, state, instant(u.LastLogin)}
	})
}

func instant(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

type userPasswdCmd struct {
	asking
	newPassword
	Name string `arg:"" help:"Whose."`
}

func (c *userPasswdCmd) Run(ctx context.Context) error {
	password, err := c.read()
	if err != nil {
		return err
	}
	return c.changeUser(ctx, c.Name, map[string]any{"password": password})
}

type userRoleCmd struct {
	asking
	Name string `arg:"" help:"Whose."`
	Role string `arg:"" help:"viewer, operator, approver or admin." enum:"viewer,operator,approver,admin"`
}

func (c *userRoleCmd) Run(ctx context.Context) error {
	return c.changeUser(ctx, c.Name, map[string]any{"role": c.Role})
}

type userDisableCmd struct {
	asking
	Name string `arg:"" help:"Who."`
}

func (c *userDisableCmd) Run(ctx context.Context) error {
	return c.changeUser(ctx, c.Name, map[string]any{"disabled": true})
}

type userEnableCmd struct {
	asking
	Name string `arg:"" help:"Who."`
}

func (c *userEnableCmd) Run(ctx context.Context) error {
	return c.changeUser(ctx, c.Name, map[string]any{"disabled": false})
}
