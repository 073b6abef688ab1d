package correction_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/collector/correction"
	"github.com/plimsoll/plimsoll/collector/figures/figurestest"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

// october closes everything before November.
type october struct{ until int64 }

// Closed names October.
func (o october) Closed(_ context.Context, _ string, from, _ int64) (string, error) {
	if from < o.until {
		return "2026-10", nil
	}
	return "", nil
}

func person(name string, role people.Role) people.Visitor {
	return people.Visitor{Kind: people.Person, Name: name, Role: role, From: "test"}
}

// refused is the key of the refusal; empty: none.
func refused(t *testing.T, err error) string {
	t.Helper()
	var refusal *words.Refusal
	if err != nil && !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	if err == nil {
		return ""
	}
	return refusal.Key
}

func TestRequestsRefused(t *testing.T) {
	s := figurestest.Open(t)
	desk := correction.NewDesk(s.Ledger, s.Engine, october{s.At(1, 0, 0, 0)}, s.Clock)
	good := correction.Ask{Components: []string{"shop-page"}, From: s.At(12, 3, 12, 15), To: s.At(12, 3, 35, 15), Reason: "patching", Evidence: "ticket 7"}
	for _, c := range []struct {
		name   string
		change func(*correction.Ask)
		want   string
	}{
		{"as it should be", func(*correction.Ask) {}, ""},
		{"no reason", func(a *correction.Ask) { a.Reason = " " }, "refused.evidence"},
		{"no evidence", func(a *correction.Ask) { a.Evidence = "" }, "refused.evidence"},
		{"names nothing", func(a *correction.Ask) { a.Components = nil }, "refused.names.none"},
		{"an unknown name", func(a *correction.Ask) { a.Components = []string{"shop"} }, "refused.component"},
		{"ends before it begins", func(a *correction.Ask) { a.To = a.From }, "refused.window.order"},
		{"the future", func(a *correction.Ask) { a.To = s.At(26, 0, 0, 0) }, "refused.ahead"},
		{"a closed period", func(a *correction.Ask) { a.From -= 30 * 86_400_000 }, "refused.closed"},
		{"half a year", func(a *correction.Ask) { a.From -= 180 * 86_400_000 }, "refused.window.long"},
		{"another effect", func(a *correction.Ask) { a.Effect = "sideways" }, "refused.effect"},
	} {
		ask := good
		c.change(&ask)
		if _, err := desk.Request(context.Background(), ask, person("li", people.Operator)); refused(t, err) != c.want {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestFourEyes(t *testing.T) {
	s := figurestest.Open(t)
	ctx := context.Background()
	ask := correction.Ask{Components: []string{"shop-page"}, From: s.At(12, 3, 12, 15), To: s.At(12, 3, 35, 15), Reason: "patching", Evidence: "ticket 7"}
	made, err := s.Corrections.Request(ctx, ask, people.Visitor{Kind: people.Program, Name: "li", Role: people.Admin, Token: "pipeline"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		who  people.Visitor
		want string
	}{
		{"the one whose token asked", person("li", people.Admin), "refused.alone"},
		{"an operator", person("zhao", people.Operator), "refused.role"},
		{"the host's administrator", people.Visitor{Kind: people.Host}, "refused.nameless"},
		{"anybody on loopback", people.Visitor{Kind: people.Anybody}, "refused.nameless"},
		{"a token of nobody", people.Visitor{Kind: people.Program, Role: people.Admin, Token: "x"}, "refused.nameless"},
	} {
		for what, decide := range map[string]func(context.Context, string, string, people.Visitor) (correction.Adjustment, error){"approve": s.Corrections.Approve, "refuse": s.Corrections.Refuse} {
			if _, err := decide(ctx, made.No, "", c.who); refused(t, err) != c.want {
				t.Errorf("%s by %s: got %v, want %s", what, c.name, err, c.want)
			}
		}
	}
	// Two decide at once: one of them wins, the other is told.
	var wg sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		wg.Go(func() {
			decide := s.Corrections.Approve
			if i%2 == 1 {
				decide = s.Corrections.Refuse
			}
			_, results[i] = decide(ctx, made.No, "", person("wang", people.Approver))
		})
	}
	wg.Wait()
	won := 0
	for _, err := range results {
		switch refused(t, err) {
		case "":
			won++
		case "refused.decided", "refused.stale":
		default:
			t.Errorf("a loser: got %v", err)
		}
	}
	h, err := s.Corrections.Adjustment(ctx, made.No)
	if err != nil || won != 1 || len(h.Versions) != 2 {
		t.Errorf("%d decided, %d versions (%v), want one and two", won, len(h.Versions), err)
	}
}

// TestShiftIsWhatComes: the figure shown as after is the one that comes.
func TestShiftIsWhatComes(t *testing.T) {
	ctx := context.Background()
	for _, effect := range []string{"exclude", "up", "down"} {
		s := figurestest.Open(t)
		ask := correction.Ask{Components: []string{"shop-page"}, From: s.At(18, 9, 0, 0), To: s.At(18, 10, 3, 0), Effect: effect, Reason: "r", Evidence: "e"}
		made, err := s.Corrections.Request(ctx, ask, person("li", people.Operator))
		if err != nil {
			t.Fatal(err)
		}
		made, err = s.Corrections.Approve(ctx, made.No, "", person("wang", people.Approver))
		if err != nil || len(made.Decided) != 1 {
			t.Fatal(made.Decided, err)
		}
		all, err := s.Engine.Period(ctx, "2026-11-01", "2026-12-01", s.Clock())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := all[0].Exact.Availability.RatString(), made.Decided[0].After.Availability; got != want {
			t.Errorf("%s: availability %s, shown before approval was %s", effect, got, want)
		}
		if made.Decided[0].Before == made.Decided[0].After {
			t.Errorf("%s: changes nothing", effect)
		}
	}
}
