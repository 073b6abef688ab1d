package evaluate

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// WriteFacts writes facts as Run reads them. Received is left out: what is
// written is known.
func WriteFacts(w io.Writer, facts []availability.Fact) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"time", "component", "state", "observer", "hold"}}
	for _, f := range facts {
		hold := ""
		switch {
		case f.Hold == availability.NoHold:
			hold = "0"
		case f.Hold > 0:
			hold = strconv.FormatInt(f.Hold, 10) + "ms"
		}
		rows = append(rows, []string{strconv.FormatInt(f.At, 10), f.Component, f.State.String(), f.Observer, hold})
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write the facts: %w", err)
	}
	return nil
}
