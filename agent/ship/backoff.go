package ship

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter bounds how long a collector may tell an agent to stay away.
const maxRetryAfter = 10 * time.Minute

// Backoff is how long to wait between attempts: after the n-th failure in a
// row a random time between 0 and min(Max, Min x 2^n) ("full jitter"), so that
// a thousand agents do not come back in one moment.
type Backoff struct{ Min, Max time.Duration }

// wait is the time to wait after the n-th failure in a row, n from 0.
func (b Backoff) wait(n int) time.Duration {
	ceiling := b.Max
	if n < 20 && b.Min<<n < b.Max {
		ceiling = b.Min << n
	}
	return rand.N(ceiling + 1)
}

// retryAfter reads the header of that name: seconds or a date. 0: not given.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// spread adds up to a fifth to d, so that those who were told the same do not
// come back together.
func spread(d time.Duration) time.Duration {
	return d + rand.N(d/5+1)
}
