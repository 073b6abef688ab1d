package receive

import "sync/atomic"

// budget bounds the bytes of all bodies being worked on together.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take reserves n bytes, or nothing when they are not there. It never waits:
// a sender that must come back later costs less than one that is kept.
func (b *budget) take(n int) bool {
	if b.used.Add(int64(n)) > b.limit {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

func (b *budget) give(n int) { b.used.Add(-int64(n)) }
