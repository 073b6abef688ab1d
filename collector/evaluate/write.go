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
	rows := [][]string{FactColumns()}
	for _, f := range facts {
		rows = append(rows, FactRow(f))
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write the facts: %w", err)
	}
	return nil
}

// FactColumns are the columns of FactRow.
func FactColumns() []string { return []string{"time", "component", "state", "observer", "hold"} }

// FactRow is a fact as the file of facts has it.
func FactRow(f availability.Fact) []string {
	hold := ""
	switch {
	case f.Hold == availability.NoHold:
		hold = "0"
	case f.Hold > 0:
		hold = strconv.FormatInt(f.Hold, 10) + "ms"
	}
	return []string{strconv.FormatInt(f.At, 10), f.Component, f.State.String(), f.Observer, hold}
}
