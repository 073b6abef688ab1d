package fold

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/series"
	"github.com/plimsoll/plimsoll/collector/silence"
)

// pending is what the ledger does not have yet.
type pending struct {
	urgent   bool // not to be left to the next checkpoint
	drop     map[ledger.StreakKey]bool
	put      map[ledger.StreakKey]*stream // the streak itself is looked up when it is written
	origins  map[ledger.StreakKey]ledger.Origin
	back     int64            // Unix ms: the clock was set back to it; 0: it was not
	crowded  map[*stream]bool // those of which the ledger has too much that was
	grown    []*stream
	outages  map[*component]int64 // since when they have to be looked at again
	changed  map[string]bool
	notes    []ledger.Note
	seen     map[string]ledger.Seen
	senders  map[string]int64 // when something of a foreign sender came
	watches  map[string]*silence.Watch
	silences map[ledger.SilenceKey]int64 // to their ends: one that lasts is found again with each record
	scratch  []availability.Fact
}

func (p *pending) reset() {
	*p = pending{drop: map[ledger.StreakKey]bool{}, put: map[ledger.StreakKey]*stream{}, origins: map[ledger.StreakKey]ledger.Origin{}, outages: map[*component]int64{},
		changed: map[string]bool{}, crowded: map[*stream]bool{}, seen: map[string]ledger.Seen{}, senders: map[string]int64{}, watches: map[string]*silence.Watch{}, silences: map[ledger.SilenceKey]int64{}, grown: p.grown[:0], scratch: p.scratch}
}

// factsOf are the facts of a record, with those the catalogue selects, in the
// order they count.
func (p *pending) factsOf(b *batch.Batch, selected []availability.Fact) []availability.Fact {
	p.scratch = p.scratch[:0]
	var hold int64
	if b.Env.Kind.Foreign() {
		hold = batch.ForeignHold.Milliseconds()
	}
	for i := range b.Facts {
		s := &b.Facts[i]
		if state := series.StateOf(s.V); state != availability.Unknown {
			p.scratch = append(p.scratch, availability.Fact{Component: s.Series.Component, Observer: b.Env.Instance,
				At: s.T, State: state, Received: b.Env.ReceivedAt, Hold: hold})
		}
	}
	p.scratch = append(p.scratch, selected...)
	if len(p.scratch) > 1 {
		return availability.SortFacts(p.scratch)
	}
	return p.scratch
}

// see notes a sign of life of the record's host, or of the hosts a foreign
// sender brings.
func (p *pending) see(b *batch.Batch) {
	if b.Env.Kind.Foreign() {
		p.seeForeign(b)
		return
	}
	seen := p.seen[b.Env.Host]
	seen.Received = max(seen.Received, b.Env.ReceivedAt)
	for i := range b.Samples {
		seen.Sample = max(seen.Sample, b.Samples[i].T)
	}
	if b.Note != nil && b.Note.Start != nil {
		seen.Version = b.Note.Start.Version
	}
	p.seen[b.Env.Host] = seen
}

func (p *pending) seeForeign(b *batch.Batch) {
	p.senders[b.Env.Host] = max(p.senders[b.Env.Host], b.Env.ReceivedAt)
	for i := 0; i < len(b.Samples); {
		host, newest := b.Samples[i].Series.Host, int64(0)
		for ; i < len(b.Samples) && b.Samples[i].Series.Host == host; i++ {
			newest = max(newest, b.Samples[i].T)
		}
		if host != "" {
			seen := p.seen[host]
			p.seen[host] = ledger.Seen{Received: max(seen.Received, b.Env.ReceivedAt), Sample: max(seen.Sample, newest)}
		}
	}
}

func (p *pending) note(b *batch.Batch) error {
	body, err := json.Marshal(b.Note)
	if err != nil {
		return err
	}
	n := ledger.Note{Position: uint64(b.Pos), Host: b.Env.Host, Instance: b.Env.Instance, At: b.Note.At, ReceivedAt: b.Env.ReceivedAt, Body: string(body)}
	switch {
	case b.Note.Start != nil:
		n.Kind = "start"
	case b.Note.Change != nil:
		n.Kind, n.Component = "change", b.Note.Change.Component
	case b.Note.Loss != nil:
		n.Kind = "loss"
	}
	p.notes = append(p.notes, n)
	p.urgent = true
	return nil
}

// change notes what became of streaks by a fact from source.
func (p *pending) change(c *component, s *stream, change availability.Change, source ledger.Source) {
	since := change.Put[0].First
	for i := range change.Remove {
		k := key(&change.Remove[i])
		p.drop[k] = true
		delete(p.put, k)
		since = min(since, k.First)
	}
	for i := range change.Put {
		k := key(&change.Put[i])
		p.put[k] = s
		p.origins[k] = ledger.Origin{Born: source, Grown: source}
		delete(p.drop, k)
	}
	// The streak before counts too: how long it holds, or that it is bridged
	// to the next one, depends on what follows it.
	if i := s.before(since); i >= 0 {
		since = s.streaks[i].First
	}
	p.lookAgain(c, since)
}

// lookAgain has the outages of the component that end at or after an instant worked out again.
func (p *pending) lookAgain(c *component, since int64) {
	if known, ok := p.outages[c]; !ok || since < known {
		p.outages[c] = since
	}
	p.urgent = true
}

