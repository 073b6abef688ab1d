package silence

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/wire"
)

const base = int64(1_790_000_000_000)

// made is a record of one run, seq'th, at that many seconds by the wall clock,
// the boot clock and the monotonic one, received at received.
func made(seq uint64, wall, boot, mono, received int64) wire.Envelope {
	return wire.Envelope{Kind: wire.KindBatch2, Run: "r", Boot: "b", Seq: seq, Host: "h", ReceivedAt: base + received*1000,
		Clocks: wire.Clocks{Wall: base + wall*1000, Boot: boot * 1000, Mono: mono * 1000}}
}

// TestWatch: each row is the last record after three usual ones, made 15 s
// apart and received at once, and what it proves.
func TestWatch(t *testing.T) {
	for _, row := range []struct {
		name string
		last wire.Envelope
		want []Cause
	}{
		{"as ever", made(4, 45, 45, 45, 45), nil},
		{"one interval left out", made(4, 60, 60, 60, 60), nil},
		{"one came late: an instant is no stretch", made(4, 45, 45, 45, 1_000), nil},
		{"came late, but not by much", made(4, 45, 45, 45, 80), nil},
		{"slept for ten minutes", made(4, 645, 645, 45, 645), []Cause{Suspended}},
		{"the machine stood still", made(4, 645, 45, 45, 645), []Cause{Paused}},
		{"the machine stood still, told late: it may as well have been the process", made(4, 645, 45, 45, 1_645), []Cause{Stalled}},
		{"the process stood still", made(4, 645, 645, 645, 645), []Cause{Stalled}},
		{"records between are missing: nobody knows", made(9, 645, 645, 645, 645), nil},
		{"the same record again", made(3, 30, 30, 30, 30), nil},
		{"the boot clock ran back", made(4, 45, 2, 2, 45), nil},
		{"no clocks: not an agent's", wire.Envelope{Run: "r", Seq: 4, ReceivedAt: base + 900_000}, nil},
	} {
		var w Watch
		for i := range int64(3) {
			e := made(uint64(i+1), 15*i, 15*i, 15*i, 15*i)
			if found := w.See(&e, 0); len(found) > 0 {
				t.Fatalf("%s: usual record %d proves %+v", row.name, i+1, found)
			}
		}
		var got []Cause
		for _, s := range w.See(&row.last, 0) {
			got = append(got, s.Cause)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}

// TestLateStretch: from the second late record on there is a stretch, which
// grows with each further one.
func TestLateStretch(t *testing.T) {
	var w Watch
	for i, want := range []string{"[]", "[0 15000]", "[0 30000]"} {
		e := made(uint64(i+1), int64(15*i), int64(15*i), int64(15*i), 1_000)
		got := []int64{}
		for _, s := range w.See(&e, 0) {
			got = append(got, s.From-base, s.To-base)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("late record %d: got %v, want %s", i+1, got, want)
		}
	}
}

// TestWatchInAnyOrder: a pause is found wherever in the order of arrival its
// two records come, also with a stop of the collector after each of them.
func TestWatchInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records []wire.Envelope
		for i := range int64(7) {
			wall := 15 * i
			if i > 3 {
				wall += 600 // it stood still between the 4th and the 5th
			}
			records = append(records, made(uint64(i+1), wall, 15*i, 15*i, wall))
		}
		var w Watch
		paused := 0
		for _, e := range rapid.Permutation(records).Draw(t, "order") {
			for _, s := range w.See(&e, 0) {
				if s.Cause == Paused {
					paused++
				}
			}
			text, err := json.Marshal(w)
			if err != nil {
				t.Fatal(err)
			}
			w = Watch{}
			if err := json.Unmarshal(text, &w); err != nil {
				t.Fatal(err)
			}
		}
		if paused != 1 || len(w.Ends) != 1 {
			t.Fatalf("found %d pauses, %d sequences; want one of each", paused, len(w.Ends))
		}
	})
}

// TestExplain: each row is what others know of ten minutes that came late.
func TestExplain(t *testing.T) {
	late := Silence{Cause: Late, From: base, To: base + 600_000}
	peer := func(state availability.State, from, to int64) availability.Streak {
		return availability.Streak{Component: "h", Observer: "p", State: state, First: base + from*1000, Last: base + to*1000}
	}
	away := func(from, to int64) []Span { return []Span{{base + from*1000, base + to*1000}} }
	for _, row := range []struct {
		name  string
		given Silence
		know  Evidence
		want  Cause
	}{
		{"nobody knows", late, Evidence{}, Late},
		{"the collector was away", late, Evidence{Away: away(-10, 605)}, CollectorAway},
		{"it was away for the most part", late, Evidence{Away: away(100, 900)}, CollectorAway},
		{"it was away for a moment", late, Evidence{Away: away(0, 20), Peers: []availability.Streak{peer(availability.Up, -100, 700)}}, PathCut},
		{"peers reached it", late, Evidence{Peers: []availability.Streak{peer(availability.Up, -100, 700)}}, PathCut},
		{"peers did not", late, Evidence{Peers: []availability.Streak{peer(availability.Up, -100, 10), peer(availability.Down, 20, 590)}}, NetworkOut},
		{"peers were silent then", late, Evidence{Peers: []availability.Streak{peer(availability.Down, -500, -100)}}, Late},
		{"another cause stays", Silence{Cause: Paused, From: base, To: base + 1}, Evidence{Away: away(-10, 605)}, Paused},
	} {
		if got := Explain(row.given, row.know); got.Cause != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got.Cause, row.want)
		}
	}
}

// TestHostBySilence: what each cause proves about the host.
func TestHostBySilence(t *testing.T) {
	for cause, want := range map[Cause]availability.State{
		CollectorAway: availability.Up, PathCut: availability.Up, NetworkOut: availability.Up, Late: availability.Up, Lost: availability.Up,
		Stopped: availability.Unknown, Killed: availability.Unknown, Stalled: availability.Unknown, Suspended: availability.Unknown, Silent: availability.Unknown, Cloned: availability.Unknown,
		Rebooted: availability.Down, Crashed: availability.Down, Paused: availability.Down,
	} {
		if got := (&Silence{Cause: cause, From: base, To: base + 60_000, Booted: base + 50_000}).Host(); got != want {
			t.Errorf("%s: host %v, want %v", cause, got, want)
		}
	}
}
