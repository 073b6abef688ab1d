package check

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestHeartbeat plays a day of a job that should come every hour, ten minutes
// later at most; the agent looks each minute, except where a row says it was away.
func TestHeartbeat(t *testing.T) {
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	at := func(clock string) time.Time {
		d, err := time.ParseDuration(clock)
		if err != nil {
			t.Fatal(err)
		}
		return begin.Add(d)
	}
	rows := []struct {
		name   string
		known  string            // when a run before heard it last
		beats  map[string]int    // when it comes, with its status
		away   map[string]string // from when to when the agent is suspended
		at     string
		state  State
		reason string
	}{
		{"not yet", "", nil, nil, "30m", Unknown, "has not been heard yet; this agent listens since"},
		{"not yet, on the last instant", "", nil, nil, "70m", Unknown, "not been heard yet"},
		{"never", "", nil, nil, "71m", Down, "has not been heard since this agent began to listen at 2026-11-01 00:00:00 UTC"},
		{"in time", "", map[string]int{"10m": 0}, nil, "70m", Up, ""},
		{"late, within its grace", "", map[string]int{"10m": 0}, nil, "80m", Up, ""},
		{"overdue", "", map[string]int{"10m": 0}, nil, "81m", Down, "was last heard at 2026-11-01 00:10:00 UTC; it should come every 1h0m0s, 10m0s later at most"},
		{"comes back", "", map[string]int{"10m": 0, "90m": 0}, nil, "91m", Up, ""},
		{"says it failed", "", map[string]int{"10m": 0, "70m": 3}, nil, "75m", Down, "said at 2026-11-01 01:10:00 UTC that it failed, with status 3"},
		{"known from the run before", "-30m", nil, nil, "20m", Up, ""},
		{"overdue, but this run listens for too short a time", "-30m", nil, nil, "60m", Unknown, "this agent listens again since 2026-11-01 00:00:00 UTC only and may have missed it"},
		{"overdue in this run alone", "-30m", nil, nil, "71m", Down, "was last heard at 2026-10-31 23:30:00 UTC"},
		{"the host slept through it", "", map[string]int{"10m": 0}, map[string]string{"20m": "100m"}, "101m", Unknown, "listens again since 2026-11-01 01:40:00 UTC only"},
		{"awake for long enough again", "", map[string]int{"10m": 0}, map[string]string{"20m": "100m"}, "171m", Down, "last heard at 2026-11-01 00:10:00 UTC"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			known := map[string]Beat{}
			if row.known != "" {
				known["job"] = Beat{At: at(row.known)}
			}
			beats := NewBeats(known, begin)
			made, err := newHeartbeat(Spec{Heartbeat: "job", Interval: time.Minute, Rhythm: Rhythm{Every: time.Hour, Grace: 10 * time.Minute}, Beats: beats})
			if err != nil {
				t.Fatal(err)
			}
			h, end := made.(*heartbeat), at(row.at)
			var r Result
			asleep := time.Time{}
			for now := begin; !now.After(end); now = now.Add(time.Minute) {
				for clock, status := range row.beats {
					if at(clock).Equal(now) {
						if err := beats.Hear("job", Beat{At: now, Status: status}); err != nil {
							t.Fatal(err)
						}
					}
				}
				for from, to := range row.away {
					if at(from).Equal(now) {
						asleep = at(to)
					}
				}
				if now.Before(asleep) {
					continue
				}
				h.now = func() time.Time { return now }
				r = h.probe(t.Context())
			}
			if r.State != row.state || !strings.Contains(r.Reason, row.reason) || (row.state == Up) != (r.Reason == "") {
				t.Errorf("got %s %q, want %s %q", r.State, r.Reason, row.state, row.reason)
			}
		})
	}
}

// TestBeatsAreKept: what is heard is given for the next run once, and nothing
// that nobody waits for is.
func TestBeatsAreKept(t *testing.T) {
	b := NewBeats(map[string]Beat{"gone": {At: time.Unix(1, 0)}}, time.Unix(100, 0))
	b.expect("job")
	if err := b.Hear("other", Beat{}); !errors.Is(err, ErrNoHeartbeat) {
		t.Errorf("a heartbeat nobody waits for: %v", err)
	}
	if err := b.Hear("job", Beat{At: time.Unix(101, 0), Text: strings.Repeat("x", 1000)}); err != nil {
		t.Fatal(err)
	}
	all, changed := b.Take()
	if len(all) != 1 || !changed || len(all["job"].Text) != maxReason {
		t.Errorf("got %d beats, changed %v", len(all), changed)
	}
	if _, changed := b.Take(); changed {
		t.Error("nothing is new, yet it is to be written")
	}
}
