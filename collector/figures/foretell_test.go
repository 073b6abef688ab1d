package figures_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/figures/figurestest"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

// december puts the shop's month into the ledger: up but for outages, each so
// many minutes long, on the 10th, 11th … at noon.
func december(t *testing.T, s *figurestest.Seed, position uint64, minutes ...int) {
	t.Helper()
	begin, end := time.Date(2026, 12, 1, 0, 0, 0, 0, s.Zone).UnixMilli(), time.Date(2027, 1, 1, 0, 0, 0, 0, s.Zone).UnixMilli()
	put := []availability.Streak{{Component: "web-1", Observer: "web-1", State: availability.Up, First: begin, Last: end, Count: 9, MaxGap: 15_000}}
	at := begin
	for i, m := range minutes {
		down := time.Date(2026, 12, 10+i, 12, 0, 0, 0, s.Zone).UnixMilli()
		put = append(put, availability.Streak{Component: "shop-page", Observer: "web-1", State: availability.Up, First: at, Last: down - 15_000, Count: 9, MaxGap: 15_000},
			availability.Streak{Component: "shop-page", Observer: "web-1", State: availability.Down, First: down, Last: down + int64(m)*60_000 - 15_000, Count: 9, MaxGap: 15_000})
		at = down + int64(m)*60_000
	}
	put = append(put, availability.Streak{Component: "shop-page", Observer: "web-1", State: availability.Up, First: at, Last: end, Count: 9, MaxGap: 15_000})
	if err := s.Ledger.ApplyFold(t.Context(), ledger.Fold{Position: position, Put: put}); err != nil {
		t.Fatal(err)
	}
}

