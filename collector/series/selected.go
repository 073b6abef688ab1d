package series

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/batch"
)

// maxVoice bounds the observer of a selected series, in bytes; longer labels
// are told apart by their hash.
const maxVoice = 300

// Selected is what a series is a fact about because the catalogue selects it.
type Selected struct {
	Component, Observer string
	Hold                int64 // as of a Fact
}

// Selectors find the components a series is selected for.
type Selectors struct {
	byMetric map[string][]*availability.Component
}

// SelectorsOf are those of a catalogue; nil, which finds nothing, where it selects no series.
func SelectorsOf(c *availability.Catalogue) *Selectors {
	var out *Selectors
	for i := range c.Components {
		if is := &c.Components[i]; is.Series != nil {
			if out == nil {
				out = &Selectors{map[string][]*availability.Component{}}
			}
			out.byMetric[is.Series.Metric] = append(out.byMetric[is.Series.Metric], is)
		}
	}
	return out
}

// Of appends what the series is selected for to found. Its labels are those it
// is stored with, identity and all: what a sender may not say of itself cannot
// be selected from it.
func (s *Selectors) Of(ls labels.Labels, found []Selected) []Selected {
	if s == nil {
		return found
	}
	for _, c := range s.byMetric[ls.Get(nameLabel)] {
		if matches(c.Series, ls) {
			found = append(found, selected(c, ls))
		}
	}
	return found
}

func matches(sel *availability.Selector, ls labels.Labels) bool {
	for _, l := range sel.Labels {
		if ls.Get(l.Name) != l.Value {
			return false
		}
	}
	return true
}

// selected is what a matching series is to the component. As a foreign
// sender's up does, a sample holds for five minutes, unless the component says
// how often one comes.
func selected(c *availability.Component, ls labels.Labels) Selected {
	sender, identity := ls.Get(batch.SenderLabel), []string{nameLabel, batch.SenderLabel, "customer"}
	if sender == "" {
		sender, identity = ls.Get(observerLabel), []string{nameLabel, observerLabel, jobLabel, "customer"}
	}
	var open []availability.Label
	ls.Range(func(l labels.Label) {
		for _, given := range identity {
			if l.Name == given {
				return
			}
		}
		if !c.Series.Pins(l.Name) {
			open = append(open, availability.Label{Name: l.Name, Value: l.Value})
		}
	})
	out := Selected{Component: c.Name, Observer: availability.Voice(sender, open)}
	if len(out.Observer) > maxVoice {
		sum := sha256.Sum256([]byte(out.Observer))
		out.Observer = availability.Voice(sender, []availability.Label{{Name: "sha256", Value: hex.EncodeToString(sum[:16])}})
	}
	if c.Interval == 0 && c.Hold == 0 {
		out.Hold = batch.ForeignHold.Milliseconds()
	}
	return out
}

// SelectedState is what a sample of a selected series says: 1 up, 0 down, and
// nothing else anything.
func SelectedState(v float64) availability.State {
	switch v {
	case 1:
		return availability.Up
	case 0:
		return availability.Down
	}
	return availability.Unknown
}

// matchers ask the store for the series of a selector.
func matchers(sel *availability.Selector) []*labels.Matcher {
	out := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, nameLabel, sel.Metric)}
	for _, l := range sel.Labels {
		out = append(out, labels.MustNewMatcher(labels.MatchEqual, l.Name, l.Value))
	}
	return out
}

// Ended tells whether the sample marks the end of its series.
func Ended(v float64) bool { return value.IsStaleNaN(v) }
