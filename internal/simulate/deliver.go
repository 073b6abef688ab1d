package simulate

import (
	"iter"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Delivery is one record on its way. Env has no Shift: that is the receiver's
// to find. Set is good until the next delivery; it is nil for a note.
type Delivery struct {
	Env    wire.Envelope // with ReceivedAt, by the collector's clock
	Sent   wire.Clocks   // of the host at sending
	Sender string        // the run that sends it
	Set    *sample.Set
	Note   *wire.Note
}

// Deliveries gives all records in the order of receipt. What would come after
// the plan's end does not.
func (p *Plan) Deliveries() iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		type source struct {
			next func() (Delivery, bool)
			d    Delivery
			ok   bool
		}
		var sources []*source
		for i := range p.Hosts {
			next, stop := iter.Pull(p.life(&p.Hosts[i]).records())
			defer stop()
			s := &source{next: next}
			s.d, s.ok = next()
			sources = append(sources, s)
		}
		for {
			var first *source
			for _, s := range sources {
				if s.ok && (first == nil || s.d.Env.ReceivedAt < first.d.Env.ReceivedAt) {
					first = s
				}
			}
			if first == nil || !yield(first.d) {
				return
			}
			first.d, first.ok = first.next()
		}
	}
}

// sender makes the records of one host.
type sender struct {
	*life
	yield func(Delivery) bool
	seq   uint64
	last  int64 // received
	alive int64 // wall clock of the last collection
	told  map[string]float64
	set   sample.Set
	held  int   // collections in set
	made  int64 // the last of them
	over  bool
	gone  wire.LossNote
}

// records are those of one host, in the order of receipt.
func (l *life) records() iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		s := &sender{life: l, yield: yield, told: map[string]float64{}}
		p := l.plan
		begin := p.From - p.From%p.Every + l.host.Phase
		was := -1
		for t := begin; t < p.To && !s.over; t += p.Every {
			if t < p.From {
				continue
			}
			if !l.running(t) {
				s.flush()
				continue
			}
			if now := l.run(t); now != was {
				s.flush()
				s.start(t, was < 0)
				was = now
			}
			s.collect(t)
			if s.held >= max(1, p.Bundle) || t >= p.Live && p.Live != 0 || !l.running(t+p.Every) || at(l.blocks, t) != nil || at(l.blocks, t+p.Every) != nil || at(l.steps, t) != at(l.steps, t+p.Every) {
				s.flush()
			}
			s.double(t)
		}
		s.flush()
	}
}

// start tells how the run before ended.
func (s *sender) start(t int64, first bool) {
	begin, _ := s.booted(t)
	clocks := s.clocks(t)
	n := wire.StartNote{Version: "simulated", BootedAt: clocks.Wall - (t - begin)}
	if !first {
		var ended *Event
		for i := range s.ends {
			if s.back(&s.ends[i]) <= t {
				ended = &s.ends[i]
			}
		}
		_, boots := s.booted(ended.From - 1)
		n.LastRun, n.LastBoot = s.runID(s.run(ended.From-1)), s.bootID(boots)
		stamped := ended.From
		if ended.Kind == AgentCrash || ended.Kind == Crash {
			stamped -= ended.From % stampEvery
		}
		n.LastAlive = max(s.alive, s.clocks(stamped).Wall)
		switch ended.Kind {
		case AgentStop:
			n.CleanStop, n.Reason = true, "terminated"
		case Reboot:
			n.CleanStop, n.Reason = true, wire.ReasonShutdown
		}
	}
	s.send(t, wire.KindNote, &wire.Note{At: clocks.Wall, Start: &n})
}

// collect measures once.
func (s *sender) collect(t int64) {
	clocks := s.clocks(t)
	s.changes(t, clocks.Wall)
	if s.held == 0 {
		s.set.Reset(clocks.Wall)
	}
	add := func(name string, value float64, labels ...string) { s.set.AddAt(clocks.Wall, name, value, labels...) }
	add("up", 1)
	for i := range s.checks {
		c := &s.checks[i]
		add("plimsoll_check_state", s.told[c.Component], "check", c.Kind, "component", c.Component)
	}
	if s.plan.Load != nil {
		booted, _ := s.booted(t)
		s.plan.Load(add, s.host, t, booted)
	}
	s.held, s.made, s.alive = s.held+1, t, clocks.Wall
}

