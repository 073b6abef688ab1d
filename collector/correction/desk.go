package correction

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

// Store keeps every version of an adjustment or annotation.
type Store interface {
	DrawPaper(ctx context.Context, sequence string, name func(n int64) string, taken func(no string) bool) (string, error)
	PutPaper(ctx context.Context, p ledger.Paper, detail string) error
	Papers(ctx context.Context, kind string, at int64) ([]ledger.Paper, error)
	Versions(ctx context.Context, kind, no string) ([]ledger.Paper, error)
	Outage(ctx context.Context, id int64) (ledger.Outage, error)
	Outages(ctx context.Context, f ledger.OutageFilter) ([]ledger.Outage, error)
}

// Figures compute what an adjustment changes.
type Figures interface {
	Agreed() *availability.Catalogue
	WhatIf(ctx context.Context, a availability.Adjustment, at time.Time) ([]figures.Shift, error)
}

// Periods tell which are closed: what is in them changes by a restatement alone.
type Periods interface {
	// Closed names a closed period of the service that meets [from, to), Unix
	// milliseconds; empty where all of it is open.
	Closed(ctx context.Context, service string, from, to int64) (period string, err error)
}

// Open is the Periods of a collector that closes none.
type Open struct{}

// Closed names none.
func (Open) Closed(context.Context, string, int64, int64) (string, error) { return "", nil }

// Desk is where corrections are asked for and decided. Safe for concurrent use.
type Desk struct {
	store   Store
	figures Figures
	periods Periods
	now     func() time.Time
}

// NewDesk makes a desk; periods nil: all are open.
func NewDesk(store Store, figures Figures, periods Periods, now func() time.Time) *Desk {
	if periods == nil {
		periods = Open{}
	}
	return &Desk{store, figures, periods, now}
}

// WhatIf tells what a request would do to figures, approved now. Reason and
// evidence may still be missing. A *words.Refusal is for the one who asks.
func (d *Desk) WhatIf(ctx context.Context, a Ask) ([]figures.Shift, error) {
	now := d.now()
	if err := a.check(d.figures.Agreed(), now, false); err != nil {
		return nil, err
	}
	if err := d.open(ctx, &a); err != nil {
		return nil, err
	}
	return d.figures.WhatIf(ctx, (&Adjustment{Ask: a}).entry(), now)
}

// open refuses what reaches into a closed period.
func (d *Desk) open(ctx context.Context, a *Ask) error {
	c := d.figures.Agreed()
	names := slices.Concat(a.Services, a.Components)
	for _, s := range c.Services {
		if !c.Touches(s.Name, names) {
			continue
		}
		period, err := d.periods.Closed(ctx, s.Name, a.From, a.To)
		if err != nil {
			return err
		}
		if period != "" {
			return words.Refuse("refused.closed", period, s.Name)
		}
	}
	return nil
}

// Request asks for an adjustment; another person decides.
func (d *Desk) Request(ctx context.Context, ask Ask, v people.Visitor) (Adjustment, error) {
	now := d.now()
	if err := ask.check(d.figures.Agreed(), now, true); err != nil {
		return Adjustment{}, err
	}
	if ask.Outage != 0 {
		if _, err := d.store.Outage(ctx, ask.Outage); err != nil {
			return Adjustment{}, err
		}
	}
	shifts, err := d.WhatIf(ctx, ask)
	if err != nil {
		return Adjustment{}, err
	}
	taken := map[string]bool{}
	for _, a := range d.figures.Agreed().Adjustments {
		taken[a.ID] = true
	}
	year := now.UTC().Year()
	a := Adjustment{Ask: ask, State: Requested, Requester: v.Asker(), RequestedAt: now.UnixMilli(), Asked: shifts}
	a.No, err = d.store.DrawPaper(ctx, fmt.Sprintf("%s %d", ledger.AdjustmentPaper, year), func(n int64) string { return Number(year, n) }, func(no string) bool { return taken[no] })
	if err != nil {
		return a, err
	}
	return a, d.put(ctx, ledger.AdjustmentPaper, a.No, 1, now.UnixMilli(), v, "adjustment.requested", a, a.Reason)
}

