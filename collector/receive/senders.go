package receive

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/plimsoll/plimsoll/internal/wire"
)

const (
	maxProcesses = 8   // sending processes remembered per host
	maxRecent    = 256 // sequences remembered per host, to count what is sent again
	maxRunBytes  = 64  // of a run that is believed
)

// senders finds cloned hosts: two machines with one identity.
//
// Each answer carries a ticket, a number that grows, and each request repeats
// the last one its process has heard. A process that has heard a ticket was
// alive when the ticket was made. Two runs of one host, each of which has
// heard a ticket made after the other had come, were alive at once:
//
//	run A:  ─1──────────────4─(heard 3)─▶   A was alive after B had come
//	run B:  ────2────3─(heard 2)────────▶   B was alive after A had come
//
// On one machine that cannot be: an agent holds its data directory alone, and
// the next starts only when it is gone. A restart never looks like it, nor a
// request of the dead process that arrives late, nor the backlog of an older
// run, which the living process sends as itself. No host's clock is asked.
type senders struct {
	epoch string // of this collector process: an older one's tickets prove nothing

	mu    sync.Mutex
	count uint64
	hosts map[string]*hostSenders
}

// hostSenders is what is remembered of one host.
type hostSenders struct {
	processes []process
	recent    [maxRecent]uint64 // sequences, at their value modulo maxRecent
}

// process is one run of an agent that has sent something.
type process struct {
	run         string
	first, last uint64 // the newest tickets when its first and its last request came
	heard       uint64 // the newest ticket it was alive after
}

func newSenders() *senders {
	return &senders{epoch: rand.Text()[:12], hosts: map[string]*hostSenders{}}
}

// ticket is the next one.
func (s *senders) ticket() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	return s.epoch + "." + strconv.FormatUint(s.count, 10)
}

// heard is the number of the ticket in h; 0 when it proves nothing.
func (s *senders) heard(h http.Header) uint64 {
	epoch, number, ok := strings.Cut(h.Get(wire.HeaderHeard), ".")
	if !ok || epoch != s.epoch {
		return 0
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// saw notes a request of a host. other is the run of a second process that
// must be alive as well; empty when there is none.
func (s *senders) saw(host string, h http.Header) (other string) {
	run := h.Get(wire.HeaderSender)
	if run == "" || len(run) > maxRunBytes {
		return "" // not an agent of ours, or an old one
	}
	heard := s.heard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	if heard > s.count {
		heard = 0 // no ticket of ours
	}
	known := s.host(host)
	mine := known.process(run, s.count)
	mine.last, mine.heard = s.count, max(mine.heard, heard)
	for i := range known.processes {
		if p := &known.processes[i]; p.run != run && p.heard >= mine.first && mine.heard >= p.first {
			return p.run
		}
	}
	return ""
}

// repeated notes the sequence of an accepted batch and tells whether it was
// among the last ones already.
func (s *senders) repeated(host string, seq uint64) bool {
	if seq == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := &s.host(host).recent[seq%maxRecent]
	again := *slot == seq
	*slot = seq
	return again
}

// host is called with mu held.
func (s *senders) host(id string) *hostSenders {
	known := s.hosts[id]
	if known == nil {
		known = &hostSenders{}
		s.hosts[id] = known
	}
	return known
}

// process finds or begins one; the one that was silent longest is forgotten
// when there are too many.
func (h *hostSenders) process(run string, now uint64) *process {
	oldest := 0
	for i := range h.processes {
		if h.processes[i].run == run {
			return &h.processes[i]
		}
		if h.processes[i].last < h.processes[oldest].last {
			oldest = i
		}
	}
	if len(h.processes) < maxProcesses {
		h.processes = append(h.processes, process{})
		oldest = len(h.processes) - 1
	}
	h.processes[oldest] = process{run: run, first: now}
	return &h.processes[oldest]
}

// forget begins anew with a host.
func (s *senders) forget(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hosts, host)
}
