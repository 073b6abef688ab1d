package people

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// TestLimiter tells a guesser's story: at that second, this user from that
// address; what is the answer?
func TestLimiter(t *testing.T) {
	l := newLimiter(Limits{Window: 100 * time.Second, PerUser: 3, PerFrom: 5, Remember: 100}, func() { t.Error("forgot somebody") })
	for _, row := range []struct {
		at         int
		user, from string
		right      bool // the password, when it is tried
		result     string
		wait       int
		what       string
	}{
		{0, "li", "10.0.0.1:1", false, "", 0, "first"},
		{10, "li", "10.0.0.1:2", false, "", 0, "second, from another port of the same address"},
		{20, "li", "10.0.0.2:1", false, "", 0, "third, from another address"},
		{30, "li", "10.0.0.3:1", true, LimitedUser, 70, "the user is limited wherever it comes from"},
		{31, "wu", "10.0.0.1:1", true, "", 0, "another user is not"},
		{99, "li", "10.0.0.3:1", true, LimitedUser, 1, "a second before the first is forgotten"},
		{100, "li", "10.0.0.3:1", true, "", 0, "forgotten: the right password clears the user"},
		{101, "li", "10.0.0.3:1", false, "", 0, "one of three again"},
		{102, "a", "10.0.0.9:1", false, "", 0, "five names from one address"},
		{103, "b", "10.0.0.9:1", false, "", 0, "two"},
		{104, "c", "10.0.0.9:1", false, "", 0, "three"},
		{105, "wu", "10.0.0.9:1", true, "", 0, "a right password costs the address nothing"},
		{106, "d", "10.0.0.9:1", false, "", 0, "four"},
		{107, "e", "10.0.0.9:1", false, "", 0, "five"},
		{108, "wu", "10.0.0.9:1", true, LimitedFrom, 94, "the address is full, for every user"},
		{109, "f", "[2001:db8::1]:1", false, "", 0, "IPv6"},
		{110, "g", "[2001:db8::2]:1", false, "", 0, "the same /64"},
		{111, "h", "[2001:db8::3]:1", false, "", 0, "the same /64"},
		{112, "i", "[2001:db8::4%eth0]:1", false, "", 0, "the same /64"},
		{113, "j", "[2001:db8::5]:1", false, "", 0, "the same /64"},
		{114, "k", "[2001:db8::6]:1", false, LimitedFrom, 95, "the /64 is full"},
		{115, "k", "[2001:db8:0:1::6]:1", false, "", 0, "the next /64 is not"},
		{116, "m", "[::ffff:10.0.0.9]:1", false, LimitedFrom, 86, "IPv4 written as IPv6 is the same address"},
	} {
		now := noon.Add(time.Duration(row.at) * time.Second)
		got := l.begin(row.user, row.from, now)
		if got.result != row.result || got.wait != time.Duration(row.wait)*time.Second {
			t.Errorf("%d s, %s from %s, %s: got %q, wait %v; want %q, %d s", row.at, row.user, row.from, row.what, got.result, got.wait, row.result, row.wait)
		}
		if got.result == "" && row.right {
			l.succeeded(row.user, row.from, now)
		}
	}
}

// TestLimiterAtOnce: a hundred guesses in the same instant are a hundred.
func TestLimiterAtOnce(t *testing.T) {
	l := newLimiter(DefaultLimits(), func() { t.Error("forgot somebody") })
	var mu sync.Mutex
	tried, told := 0, 0
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			got := l.begin("li", fmt.Sprintf("10.0.%d.1:1", i), noon)
			mu.Lock()
			defer mu.Unlock()
			if got.result == "" {
				tried++
			}
			if got.first {
				told++
			}
		})
	}
	wg.Wait()
	if tried != 10 || told != 1 {
		t.Errorf("tried %d, told %d; want 10 and 1", tried, told)
	}
}

// TestLimiterIsBounded: more names than it remembers; what is remembered is
// the newest.
func TestLimiterIsBounded(t *testing.T) {
	forgotten := 0
	l := newLimiter(Limits{Window: time.Hour, PerUser: 1, PerFrom: 1000, Remember: 50}, func() { forgotten++ })
	for i := range 500 {
		l.begin(fmt.Sprint("u", i), fmt.Sprintf("10.0.0.%d:1", i%5), noon.Add(time.Duration(i)*time.Second))
		if len(l.seen) > 50 {
			t.Fatalf("remembers %d", len(l.seen))
		}
	}
	if forgotten != 500+5-50 {
		t.Errorf("%d were forgotten, want 455 of 505", forgotten)
	}
	if got := l.begin("u499", "10.0.0.1:1", noon.Add(500*time.Second)); got.result != LimitedUser {
		t.Errorf("the newest was forgotten: %+v", got)
	}
}
