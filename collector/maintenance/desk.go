package maintenance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

// Store keeps every version of a change.
type Store interface {
	DrawPaper(ctx context.Context, sequence string, name func(n int64) string, taken func(no string) bool) (string, error)
	PutPaper(ctx context.Context, p ledger.Paper, detail string) error
	Papers(ctx context.Context, kind string, at int64) ([]ledger.Paper, error)
	Versions(ctx context.Context, kind, no string) ([]ledger.Paper, error)
}

// Figures foretells.
type Figures interface {
	Agreed() *availability.Catalogue
	Foresee(ctx context.Context, windows []availability.Window, at time.Time) ([]availability.Foresight, error)
}

// Desk is where work is planned and approved. Safe for concurrent use.
type Desk struct {
	store   Store
	figures Figures
	now     func() time.Time
}

// NewDesk makes a desk.
func NewDesk(store Store, figures Figures, now func() time.Time) *Desk {
	return &Desk{store: store, figures: figures, now: now}
}

// maxForeseen bounds the windows of a rule that are judged before it is saved.
const maxForeseen = 26

// Foresee tells what will become of a plan that is approved right now, which
// is the earliest it can be. The error is a *words.Refusal for what a person
// can do better.
func (d *Desk) Foresee(ctx context.Context, p Plan) (Outlook, error) {
	return d.outlook(ctx, &p, d.now())
}

func (d *Desk) outlook(ctx context.Context, p *Plan, at time.Time) (Outlook, error) {
	at = at.Truncate(time.Millisecond)
	windows, err := p.check(d.figures.Agreed(), at)
	if err != nil {
		return Outlook{}, err
	}
	o := Outlook{At: at, Windows: windows}
	entries, err := (&Change{Plan: *p}).entries()
	if err != nil {
		return o, err
	}
	sights, err := d.figures.Foresee(ctx, entries[:min(len(entries), maxForeseen)], at)
	for _, f := range sights {
		o.Sights = append(o.Sights, sightOf(f))
	}
	return o, err
}

// Plan asks for approval of planned work.
func (d *Desk) Plan(ctx context.Context, p Plan, v people.Visitor) (Change, Outlook, error) {
	now := d.now()
	o, err := d.outlook(ctx, &p, now)
	if err != nil {
		return Change{}, o, err
	}
	taken := map[string]bool{}
	for _, w := range d.figures.Agreed().Windows {
		taken[w.Change] = true
	}
	year := now.UTC().Year()
	c := Change{Plan: p, Type: Normal, State: New, Requester: v.Asker(), RequestedAt: now.UnixMilli()}
	switch {
	case o.late():
		c.Type = Emergency
	case p.Rule != "":
		c.Type = Standard
	}
	c.No, err = d.store.DrawPaper(ctx, fmt.Sprintf("%s %d", ledger.ChangePaper, year), func(n int64) string { return Number(year, n) }, func(no string) bool { return taken[no] })
	if err != nil {
		return c, o, err
	}
	return c, o, d.put(ctx, &c, 1, now.UnixMilli(), v, "change.requested")
}

// put keeps the next version of a change.
func (d *Desk) put(ctx context.Context, c *Change, seq, at int64, v people.Visitor, action string) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode change %s: %w", c.No, err)
	}
	err = d.store.PutPaper(ctx, ledger.Paper{Kind: ledger.ChangePaper, No: c.No, Seq: seq, At: at, By: v.Actor(), Action: action, Body: body}, c.Title)
	if errors.Is(err, ledger.ErrStale) {
		return words.Refuse("refused.stale", c.No)
	}
	return err
}

// decide reads the newest version of a change, changes it and keeps the next.
func (d *Desk) decide(ctx context.Context, no string, v people.Visitor, action string, change func(c *Change, at int64) error) (Change, error) {
	h, err := d.Change(ctx, no)
	if err != nil {
		return Change{}, err
	}
	newest := h.Versions[len(h.Versions)-1]
	c, at := h.Change, max(d.now().UnixMilli(), newest.At)
	if err := change(&c, at); err != nil {
		return c, err
	}
	return c, d.put(ctx, &c, newest.Seq+1, at, v, action)
}

