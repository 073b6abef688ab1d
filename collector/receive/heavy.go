package receive

import (
	"context"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// heavy lets in large bodies, those that decode to more than batch.MaxUsual, as
// many at a time as half of the cores can decode. One takes up to a tenth of a
// second, an agent's a tenth of a millisecond: the other half is for those.
type heavy struct {
	turns  chan struct{}
	waited prometheus.Counter // seconds
}

func newHeavy(waited prometheus.Counter) heavy {
	return heavy{turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), waited: waited}
}

// enter waits for a turn, which done gives back; false when ctx ended before.
func (h *heavy) enter(ctx context.Context) (done func(), ok bool) {
	begin := time.Now()
	defer func() { h.waited.Add(time.Since(begin).Seconds()) }()
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, true
	case <-ctx.Done():
		return nil, false
	}
}
