package fold

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/series"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Bounds of what is said about selected series.
const (
	maxVoices = 50_000 // whose last word is remembered
	maxUntold = 1_000  // sentences that wait; more are counted alone
	// recentStreaks is how many streaks of a voice are looked at to see
	// whether another one speaks with it.
	recentStreaks = 16
)

// ofSeries is the check that a note about a selected series names.
const ofSeries = "series"

// voices follow the series that the catalogue selects for components.
type voices struct {
	catalogue *availability.Catalogue
	selectors *series.Selectors
	said      map[voice]word
	untold    []untold // oldest first
	found     []series.Selected
	heard     []availability.Fact
	metric    map[string]string // of the component's selector
}

// voice is one selected series of one component.
type voice struct{ component, observer string }

// word is what a voice said last, as far as it was told.
type word struct {
	state  availability.State
	reason string
}

// untold is a sentence that waits to be written.
type untold struct {
	host, instance string
	at, received   int64
	change         wire.CheckChange
}

// facts are those of the record that the catalogue selects. What its samples
// say that is no fact is counted and told.
func (v *voices) facts(f *Fold, b *batch.Batch) []availability.Fact {
	v.heard = v.heard[:0]
	if now := f.opts.Catalogue(); now != v.catalogue {
		v.follow(now)
	}
	if v.selectors == nil {
		return nil
	}
	for i := range b.Samples {
		s := &b.Samples[i]
		v.found = v.selectors.Of(s.Series.Labels, v.found[:0])
		for _, is := range v.found {
			state := series.SelectedState(s.V)
			if state != availability.Unknown {
				v.heard = append(v.heard, availability.Fact{Component: is.Component, Observer: is.Observer, At: s.T, State: state, Received: b.Env.ReceivedAt, Hold: is.Hold})
			}
			v.hear(f, b, s, voice{is.Component, is.Observer}, state)
		}
	}
	return v.heard
}

// follow takes the selectors of another catalogue.
func (v *voices) follow(now *availability.Catalogue) {
	v.catalogue, v.selectors, v.metric = now, series.SelectorsOf(now), map[string]string{}
	for i := range now.Components {
		if c := &now.Components[i]; c.Series != nil {
			v.metric[c.Name] = c.Series.Metric
		}
	}
	if v.said == nil {
		v.said = map[voice]word{}
	}
}

// hear notes one sample of a voice.
func (v *voices) hear(f *Fold, b *batch.Batch, s *batch.Sample, who voice, state availability.State) {
	reason := ""
	switch {
	case state == availability.Down:
		reason = fmt.Sprintf("%s of %s is 0", v.metric[who.component], who.observer)
	case series.Ended(s.V):
		f.metrics.unusable.WithLabelValues(who.component, "stale").Inc()
		reason = fmt.Sprintf("%s of %s has ended: its sender marked it stale", v.metric[who.component], who.observer)
	case state == availability.Unknown:
		f.metrics.unusable.WithLabelValues(who.component, "value").Inc()
		reason = fmt.Sprintf("%s of %s is %s, which is neither 1 (up) nor 0 (down); select a series that is", v.metric[who.component], who.observer, strconv.FormatFloat(s.V, 'g', 6, 64))
	}
	v.change(f, untold{b.Env.Host, b.Env.Instance, s.T, b.Env.ReceivedAt, wire.CheckChange{Component: who.component, Check: ofSeries, To: state.String(), Reason: reason}}, who, word{state, reason})
}

// change queues a sentence when a voice says something else than before.
func (v *voices) change(f *Fold, say untold, who voice, is word) {
	before, known := v.said[who]
	if !known {
		before.state = f.lastOf(who)
	}
	if known && before.state == is.state || !known && before.state == is.state && is.state != availability.Unknown {
		return
	}
	if len(v.said) >= maxVoices {
		clear(v.said) // some are told once more
	}
	v.said[who] = is
	if !known && is.state == availability.Up {
		return // it begins well
	}
	say.change.From = before.state.String()
	say.change.Reason = clip(say.change.Reason)
	if len(v.untold) < maxUntold {
		v.untold = append(v.untold, say)
	}
}

// lastOf is the state of the last streak of a voice.
func (f *Fold) lastOf(who voice) availability.State {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if c := f.components[who.component]; c != nil {
		for _, s := range c.streams {
			if last, ok := s.last(); ok && s.observer == who.observer {
				return last.State
			}
		}
	}
	return availability.Unknown
}

// compare finds voices of one sender that speak at once.
func (v *voices) compare(f *Fold, facts []availability.Fact) {
	if v.selectors == nil {
		return
	}
	for i := range facts {
		fact := &facts[i]
		if _, selected := v.metric[fact.Component]; !selected || i > 0 && facts[i-1].Component == fact.Component && facts[i-1].Observer == fact.Observer {
			continue
		}
		f.mu.RLock()
		c := f.components[fact.Component]
		var recent []availability.Streak
		for _, s := range c.streams {
			if availability.Speaker(s.observer) == availability.Speaker(fact.Observer) {
				recent = append(recent, s.streaks[max(0, len(s.streaks)-recentStreaks):]...)
			}
		}
		f.mu.RUnlock()
		names := availability.SpeakAtOnce(c.is, recent, fact.At)
		if len(names) == 0 {
			continue
		}
		f.metrics.unusable.WithLabelValues(fact.Component, "ambiguous").Inc()
		v.ambiguous(f, fact, names)
	}
}

// ambiguous tells that several series of one sender match.
func (v *voices) ambiguous(f *Fold, fact *availability.Fact, all []string) {
	sender := availability.Speaker(fact.Observer)
	reason := fmt.Sprintf("%d series of %s match, which all say what the component is: %s; name the label that tells them apart in series of the catalogue", len(all), v.metric[fact.Component], shortList(all, 4))
	who := voice{fact.Component, "\x00" + sender} // of all of them
	if said := v.said[who]; said.state == availability.Unknown && said.reason == reason {
		return
	}
	v.said[who] = word{availability.Unknown, reason}
	f.opts.Log.Warn("a component is unknown: several series match its selector", "component", fact.Component, "why", reason)
	if len(v.untold) < maxUntold {
		v.untold = append(v.untold, untold{sender, sender, fact.At, fact.Received, wire.CheckChange{Component: fact.Component, Check: ofSeries,
			From: fact.State.String(), To: availability.Unknown.String(), Reason: clip(reason)}})
	}
}

// clip keeps what a note may carry.
func clip(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), wire.MaxReason)], "")
}

func shortList(all []string, most int) string {
	out := ""
	for i, name := range all {
		if i == most {
			return out + fmt.Sprintf(" and %d more", len(all)-most)
		}
		if i > 0 {
			out += ", "
		}
		out += name
	}
	return out
}

// tell writes the sentences that wait, with the record as their source.
func (v *voices) tell(f *Fold, b *batch.Batch) {
	n := min(len(v.untold), ledger.MaxSub)
	for i := range v.untold[:n] {
		say := &v.untold[i]
		body, err := json.Marshal(wire.Note{At: say.at, Change: &say.change})
		if err != nil {
			f.opts.Log.Warn("a sentence about a selected series was left out", "component", say.change.Component, "err", err)
			continue
		}
		f.pending.notes = append(f.pending.notes, ledger.Note{Position: uint64(b.Pos), Sub: i + 1, Host: say.host, Instance: say.instance, At: say.at, ReceivedAt: say.received,
			Kind: "change", Component: say.change.Component, Body: string(body)})
	}
	v.untold = v.untold[n:]
	if len(v.untold) == 0 {
		v.untold = nil
	}
}
