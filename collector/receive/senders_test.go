package receive

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// sender is a process that delivers, in a test of senders alone.
type sender struct{ run, heard string }

// send makes a request that takes its ticket, is judged, and is answered.
func (p *sender) send(s *senders) (clone bool) {
	request := p.leave()
	ticket := s.ticket()
	clone = s.saw("host", request) != ""
	p.heard = ticket
	return clone
}

// leave is a request that is on its way.
func (p *sender) leave() http.Header {
	h := http.Header{}
	h.Set(wire.HeaderSender, p.run)
	h.Set(wire.HeaderHeard, p.heard)
	return h
}

// TestClones reads like the wire: which process sends, in order. A lower-case
// letter is a request that left its process then and arrives only where it
// stands again in brackets.
func TestClones(t *testing.T) {
	for _, c := range []struct {
		name  string
		wire  string
		found int // after how many arrivals; 0 = never
	}{
		{"one process", "AAAAAAAA", 0},
		{"a restart", "AAABBB", 0},
		{"many restarts", "ABCDEFGHIJKL", 0},
		{"a restart, and the dead one's last request arrives late", "AAaBB[a]BBB", 0},
		{"a restart, and the dead one's only request arrives late", "aBB[a]BBB", 0},
		{"two restarts, all late", "AaBbCC[a]C[b]CC", 0},
		{"two alive, taking turns", "ABABAB", 5},
		{"two alive, the copy begins later", "AAAABABA", 8},
		{"two alive, the copy is faster", "AAABBBBBAA", 10},
		{"two alive, one of them restarted", "ABBCACA", 7},
		{"three alive", "ABCABCABC", 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, all, late := newSenders(), map[byte]*sender{}, map[byte]http.Header{}
			process := func(b byte) *sender {
				if all[b] == nil {
					all[b] = &sender{run: string(b)}
				}
				return all[b]
			}
			found, arrivals := 0, 0
			for i := 0; i < len(c.wire); i++ {
				clone := false
				switch b := c.wire[i]; {
				case b == '[':
					s.ticket()
					clone = s.saw("host", late[c.wire[i+1]]) != ""
					i += 2
				case b >= 'a':
					late[b] = process(b - 'a' + 'A').leave()
					continue
				default:
					clone = process(b).send(s)
				}
				arrivals++
				if clone && found == 0 {
					found = arrivals
				}
			}
			if found != c.found {
				t.Errorf("%s: found after %d arrivals, want %d", c.wire, found, c.found)
			}
		})
	}
}

// TestNoRestartIsAClone: one process at a time, however often it is restarted,
// however late single requests of dead ones arrive, and whatever of the
// collector's own restarts falls between: never a clone.
func TestNoRestartIsAClone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now, runs := newSenders(), &sender{run: "run 0"}, 0
		var underway []http.Header
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"send", "send", "send", "leave", "arrive", "restart", "collector"}).Draw(t, "step") {
			case "send":
				if now.send(s) {
					t.Fatal("the living process was taken for a clone")
				}
			case "leave": // and the process never hears the answer
				underway = append(underway, now.leave())
			case "arrive":
				if len(underway) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(underway)-1).Draw(t, "which")
				s.ticket()
				if s.saw("host", underway[i]) != "" {
					t.Fatal("a late request was taken for a clone")
				}
				underway = append(underway[:i], underway[i+1:]...)
			case "restart":
				runs++
				now = &sender{run: fmt.Sprint("run ", runs)}
			case "collector":
				s = newSenders()
			}
		}
	})
}

// TestTwoAliveAreFound: however many requests each makes and in whatever
// order, two that go on are found when each has sent twice after both had come.
func TestTwoAliveAreFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSenders()
		both := [2]*sender{{run: "a"}, {run: "b"}}
		both[0].send(s)
		both[1].send(s)
		sent, found := [2]int{}, false
		for sent[0] < 2 || sent[1] < 2 {
			i := rapid.IntRange(0, 1).Draw(t, "who")
			found = both[i].send(s) || found
			sent[i]++
		}
		if !found {
			t.Fatalf("not found after %v more requests each", sent)
		}
	})
}

func TestForgedTickets(t *testing.T) {
	s := newSenders()
	for _, heard := range []string{"", "1", ".", "x.1", s.epoch + ".x", s.epoch + ".-1", s.epoch + ".18446744073709551615", s.epoch + ".99", strings.Repeat("9", 5000)} {
		for _, run := range []string{"a", "b", "", strings.Repeat("r", maxRunBytes+1)} {
			s.ticket()
			if other := s.saw("host", (&sender{run, heard}).leave()); other != "" {
				t.Errorf("run %.8q heard %.20q: taken for a clone of %s", run, heard, other)
			}
		}
	}
	if n := len(s.hosts["host"].processes); n != 2 {
		t.Errorf("%d processes remembered, want 2", n)
	}
	for i := range 1000 {
		s.saw("host", (&sender{run: fmt.Sprint(i)}).leave())
	}
	if n := len(s.hosts["host"].processes); n != maxProcesses {
		t.Errorf("%d processes remembered, want %d", n, maxProcesses)
	}
}

// TestCloneIsQuarantined is the same over TLS: both are refused, and one that
// enrols again is let in while the other stays out.
func TestCloneIsQuarantined(t *testing.T) {
	r := newRig(t, nil)
	a := r.enrol("web-1")
	b := r.client(a.id)
	heard := map[*client]string{}
	seq := uint64(0)
	send := func(c *client, run string) int {
		seq++
		got := c.post(wire.NotesPath, strings.NewReader(`{"at":1,"start":{"version":"1"}}`), map[string]string{
			wire.HeaderRun: run, wire.HeaderSender: run, wire.HeaderHeard: heard[c], wire.HeaderSeq: fmt.Sprint(seq)})
		heard[c] = got.header.Get(wire.HeaderTicket)
		return got.status
	}
	intervals := 0
	for ; intervals < 10; intervals++ {
		x, y := send(a, "run-a"), send(b, "run-b")
		if x == http.StatusForbidden || y == http.StatusForbidden {
			break
		}
	}
	if intervals > 2 {
		t.Errorf("found after %d intervals, want 2 at most", intervals)
	}
	for name, c := range map[string]*client{"original": a, "copy": b} {
		if got := send(c, "run-"+name); got != http.StatusForbidden {
			t.Errorf("%s: got %d, want 403", name, got)
		}
	}
	if n := testutil.ToFloat64(r.recv.m.clones); n != 1 {
		t.Errorf("%v clones counted, want 1", n)
	}
	again := r.enrol("web-1")
	for range 5 {
		if got := send(again, "run-a"); got != http.StatusNoContent {
			t.Errorf("enrolled again: got %d, want 204", got)
		}
		if got := send(r.client(a.id), "run-b"); got != http.StatusForbidden {
			t.Errorf("the copy: got %d, want 403", got)
		}
	}
	eventually(t, "audited", func() bool {
		r.agents.mu.Lock()
		defer r.agents.mu.Unlock()
		for _, x := range r.agents.audited {
			if x.Reason == refusedQuarantined && x.Host == a.id.Host && time.Since(x.Last) < time.Minute {
				return true
			}
		}
		return false
	})
}
