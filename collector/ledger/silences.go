package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll/plimsoll/collector/silence"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// maxSilences bounds how many notes of a kind one question reads.
const maxSilences = 1000

// Silences returns when an agent did not measure and what it lost, by its own
// notes of [from, to) in Unix ms, the newest first. to 0: up to now.
func (l *Ledger) Silences(ctx context.Context, instance string, from, to int64) ([]silence.Silence, error) {
	var told []wire.Note
	for _, kind := range []string{"start", "loss"} {
		notes, err := l.Notes(ctx, NoteFilter{Instance: instance, Kind: kind, From: from, To: to, Limit: maxSilences})
		if err != nil {
			return nil, err
		}
		for i := range notes {
			var n wire.Note
			if err := json.Unmarshal([]byte(notes[i].Body), &n); err != nil {
				return nil, fmt.Errorf("read a note of %s: %w", instance, err)
			}
			told = append(told, n)
		}
	}
	return silence.All(told), nil
}
