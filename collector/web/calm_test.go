package web

import (
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/words"
)

// TestCalm: what the overview says when nothing is known to be down.
func TestCalm(t *testing.T) {
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	v := &visit{Book: shelf["en"], AsOf: now, Zone: time.UTC}
	up, blind := serviceRow{Name: "shop", State: "up"}, serviceRow{Name: "mail", State: "unknown"}
	heard := hostRow{seen: now.Add(-12 * time.Minute).UnixMilli()}
	for _, row := range []struct {
		name     string
		services []serviceRow
		hosts    []hostRow
		state    string
		says     string
	}{
		{"no service", nil, nil, "unknown", "There is no service in the catalogue yet."},
		{"the first minute", []serviceRow{blind}, nil, "unknown", "the first measurements arrive within a minute"},
		{"all agents silent", []serviceRow{blind}, []hostRow{{}, heard}, "unknown", "no agent delivers. The last one was heard of 12 min ago"},
		{"one is blind", []serviceRow{up, blind}, []hostRow{heard}, "unknown", "Without data: mail."},
		{"both up", []serviceRow{up, up}, []hostRow{heard}, "up", "2"},
	} {
		says, state := v.calm(row.services, row.hosts)
		if state != row.state || !strings.Contains(says, row.says) {
			t.Errorf("%s: got %s %q, want %s with %q", row.name, state, says, row.state, row.says)
		}
	}
}
