package availability

import "testing"

// TestHostByItsAgentAndOthers: each row is what the host's own agent says and
// how many others say up and down, and what the host is.
func TestHostByItsAgentAndOthers(t *testing.T) {
	for _, row := range []struct {
		itself   State
		up, down int
		want     State
	}{
		{Up, 0, 2, Up}, // it measures: whoever cannot reach it has another trouble
		{Down, 2, 0, Down},
		{Unknown, 0, 0, Unknown},
		{Unknown, 0, 1, Unknown}, // one may itself be cut off
		{Unknown, 0, 2, Down},
		{Unknown, 1, 0, Up},
		{Unknown, 1, 1, Degraded},
		{Unknown, 1, 2, Down},
	} {
		var streaks []Streak
		add := func(observer string, state State) {
			streaks = append(streaks, Streak{Component: "web-1", Observer: observer, First: 1_000, Last: 900_000, State: state, Count: 2, MaxGap: 899_000})
		}
		if row.itself != Unknown {
			add("web-1", row.itself)
		} else {
			streaks = append(streaks, Streak{Component: "web-1", Observer: "web-1", First: 1, Last: 2, State: Up, Count: 2, MaxGap: 1, Hold: 1})
		}
		for i := range row.up {
			add("peer-up-"+string(rune('a'+i)), Up)
		}
		for i := range row.down {
			add("peer-down-"+string(rune('a'+i)), Down)
		}
		if got, _ := ComponentTimeline(Component{Name: "web-1"}, streaks, 900_000).At(500_000); got != row.want {
			t.Errorf("itself %v, %d up, %d down: got %v, want %v", row.itself, row.up, row.down, got, row.want)
		}
	}
}
