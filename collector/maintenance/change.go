package maintenance

import (
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/words"
)

// State is where a change stands.
type State string

// The states of a change.
const (
	New       State = "new"       // waits for approval
	Scheduled State = "scheduled" // approved
	Rejected  State = "rejected"
	Cancelled State = "cancelled"
)

// Type says how a change came to be approved.
type Type string

// The types of a change.
const (
	Normal    Type = "normal"
	Standard  Type = "standard"  // approved once, with a window that recurs
	Emergency Type = "emergency" // planned too late for the notice that was agreed
)

// Plan is the work that is asked for. Instants are Unix milliseconds.
type Plan struct {
	Title      string   `json:"title"`
	Reason     string   `json:"reason"`
	Services   []string `json:"services"`
	Components []string `json:"components"`
	Zone       string   `json:"zone"` // IANA; the rule is read in it
	From       int64    `json:"from"` // of the first window
	To         int64    `json:"to"`   // every window is as long as the first
	Rule       string   `json:"rule"` // RRULE of RFC 5545 without its name; empty: once
}

// Change is a planned change in its newest version. 0 is no instant.
type Change struct {
	No string `json:"no"`
	Plan
	Type        Type   `json:"type"`
	State       State  `json:"state"`
	Requester   string `json:"requester"`
	RequestedAt int64  `json:"requested_at"`
	Approver    string `json:"approver"` // who approved or rejected it
	ApprovedAt  int64  `json:"approved_at"`
	RejectedAt  int64  `json:"rejected_at"`
	CancelledBy string `json:"cancelled_by"`
	CancelledAt int64  `json:"cancelled_at"`
	Comment     string `json:"comment"` // of the newest decision
}

// Bounds of a plan.
const (
	maxTitle  = 160
	maxReason = 4000
	maxNames  = 100
	// longest is the longest single window.
	longest = 31 * 24 * time.Hour
	// horizon is how far ahead, or back, a window may begin.
	horizon = 5 * 366 * 24 * time.Hour
)

// check names what is wrong with a plan by itself, and expands it.
func (p *Plan) check(c *availability.Catalogue, now time.Time) ([]Window, error) {
	p.Title, p.Reason, p.Rule = strings.TrimSpace(p.Title), strings.TrimSpace(p.Reason), strings.TrimSpace(p.Rule)
	switch begin := time.UnixMilli(p.From); {
	case p.Title == "" || len(p.Title) > maxTitle || strings.ContainsAny(p.Title, "\r\n"):
		return nil, words.Refuse("refused.title", maxTitle)
	case len(p.Reason) > maxReason:
		return nil, words.Refuse("refused.reason.long", maxReason)
	case len(p.Services)+len(p.Components) == 0:
		return nil, words.Refuse("refused.names.none")
	case len(p.Services)+len(p.Components) > maxNames:
		return nil, words.Refuse("refused.names.many", maxNames)
	case p.To <= p.From:
		return nil, words.Refuse("refused.window.order")
	case p.To-p.From > longest.Milliseconds():
		return nil, words.Refuse("refused.window.long", "31 d")
	case begin.After(now.Add(horizon)) || begin.Before(now.Add(-horizon)):
		return nil, words.Refuse("refused.window.far")
	}
	for _, name := range p.Services {
		if _, ok := c.Service(name); !ok {
			return nil, words.Refuse("refused.service", name)
		}
	}
	for _, name := range p.Components {
		if _, ok := c.Component(name); !ok {
			return nil, words.Refuse("refused.component", name)
		}
	}
	return p.Windows()
}

// Window is one maintenance window, [From, To) in Unix milliseconds.
type Window struct{ From, To int64 }

// Windows are all windows of the plan, in time order.
func (p *Plan) Windows() ([]Window, error) {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil || p.Zone == "" || p.Zone == "Local" {
		return nil, words.Refuse("refused.zone", p.Zone)
	}
	if p.Rule == "" {
		return []Window{{p.From, p.To}}, nil
	}
	begins, err := recur(p.Rule, time.UnixMilli(p.From).In(zone))
	if err != nil {
		return nil, err
	}
	out := make([]Window, len(begins))
	for i, begin := range begins {
		out[i] = Window{begin, begin + p.To - p.From}
	}
	return out, nil
}

// entries are the plan's windows as the figures take them, approved and
// cancelled as the change says.
func (c *Change) entries() ([]availability.Window, error) {
	windows, err := c.Windows()
	if err != nil {
		return nil, fmt.Errorf("expand change %s: %w", c.No, err)
	}
	out := make([]availability.Window, len(windows))
	for i, w := range windows {
		out[i] = availability.Window{Change: c.No, Services: c.Services, Components: c.Components, From: availability.At(w.From), To: availability.At(w.To)}
		if c.ApprovedAt != 0 {
			out[i].ApprovedAt = availability.At(c.ApprovedAt)
		}
		if c.CancelledAt != 0 {
			out[i].CancelledAt = availability.At(c.CancelledAt)
		}
	}
	return out, nil
}

// Number is the n-th number of a change in a year: CHG-2026-0012.
func Number(year int, n int64) string { return fmt.Sprintf("CHG-%04d-%04d", year, n) }
