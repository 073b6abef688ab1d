package receive

import (
	"net/http"
	"time"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// oldAfter is how long before it is sent a record must have been made to be
// backlog: longer than any interval that waits for its turn.
const oldAfter = 2 * time.Minute

// backfills is how many backlog records are taken in at once. After a long
// absence of the collector every host brings days of them; what is measured
// now is never kept waiting by that: it needs no turn.
const backfills = 32

// turns lets in a bounded number of backlog records at a time.
type turns chan struct{}

// take waits for nothing: without a turn the host is told to come back.
func (t turns) take(env *wire.Envelope, sent wire.Clocks) (done func(), refused *refusal) {
	if env.Clocks.Wall == 0 || sent.Wall-env.Clocks.Wall < oldAfter.Milliseconds() {
		return func() {}, nil
	}
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	default:
		return nil, &refusal{status: http.StatusTooManyRequests, reason: "backlog", retry: 1, text: "many hosts bring their backlog: come back for the next turn"}
	}
}
