package ledger

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll/plimsoll/collector/people"
)

// peopleStore walks through the life of a user, a session, a token and a link.
func peopleStore(t *testing.T, open opener) {
	l, ctx, by := open(t), context.Background(), people.Act{Who: "root", From: "10.0.0.1:5"}
	if any, err := l.AnyUser(ctx); err != nil || any {
		t.Errorf("an empty ledger: got %v %v", any, err)
	}
	li := people.User{Name: "li", Role: people.Operator, Password: "hash", CreatedAt: 1}
	must(t, l.AddUser(ctx, li, by))
	if err := l.AddUser(ctx, li, by); !errors.Is(err, people.ErrTaken) {
		t.Errorf("twice: got %v, want ErrTaken", err)
	}
	s := people.Session{Hash: strings.Repeat("ab", 32), User: "li", CreatedAt: 100, LastSeen: 100, From: "10.0.0.2:6", Agent: "browser"}
	other := people.Session{Hash: strings.Repeat("cd", 32), User: "li", CreatedAt: 50, LastSeen: 60}
	must(t, l.AddSession(ctx, s, by))
	must(t, l.AddSession(ctx, other, by))
	must(t, l.SeenSession(ctx, s.Hash, 200))
	must(t, l.SeenSession(ctx, s.Hash, 150)) // only forward
	s.LastSeen = 200
	got, err := l.Sessions(ctx, "li")
	if diff := cmp.Diff([]people.Session{s, other}, got); err != nil || diff != "" {
		t.Errorf("sessions: %v (-want +got)\n%s", err, diff)
	}
	must(t, l.DropSessions(ctx, 0, 60))
	if _, err := l.Session(ctx, other.Hash); !errors.Is(err, people.ErrSession) {
		t.Errorf("a dropped session: got %v, want ErrSession", err)
	}
	must(t, l.Close())
	l = open(t) // a session outlives a restart
	if one, err := l.Session(ctx, s.Hash); err != nil || one != s {
		t.Errorf("after a restart: got %+v %v", one, err)
	}
	role := people.Viewer
	must(t, l.ChangeUser(ctx, "li", people.Change{Role: &role}, by))
	if _, err := l.Session(ctx, s.Hash); !errors.Is(err, people.ErrSession) {
		t.Errorf("a session after another role: got %v, want ErrSession", err)
	}
	token := people.Token{ID: "0123456789abcdef", Name: "grafana", Hash: "h", By: "li", Scopes: []people.Scope{people.Read, people.Enrol}, CreatedAt: 1, ExpiresAt: 2}
	must(t, l.AddToken(ctx, token, by))
	must(t, l.SeenToken(ctx, token.ID, 7))
	must(t, l.RevokeToken(ctx, token.ID, by))
	if err := l.RevokeToken(ctx, token.ID, by); !errors.Is(err, people.ErrUnknown) {
		t.Errorf("revoked twice: got %v, want ErrUnknown", err)
	}
	token.LastUsed, token.RevokedAt = 7, noon.UnixMilli()
	if all, err := l.Tokens(ctx); err != nil || !cmp.Equal(all, []people.Token{token}) {
		t.Errorf("tokens: got %+v %v", all, err)
	}
	if _, err := l.Token(ctx, "fedcba9876543210"); !errors.Is(err, people.ErrToken) {
		t.Errorf("an unknown token: got %v, want ErrToken", err)
	}
	entries, err := l.Entries(ctx, 0, 100)
	must(t, err)
	var told []string
	for _, e := range entries {
		told = append(told, e.Actor+": "+e.Action+" "+e.Subject+"; "+e.Detail)
	}
	want := []string{
		"root: user.added user li; role operator, from 10.0.0.1:5",
		"root: login user li; session abababababab, from 10.0.0.1:5",
		"root: login user li; session cdcdcdcdcdcd, from 10.0.0.1:5",
		"root: user.role user li; operator to viewer, from 10.0.0.1:5",
		"root: api_token.created API token 0123456789abcdef; grafana, scopes read,enrol, from 10.0.0.1:5",
		"root: api_token.revoked API token 0123456789abcdef; from 10.0.0.1:5",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("audit (-want +got)\n%s", diff)
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Errorf("audit chain: got %+v %v", v, err)
	}
}

// setupRace: eight take the same link at once; one becomes the administrator.
func setupRace(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	must(t, l.OfferSetup(ctx, "link", 100))
	if err := l.TakeSetup(ctx, "link", people.User{Name: "late", CreatedAt: 100}, people.Act{}); !errors.Is(err, people.ErrLink) {
		t.Errorf("at its end: got %v, want ErrLink", err)
	}
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			errs[i] = l.TakeSetup(ctx, "link", people.User{Name: string(rune('a' + i)), Role: people.Admin, CreatedAt: 99}, people.Act{})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, people.ErrLink) {
			t.Errorf("loser: got %v, want ErrLink", err)
		}
	}
	if users, err := l.Users(ctx); err != nil || won != 1 || len(users) != 1 {
		t.Errorf("%d won, users %v %v", won, users, err)
	}
}
