package correction

import (
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/words"
)

// State is where an adjustment stands.
type State string

// The states of an adjustment.
const (
	Requested State = "requested"
	Approved  State = "approved"
	Refused   State = "refused"
)

// Ask is the adjustment that is asked for. Instants are Unix milliseconds.
type Ask struct {
	Services   []string `json:"services"`
	Components []string `json:"components"`
	From       int64    `json:"from"`
	To         int64    `json:"to"`
	Effect     string   `json:"effect"` // exclude, up or down
	Reason     string   `json:"reason"`
	Evidence   string   `json:"evidence"`
	Outage     int64    `json:"outage"` // it came from; 0: none
}

// Adjustment is one entry of the correction ledger in its newest version.
type Adjustment struct {
	No string `json:"no"`
	Ask
	State       State  `json:"state"`
	Requester   string `json:"requester"`
	RequestedAt int64  `json:"requested_at"`
	Decider     string `json:"decider"` // who approved or refused it
	DecidedAt   int64  `json:"decided_at"`
	Comment     string `json:"comment"` // of the decision
	// Asked are the figures before and after when it was requested, Decided
	// when it was decided: late facts may lie between them.
	Asked   []figures.Shift `json:"asked"`
	Decided []figures.Shift `json:"decided"`
}

// Bounds of a request.
const (
	maxText  = 4000
	maxNames = 100
	// longest is the longest time one adjustment covers: a quarter.
	longest = 92 * 24 * time.Hour
)

func effects() map[string]availability.Effect {
	return map[string]availability.Effect{"exclude": availability.CutOut, "up": availability.CorrectUp, "down": availability.CorrectDown}
}

// check names what is wrong with a request by itself. evidence tells whether
// reason and evidence must be there already.
func (a *Ask) check(c *availability.Catalogue, now time.Time, evidence bool) error {
	a.Reason, a.Evidence = strings.TrimSpace(a.Reason), strings.TrimSpace(a.Evidence)
	if a.Effect == "" {
		a.Effect = "exclude"
	}
	_, known := effects()[a.Effect]
	switch {
	case !known:
		return words.Refuse("refused.effect", a.Effect)
	case len(a.Services)+len(a.Components) == 0:
		return words.Refuse("refused.names.none")
	case len(a.Services)+len(a.Components) > maxNames:
		return words.Refuse("refused.names.many", maxNames)
	case a.To <= a.From:
		return words.Refuse("refused.window.order")
	case a.To-a.From > longest.Milliseconds():
		return words.Refuse("refused.window.long", "92 d")
	case a.To > now.UnixMilli():
		return words.Refuse("refused.ahead")
	case evidence && (a.Reason == "" || a.Evidence == ""):
		return words.Refuse("refused.evidence")
	case len(a.Reason) > maxText || len(a.Evidence) > maxText:
		return words.Refuse("refused.reason.long", maxText)
	}
	for _, name := range a.Services {
		if _, ok := c.Service(name); !ok {
			return words.Refuse("refused.service", name)
		}
	}
	for _, name := range a.Components {
		if _, ok := c.Component(name); !ok {
			return words.Refuse("refused.component", name)
		}
	}
	return nil
}

// entry is the adjustment as the figures take it.
func (a *Adjustment) entry() availability.Adjustment {
	out := availability.Adjustment{ID: a.No, Services: a.Services, Components: a.Components, From: availability.At(a.From), To: availability.At(a.To),
		Effect: effects()[a.Effect], Reason: a.Reason, Evidence: a.Evidence, RequestedBy: a.Requester}
	if a.State == Approved {
		out.ApprovedBy, out.ApprovedAt = a.Decider, availability.At(a.DecidedAt)
	}
	return out
}

// Number is the n-th number of an adjustment in a year: ADJ-2026-0003.
func Number(year int, n int64) string { return fmt.Sprintf("ADJ-%04d-%04d", year, n) }
