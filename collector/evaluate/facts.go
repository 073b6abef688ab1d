package evaluate

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// column is a column of the file of facts.
type column int

const (
	colTime column = iota
	colComponent
	colState
	colObserver
	colLatency
	colReceived
	colHold
	columns
)

func columnNames() []string {
	return []string{"time", "component", "state", "observer", "latency_ms", "received_at", "hold"}
}

// layout is where each column stands in a record; -1 where it does not.
type layout struct {
	at    [columns]int
	width int
}

// readHeader finds the columns and names all that is wrong with them.
func readHeader(fields [][]byte) (layout, []string) {
	l := layout{width: len(fields)}
	var faults []string
	for i := range l.at {
		l.at[i] = -1
	}
	for i, field := range fields {
		name := string(field)
		if i == 0 {
			name = strings.TrimPrefix(name, "\ufeff")
		}
		known := -1
		for c, each := range columnNames() {
			if each == name {
				known = c
			}
		}
		switch {
		case known < 0:
			fault := fmt.Sprintf("unknown column %q", name)
			if near := settings.DidYouMean(name, columnNames()); near != "" {
				fault += "; " + near
			}
			faults = append(faults, fault)
		case l.at[known] >= 0:
			faults = append(faults, fmt.Sprintf("column %q stands twice", name))
		default:
			l.at[known] = i
		}
	}
	for _, c := range []column{colTime, colComponent, colState} {
		if l.at[c] < 0 {
			faults = append(faults, fmt.Sprintf("column %q is missing", columnNames()[c]))
		}
	}
	return l, faults
}

// row is a fact as the file has it; component and observer are valid until
// the next record is read.
type row struct {
	component []byte
	observer  []byte
	at        int64
	received  int64
	hold      int64
	state     availability.State
}

// parse reads a record; the error says all that is wrong with it.
func (l *layout) parse(fields [][]byte) (row, error) {
	var r row
	if len(fields) == 1 && len(fields[0]) == 0 {
		return r, badRecord("empty line")
	}
	if len(fields) != l.width {
		return r, badRecord(fmt.Sprintf("%d fields where the header has %d", len(fields), l.width))
	}
	var faults []string
	var err error
	bad := func(err error) {
		if err != nil {
			message, _, _ := strings.Cut(err.Error(), "; ")
			faults = append(faults, message)
		}
	}
	r.component = fields[l.at[colComponent]]
	if len(r.component) == 0 {
		faults = append(faults, "component is empty")
	}
	if r.at, err = availability.ParseInstant(fields[l.at[colTime]]); err != nil {
		bad(fmt.Errorf("time: %w", err))
	}
	if r.state, err = parseState(fields[l.at[colState]]); err != nil {
		bad(fmt.Errorf("state: %w", err))
	}
	if i := l.at[colObserver]; i >= 0 {
		r.observer = fields[i]
	}
	r.received = r.at
	if i := l.at[colReceived]; i >= 0 && len(fields[i]) > 0 {
		if r.received, err = availability.ParseInstant(fields[i]); err != nil {
			bad(fmt.Errorf("received_at: %w", err))
		}
	}
	if i := l.at[colHold]; i >= 0 && len(fields[i]) > 0 {
		if r.hold, err = parseHold(fields[i]); err != nil {
			bad(fmt.Errorf("hold: %w", err))
		}
	}
	if i := l.at[colLatency]; i >= 0 && len(fields[i]) > 0 && !isNumber(fields[i]) {
		faults = append(faults, fmt.Sprintf("latency_ms: %q is not a number of milliseconds", fields[i]))
	}
	if faults != nil {
		return r, badRecord(strings.Join(faults, ", "))
	}
	return r, nil
}

// parseState reads the three words without allocating.
func parseState(word []byte) (availability.State, error) {
	switch string(word) {
	case "up":
		return availability.Up, nil
	case "down":
		return availability.Down, nil
	case "degraded":
		return availability.Degraded, nil
	}
	return availability.ParseState(string(word))
}

func parseHold(text []byte) (int64, error) {
	d, err := settings.ParseDuration(string(text))
	if err == nil && d == 0 {
		return availability.NoHold, nil
	}
	return d.Milliseconds(), err
}

// isNumber tells whether text is a decimal that is not negative.
func isNumber(text []byte) bool {
	whole, fraction, point := bytes.Cut(text, []byte{'.'})
	return allDigits(whole) && len(whole) > 0 && allDigits(fraction) && (!point || len(fraction) > 0)
}

func allDigits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