// changes tells of each check whose state is another one than before. What was
// collected until here goes first, so that records stay in order of time.
func (s *sender) changes(t, wall int64) {
	for i := range s.checks {
		c := &s.checks[i]
		state, why := 1.0, ""
		if e := at(s.faults[c.Component], t); e != nil {
			state, why = e.State, e.Reason
		}
		if before, known := s.told[c.Component]; known && before != state {
			s.flush()
			s.send(t, wire.KindNote, &wire.Note{At: wall, Change: &wire.CheckChange{Component: c.Component, Check: c.Kind,
				From: stateName(before), To: stateName(state), Reason: c.Target + ": " + orUp(why)}})
		}
		s.told[c.Component] = state
	}
}

func orUp(why string) string {
	if why == "" {
		return "answers again"
	}
	return why
}

func stateName(v float64) string {
	switch v {
	case 0:
		return "down"
	case 1:
		return "up"
	}
	return "degraded"
}

// flush sends what was collected, or loses it.
func (s *sender) flush() {
	if s.held == 0 {
		return
	}
	s.held = 0
	wall := s.clocks(s.made).Wall
	if e := at(s.lost, s.made); e != nil {
		s.seq++
		if s.gone.Records == 0 {
			s.gone = wire.LossNote{FromSeq: s.seq, FromAt: wall, Reason: "the buffer was full"}
		}
		s.gone.Records, s.gone.ToSeq, s.gone.ToAt = s.gone.Records+1, s.seq, wall
		return
	}
	if s.gone.Records > 0 {
		gone := s.gone
		s.gone = wire.LossNote{}
		s.send(s.made, wire.KindNote, &wire.Note{At: wall, Loss: &gone})
	}
	s.send(s.made, wire.KindBatch2, nil)
}

// double lets the clone deliver once between two collections of the original.
func (s *sender) double(t int64) {
	e := at(s.clones, t)
	if e == nil || s.over {
		return
	}
	s.seq++
	clocks := s.clocks(t)
	s.last = max(s.last+1, t+s.plan.Every/2)
	s.set.Reset(clocks.Wall + s.plan.Every/2)
	s.set.Add("up", 1)
	_, boot := s.booted(t)
	run := s.runID(1_000)
	s.hand(Delivery{Env: s.envelope(wire.KindBatch2, run, s.bootID(boot+1_000), clocks), Sent: clocks, Sender: run, Set: &s.set})
}

func (s *sender) envelope(kind wire.Kind, run, boot string, clocks wire.Clocks) wire.Envelope {
	return wire.Envelope{Kind: kind, Run: run, Boot: boot, Seq: s.seq, Clocks: clocks,
		Host: s.host.ID, Instance: s.host.Name, Customer: s.host.Customer, Job: "node", ReceivedAt: s.last}
}

// send hands over a record that was made at t.
func (s *sender) send(t int64, kind wire.Kind, note *wire.Note) {
	s.seq++
	way := 40 + int64(300*mix(s.plan.Seed, text(s.host.Name), 3, s.seq))
	s.last = s.out(max(s.last+1, s.out(t)+way)) // an answer that does not come is no delivery
	_, boot := s.booted(t)
	_, sentBoot := s.booted(s.last)
	sent := s.clocks(s.last)
	if sentBoot != boot {
		sent.Boot, sent.Mono = 0, 0
	}
	d := Delivery{Env: s.envelope(kind, s.runID(s.run(t)), s.bootID(boot), s.clocks(t)), Sent: sent, Sender: s.runID(s.run(s.last)), Note: note}
	if note == nil {
		d.Set = &s.set
	}
	s.hand(d)
}

func (s *sender) hand(d Delivery) {
	if s.over || d.Env.ReceivedAt >= s.plan.To || !s.yield(d) {
		s.over = true
	}
}
