package catalogue

import (
	"fmt"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

func (c *checker) calendar(path, name string, e calendarEntry) *availability.Calendar {
	if name == availability.Always {
		c.fault(path, "always is built in", "give the calendar another name")
	}
	out := &availability.Calendar{}
	for i, v := range e.versions {
		here := path
		if e.list {
			here = at(path, i)
		}
		built := availability.CalendarVersion{Open: map[availability.Date][]availability.DaySpan{}}
		if v.From != nil {
			built.From = &v.From.Date
		}
		if v.Zone != nil {
			built.Zone = v.Zone.Location
		}
		if i > 0 && !c.refused[here+".from"] {
			c.follows(here, out.Versions[i-1], built)
		}
		for _, r := range v.Closed {
			built.Closed = append(built.Closed, r.DateRange)
		}
		for _, day := range sortedKeys(v.Open) {
			d, err := availability.ParseDate(day)
			c.faultOf(here+".open."+day, err)
			built.Open[d] = plain(v.Open[day])
		}
		c.week(here+".week", v.Week, &built)
		out.Versions = append(out.Versions, built)
	}
	c.unusedDays(path, e.list, out.Versions)
	for i, v := range e.versions {
		here := path
		if e.list {
			here = at(path, i)
		}
		c.addYears(here+".holidays", v.Holidays, &out.Versions[i])
	}
	if len(e.versions) == 0 {
		c.fault(path, "has no version", "")
	}
	return out
}

// follows checks that the versions of a calendar are in order.
func (c *checker) follows(path string, before, v availability.CalendarVersion) {
	switch {
	case v.From == nil:
		c.missing(path, "from", "only the first version may do without")
	case before.From != nil && *v.From <= *before.From:
		c.fault(path+".from", fmt.Sprintf("%s is not after the version before it, from %s", v.From, before.From), "write versions in order")
	}
}

func plain(spans []daySpan) []availability.DaySpan {
	out := []availability.DaySpan{}
	for _, s := range spans {
		out = append(out, s.DaySpan)
	}
	return out
}

// week spreads keys like mon, mon-fri or fri-mon over the days, each of which
// may be named once.
func (c *checker) week(path string, week map[string][]daySpan, out *availability.CalendarVersion) {
	var named [7]string
	for _, key := range sortedKeys(week) {
		first, last, ranged := strings.Cut(key, "-")
		if !ranged {
			last = first
		}
		from, to := weekday(first), weekday(last)
		if from < 0 || to < 0 {
			c.fault(path+"."+key, "is not a day or a range of days", dayRemedy(key))
			continue
		}
		for d := from; ; d = (d + 1) % 7 {
			if named[d] != "" {
				c.fault(path+"."+key, fmt.Sprintf("%s is already in %q", weekdays()[d], named[d]), "name each day once")
				break
			}
			named[d] = key
			out.Week[d] = plain(week[key])
			if d == to {
				break
			}
		}
	}
}

// dayRemedy proposes the day or range that key was meant to be.
func dayRemedy(key string) string {
	parts := strings.SplitN(key, "-", 2)
	for i, part := range parts {
		near := settings.Nearest(part, weekdays())
		if len(part) > 3 && weekday(part[:3]) >= 0 {
			near = part[:3]
		}
		if near == "" {
			return "write it like mon or mon-fri"
		}
		parts[i] = near
	}
	return fmt.Sprintf("did you mean %q?", strings.Join(parts, "-"))
}

func weekday(name string) int {
	for i, each := range weekdays() {
		if each == name {
			return i
		}
	}
	return -1
}
