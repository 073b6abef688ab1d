package catalogue

import (
	"embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// shipped never changes, it only grows: catalogues that the ledger keeps name
// its years, and their figures come out the same when computed again.
//
//go:embed holidays/*.yaml
var shipped embed.FS

// holidaysEntry is one year's holidays and make-up workdays of a country: a
// calendar names it, and a year is added by one file more.
type holidaysEntry struct {
	Year     int         `yaml:"year" doc:"The year of all the dates below."`
	Closed   []dateRange `yaml:"closed" doc:"Days off: 2026-10-01, or 2026-10-01/2026-10-07 with both days."`
	Workdays []date      `yaml:"workdays" doc:"Make-up workdays, worked with a Monday's hours."` // worked as a Monday
}

// shippedHolidays are those that come with the program, by name.
func shippedHolidays() (map[string]holidaysEntry, error) {
	all := map[string]holidaysEntry{}
	files, err := shipped.ReadDir("holidays")
	if err != nil {
		return nil, fmt.Errorf("read the shipped holidays: %w", err)
	}
	for _, file := range files {
		text, err := shipped.ReadFile(path.Join("holidays", file.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the shipped holidays: %w", err)
		}
		var f struct {
			Holidays map[string]holidaysEntry `yaml:"holidays"`
		}
		if _, faults := settings.Decode(file.Name(), text, &f, nil); len(faults) > 0 {
			return nil, faults
		}
		for name, entry := range f.Holidays {
			all[name] = entry
		}
	}
	return all, nil
}

// holidays checks the holidays of the file and returns them with the shipped
// ones; of one name the file's count.
func (c *checker) holidays(own map[string]holidaysEntry) map[string]holidaysEntry {
	all, err := shippedHolidays()
	if err != nil {
		c.fault("holidays", err.Error(), "")
		all = map[string]holidaysEntry{}
	}
	yearAtEnd := regexp.MustCompile(`(^|[^0-9])(19|20)[0-9]{2}$`)
	for _, name := range sortedKeys(own) {
		e, here := own[name], "holidays."+name
		all[name] = e
		if !c.required(here, "year", e.Year != 0) {
			continue
		}
		first, next := availability.NewDate(e.Year, 1, 1), availability.NewDate(e.Year+1, 1, 1)
		wrong := func(path string, d availability.Date) {
			if d < first || d >= next {
				c.fault(path, fmt.Sprintf("%s is not in %d", d, e.Year), "these are the holidays of one year; give the other year a name of its own")
			}
		}
		for i, r := range e.Closed {
			wrong(at(here+".closed", i), r.First)
			wrong(at(here+".closed", i), r.Last)
		}
		for i, d := range e.Workdays {
			wrong(at(here+".workdays", i), d.Date)
		}
		if yearAtEnd.MatchString(name) && !strings.HasSuffix(name, fmt.Sprint(e.Year)) {
			c.fault(here+".year", fmt.Sprintf("%d is not the year in the name %q", e.Year, name), "")
		}
	}
	return all
}

// addYears adds the years a calendar names: closed days, and make-up days with
// a Monday's hours. What the calendar itself says of a day stands.
func (c *checker) addYears(path string, names []string, out *availability.CalendarVersion) {
	own := slices.Clone(out.Closed)
	off := func(d availability.Date) bool {
		return slices.ContainsFunc(own, func(r availability.DateRange) bool { return r.First <= d && d <= r.Last })
	}
	for i, name := range names {
		year, ok := c.year(at(path, i), name)
		if !ok {
			continue
		}
		for _, r := range year.Closed {
			out.Closed = append(out.Closed, r.DateRange)
		}
		for _, d := range year.Workdays {
			if _, said := out.Open[d.Date]; !said && !off(d.Date) {
				out.Open[d.Date] = append([]availability.DaySpan{}, out.Week[1]...)
			}
		}
	}
}

// year is the holidays of that name, a fault where there are none.
func (c *checker) year(path, name string) (holidaysEntry, bool) {
	year, ok := c.years[name]
	if !ok {
		c.fault(path, fmt.Sprintf("no holidays %q", name), strings.TrimSpace(settings.DidYouMean(name, sortedKeys(c.years))+" write them down under holidays, or use one of "+strings.Join(sortedKeys(c.years), ", ")))
	}
	return year, ok
}
