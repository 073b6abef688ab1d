package check

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// heartbeat tests whether a job said in time that it ran. It is down when the
// last beat is overdue although this agent listened all the while, or when the
// job said that it failed; unknown while the agent cannot know: a beat may have
// come while it was away.
type heartbeat struct {
	spec Spec
	now  func() time.Time
}

func newHeartbeat(spec Spec) (prober, error) {
	switch {
	case len(spec.Heartbeat) > maxBeatName || strings.ContainsFunc(spec.Heartbeat, notInBeatName):
		return nil, fmt.Errorf("%q is not the name of a heartbeat: it has letters, digits, dots, dashes and underscores, at most %d", spec.Heartbeat, maxBeatName)
	case spec.Rhythm.Every <= 0:
		return nil, errors.New("how often it should come is missing; say it with expect: {every: 24h, grace: 1h}")
	}
	if spec.Beats == nil {
		spec.Beats = NewBeats(nil, time.Now()) // nobody listens: it is only looked at
	}
	spec.Beats.expect(spec.Heartbeat)
	return &heartbeat{spec, time.Now}, nil
}

// maxBeatName bounds the name of a heartbeat, in bytes.
const maxBeatName = 100

// notInBeatName: a name is part of an address, and typed by people.
func notInBeatName(r rune) bool {
	return r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
}

// probe looks at the last beat.
func (h *heartbeat) probe(context.Context) Result {
	now := h.now()
	last, since := h.spec.Beats.look(h.spec.Heartbeat, now, h.spec.Interval)
	r := Result{Beat: last}
	overdue := h.spec.Rhythm.Every + h.spec.Rhythm.Grace
	r.State, r.Reason = h.judge(last, since, overdue, now)
	return r
}

// judge tells the state; since is from when on every beat was heard.
func (h *heartbeat) judge(last *Beat, since time.Time, overdue time.Duration, now time.Time) (State, string) {
	name := h.spec.Heartbeat
	switch {
	case last != nil && now.Sub(last.At) <= overdue && last.Status == 0:
		return Up, ""
	case last != nil && now.Sub(last.At) <= overdue:
		return Down, bounded(fmt.Sprintf("%s said at %s that it failed, with status %d %s", name, stamp(last.At), last.Status, last.Text))
	case now.Sub(since) > overdue && last == nil:
		return Down, fmt.Sprintf("%s has not been heard since this agent began to listen at %s; it should come every %s, %s later at most", name, stamp(since), h.spec.Rhythm.Every, h.spec.Rhythm.Grace)
	case now.Sub(since) > overdue:
		return Down, fmt.Sprintf("%s was last heard at %s; it should come every %s, %s later at most", name, stamp(last.At), h.spec.Rhythm.Every, h.spec.Rhythm.Grace)
	case last == nil:
		return Unknown, fmt.Sprintf("%s has not been heard yet; this agent listens since %s only", name, stamp(since))
	}
	return Unknown, fmt.Sprintf("%s was last heard at %s, but this agent listens again since %s only and may have missed it", name, stamp(last.At), stamp(since))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Beat is what a job said of itself.
type Beat struct {
	At     time.Time     `json:"at"`     // when it was heard
	Status int           `json:"status"` // exit status of the job; 0: well
	Took   time.Duration `json:"took"`   // of the job, ns; 0: not said
	Text   string        `json:"text,omitempty"`
}

func (b *Beat) seconds() (float64, bool) {
	if b == nil {
		return 0, false
	}
	return float64(b.At.UnixMilli()) / 1000, true
}

func (b *Beat) status() (float64, bool) {
	if b == nil {
		return 0, false
	}
	return float64(b.Status), true
}

func (b *Beat) took() (float64, bool) {
	if b == nil || b.Took == 0 {
		return 0, false
	}
	return b.Took.Seconds(), true
}

// Beats is where heartbeats are heard. It is safe for several goroutines.
type Beats struct {
	mu       sync.Mutex
	since    time.Time // nothing was missed from then on
	looked   time.Time // when anybody last looked: the agent was there
	expected map[string]bool
	last     map[string]Beat
	dirty    bool
}

// away is how long nobody looked, at least, for the agent to have been away:
// suspended with its host, or stopped by a debugger.
const away = time.Minute

// NewBeats listens from now on. known are the beats of runs before.
func NewBeats(known map[string]Beat, now time.Time) *Beats {
	b := &Beats{since: now, looked: now, expected: map[string]bool{}, last: map[string]Beat{}}
	for name, beat := range known {
		if !beat.At.After(now) {
			b.last[name] = beat
		}
	}
	return b
}

func (b *Beats) expect(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected[name] = true
}

// ErrNoHeartbeat is that of a beat nobody waits for.
var ErrNoHeartbeat = errors.New("no check of this agent waits for a heartbeat of that name")

// Hear takes one beat.
func (b *Beats) Hear(name string, beat Beat) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.expected[name] {
		return ErrNoHeartbeat
	}
	beat.Text = bounded(beat.Text)
	b.last[name], b.dirty = beat, true
	return nil
}

// look gives the last beat, and from when on none was missed. Somebody looks
// each interval; longer than that and a minute between two looks, the agent
// was not there.
func (b *Beats) look(name string, now time.Time, interval time.Duration) (*Beat, time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if gap := now.Round(0).Sub(b.looked.Round(0)); gap > 2*interval+away || gap < -away {
		b.since = now
	}
	b.looked = now
	if beat, ok := b.last[name]; ok {
		return &beat, b.since
	}
	return nil, b.since
}

// Take gives what is to be kept for the next run, if anything is new.
func (b *Beats) Take() (all map[string]Beat, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed, b.dirty = b.dirty, false
	all = map[string]Beat{}
	for name, beat := range b.last {
		if b.expected[name] {
			all[name] = beat
		}
	}
	return all, changed
}
