package fold

import (
	"context"
	"sort"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/silence"
)

// silences works out what the record proves about the silence of its host. A
// host that is proven not to have run was down: that becomes facts of its own
// observer, as if its agent had been able to say so.
func (f *Fold) silences(ctx context.Context, b *batch.Batch) {
	if b.Env.Kind.Foreign() || b.Env.Host == "" {
		return
	}
	w := f.watches[b.Env.Host]
	if w == nil {
		w = new(silence.Watch)
		f.watches[b.Env.Host] = w
	}
	if b.Note != nil && b.Note.Start != nil {
		if s, ok := silence.Of(b.Note); ok {
			// The note was corrected as its own run is; the time of the run
			// before is that of another clock.
			if shift, known := w.ShiftOf(b.Note.Start.LastRun); known {
				s.From += shift - b.Env.Shift
			}
			f.prove(ctx, b, &s)
		}
	}
	if b.Note != nil && b.Note.Loss != nil {
		f.lost(ctx, b)
	}
	found := w.See(&b.Env, oldest(b))
	f.pending.watches[b.Env.Host] = w
	for i := range found {
		key := ledger.SilenceKey{Host: b.Env.Host, Cause: found[i].Cause, From: found[i].From}
		f.pending.silences[key] = max(f.pending.silences[key], found[i].To)
		f.prove(ctx, b, &found[i])
	}
}

// oldest is the time of the record's oldest sample, 0 without any.
func oldest(b *batch.Batch) (t int64) {
	for i := range b.Samples {
		if at := b.Samples[i].T; t == 0 || at < t {
			t = at
		}
	}
	return t
}

// prove makes facts of a silence in which the host did not run: the first and
// the last instant of that are down, and what lies between two such facts is.
func (f *Fold) prove(ctx context.Context, b *batch.Batch, s *silence.Silence) {
	from, to, ok := s.Down()
	if !ok {
		return
	}
	from, ok = f.clear(b.Env.Instance, from, to)
	if !ok {
		return
	}
	fact := func(at int64, state availability.State) {
		f.fact(ctx, b.Pos, &availability.Fact{Component: b.Env.Instance, Observer: b.Env.Instance, At: at, State: state, Received: b.Env.ReceivedAt})
	}
	fact(from, availability.Down)
	if to-1 > from {
		fact(to-1, availability.Down)
	}
	if s.Booted != 0 {
		fact(to, availability.Up)
	}
}

// maxLost bounds how many lost collections one note is believed.
const maxLost = 100_000

// lost makes facts of collections that were made and then lost: the host was
// up, or nobody could have measured. Where they are too few for their time the
// agent may have been stopped in between, and nothing is made of it.
func (f *Fold) lost(ctx context.Context, b *batch.Batch) {
	l := b.Note.Loss
	f.mu.Lock()
	host := f.component(b.Env.Instance)
	gap := min(host.gap(l.FromAt), host.gap(l.ToAt))
	f.mu.Unlock()
	steps := l.Records - 1
	if l.FromAt == 0 || l.FromAt > l.ToAt || l.Records > maxLost || steps > 0 && (l.ToAt-l.FromAt)/steps > gap || steps == 0 && l.ToAt != l.FromAt {
		return
	}
	if from, ok := f.clear(b.Env.Instance, l.FromAt, l.ToAt+1); !ok || from > l.FromAt {
		return // some of it is known
	}
	for i := range l.Records {
		at := l.FromAt
		if steps > 0 {
			at += (l.ToAt - l.FromAt) * i / steps
		}
		f.fact(ctx, b.Pos, &availability.Fact{Component: b.Env.Instance, Observer: b.Env.Instance, At: at, State: availability.Up, Received: b.Env.ReceivedAt})
	}
}

// clear is the first instant after the last sample before to, if no sample
// lies behind to without one: what a host measured is stronger than what the
// clocks of two boots say.
func (f *Fold) clear(host string, from, to int64) (int64, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	c := f.components[host]
	if c == nil {
		return from, true
	}
	for _, s := range c.streams {
		if s.observer != host {
			continue
		}
		i := sort.Search(len(s.streaks), func(i int) bool { return s.streaks[i].Last >= to })
		if i < len(s.streaks) && s.streaks[i].First < to {
			return 0, false
		}
		if i > 0 {
			from = max(from, s.streaks[i-1].Last+1)
		}
	}
	return from, from < to
}
