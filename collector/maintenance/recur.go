package maintenance

import (
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/plimsoll/plimsoll/collector/words"
)

// maxWindows bounds what one rule may make: three years of daily work.
const maxWindows = 1100

// frequencies are those planned work has. Rules of hours and shorter have no
// agreed meaning where clocks change, and no window needs them.
func frequencies() []string { return []string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"} }

// recur expands an RRULE from its first window on: the begins in Unix
// milliseconds, in order. Rules are read by the wall clock of begin's zone, as
// RFC 5545 has it: a time of day a change of clocks leaves out is read with
// the offset before it, one that comes twice is the first.
func recur(rule string, begin time.Time) ([]int64, error) {
	rule, until, err := splitUntil(rule, begin.Location())
	if err != nil {
		return nil, err
	}
	option, err := rrule.StrToROption(rule)
	if err != nil {
		return nil, words.Refuse("refused.rule", err)
	}
	if option.Count <= 0 && until.IsZero() {
		return nil, words.Refuse("refused.rule.endless")
	}
	if !slices.Contains(frequencies(), option.Freq.String()) || len(option.Byhour)+len(option.Byminute)+len(option.Bysecond)+len(option.Byeaster) > 0 || !option.Dtstart.IsZero() {
		return nil, words.Refuse("refused.rule.frequency", strings.Join(frequencies(), ", "))
	}
	first := floating(begin)
	option.Dtstart, option.Until = first, until
	if until.IsZero() {
		option.Until = first.Add(horizon)
	} else if until.After(first.Add(horizon)) {
		return nil, words.Refuse("refused.rule.far")
	}
	// A rule that names no day for years keeps its maker searching; bounded by Until.
	r, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, words.Refuse("refused.rule", err)
	}
	var out []int64
	for next := r.Iterator(); len(out) <= maxWindows; {
		local, ok := next()
		if !ok {
			break
		}
		out = append(out, anchored(local, begin.Location()).UnixMilli())
	}
	switch {
	case len(out) > maxWindows:
		return nil, words.Refuse("refused.rule.many", maxWindows)
	case len(out) == 0 || out[0]/1000 != begin.Unix():
		return nil, words.Refuse("refused.rule.first", words.Instant(begin, begin.Location()))
	}
	out[0] = begin.UnixMilli()
	return out, nil
}

// splitUntil takes UNTIL out of a rule and reads it: an instant (…Z), a local
// time, or a date, which is included. It is returned by the wall clock.
func splitUntil(rule string, zone *time.Location) (rest string, until time.Time, err error) {
	var parts []string
	for _, part := range strings.Split(strings.TrimPrefix(strings.ToUpper(rule), "RRULE:"), ";") {
		text, ok := strings.CutPrefix(part, "UNTIL=")
		if !ok {
			parts = append(parts, part)
			continue
		}
		for _, form := range []string{"20060102T150405Z", "20060102T150405", "20060102"} {
			at, err := time.Parse(form, text)
			if err != nil {
				continue
			}
			switch form {
			case "20060102T150405Z":
				at = floating(at.In(zone))
			case "20060102":
				at = at.Add(24*time.Hour - time.Second)
			}
			until = at
		}
		if until.IsZero() {
			return "", until, words.Refuse("refused.rule", "UNTIL="+text)
		}
	}
	return strings.Join(parts, ";"), until, nil
}

// floating is the wall clock of t, as if it were UTC.
func floating(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// anchored is the instant at which clocks in the zone show local.
func anchored(local time.Time, zone *time.Location) time.Time {
	offset := func(at time.Time) time.Duration {
		_, s := at.In(zone).Zone()
		return time.Duration(s) * time.Second
	}
	before, after := offset(local.Add(-24*time.Hour)), offset(local.Add(24*time.Hour))
	first, second := local.Add(-before), local.Add(-after)
	if offset(first) != before && offset(second) == after {
		return second
	}
	return first // also where clocks skip local: by the offset before
}
