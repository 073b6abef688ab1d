package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// papersAmended: versions follow each other, the past stays, the chain proves all.
func papersAmended(t *testing.T, open opener) {
	l, ctx := open(t), context.Background()
	name := func(n int64) string { return "CHG-" + string(rune('0'+n)) }
	no, err := l.DrawPaper(ctx, "change 2026", name, func(no string) bool { return no == "CHG-1" })
	if err != nil || no != "CHG-2" {
		t.Errorf("number: got %s %v, want the first that is not taken", no, err)
	}
	paper := func(seq, at int64, body string) Paper {
		return Paper{Kind: ChangePaper, No: no, Seq: seq, At: at, By: "li", Action: "change.requested", Body: json.RawMessage(body)}
	}
	for _, step := range []struct {
		seq, at int64
		want    error
	}{{2, 100, ErrStale}, {1, 100, nil}, {1, 100, ErrStale}, {3, 200, ErrStale}, {2, 99, ErrStale}, {2, 200, nil}} {
		if err := l.PutPaper(ctx, paper(step.seq, step.at, `{"at": `+string(rune('0'+step.seq))+`}`), "why"); !errors.Is(err, step.want) {
			t.Errorf("version %d at %d: got %v, want %v", step.seq, step.at, err, step.want)
		}
	}
	for at, want := range map[int64]string{99: "", 100: `{"at": 1}`, 199: `{"at": 1}`, 200: `{"at": 2}`} {
		got := ""
		found, err := l.Papers(ctx, ChangePaper, at)
		if len(found) > 0 {
			got = string(found[0].Body)
		}
		if err != nil || got != want {
			t.Errorf("as of %d: got %s %v, want %s", at, got, err, want)
		}
	}
	if n, err := l.PaperCount(ctx); err != nil || n != 2 {
		t.Errorf("count: got %d %v, want 2", n, err)
	}
	if v, err := l.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Errorf("chain: %v %v", v.Faults, err)
	}
	for _, c := range []struct{ change, want string }{
		{`UPDATE papers SET body = '{"at": 9}' WHERE seq = 1`, "differs"},
		{`DELETE FROM papers`, "no longer in the ledger"},
	} {
		if _, err := l.write.ExecContext(ctx, c.change); err != nil {
			t.Fatal(err)
		}
		if v, err := l.Verify(ctx); err != nil || !strings.Contains(strings.Join(v.Faults, "\n"), "change CHG-2 ") || !strings.Contains(strings.Join(v.Faults, "\n"), c.want) {
			t.Errorf("%s: faults %v %v, want it named", c.change, v.Faults, err)
		}
	}
}
