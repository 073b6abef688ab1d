package web

import (
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/forecast"
	"github.com/plimsoll/plimsoll/collector/words"
)

// TestScoresAreThoseOfTheMonths: the time that stands for all forecasts is the
// mean of those that stand at the months, whatever their lengths.
func TestScoresAreThoseOfTheMonths(t *testing.T) {
	shelf, err := words.Read()
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{Book: shelf["en"], AsOf: time.Unix(0, 0), Zone: time.UTC}
	month := func(days, share, naive float64) figures.Foretold {
		return figures.Foretold{Month: "2026-10", From: availability.Instant{Zone: time.UTC}, Came: &figures.Came{KnownS: days * 86_400, Score: &forecast.Score{Interval: share, NaiveInterval: &naive}}}
	}
	october, short := month(31, 1./744, 2./744), month(1, 1./24, 1./24) // 744 h: one hour, naive two; of one day, one hour each
	for _, row := range []struct {
		what string
		kept []figures.Foretold
		want string
	}{
		{"one month of 31 days", []figures.Foretold{october}, "1 h, naive forecast 2 h"},
		{"and a day of another", []figures.Foretold{october, short}, "1 h, naive forecast 1 h 30 min"},
		{"and one that is not over", []figures.Foretold{{}, october}, "1 h, naive forecast 2 h"},
	} {
		got := ""
		for _, p := range v.scores(row.kept) {
			if p.Label == v.T("prospect.interval") {
				got = strings.ReplaceAll(p.Text, "\u00a0", " ")
			}
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.what, got, row.want)
		}
		if at := strings.ReplaceAll(v.foretold(&october).Score, "\u00a0", " "); at != "1 h" {
			t.Errorf("at the month: %q", at)
		}
	}
}