// put keeps the next version of a paper.
func (d *Desk) put(ctx context.Context, kind, no string, seq, at int64, v people.Visitor, action string, body any, detail string) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode %s: %w", no, err)
	}
	err = d.store.PutPaper(ctx, ledger.Paper{Kind: kind, No: no, Seq: seq, At: at, By: v.Actor(), Action: action, Body: text}, detail)
	if errors.Is(err, ledger.ErrStale) {
		return words.Refuse("refused.stale", no)
	}
	return err
}

// Approve lets an adjustment count from now on: a second person with the role approver.
func (d *Desk) Approve(ctx context.Context, no, comment string, v people.Visitor) (Adjustment, error) {
	return d.decide(ctx, no, comment, v, Approved)
}

// Refuse ends a request.
func (d *Desk) Refuse(ctx context.Context, no, comment string, v people.Visitor) (Adjustment, error) {
	return d.decide(ctx, no, comment, v, Refused)
}

func (d *Desk) decide(ctx context.Context, no, comment string, v people.Visitor, to State) (Adjustment, error) {
	h, err := d.Adjustment(ctx, no)
	if err != nil {
		return Adjustment{}, err
	}
	a, newest := h.Adjustment, h.Versions[len(h.Versions)-1]
	if a.State != Requested {
		return a, words.Refuse("refused.decided", a.No)
	}
	if err := people.FourEyes(a.Requester, v); err != nil {
		return a, err
	}
	if comment = strings.TrimSpace(comment); len(comment) > maxText {
		return a, words.Refuse("refused.reason.long", maxText)
	}
	if to == Approved {
		if a.Decided, err = d.WhatIf(ctx, a.Ask); err != nil {
			return a, err
		}
	}
	at := max(d.now().UnixMilli(), newest.At)
	a.State, a.Decider, a.DecidedAt, a.Comment = to, v.Asker(), at, comment
	return a, d.put(ctx, ledger.AdjustmentPaper, a.No, newest.Seq+1, at, v, "adjustment."+string(to), a, comment)
}

// History is an adjustment with all its versions, oldest first.
type History struct {
	Adjustment
	Versions []ledger.Paper
}

// Adjustment is one adjustment; ledger.ErrNotFound.
func (d *Desk) Adjustment(ctx context.Context, no string) (History, error) {
	versions, err := d.store.Versions(ctx, ledger.AdjustmentPaper, no)
	if err != nil {
		return History{}, err
	}
	if len(versions) == 0 {
		return History{}, fmt.Errorf("read adjustment %s: %w", no, ledger.ErrNotFound)
	}
	h := History{Versions: versions}
	return h, versions[len(versions)-1].Read(&h.Adjustment)
}

// Adjustments are all of them as they stood at an instant, the newest first.
func (d *Desk) Adjustments(ctx context.Context, at time.Time) ([]Adjustment, error) {
	papers, err := d.store.Papers(ctx, ledger.AdjustmentPaper, at.UnixMilli())
	if err != nil {
		return nil, err
	}
	out := make([]Adjustment, len(papers))
	for i, p := range papers {
		if err := p.Read(&out[len(out)-1-i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Entries are the approved adjustments as the figures take them, each with
// when it was approved.
func (d *Desk) Entries(ctx context.Context) ([]availability.Adjustment, error) {
	papers, err := d.store.Papers(ctx, ledger.AdjustmentPaper, 1<<62)
	if err != nil {
		return nil, err
	}
	var out []availability.Adjustment
	for _, p := range papers {
		var a Adjustment
		if err := p.Read(&a); err != nil {
			return nil, err
		}
		if a.State == Approved {
			out = append(out, a.entry())
		}
	}
	return out, nil
}