// grow notes what last prolonged a streak. What made it the ledger keeps,
// where it is not among what is pending.
func (p *pending) grow(k ledger.StreakKey, source ledger.Source) {
	origin, made := p.origins[k]
	if origin.Grown = source; !made {
		origin.Born = source
	}
	p.origins[k] = origin
}

// before is the index of the last streak that begins before t, -1 for none.
func (s *stream) before(t int64) int {
	i := len(s.streaks) - 1
	for i >= 0 && s.streaks[i].First >= t {
		i--
	}
	return i
}

// flush writes all that is pending in one transaction with the cursor, and
// tells then whose state changed.
func (f *Fold) flush(ctx context.Context) error {
	f.refresh()
	p := &f.pending
	at := f.folded.Load()
	w := ledger.Fold{Position: at, Notes: p.notes, Seen: p.seen, Senders: p.senders, Origins: p.origins, Watches: p.watches, Silences: p.silences, Outages: f.outages(ctx),
		Known: map[ledger.StreakKey]int64{}, Former: f.former, Back: p.back}
	for k := range p.drop {
		w.Drop = append(w.Drop, k)
	}
	for k, s := range p.put {
		if i := s.before(k.First + 1); i >= 0 && s.streaks[i].First == k.First {
			w.Put = append(w.Put, s.streaks[i])
			w.Known[k] = s.since[i]
		}
	}
	for _, s := range p.grown {
		last, ok := s.last()
		if !ok {
			continue
		}
		k := key(&last)
		p.grow(k, s.source)
		if p.put[k] == nil {
			w.Put = append(w.Put, last)
			w.Known[k] = s.since[len(s.since)-1]
		}
	}
	if at == f.durable.Load() && len(w.Outages) == 0 {
		return nil
	}
	if err := f.opts.Ledger.ApplyFold(ctx, w); err != nil {
		return err
	}
	f.durable.Store(at)
	f.written = time.Now()
	f.mu.Lock()
	f.former = nil
	f.mu.Unlock()
	for _, s := range p.grown {
		s.grown = false
	}
	changed := p.changed
	crowded := p.crowded
	p.reset()
	if err := f.forget(ctx, crowded); err != nil { // tried again when there are more
		f.opts.Log.Warn("what streaks were is too much and could not be given up", "err", err)
	}
	for name := range changed {
		f.opts.Changed(name)
	}
	return nil
}

// refresh takes notice of another catalogue: gaps, holds and votes may be
// different, so all outages are looked at again.
func (f *Fold) refresh() {
	now := f.opts.Catalogue()
	if now == f.catalogue && f.described {
		return
	}
	f.catalogue, f.described = now, true
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, c := range f.components {
		f.describe(c, name)
		f.pending.outages[c] = minTime
	}
}

// outages works out the outages of the components that may have others now.
// One with several observers may, without any new fact, when what one of them
// said no longer holds.
func (f *Fold) outages(ctx context.Context) map[string]ledger.OutageSet {
	asOf := f.opts.Now().UnixMilli()
	for _, c := range f.components {
		if len(c.streams) < 2 {
			continue
		}
		since, down := int64(math.MaxInt64), false
		if known, ok := f.pending.outages[c]; ok {
			since = known
		}
		for _, s := range c.streams {
			if last, ok := s.last(); ok {
				since, down = min(since, last.First), down || last.State == availability.Down
			}
		}
		if down {
			f.pending.outages[c] = since
		}
	}
	sets := map[string]ledger.OutageSet{}
	for c, since := range f.pending.outages {
		sets[c.is.Name] = ledger.OutageSet{Since: since, Standing: f.outagesOf(ctx, c, since, asOf)}
	}
	return sets
}

// outagesOf are the outages of c that end at or after since.
func (f *Fold) outagesOf(ctx context.Context, c *component, since, asOf int64) []ledger.Outage {
	streaks := c.all()
	for i := range streaks {
		asOf = max(asOf, streaks[i].Last+1)
	}
	var out []ledger.Outage
	for _, o := range availability.ComponentOutages(c.is, streaks, asOf, f.factBefore(ctx)) {
		if !o.Open && o.To < since {
			continue
		}
		made := ledger.Outage{Component: c.is.Name, From: o.From, Bridged: o.Bridged, Observers: downBy(c, &o)}
		if !o.Open {
			made.To = o.To
		}
		if o.HasFact {
			made.Earliest = o.Earliest
		}
		out = append(out, made)
	}
	return out
}

// downBy are the observers that said down in the outage.
func downBy(c *component, o *availability.ComponentOutage) []string {
	var names []string
	for _, s := range c.streams {
		for i := range s.streaks {
			k := &s.streaks[i]
			if k.State == availability.Down && k.Last >= o.From && (o.Open || k.First < o.To) {
				names = append(names, s.observer)
				break
			}
		}
	}
	return names
}

// factBefore finds the last fact of a streak before an instant inside it,
// where raw facts are still kept.
func (f *Fold) factBefore(ctx context.Context) availability.FactBefore {
	if f.opts.Raw == nil {
		return nil
	}
	return func(s availability.Streak, before int64) (int64, bool) {
		near := f.raw(ctx, 0, &s, max(s.First, before-s.MaxGap), before-1)
		for i := len(near) - 1; i >= 0; i-- {
			if near[i].State == s.State {
				return near[i].At, true
			}
		}
		return 0, false
	}
}
