package receive

import (
	"net/http"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// TestTurns: what is young needs no turn, backlog gets as many as there are.
func TestTurns(t *testing.T) {
	now := time.Now().UnixMilli()
	at := func(age time.Duration) *wire.Envelope {
		return &wire.Envelope{Clocks: wire.Clocks{Wall: now - age.Milliseconds()}}
	}
	sent := wire.Clocks{Wall: now}
	turns := make(turns, 2)
	var given []func()
	for i, row := range []struct {
		name string
		env  *wire.Envelope
		in   bool
	}{
		{"first of the backlog", at(3 * 24 * time.Hour), true},
		{"second", at(time.Hour), true},
		{"third: no turn left", at(time.Hour), false},
		{"measured now", at(0), true},
		{"waited for its interval", at(2*time.Minute - time.Second), true},
		{"just old enough for backlog", at(2 * time.Minute), false},
		{"from a clock in the future", at(-time.Hour), true},
		{"a sender that tells no clock", &wire.Envelope{}, true},
	} {
		done, refused := turns.take(row.env, sent)
		if (refused == nil) != row.in {
			t.Errorf("row %d, %s: refused %+v, want in %v", i, row.name, refused, row.in)
		}
		if refused != nil && (refused.status != http.StatusTooManyRequests || refused.retry == 0) {
			t.Errorf("%s: answered %+v, want 429 with Retry-After", row.name, refused)
		}
		if done != nil {
			given = append(given, done)
		}
	}
	for _, done := range given {
		done()
	}
	if _, refused := turns.take(at(time.Hour), sent); refused != nil {
		t.Errorf("after the others ended: %+v", refused)
	}
}
