package quickstart

import (
	"bytes"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector"
	"github.com/plimsoll/plimsoll/collector/availability"
)

// TestDigest follows one morning: each row is what the collector knows, and
// the lines that it is worth.
func TestDigest(t *testing.T) {
	at := func(clock string) int64 {
		when, err := time.ParseInLocation("2006-01-02 15:04:05.000", "2026-11-25 "+clock, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		return when.UnixMilli()
	}
	shop := func(state availability.State, since, reason string, outage int64) collector.ComponentNews {
		return collector.ComponentNews{Name: "shop", State: state, Since: at(since), Reason: reason, Outage: outage}
	}
	host := collector.ComponentNews{Name: "vm", State: availability.Up}
	var d digest
	for _, row := range []struct {
		name string
		news collector.News
		want []string
	}{
		{"nothing known yet", collector.News{Components: []collector.ComponentNews{{Name: "shop"}, {Name: "vm"}}}, nil},
		{"both up", collector.News{Components: []collector.ComponentNews{shop(availability.Up, "09:00:00.000", "", 0), host}}, []string{"Up: shop, vm."}},
		{"no change", collector.News{Components: []collector.ComponentNews{shop(availability.Up, "09:00:00.000", "", 0), host}}, nil},
		{"down", collector.News{Components: []collector.ComponentNews{shop(availability.Down, "09:10:00.250", "connection refused", 1), host}},
			[]string{"shop is DOWN since 09:10:00.250: connection refused   http://x/outages/1"}},
		{"still down", collector.News{Components: []collector.ComponentNews{shop(availability.Down, "09:10:00.250", "connection refused", 1), host}}, nil},
		{"up again", collector.News{Components: []collector.ComponentNews{shop(availability.Up, "09:10:47.250", "", 1), host}},
			[]string{"shop is up again since 09:10:47.250, after 47s.   http://x/outages/1"}},
		{"silent", collector.News{Components: []collector.ComponentNews{shop(availability.Unknown, "09:20:00.000", "", 1), host}},
			[]string{"shop is unknown since 09:20:00.000: nothing is heard of it, which is not the same as down."}},
		{"heard again, and a record", collector.News{Components: []collector.ComponentNews{shop(availability.Up, "09:21:00.000", "", 1), host}, Problems: []collector.ProblemNews{{No: "PRB-1", Title: "disk\x1b full"}}},
			[]string{"Up: shop.", "Problem PRB-1: disk· full   http://x/problems/PRB-1"}},
		{"recovered", collector.News{Problems: []collector.ProblemNews{{No: "PRB-1", Recovered: true}}},
			[]string{"Problem PRB-1: the values are back to normal; the record stays open until somebody closes it.   http://x/problems/PRB-1"}},
		{"again", collector.News{Problems: []collector.ProblemNews{{No: "PRB-1"}}}, []string{"Problem PRB-1: again; noted in the same record.   http://x/problems/PRB-1"}},
	} {
		got := d.lines(row.news, "http://x")
		if strings.Join(got, "\n") != strings.Join(row.want, "\n") {
			t.Errorf("%s:\n got  %q\n want %q", row.name, got, row.want)
		}
	}
}

// TestDigestAfterARestart: what was open when the story began is told in one
// line, once; what becomes of it and what is opened later, as ever.
func TestDigestAfterARestart(t *testing.T) {
	old := func(no string, opened int64, recovered bool) collector.ProblemNews {
		return collector.ProblemNews{No: no, Title: "of " + no, Opened: opened, Recovered: recovered}
	}
	for _, row := range []struct {
		name  string
		first []collector.ProblemNews
		want  string
	}{
		{"nothing", nil, ""},
		{"one", []collector.ProblemNews{old("PRB-1", 10, false)}, "Still open from before: 1 problem record, PRB-1: of PRB-1   http://x/problems/PRB-1"},
		{"by priority, not by time", []collector.ProblemNews{old("PRB-2", 20, true), old("PRB-3", 30, false), old("PRB-1", 10, false)}, "Still open from before: 3 problem records, the newest PRB-3: of PRB-3   http://x/problems"},
		{"one from before, one from after", []collector.ProblemNews{old("PRB-1", 10, false), old("PRB-4", 100, false)},
			"Still open from before: 1 problem record, PRB-1: of PRB-1   http://x/problems/PRB-1\nProblem PRB-4: of PRB-4   http://x/problems/PRB-4"},
	} {
		d := digest{begin: 100}
		if got := strings.Join(d.lines(collector.News{Problems: row.first}, "http://x"), "\n"); got != row.want {
			t.Errorf("%s:\n got  %q\n want %q", row.name, got, row.want)
		}
		if again := d.lines(collector.News{Problems: row.first}, "http://x"); len(again) != 0 {
			t.Errorf("%s: told again: %q", row.name, again)
		}
	}
}

// TestStoryLog: a log line reads as a line of the story; everyday lines of
// the start are left out, warnings never.
func TestStoryLog(t *testing.T) {
	for _, row := range []struct {
		name  string
		since time.Duration // how long ago the story began
		log   func(*slog.Logger)
		want  string // a regular expression; empty: no line
	}{
		{"everyday, at the start", 0, func(l *slog.Logger) { l.Info("ledger schema is up to date", "from", 1) }, ``},
		{"everyday, later", 20 * time.Second, func(l *slog.Logger) { l.Info("space again", "dir", "d") }, `^ +20\.\ds  Space again \(dir d\)\n$`},
		{"warning, at the start", 0, func(l *slog.Logger) {
			l.Warn("the disk is full", "err", errors.New("no space\nleft"), "remedy", "make room", "dir", "d")
		}, `^ +0\.0s  ! The disk is full: no space·left; make room \(dir d\)\n$`},
		{"a record is told by the news", 0, func(l *slog.Logger) { l.Warn("problem record opened", "no", "PRB-1") }, ``},
		{"after a minute by the clock", 2 * time.Minute, func(l *slog.Logger) { l.With("instance", "vm").Warn("refused") }, `^\d\d:\d\d:\d\d  ! Refused \(instance vm\)\n$`},
	} {
		var out bytes.Buffer
		s := newStory(&out)
		s.begin = s.begin.Add(-row.since)
		row.log(s.log())
		if got := out.String(); row.want == "" && got != "" || !regexp.MustCompile(row.want).MatchString(got) {
			t.Errorf("%s: got %q, want %s", row.name, got, row.want)
		}
	}
}
