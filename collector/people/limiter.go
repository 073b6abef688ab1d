package people

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Limits of logins. Only what fails counts: a login that succeeds gives its
// attempt back and forgets the user's failures.
type Limits struct {
	Window   time.Duration // how long a failure counts
	PerUser  int           // failures of one user within Window, known or not
	PerFrom  int           // failures of one address (IPv6: of one /64) within Window
	Remember int           // users and addresses remembered; beyond, the longest quiet is forgotten
}

// DefaultLimits let a person mistype, and a guesser try 960 passwords a day.
func DefaultLimits() Limits {
	return Limits{Window: 15 * time.Minute, PerUser: 10, PerFrom: 30, Remember: 10_000}
}

// Results of a login that was not even tried; they are counted.
const (
	LimitedUser = "limited_user"
	LimitedFrom = "limited_address"
)

// limiter remembers attempts. Safe for concurrent use.
type limiter struct {
	limits Limits
	forgot func() // called for each that had to be forgotten early
	mu     sync.Mutex
	seen   map[string]*attempts
}

type attempts struct {
	at   []time.Time // within the window, oldest first
	told bool        // that they are too many; until one is let in again
}

func newLimiter(l Limits, forgot func()) *limiter {
	return &limiter{limits: l, forgot: forgot, seen: map[string]*attempts{}}
}

// limited is why an attempt is not even tried.
type limited struct {
	result string        // LimitedUser or LimitedFrom; empty: it is tried
	wait   time.Duration // until one is let in again
	first  bool          // of a row of refusals: worth telling
}

// begin takes an attempt beforehand, so that a hundred at once are a hundred.
// A refused one takes nothing.
func (l *limiter) begin(user, from string, now time.Time) limited {
	l.mu.Lock()
	defer l.mu.Unlock()
	keys := [...]struct {
		key, result string
		most        int
	}{{"from " + network(from), LimitedFrom, l.limits.PerFrom}, {"user " + user, LimitedUser, l.limits.PerUser}}
	for _, k := range keys {
		if a := l.recent(k.key, now); a != nil && len(a.at) >= k.most {
			first := !a.told
			a.told = true
			return limited{k.result, l.limits.Window - now.Sub(a.at[len(a.at)-k.most]), first}
		}
	}
	for _, k := range keys {
		l.add(k.key, now)
	}
	return limited{}
}

// succeeded gives the attempt of at back to the address and clears the user.
func (l *limiter) succeeded(user, from string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.seen, "user "+user)
	a := l.seen["from "+network(from)]
	if a == nil {
		return
	}
	if i := slices.IndexFunc(a.at, at.Equal); i >= 0 {
		a.at = slices.Delete(a.at, i, i+1)
	}
	if len(a.at) == 0 {
		delete(l.seen, "from "+network(from))
	}
}

// recent forgets what is past the window; nil when nothing is left.
func (l *limiter) recent(key string, now time.Time) *attempts {
	a := l.seen[key]
	if a == nil {
		return nil
	}
	for len(a.at) > 0 && now.Sub(a.at[0]) >= l.limits.Window {
		a.at = a.at[1:]
	}
	if len(a.at) == 0 {
		delete(l.seen, key)
		return nil
	}
	return a
}

func (l *limiter) add(key string, now time.Time) {
	if l.seen[key] == nil {
		if len(l.seen) >= l.limits.Remember {
			l.forget(now)
		}
		l.seen[key] = &attempts{}
	}
	l.seen[key].at = append(l.seen[key].at, now)
	l.seen[key].told = false
}

// forget drops all that is past the window, or else the longest quiet.
func (l *limiter) forget(now time.Time) {
	quietest, since := "", now
	for key, a := range l.seen {
		last := a.at[len(a.at)-1]
		if now.Sub(last) >= l.limits.Window {
			delete(l.seen, key)
		} else if quietest == "" || last.Before(since) {
			quietest, since = key, last
		}
	}
	if len(l.seen) >= l.limits.Remember {
		delete(l.seen, quietest)
		l.forgot()
	}
}

// network is the address without its port; of IPv6 the /64 one customer gets.
func network(from string) string {
	ap, err := netip.ParseAddrPort(from)
	if err != nil {
		return from
	}
	a := ap.Addr().Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}