// kept is the text of the shop's forecast of December as the ledger has it.
func kept(t *testing.T, s *figurestest.Seed) string {
	t.Helper()
	all, err := s.Ledger.Forecasts(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Month == "2026-12" {
			text, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
	t.Fatalf("no forecast of December among %d", len(all))
	return ""
}

// december's outcome as an outlook of an instant tells it; nil: not over.
func came(t *testing.T, s *figurestest.Seed, at time.Time) *figures.Came {
	t.Helper()
	o, ok, err := s.Engine.Outlook(t.Context(), "shop", at)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for _, f := range o.Foretold {
		if f.Month == "2026-12" {
			return f.Came
		}
	}
	t.Fatalf("the outlook of %s has no forecast of December", at)
	return nil
}

// TestForetold follows the forecast of one month: made once when the month
// begins, of what was before it, and never changed; what came is what the
// month's figures say whenever they are asked for: late facts change it while
// the month is open, and a decided restatement once it is closed.
func TestForetold(t *testing.T) {
	s := figurestest.Open(t)
	at := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 1, 0, 0, s.Zone) }
	foretell := func(e *figures.Engine) int {
		t.Helper()
		n, _, err := e.Foretell(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// In November only the days since the 9th are known: nothing to go by.
	if n := foretell(s.Engine); n != 0 {
		t.Errorf("%d forecasts in November, want none: there was nothing before it", n)
	}
	s.Now = at(2026, 12, 1)
	if n := foretell(s.Engine); n != 1 {
		t.Fatalf("%d forecasts as December begins, want the shop's: the others are known for less than 14 days", n)
	}
	first := kept(t, s)
	if c := came(t, s, s.Now); c != nil {
		t.Errorf("an outcome on the first of the month: %+v", c)
	}

	december(t, s, 11, 60)
	s.Now = at(2026, 12, 20)
	again := figures.New(figures.Options{Ledger: s.Ledger, Catalogue: func() *catalogue.Catalogue { return s.Engine.Catalogue() }, Forecasts: s.Ledger, Now: s.Clock})
	if n := foretell(s.Engine) + foretell(again); n != 0 || kept(t, s) != first {
		t.Errorf("%d forecasts of the same month later, also by a program started anew, want none", n)
	}

	// An hour in December's 744: 743/744. The target of 99.9 % is missed.
	s.Now = at(2027, 1, 2)
	foretell(s.Engine)
	c := came(t, s, s.Now)
	if c == nil || c.Availability == nil || *c.Availability != 743.0/744 || c.State != availability.BelowTarget || c.Score == nil {
		t.Fatalf("came: %+v", c)
	}
	var body struct {
		Body struct {
			Forecast struct {
				PMet float64 `json:"p_met"`
				P50  float64 `json:"p50"`
			} `json:"forecast"`
			Naive struct {
				Last float64 `json:"last"`
			} `json:"naive"`
		} `json:"body"`
	}
	if err := json.Unmarshal([]byte(first), &body); err != nil {
		t.Fatal(err)
	}
	f := body.Body
	if *c.Score.Brier != f.Forecast.PMet*f.Forecast.PMet || c.Score.Off != f.Forecast.P50-743.0/744 || *c.Score.NaiveInterval != abs(f.Naive.Last-743.0/744) {
		t.Errorf("scores %+v of %+v", c.Score, f)
	}
	if sum := figures.Scores([]figures.Foretold{{Came: c}, {}}); sum.Months != 1 || *sum.Brier != *c.Score.Brier {
		t.Errorf("sum %+v", sum)
	}

	// Late facts: a second outage of two hours. The month is open, so it comes out otherwise.
	december(t, s, 12, 60, 120)
	s.Now = s.Now.Add(time.Minute)
	if c := came(t, s, s.Now); *c.Availability != 741.0/744 || *c.Score.NaiveInterval != abs(f.Naive.Last-741.0/744) {
		t.Errorf("after late facts: %+v", c)
	}

	// Closed: later facts propose, and count from when that is accepted.
	if _, err := s.Book.Close(t.Context(), "acme", "2026-12", "li", "the report is signed"); err != nil {
		t.Fatal(err)
	}
	december(t, s, 13, 60, 120, 180)
	s.Now = s.Now.Add(time.Minute)
	if err := s.Book.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := came(t, s, s.Now); *c.Availability != 741.0/744 {
		t.Errorf("of a closed month: %v, want what was closed", *c.Availability)
	}
	if _, err := s.Book.Decide(t.Context(), "acme", "2026-12", 2, true, "wang", "the third outage is real"); err != nil {
		t.Fatal(err)
	}
	s.Now = s.Now.Add(time.Minute)
	if c := came(t, s, s.Now); *c.Availability != 738.0/744 {
		t.Errorf("after the restatement: %v, want 738/744", *c.Availability)
	}
	if foretell(s.Engine); kept(t, s) != first {
		t.Errorf("the forecast changed:\n%s\n%s", first, kept(t, s))
	}
	// As of the 20th nobody knew what would come.
	if c := came(t, s, at(2026, 12, 20)); c != nil {
		t.Errorf("as of 20 December: %+v", c)
	}
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}

// TestForetoldAfterwards: a month nobody forecast in time is forecast from
// what was before it alone, and says that it was late.
func TestForetoldAfterwards(t *testing.T) {
	s := figurestest.Open(t)
	december(t, s, 11, 60)
	s.Now = time.Date(2027, 1, 20, 0, 0, 0, 0, s.Zone)
	late := 0
	for done := false; !done; late++ {
		var err error
		if _, done, err = s.Engine.Foretell(t.Context(), 1); err != nil { // one at a time: it goes on where it was
			t.Fatal(err)
		}
		if late > 100 {
			t.Fatal("never done")
		}
	}
	o, _, err := s.Engine.Outlook(t.Context(), "shop", s.Now)
	if err != nil || len(o.Foretold) != 2 || o.Foretold[0].Month != "2027-01" || o.Foretold[0].Late() || !o.Foretold[1].Late() {
		t.Fatalf("got %+v, %v", o.Foretold, err)
	}
	inTime := figurestest.Open(t)
	inTime.Now = time.Date(2026, 12, 1, 0, 1, 0, 0, s.Zone)
	if _, _, err := inTime.Engine.Foretell(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	before, _, err := inTime.Engine.Outlook(t.Context(), "shop", inTime.Now)
	if err != nil || len(before.Foretold) != 1 || before.Foretold[0].Forecast.P05 != o.Foretold[1].Forecast.P05 || before.Foretold[0].Forecast.P50 != o.Foretold[1].Forecast.P50 {
		t.Errorf("in time %+v, afterwards %+v, %v: what came later changed it", before.Foretold, o.Foretold[1], err)
	}
}
