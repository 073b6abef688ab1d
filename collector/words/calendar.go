package words

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// Calendar writes a service calendar out: "office: Mon–Fri 09:00–18:00; closed 2026-10-01 – 2026-10-07".
func (b *Book) Calendar(c *availability.Catalogue, name string) string {
	if name == "" || name == "always" {
		return b.T("policy.calendar.always")
	}
	calendar, ok := c.Calendars[name]
	if !ok {
		return name
	}
	var parts []string
	for i := range calendar.Versions {
		v := &calendar.Versions[i]
		text := b.week(v.Week)
		if v.From != nil {
			text = b.T("calendar.from", v.From.String()) + " " + text
		}
		parts = append(parts, text)
		for _, r := range v.Closed {
			days := r.First.String()
			if r.Last != r.First {
				days += " – " + r.Last.String()
			}
			parts = append(parts, b.T("calendar.closed", days))
		}
		for _, day := range sortedDays(v.Open) {
			if spans := v.Open[day]; len(spans) > 0 {
				parts = append(parts, b.T("calendar.open", day.String(), hours(spans)))
			} else {
				parts = append(parts, b.T("calendar.closed", day.String()))
			}
		}
	}
	return name + ": " + strings.Join(parts, "; ")
}

func sortedDays(open map[availability.Date][]availability.DaySpan) []availability.Date {
	days := make([]availability.Date, 0, len(open))
	for d := range open {
		days = append(days, d)
	}
	slices.Sort(days)
	return days
}

// week groups days that follow each other from Monday and have the same hours.
func (b *Book) week(week [7][]availability.DaySpan) string {
	var parts []string
	for i := 0; i < 7; {
		day := func(k int) []availability.DaySpan { return week[(k+1)%7] } // Monday first
		last := i
		for last+1 < 7 && slices.Equal(day(last+1), day(i)) {
			last++
		}
		if spans := day(i); len(spans) > 0 {
			name := b.T(fmt.Sprintf("day.%d", i+1))
			if last > i {
				name += "–" + b.T(fmt.Sprintf("day.%d", last+1))
			}
			parts = append(parts, name+" "+hours(spans))
		}
		i = last + 1
	}
	return strings.Join(parts, ", ")
}

func hours(spans []availability.DaySpan) string {
	texts := make([]string, len(spans))
	for i, s := range spans {
		texts[i] = fmt.Sprintf("%02d:%02d–%02d:%02d", s.From/60, s.From%60, s.To/60, s.To%60)
	}
	return strings.Join(texts, ", ")
}
