package people_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
)

const good = "correct horse battery"

func openDoor(t *testing.T, cost people.Cost) *people.Door {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	l, err := ledger.Open(ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db"), Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return people.NewDoor(people.Options{Store: l, Log: silent, Cost: cost, Limits: people.Limits{Window: time.Hour, PerUser: 1000, PerFrom: 1000, Remember: 1000}})
}

// TestUnknownTakesAsLong: known, disabled and unknown names cost one hash
// each. A hash takes some 30 ms here; without one the answer takes below 3.
func TestUnknownTakesAsLong(t *testing.T) {
	d, ctx := openDoor(t, people.Cost{Time: 4, Memory: 8 << 10, Threads: 1}), context.Background()
	disabled := true
	for _, name := range []string{"li", "gone"} {
		if err := d.AddUser(ctx, name, good, people.Viewer, people.Act{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.ChangeUser(ctx, "gone", nil, people.Change{Disabled: &disabled}, people.Act{}); err != nil {
		t.Fatal(err)
	}
	fastest := func(name string) time.Duration {
		var took []time.Duration
		for range 15 {
			begin := time.Now()
			if _, err := d.Login(ctx, name, "wrong wrong wrong", "10.0.0.1:1", ""); !errors.Is(err, people.ErrWrong) || err.Error() != people.ErrWrong.Error() {
				t.Fatalf("%s: %v", name, err)
			}
			took = append(took, time.Since(begin))
		}
		return slices.Min(took)
	}
	known := fastest("li")
	for _, name := range []string{"nobody", "gone", "a name that cannot be"} {
		if other := fastest(name); other < known/4 || other > known*4 {
			t.Errorf("%s took %v, a known name %v", name, other, known)
		}
	}
}

// BenchmarkByToken is what each request of Grafana costs before it is answered.
func BenchmarkByToken(b *testing.B) {
	silent := slog.New(slog.DiscardHandler)
	l, err := ledger.Open(ledger.Options{Path: filepath.Join(b.TempDir(), "ledger.db"), Log: silent})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	d, ctx := people.NewDoor(people.Options{Store: l, Log: silent, Cost: people.Cost{Time: 1, Memory: 64, Threads: 1}}), context.Background()
	if err := d.AddUser(ctx, "root", good, people.Admin, people.Act{}); err != nil {
		b.Fatal(err)
	}
	text, _, err := d.NewToken(ctx, people.Visitor{Kind: people.Person, Name: "root", Role: people.Admin}, "bench", []people.Scope{people.Read}, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.ByToken(ctx, text, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// TestTheLastAdministratorStays: nobody can lock everybody out.
func TestTheLastAdministratorStays(t *testing.T) {
	d, ctx := openDoor(t, people.Cost{Time: 1, Memory: 64, Threads: 1}), context.Background()
	viewer, admin, yes, no := people.Viewer, people.Admin, true, false
	for _, name := range []string{"a", "b"} {
		if err := d.AddUser(ctx, name, good, people.Admin, people.Act{Who: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct {
		name   string
		change people.Change
		want   error
	}{
		{"a", people.Change{Disabled: &yes}, nil},
		{"b", people.Change{Role: &viewer}, people.ErrLastAdmin},
		{"b", people.Change{Disabled: &yes}, people.ErrLastAdmin},
		{"b", people.Change{Role: &admin, Disabled: &no}, nil},
		{"a", people.Change{Disabled: &no}, nil},
		{"b", people.Change{Role: &viewer}, nil},
		{"c", people.Change{Role: &viewer}, people.ErrUnknown},
	} {
		if err := d.ChangeUser(ctx, step.name, nil, step.change, people.Act{Who: "test"}); !errors.Is(err, step.want) {
			t.Errorf("step %d: got %v, want %v", i, err, step.want)
		}
	}
	if err := d.AddUser(ctx, "A", good, people.Viewer, people.Act{}); !errors.Is(err, people.ErrTaken) {
		t.Errorf("the same name in capitals: got %v, want ErrTaken", err)
	}
}

// TestFaultsAreToldTogether: everything wrong with a new user or token at once.
func TestFaultsAreToldTogether(t *testing.T) {
	d, ctx := openDoor(t, people.Cost{Time: 1, Memory: 64, Threads: 1}), context.Background()
	err := d.AddUser(ctx, "Li Lei", "short", "owner", people.Act{})
	want := people.ErrName.Error() + "\n\"owner\" is no role: viewer, operator, approver or admin\n" +
		"the password is shorter than 12 characters, has fewer than 6 different characters; several unrelated words make a good one"
	if err == nil || err.Error() != want {
		t.Errorf("user: got  %v\nwant %s", err, want)
	}
	_, _, err = d.NewToken(ctx, people.Visitor{Kind: people.Person, Name: "li", Role: people.Viewer}, "", []people.Scope{people.Read, people.Enrol}, 400*24*time.Hour)
	want = "give the token a name of at most 100 bytes that says what uses it\na token lives longer than nothing and at most 366d\nscope enrol is more than li may give"
	if err == nil || err.Error() != want {
		t.Errorf("token: got  %v\nwant %s", err, want)
	}
	for text, want := range map[string]string{"enrol, read,read": "read enrol", "": `"" is no scope: read, enrol, plan, approve or admin, several with commas`, "read,write": `"write" is no scope: read, enrol, plan, approve or admin, several with commas`} {
		scopes, err := people.ParseScopes(text)
		got := ""
		for _, s := range scopes {
			got += " " + string(s)
		}
		if err != nil {
			got = " " + err.Error()
		}
		if got != " "+want {
			t.Errorf("scopes %q: got%s, want %s", text, got, want)
		}
	}
}
