package closing_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/closing"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/figures/figurestest"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

// desk is November of figurestest, seen on the third of December.
type desk struct {
	seed   *figurestest.Seed
	engine *figures.Engine
	book   *closing.Book
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{seed: figurestest.Open(t)}
	d.seed.Tick(8 * 24 * time.Hour)
	cat, faults := catalogue.Parse("catalogue.yaml", []byte(figurestest.Catalogue))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	d.engine = figures.New(figures.Options{Ledger: d.seed.Ledger, Catalogue: func() *catalogue.Catalogue { return cat }, Now: d.seed.Clock,
		Closed: func(ctx context.Context, month string, asOf time.Time) (map[string][]availability.Explanation, error) {
			return d.book.Standing(ctx, month, asOf)
		}})
	d.book = closing.New(closing.Options{Ledger: d.seed.Ledger, Figures: d.engine, Program: "test", Now: d.seed.Clock, Log: slog.New(slog.DiscardHandler)})
	return d
}

// november is the availability of the shop's November as everybody gets it.
func (d *desk) november(t *testing.T) string {
	t.Helper()
	d.seed.Tick(2 * time.Second) // the engine shares a snapshot for a second
	all, err := d.engine.Period(t.Context(), "2026-11-01", "2026-12-01", d.seed.Clock())
	if err != nil {
		t.Fatal(err)
	}
	x, err := d.engine.Explain(t.Context(), "shop", "2026-11-01", "2026-12-01", d.seed.Clock())
	if err != nil || len(x) != 1 {
		t.Fatal(x, err)
	}
	for i := range all {
		if all[i].Service == "shop" {
			if all[i].Exact.Availability.Cmp(x[0].Share.Availability) != 0 {
				t.Errorf("the figure is %v, the explanation says %v", all[i].Exact.Availability, x[0].Share.Availability)
			}
			return availability.Percent(all[i].Exact.Availability, 6)
		}
	}
	t.Fatal("no shop")
	return ""
}

// late brings an hour of downtime of the shop's page, long after it happened.
func (d *desk) late(t *testing.T) {
	t.Helper()
	from := d.seed.At(27, 10, 0, 0)
	put := []availability.Streak{
		{Component: "shop-page", Observer: "late", State: availability.Down, First: from, Last: from + 3600_000, Count: 241, MaxGap: 15_000},
	}
	if err := d.seed.Ledger.ApplyFold(t.Context(), ledger.Fold{Position: 90, Put: put}); err != nil {
		t.Fatal(err)
	}
	d.seed.Tick(2 * time.Second)
}

