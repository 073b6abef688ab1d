package entered

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/words"
)

// Store keeps every version of a value.
type Store interface {
	PutPaper(ctx context.Context, p ledger.Paper, detail string) error
	Versions(ctx context.Context, kind, no string) ([]ledger.Paper, error)
}

// Entry is a value that a person enters.
type Entry struct {
	Agreement string `json:"agreement"` // its number: all versions of it in the month have the value
	Indicator string `json:"indicator"` // its name
	Month     string `json:"month"`     // 2026-10
	Value     string `json:"value"`     // a decimal, as it was written
	Comment   string `json:"comment"`
}

// Rat is the value, exactly.
func (e *Entry) Rat() (*big.Rat, error) {
	r, ok := decimal(e.Value)
	if !ok {
		return nil, fmt.Errorf("the value %q of %s in %s is no decimal", e.Value, e.Indicator, e.Month)
	}
	return r, nil
}

// Noted is one version of a value.
type Noted struct {
	Entry
	Seq int64 // 1, 2, 3 …
	At  int64 // Unix milliseconds
	By  string
}

// Desk takes values. It is safe for concurrent use.
type Desk struct {
	store  Store
	agreed func() *availability.Catalogue
	now    func() time.Time
}

// NewDesk makes a desk for the agreements of the catalogue in force.
func NewDesk(store Store, agreed func() *availability.Catalogue, now func() time.Time) *Desk {
	return &Desk{store, agreed, now}
}

// maxDigits bounds a value, maxComment what is said of it; in bytes.
const (
	maxDigits  = 30
	maxComment = 1000
)

// decimal reads 4.5 or -12, exactly.
func decimal(text string) (*big.Rat, bool) {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	if len(text) > maxDigits || whole == "" || pointed && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

func number(agreement, indicator, month string) string {
	return fmt.Sprintf("%s of %q in %q", month, indicator, agreement)
}

// Enter keeps a value; one that was entered before stays and no longer stands.
// A *words.Refusal is for the one who enters.
func (d *Desk) Enter(ctx context.Context, e Entry, v people.Visitor) (Noted, error) {
	e.Value, e.Comment = strings.TrimSpace(e.Value), strings.TrimSpace(e.Comment)
	now := d.now()
	if err := d.check(&e, now); err != nil {
		return Noted{}, err
	}
	before, err := d.Entries(ctx, e.Agreement, e.Indicator, e.Month)
	if err != nil {
		return Noted{}, err
	}
	at, action := now.UnixMilli(), "value.entered"
	if n := len(before); n > 0 {
		if before[n-1].Entry == e {
			return Noted{}, words.Refuse("refused.value.same")
		}
		at, action = max(at, before[n-1].At), "value.amended"
	}
	out := Noted{Entry: e, Seq: int64(len(before)) + 1, At: at, By: v.Actor()}
	body, err := json.Marshal(e)
	if err != nil {
		return Noted{}, fmt.Errorf("keep a value: %w", err)
	}
	err = d.store.PutPaper(ctx, ledger.Paper{Kind: ledger.ValuePaper, No: number(e.Agreement, e.Indicator, e.Month), Seq: out.Seq, At: at, By: out.By, Action: action, Body: body}, e.Value)
	if errors.Is(err, ledger.ErrStale) {
		return Noted{}, words.Refuse("refused.stale", e.Indicator)
	}
	return out, err
}

// check tells what is wrong with an entry made now.
func (d *Desk) check(e *Entry, now time.Time) error {
	first, err := words.ParseMonth(e.Month)
	if err != nil {
		return words.Refuse("refused.value.month", e.Month)
	}
	var known, begun, inForce bool
	for _, a := range d.agreed().Agreements {
		if !asks(&a, e.Agreement, e.Indicator) {
			continue
		}
		known = true
		begin := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, a.Zone)
		begun = begun || !begin.After(now)
		force := a.InForce()
		inForce = inForce || force.From < begin.AddDate(0, 1, 0).UnixMilli() && begin.UnixMilli() < force.To
	}
	switch _, number := decimal(e.Value); {
	case !known:
		return words.Refuse("refused.value.indicator", e.Agreement, e.Indicator)
	case !begun:
		return words.Refuse("refused.value.early", e.Month)
	case !inForce:
		return words.Refuse("refused.value.force", e.Agreement, e.Month)
	case !number:
		return words.Refuse("refused.value.number", e.Value, maxDigits)
	case len(e.Comment) > maxComment:
		return words.Refuse("refused.reason.long", maxComment)
	}
	return nil
}

// asks tells whether the agreement has that number, and people enter values
// for its indicator.
func asks(a *availability.Agreement, agreement, indicator string) bool {
	return a.Number == agreement && slices.ContainsFunc(a.Indicators, func(i availability.Indicator) bool {
		return i.Name == indicator && i.Kind == availability.KindManual
	})
}

// Asked is Entries for one who asks by names and month that may be wrong: a
// *words.Refusal then. What was entered is told also where the catalogue has
// the indicator no longer.
func (d *Desk) Asked(ctx context.Context, agreement, indicator, month string) ([]Noted, error) {
	if _, err := words.ParseMonth(month); err != nil {
		return nil, words.Refuse("refused.value.month", month)
	}
	all, err := d.Entries(ctx, agreement, indicator, month)
	known := func(a availability.Agreement) bool { return asks(&a, agreement, indicator) }
	if err == nil && len(all) == 0 && !slices.ContainsFunc(d.agreed().Agreements, known) {
		return nil, words.Refuse("refused.value.indicator", agreement, indicator)
	}
	return all, err
}

// Entries are all versions of a value, oldest first; none where nothing was entered.
func (d *Desk) Entries(ctx context.Context, agreement, indicator, month string) ([]Noted, error) {
	versions, err := d.store.Versions(ctx, ledger.ValuePaper, number(agreement, indicator, month))
	if err != nil {
		return nil, err
	}
	out := make([]Noted, len(versions))
	for i := range versions {
		p := &versions[i]
		if err := p.Read(&out[i].Entry); err != nil {
			return nil, err
		}
		out[i].Seq, out[i].At, out[i].By = p.Seq, p.At, p.By
	}
	return out, nil
}

// Newest is the version that was the newest at an instant, Unix milliseconds;
// ok is false where nothing had been entered then.
func (d *Desk) Newest(ctx context.Context, agreement, indicator, month string, at int64) (n Noted, ok bool, err error) {
	all, err := d.Entries(ctx, agreement, indicator, month)
	for i := range all {
		if all[i].At <= at {
			n, ok = all[i], true
		}
	}
	return n, ok, err
}
