package figures

import (
	"sync"
	"time"
)

// given remembers the months of services that could not be forecast, for a
// while: late facts may make it possible. The zero value is ready to use.
type given struct {
	mu sync.Mutex
	at map[[2]string]time.Time
}

// again is when a month that could not be forecast is tried again; maxGiven
// bounds those remembered.
const (
	again    = 6 * time.Hour
	maxGiven = 50_000
)

func (g *given) up(service, month string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, ok := g.at[[2]string{service, month}]
	return ok && now.Sub(at) < again
}

func (g *given) note(service, month string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.at == nil || len(g.at) >= maxGiven {
		g.at = map[[2]string]time.Time{}
	}
	g.at[[2]string{service, month}] = now
}
