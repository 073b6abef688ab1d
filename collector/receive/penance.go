package receive

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What a host or sender may cost others whose bodies are refused as a whole.
const (
	// refusedShare is which part of the time goes to its bodies, at most: after
	// one that took a tenth of a second to refuse the next waits a second.
	refusedShare = 0.1
	leastPause   = 20 * time.Millisecond // so that small ones are not sent by the thousand
	longestPause = 2 * time.Second
	// forgiven is how long after its pause a host or sender is like any other.
	forgiven = time.Minute
	// waitingTurns is how many bodies of one host or sender may wait; further
	// ones are told to come back.
	waitingTurns = 8
)

// penances have hosts and senders whose bodies are refused wait before the next
// one is read. A body that is refused costs as much to look at as any other, or
// more, and eight connections that send nothing else would keep every core
// busy: all others would wait behind them. Who is known for it has one body
// worked on at a time, with a pause after each that was refused.
type penances struct {
	waited prometheus.Counter // seconds

	mu sync.Mutex
	by map[string]*penance // by id, those with a body refused lately
}

type penance struct {
	turn    chan struct{} // of one body at a time
	until   time.Time     // the next body waits until then
	waiting int           // bodies that wait or are worked on
}

// enter waits until a body of the host or sender may be read. leave is called
// with whether it was refused for ever.
func (p *penances) enter(ctx context.Context, id string) (leave func(refused bool), _ *refusal) {
	p.mu.Lock()
	known := p.by[id]
	if known == nil {
		p.mu.Unlock()
		begin := time.Now()
		return func(refused bool) {
			if refused {
				p.impose(id, time.Since(begin))
			}
		}, nil
	}
	if known.waiting >= waitingTurns {
		p.mu.Unlock()
		return nil, &refusal{status: http.StatusTooManyRequests, reason: "refused_before", retry: 1,
			text: "bodies of this host were refused just now: send one at a time"}
	}
	known.waiting++
	p.mu.Unlock()
	if !p.wait(ctx, known) {
		p.left(id, known)
		return nil, gone()
	}
	begin := time.Now()
	return func(refused bool) {
		if refused {
			p.impose(id, time.Since(begin))
		}
		<-known.turn
		p.left(id, known)
	}, nil
}

// wait takes the turn and sits out the pause; false when ctx ended before.
func (p *penances) wait(ctx context.Context, known *penance) bool {
	begin := time.Now()
	defer func() { p.waited.Add(time.Since(begin).Seconds()) }()
	select {
	case known.turn <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	p.mu.Lock()
	pause := time.Until(known.until)
	p.mu.Unlock()
	if pause > 0 && happens(ctx, nil, pause) {
		<-known.turn
		return false
	}
	return true
}

// impose sets the pause after a body that took so long to refuse.
func (p *penances) impose(id string, took time.Duration) {
	now := time.Now()
	pause := min(max(time.Duration(float64(took)*(1/refusedShare-1)), leastPause), longestPause)
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.by[id]
	if known == nil {
		for id, other := range p.by {
			if other.waiting == 0 && now.Sub(other.until) > forgiven {
				delete(p.by, id)
			}
		}
		known = &penance{turn: make(chan struct{}, 1)}
		p.by[id] = known
	}
	if until := now.Add(pause); until.After(known.until) {
		known.until = until
	}
}

// left ends a body of known, and the penance when its time is over.
func (p *penances) left(id string, known *penance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known.waiting--; known.waiting == 0 && time.Since(known.until) > forgiven && p.by[id] == known {
		delete(p.by, id)
	}
}

// forEver tells whether the answer is that the body will never be taken.
func (r *refusal) forEver() bool {
	return r != nil && r.status/100 == 4 && r.status != http.StatusTooManyRequests
}
