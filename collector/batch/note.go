package batch

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// decodeNote decodes and checks a note. Unknown fields are of a newer agent
// and ignored.
func decodeNote(rec wire.Envelope, body []byte) (*Batch, error) {
	if len(body) > wire.MaxNote {
		return nil, tooBig(ReasonTooLarge, "note of %d bytes, at most %d", len(body), wire.MaxNote)
	}
	if !utf8.Valid(body) {
		return nil, malformed("note is not UTF-8")
	}
	note := new(wire.Note)
	if err := json.Unmarshal(body, note); err != nil {
		return nil, malformed("note: %v", err)
	}
	parts := 0
	for _, set := range [...]bool{note.Start != nil, note.Change != nil, note.Loss != nil} {
		if set {
			parts++
		}
	}
	if parts != 1 {
		return nil, malformed("note with %d of its parts, want exactly one of start, change, loss", parts)
	}
	if c := note.Change; c != nil {
		switch {
		case !knownState(c.From) || !knownState(c.To):
			return nil, malformed("note: change from %q to %q, want up, degraded, down or unknown", clip(c.From, 40), clip(c.To, 40))
		case c.Component == "":
			return nil, malformed("note: change without a component")
		case len(c.Reason) > wire.MaxReason:
			return nil, malformed("note: reason of %d bytes, at most %d", len(c.Reason), wire.MaxReason)
		}
	}
	shiftNote(note, rec.Shift)
	return &Batch{Env: rec, Note: note}, nil
}

// shiftNote corrects all times of a note whose host's clock was wrong. Those
// of the run before are corrected by the same: nobody knows better.
func shiftNote(n *wire.Note, shift int64) {
	times := []*int64{&n.At}
	if n.Start != nil {
		times = append(times, &n.Start.LastAlive, &n.Start.BootedAt)
	}
	if n.Loss != nil {
		times = append(times, &n.Loss.FromAt, &n.Loss.ToAt)
	}
	for _, t := range times {
		if *t != 0 && *t > -farTime && *t < farTime {
			*t += shift
		}
	}
}

func knownState(s string) bool {
	switch s {
	case "", "up", "degraded", "down", "unknown": // empty: not known before
		return true
	}
	return false
}
