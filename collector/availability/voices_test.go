package availability

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

// TestVoices: what the series of one sender make of a component. A row has a
// word for each series, one letter a second: u and d are facts, a dot none; a
// fact holds 2.5 s and what comes out is told for each second, a question mark
// is unknown.
func TestVoices(t *testing.T) {
	rows := []struct{ name, a, b, want string }{
		{"one series", "uudduu......", "............", "uudduuuu????"},
		{"two that speak at once are believed neither", "uuuuuuuuuuuu", "...dddddd...", "uuu????????u"},
		{"although they agree", "uuuuuuuuuuuu", "...uuuuuu...", "uuu????????u"},
		{"one begins after the other has ended: it takes its place at once", "uuuu........", "....dddd....", "uuuudddddd??"},
		{"also while the other still holds", "uuuu........", ".....dddd...", "uuuuudddddd?"},
		{"one that goes on after a gap it held over: both speak", "uuu.uu......", "...ddd......", "uuu?????????"},
		{"the other comes back after it fell silent: its turn again", "uu..........", "...uu.......", "uuuuuuu?????"},
		{"silence between two is unknown", "uu..........", "........dd..", "uuuu????dddd"},
		{"a gap between two downs of one voice is down", "d....d......", "............", "dddddddd????"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c := Component{Name: "app", Interval: 1000, Series: &Selector{Metric: "m"}}
			var facts []Fact
			for name, word := range map[string]string{"prom{zone=a}": row.a, "prom{zone=b}": row.b} {
				facts = append(facts, spoken(c.Name, name, word)...)
			}
			got := heardEach(ComponentTimeline(c, streaksOf(c, facts), int64(len(row.want))*1000), len(row.want), 1000)
			if got != row.want {
				t.Errorf("\n   a %s\n   b %s\n got %s\nwant %s", row.a, row.b, got, row.want)
			}
		})
	}
}

func spoken(component, observer, word string) (facts []Fact) {
	for i, letter := range word {
		if state, ok := map[rune]State{'u': Up, 'd': Down}[letter]; ok {
			facts = append(facts, Fact{Component: component, Observer: observer, At: int64(i) * 1000, State: state})
		}
	}
	return facts
}

func streaksOf(c Component, facts []Fact) []Streak {
	return Streaks(SortFacts(slices.Clone(facts)), func(_ string, own, at int64) int64 { return c.StreakGap(own, at) })
}

// heardEach is the state at the beginning of each of n steps.
func heardEach(t Timeline, n int, step int64) string {
	var b strings.Builder
	for i := range n {
		state, _ := t.At(int64(i) * step)
		b.WriteString(map[State]string{Up: "u", Down: "d", Unknown: "?", Degraded: "g"}[state])
	}
	return b.String()
}

// TestVoicesByHand compares with a second way to say it, from the facts alone
// and instant by instant, on random histories of up to three voices; senders
// vote as they do without voices.
func TestVoicesByHand(t *testing.T) {
	seed := int64(20261125)
	r := rand.New(rand.NewSource(seed))
	for round := range 3000 {
		c := Component{Name: "app", Hold: int64(1000 + r.Intn(4)*1500), Interval: 1000, Series: &Selector{Metric: "m"}}
		n := 5 + r.Intn(40)
		all := map[string][]Fact{}
		var facts []Fact
		for _, name := range []string{"one{a}", "one{b}", "one{c}", "two"}[:1+r.Intn(4)] {
			var word strings.Builder
			letters := []string{"u..", "ud.", "uuu....", "uudd......", "d"}[r.Intn(5)]
			for range n {
				word.WriteByte(letters[r.Intn(len(letters))])
			}
			all[name] = spoken(c.Name, name, word.String())
			facts = append(facts, all[name]...)
		}
		asOf := int64(n) * 1000
		got := heardEach(ComponentTimeline(c, streaksOf(c, facts), asOf), 2*n, 500)
		want := ""
		for i := range 2 * n {
			at := int64(i) * 500
			var count [4]int
			for _, sender := range []string{"one", "two"} {
				count[byHand(c, all, sender, at)]++
			}
			want += map[State]string{Up: "u", Down: "d", Unknown: "?", Degraded: "g"}[vote(count, 0)]
		}
		if got != want {
			t.Fatalf("seed %d round %d, hold %d: %v\n got %s\nwant %s", seed, round, c.Hold, all, got, want)
		}
	}
}

// byHand is what the voices of a sender say at an instant. A run of a voice is
// its facts of which each comes while the one before holds.
func byHand(c Component, all map[string][]Fact, sender string, at int64) State {
	type spoke struct {
		began, last, until int64 // of its run
		state              State
	}
	runsOf := func(name string) (out []spoke) {
		for i, f := range all[name] {
			if i == 0 || f.At > all[name][i-1].At+c.Hold {
				out = append(out, spoke{began: f.At})
			}
			out[len(out)-1].last, out[len(out)-1].until = f.At, f.At+c.Hold
		}
		return out
	}
	for one := range all {
		for other := range all {
			if one >= other || Speaker(one) != sender || Speaker(other) != sender {
				continue
			}
			for _, x := range runsOf(one) {
				for _, y := range runsOf(other) {
					first, second := x, y
					if y.began < x.began {
						first, second = y, x
					}
					if second.began <= first.last && second.began <= at && at < min(first.until, second.until) {
						return Unknown
					}
				}
			}
		}
	}
	best, between := spoke{began: -1, state: Unknown}, false
	for name, facts := range all {
		for i, f := range facts {
			if Speaker(name) != sender || f.At > at || i+1 < len(facts) && facts[i+1].At <= at {
				continue // not what it said last
			}
			if at >= f.At+c.Hold {
				between = between || f.State == Down && i+1 < len(facts) && facts[i+1].State == Down
				continue
			}
			for _, r := range runsOf(name) {
				if r.began <= f.At && f.At <= r.last && r.began > best.began {
					best = spoke{began: r.began, state: f.State}
				}
			}
		}
	}
	if best.began < 0 && between {
		return Down
	}
	return best.state
}

func ExampleVoice() {
	fmt.Println(Voice("prometheus", nil), Voice("prometheus", []Label{{"instance", "a:1"}, {"zone", "b"}}), Speaker("prometheus{instance=a:1}"))
	// Output: prometheus prometheus{instance=a:1,zone=b} prometheus
}