// Approve schedules a change: a second person with the role approver.
func (d *Desk) Approve(ctx context.Context, no, comment string, v people.Visitor) (Change, error) {
	return d.decide(ctx, no, v, "change.approved", func(c *Change, at int64) error {
		if err := d.undecided(c, v); err != nil {
			return err
		}
		c.State, c.Approver, c.ApprovedAt, c.Comment = Scheduled, v.Asker(), at, comment
		return checkComment(&c.Comment)
	})
}

// Reject refuses a change.
func (d *Desk) Reject(ctx context.Context, no, comment string, v people.Visitor) (Change, error) {
	return d.decide(ctx, no, v, "change.rejected", func(c *Change, at int64) error {
		if err := d.undecided(c, v); err != nil {
			return err
		}
		c.State, c.Approver, c.RejectedAt, c.Comment = Rejected, v.Asker(), at, comment
		return checkComment(&c.Comment)
	})
}

func (d *Desk) undecided(c *Change, v people.Visitor) error {
	if c.State != New {
		return words.Refuse("refused.decided", c.No)
	}
	return people.FourEyes(c.Requester, v)
}

// Cancel ends a change: windows that have passed stay, one under way ends
// now, those ahead are none. Nothing that was said of the past changes.
func (d *Desk) Cancel(ctx context.Context, no, comment string, v people.Visitor) (Change, error) {
	return d.decide(ctx, no, v, "change.cancelled", func(c *Change, at int64) error {
		if c.State != New && c.State != Scheduled {
			return words.Refuse("refused.decided", c.No)
		}
		windows, err := c.Windows()
		if err != nil {
			return err
		}
		if c.State == Scheduled && windows[len(windows)-1].To <= at {
			return words.Refuse("refused.over", c.No)
		}
		c.State, c.CancelledBy, c.CancelledAt, c.Comment = Cancelled, v.Asker(), at, comment
		return checkComment(&c.Comment)
	})
}

func checkComment(text *string) error {
	if *text = strings.TrimSpace(*text); len(*text) > maxReason {
		return words.Refuse("refused.reason.long", maxReason)
	}
	return nil
}

// History is a change with all its versions, oldest first.
type History struct {
	Change
	Versions []ledger.Paper
}

// Change is one change; ledger.ErrNotFound.
func (d *Desk) Change(ctx context.Context, no string) (History, error) {
	versions, err := d.store.Versions(ctx, ledger.ChangePaper, no)
	if err != nil {
		return History{}, err
	}
	if len(versions) == 0 {
		return History{}, fmt.Errorf("read change %s: %w", no, ledger.ErrNotFound)
	}
	h := History{Versions: versions}
	return h, versions[len(versions)-1].Read(&h.Change)
}

// Changes are all changes as they stood at an instant, the newest first.
func (d *Desk) Changes(ctx context.Context, at time.Time) ([]Change, error) {
	papers, err := d.store.Papers(ctx, ledger.ChangePaper, at.UnixMilli())
	if err != nil {
		return nil, err
	}
	out := make([]Change, len(papers))
	for i, p := range papers {
		if err := p.Read(&out[len(out)-1-i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Windows are those of all changes that were ever approved, each with when it
// was, and when it was cancelled: what of it is known at an instant is for the
// figures to say.
func (d *Desk) Windows(ctx context.Context) ([]availability.Window, error) {
	papers, err := d.store.Papers(ctx, ledger.ChangePaper, 1<<62)
	if err != nil {
		return nil, err
	}
	var all []availability.Window
	for _, p := range papers {
		var c Change
		if err := p.Read(&c); err != nil {
			return nil, err
		}
		if c.ApprovedAt == 0 {
			continue
		}
		entries, err := c.entries()
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	return all, nil
}
