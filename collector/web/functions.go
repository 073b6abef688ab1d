package web

import (
	"strconv"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/words"
)

// functionRow is a function of a service in a period.
type functionRow struct {
	Name, Weight, Users, Availability, Down, Lost string
	Outages                                       []functionOutage
}

// functionOutage is an outage of one function.
type functionOutage struct {
	From, To      When
	Ongoing       bool
	Counted, Lost string
	Components    string
}

// userTime writes users' seconds as hours of users; no users are no value.
func (v *visit) userTime(seconds *float64) string {
	if seconds == nil {
		return v.T("no.value")
	}
	return v.T("users.hours", words.Number(*seconds/3600))
}

func (v *visit) userCount(n *int64) string {
	if n == nil {
		return v.T("no.value")
	}
	return grouped(strconv.FormatInt(*n, 10))
}

// byWeight are the figures by functions and by users, where there are any.
func (v *visit) byWeight(f *availability.Figures) []Pair {
	var out []Pair
	if len(f.Functions) > 0 {
		out = pairs(v.T("functions.by"), v.Ratio(f.Exact.ByFunctions, 3))
	}
	if f.Exact.ByUsers != nil || f.Users != nil {
		out = append(out, pairs(v.T("users.by"), v.Ratio(f.Exact.ByUsers, 3))...)
	}
	if f.Users != nil {
		out = append(out, pairs(v.T("users"), v.userCount(f.Users), v.T("users.lost"), v.userTime(f.LostUserS))...)
	}
	return out
}

func (v *visit) functionRows(f *availability.Figures) []functionRow {
	zone := zoneOf(f, v.Zone)
	var out []functionRow
	for i := range f.Functions {
		fn := &f.Functions[i]
		row := functionRow{Name: fn.Name, Weight: words.Number(fn.Weight), Users: v.userCount(fn.Users), Availability: v.Percent(fn.Availability, 3),
			Down: v.Seconds(&fn.DownS), Lost: v.userTime(fn.LostUserS)}
		if i < len(f.Exact.Functions) {
			row.Availability = v.Ratio(f.Exact.Functions[i].Availability, 3)
			down, _ := f.Exact.Functions[i].Down.Float64()
			row.Down = v.Seconds(&down)
		}
		for k := range fn.Outages {
			o := &fn.Outages[k]
			each := functionOutage{From: when(o.From.Time(), zone), Ongoing: o.Ongoing, Counted: v.Seconds(&o.AgreedS), Components: strings.Join(o.Components, ", ")}
			if o.To != nil {
				each.To = when(o.To.Time(), zone)
			}
			if o.LostUserS != nil {
				each.Lost = v.userTime(o.LostUserS)
			}
			row.Outages = append(row.Outages, each)
		}
		out = append(out, row)
	}
	return out
}

// hit says which functions an outage of the service hit, and what its users lost.
func (v *visit) hit(o *availability.Outage) string {
	var parts []string
	if len(o.Functions) > 0 {
		parts = append(parts, v.T("functions.hit", strings.Join(o.Functions, ", ")))
	}
	if o.LostUserS != nil {
		parts = append(parts, v.T("users.lost.by", v.userTime(o.LostUserS)))
	}
	return strings.Join(parts, " · ")
}

// customerRow is what the users of all services of a customer had.
type customerRow struct{ Customer, Availability, Lost, Services string }

// customerRows leaves out customers none of whose services has users.
func (v *visit) customerRows(month []availability.Figures) []customerRow {
	var out []customerRow
	for _, c := range figures.ByCustomer(month) {
		if c.Services == 0 {
			continue
		}
		name := c.Customer
		if name == "" {
			name = "–"
		}
		out = append(out, customerRow{name, v.Ratio(c.Exact, 3), v.userTime(c.LostUserS), strconv.Itoa(c.Services)})
	}
	return out
}

// shares prints what each function adds to the figures by functions and users.
func (v *visit) shares(x *availability.Explanation) []shareRow {
	var out []shareRow
	for i := range x.Functions {
		f := &x.Functions[i]
		out = append(out, shareRow{Name: f.Name, Weight: f.Weight.RatString(), Users: v.userCount(f.Users), Up: exactMS(f.Up), Down: exactMS(f.Down), Known: exactMS(f.Known)})
	}
	return out
}

// shareRow is a function's part of a weighted figure, in exact milliseconds.
type shareRow struct{ Name, Link, Weight, Users, Up, Down, Known string }
