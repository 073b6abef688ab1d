package check

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// scripted is a target that takes so long and answers so, test by test.
type scripted struct {
	begin   time.Time
	took    []time.Duration
	states  []State
	started []string
	running int
	most    int
}

func (s *scripted) probe(ctx context.Context) Result {
	n := len(s.started)
	s.started = append(s.started, time.Since(s.begin).String())
	s.running++
	s.most = max(s.most, s.running)
	defer func() { s.running-- }()
	if n < len(s.took) {
		select {
		case <-time.After(s.took[n]):
		case <-ctx.Done():
			return Result{State: Down, Reason: "no answer in time"}
		}
	}
	if n < len(s.states) {
		return Result{State: s.states[n]}
	}
	return Result{State: Up}
}

// run plays the schedule for a time and returns the changes it told.
func run(t *testing.T, lasting time.Duration, interval, timeout time.Duration, targets ...*scripted) []string {
	t.Helper()
	var checks []*Check
	for i, target := range targets {
		target.begin = time.Now()
		checks = append(checks, &Check{Spec: Spec{Component: fmt.Sprintf("c%d", i), Name: "tcp", Interval: interval, Timeout: timeout}, prober: target})
	}
	begin := time.Now()
	told := make(chan string, 1000)
	s := NewSchedule(checks, func(c Change) {
		told <- fmt.Sprintf("%s %s %s>%s first=%v", time.Since(begin), c.Check.Component, c.From, c.Result.State, c.First)
	})
	ctx, cancel := context.WithTimeout(context.Background(), lasting)
	defer cancel()
	s.Run(ctx)
	close(told)
	var all []string
	for line := range told {
		all = append(all, line)
	}
	return all
}

func TestScheduleSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &scripted{}, &scripted{}, &scripted{}
		run(t, 34*time.Second, 15*time.Second, 5*time.Second, a, b, c)
		for i, want := range []string{"0s 15s 30s", "5s 20s", "10s 25s"} {
			if got := strings.Join([]*scripted{a, b, c}[i].started, " "); got != want {
				t.Errorf("check %d began at %s, want %s", i, got, want)
			}
		}
	})
}

func TestScheduleNeverOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &scripted{took: []time.Duration{time.Second, 35 * time.Second, 10 * time.Second}}
		run(t, 65*time.Second, 10*time.Second, time.Minute, slow)
		// The second begins at 10 s and lasts until 45 s: 20, 30 and 40 are left out.
		// The third ends exactly when the next is due: that one is left out too.
		if got, want := strings.Join(slow.started, " "), "0s 10s 50s"; !strings.HasPrefix(got, want) {
			t.Errorf("began at %s, want %s first", got, want)
		}
		if slow.most != 1 {
			t.Errorf("%d ran at once, want 1", slow.most)
		}
	})
}

func TestScheduleDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := &scripted{took: []time.Duration{time.Hour, time.Hour}}
		got := run(t, 29*time.Second, 15*time.Second, 5*time.Second, stuck)
		if want := "5s c0 unknown>down first=true"; len(got) != 1 || got[0] != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestScheduleTellsChangesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &scripted{states: []State{Up, Up, Down, Down, Unknown, Up}}
		got := strings.Join(run(t, 55*time.Second, 10*time.Second, time.Second, target), "\n")
		want := `0s c0 unknown>up first=true
20s c0 up>down first=false
40s c0 down>unknown first=false
50s c0 unknown>up first=false`
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// TestScheduleEndsInTheMiddleOfATest: what the agent's own end cut off is no result.
func TestScheduleEndsInTheMiddleOfATest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got := run(t, 3*time.Second, 15*time.Second, 5*time.Second, &scripted{took: []time.Duration{time.Hour}}); len(got) != 0 {
			t.Errorf("got %q, want nothing", got)
		}
	})
}

func TestTake(t *testing.T) {
	c := &Check{Spec: Spec{Component: "shop", Name: "tcp", TCP: "x:1", Interval: time.Second}}
	s := NewSchedule([]*Check{c}, func(Change) {})
	at := time.UnixMilli(1000)
	for i, state := range []State{Up, Degraded, Unknown, Down} {
		s.note(s.list[0], Result{At: at.Add(time.Duration(i) * time.Second), State: state, Duration: time.Millisecond})
	}
	var set sample.Set
	s.Take(func(c *Check, r []Result) { c.AppendResults(r, &set) })
	var got strings.Builder
	for _, x := range set.Samples() {
		fmt.Fprintf(&got, "%s %v %v @%d\n", x.Name, x.Labels, x.V, x.T)
	}
	want := `plimsoll_check_state [check tcp component shop] 1 @1000
plimsoll_check_state [check tcp component shop] 0.5 @2000
plimsoll_check_state [check tcp component shop] 0 @4000
probe_success [check tcp component shop] 1 @1000
probe_success [check tcp component shop] 1 @2000
probe_success [check tcp component shop] 0 @4000
probe_duration_seconds [check tcp component shop] 0.001 @1000
probe_duration_seconds [check tcp component shop] 0.001 @2000
probe_duration_seconds [check tcp component shop] 0.001 @3000
probe_duration_seconds [check tcp component shop] 0.001 @4000
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
	set.Reset(0)
	s.Take(func(c *Check, r []Result) { t.Errorf("taken twice: %v", r) })
}

// TestScheduleTakesUpOthers: a check whose spec stays the same goes on
// undisturbed, a new one begins, one that is gone ends; none is told twice.
func TestScheduleTakesUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		make1 := func(name string, p prober) *Check {
			return &Check{Spec: Spec{Component: name, Name: "tcp", Interval: 10 * time.Second, Timeout: time.Second}, prober: p}
		}
		stays, goes, comes := &scripted{begin: begin}, &scripted{begin: begin}, &scripted{begin: begin}
		changes := make(chan string, 10) // told from each check's own goroutine
		s := NewSchedule([]*Check{make1("stays", stays)}, func(c Change) { changes <- c.Check.Component })
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { s.Run(ctx); close(ended) }()
		time.Sleep(5 * time.Second)
		s.Set([]*Check{make1("stays", &scripted{}), make1("goes", goes)})
		time.Sleep(19 * time.Second)
		s.Set([]*Check{make1("comes", comes), make1("stays", &scripted{})})
		if s.Len() != 2 {
			t.Errorf("%d checks, want 2", s.Len())
		}
		var taken []string
		s.Take(func(c *Check, r []Result) { taken = append(taken, fmt.Sprint(c.Component, len(r))) })
		if got, want := strings.Join(taken, " "), "stays3 goes2"; got != want {
			t.Errorf("taken %s, want %s: what was found before a check went is a fact", got, want)
		}
		time.Sleep(17 * time.Second)
		cancel()
		<-ended
		for name, row := range map[string]struct {
			target *scripted
			want   string
		}{
			"stays": {stays, "0s 10s 20s 30s 40s"}, "goes": {goes, "5s 15s"}, "comes": {comes, "24s 34s"},
		} {
			if got := strings.Join(row.target.started, " "); got != row.want {
				t.Errorf("%s began at %s, want %s", name, got, row.want)
			}
		}
		close(changes)
		var told []string
		for name := range changes {
			told = append(told, name)
		}
		if got, want := strings.Join(told, " "), "stays goes comes"; got != want {
			t.Errorf("told of %s, want %s", got, want)
		}
	})
}