// TestNothingClosedChangesByItself walks a month from open to restated.
func TestNothingClosedChangesByItself(t *testing.T) {
	d := open(t)
	openMonth := d.november(t)
	p, err := d.book.Close(t.Context(), "acme", "2026-11", "wang", "month end")
	if err != nil {
		t.Fatal(err)
	}
	if p.Version != 1 || p.State != ledger.PeriodClosed || len(p.Hash) != 64 {
		t.Errorf("closed as %+v", p)
	}
	if got := d.november(t); got != openMonth {
		t.Errorf("closing changed the figure from %s to %s", openMonth, got)
	}
	beforeLate := d.seed.Clock()

	d.late(t)
	if got := d.november(t); got != openMonth {
		t.Errorf("late facts changed a closed figure from %s to %s", openMonth, got)
	}
	for range 3 { // asking again proposes nothing twice
		if err := d.book.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all, err := d.book.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[1].State != ledger.PeriodProposed || all[1].MadeBy != "plimsoll" {
		t.Fatalf("versions after late facts: %+v", all)
	}
	var differs []closing.Difference
	if err := json.Unmarshal([]byte(all[1].Differences), &differs); err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, each := range differs {
		named[each.Figure] = true
		if each.Service != "shop" {
			t.Errorf("%s of %s differs, which had no late facts", each.Figure, each.Service)
		}
	}
	if !named["availability"] || !named["down_s"] {
		t.Errorf("the differences name %v", named)
	}
	if got := d.november(t); got != openMonth {
		t.Errorf("a proposal changed the figure to %s", got)
	}

	if _, err := d.book.Decide(t.Context(), "acme", "2026-11", 2, true, "li", "the probe was cut off"); err != nil {
		t.Fatal(err)
	}
	restated := d.november(t)
	if restated == openMonth || strings.Compare(restated, openMonth) > 0 {
		t.Errorf("restated with an hour more of downtime: %s, it was %s", restated, openMonth)
	}
	past, err := d.book.Standing(t.Context(), "2026-11", beforeLate)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range past["acme"] {
		if got := availability.Percent(x.Figures.Exact.Availability, 6); x.Figures.Service == "shop" && got != openMonth {
			t.Errorf("before the restatement version 1 stood with %s, now it says %s", openMonth, got)
		}
	}
	if err := d.book.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, _ = d.book.Versions(t.Context()); len(all) != 2 {
		t.Errorf("a restated month that comes out as it stands has %d versions", len(all))
	}
	if v, err := d.seed.Ledger.Verify(t.Context()); err != nil || len(v.Faults) > 0 {
		t.Errorf("the audit chain: %v %v", v.Faults, err)
	}
}

func TestClosingIsRefused(t *testing.T) {
	d := open(t)
	for _, c := range []struct{ name, customer, month, why string }{
		{"not over", "acme", "2026-12", "not over"},
		{"nobody", "nobody", "2026-11", "nothing was agreed"},
		{"no month", "acme", "November", "period"},
	} {
		var refused *closing.Refusal
		if _, err := d.book.Close(t.Context(), c.customer, c.month, "wang", ""); !errors.As(err, &refused) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := d.book.Close(t.Context(), "acme", "2026-11", "wang", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := d.book.Close(t.Context(), "acme", "2026-11", "wang", ""); err == nil || !strings.Contains(err.Error(), "closed already") {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := d.book.Decide(t.Context(), "acme", "2026-11", 1, true, "wang", ""); err == nil || !strings.Contains(err.Error(), "waits for no decision") {
		t.Errorf("accepted what stands: %v", err)
	}
}

// TestThawedIsFrozen: what is read back gives the same bytes, figures, rows and
// facts; one changed byte is named.
func TestThawedIsFrozen(t *testing.T) {
	d := open(t)
	all, err := d.engine.Live(t.Context(), "2026-11-01", "2026-12-01", d.seed.Clock())
	if err != nil {
		t.Fatal(err)
	}
	f := closing.Freeze("acme", "2026-11", "catalogue", "test", "go", d.seed.Clock().UnixMilli(), all)
	text, hash, err := f.Text()
	if err != nil {
		t.Fatal(err)
	}
	thawed, err := closing.Thaw(text, hash)
	if err != nil {
		t.Fatal(err)
	}
	again, sum, err := thawed.Text()
	if err != nil || again != text || sum != hash {
		t.Errorf("thawed and frozen again it differs: %s", cmp.Diff(text, again))
	}
	for i, x := range thawed.Explanations() {
		if diff := cmp.Diff(all[i].Facts(), x.Facts()); diff != "" {
			t.Errorf("the facts differ:\n%s", diff)
		}
		if len(x.Figures.Pieces) != len(all[i].Figures.Pieces) || x.Figures.Exact.Availability != nil && x.Figures.Exact.Availability.Cmp(all[i].Figures.Exact.Availability) != 0 {
			t.Errorf("%s: pieces or fractions differ", x.Figures.Service)
		}
	}
	if _, err := closing.Thaw(strings.Replace(text, `"up_s":`, `"up_s": `, 1), hash); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("a changed byte was taken: %v", err)
	}
}

// TestFrozenBeforeFunctions: a month frozen before functions and users were
// kept does not come out otherwise because they are now. One that has them
// does when they change.
func TestFrozenBeforeFunctions(t *testing.T) {
	d := open(t)
	freeze := func() *closing.Frozen {
		all, err := d.engine.Live(t.Context(), "2026-11-01", "2026-12-01", d.seed.Clock())
		if err != nil {
			t.Fatal(err)
		}
		f := closing.Freeze("acme", "2026-11", "catalogue", "test", "go", d.seed.Clock().UnixMilli(), all)
		return &f
	}
	old, kept, now := freeze(), freeze(), freeze()
	shop := func(f *closing.Frozen) *availability.Figures {
		for i := range f.Results {
			if f := &f.Results[i].Explanation.Figures; f.Service == "shop" {
				return f
			}
		}
		t.Fatal("no shop")
		return nil
	}
	for i := range old.Results {
		f := &old.Results[i].Explanation.Figures
		f.Users, f.AvailabilityByFunctions, f.AvailabilityByUsers, f.LostUserS, f.Functions = nil, nil, nil, nil, nil
		for k := range f.Outages {
			f.Outages[k].Functions, f.Outages[k].LostUserS = nil, nil
		}
	}
	if got, err := closing.Differences(old, now); err != nil || len(got) != 0 {
		t.Errorf("from before functions: %v, %v; want no difference", got, err)
	}
	if f := shop(now); len(f.Functions) != 2 || f.Functions[1].LostUserS == nil {
		t.Fatalf("the shop has the functions %+v", f.Functions)
	}
	*shop(kept).Functions[1].LostUserS++
	got, err := closing.Differences(kept, now)
	if err != nil || len(got) != 1 || got[0].Figure != "function pay" {
		t.Errorf("another lost time: %v, %v; want the one difference of function pay", got, err)
	}
}
