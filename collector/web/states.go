package web

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"slices"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/internal/chart"
)

// node is one line of a tree of states.
type node struct {
	Name, State, Link, Since string
	Note                     string // why a component by a series is not up
	Children                 []node
	raw                      availability.State
}

func (v *visit) node(name string, s figures.StateSince, link string) node {
	return node{Name: name, State: s.State.String(), Link: link, Since: v.since(s), raw: s.State}
}

// since says from when on a state holds, in the viewer's zone; empty where it
// is not known.
func (v *visit) since(s figures.StateSince) string {
	if s.Since == 0 {
		return ""
	}
	return v.T("since", words.Instant(time.UnixMilli(s.Since), v.Zone))
}

// ago writes how long before the instant asked about something was.
func (v *visit) ago(ms int64) string {
	if ms == 0 {
		return v.T("never")
	}
	return v.T("ago", v.Millis(max(v.AsOf.UnixMilli()-ms, 0)/1000*1000))
}

// dayStrip draws one cell per local day of [from, to): the worst state of the
// time that counted, with the time in each state as its title. Days outside
// life, the time in which what is drawn existed, have no state, as days have
// that nothing was agreed for. link gives where a day leads; nil: nowhere.
func (v *visit) dayStrip(title string, days []availability.Day, life availability.Span, from, to time.Time, zone *time.Location, width int, link func(time.Time) string) template.HTML {
	strip := chart.Strip{Title: title, Gap: 1, Width: width}
	y, m, d := from.In(zone).Date()
	for i := 0; ; i++ {
		begin, end := time.Date(y, m, d+i, 0, 0, 0, 0, zone), time.Date(y, m, d+i+1, 0, 0, 0, 0, zone)
		if !begin.Before(to) {
			break
		}
		cell := v.dayCell(availability.DayAt(days, (begin.UnixMilli()+end.UnixMilli())/2), life, begin, end)
		if link != nil && !begin.After(v.AsOf) {
			cell.Link = link(begin)
		}
		strip.Cells = append(strip.Cells, cell)
	}
	return template.HTML(strip.SVG()) // escaped by internal/chart
}

func (v *visit) dayCell(d availability.Day, life availability.Span, begin, end time.Time) chart.Cell {
	day := begin.Format("2006-01-02")
	if begin.After(v.AsOf) {
		return chart.Cell{Title: v.T("strip.day", day, v.T("strip.future"))}
	}
	if max(begin.UnixMilli(), life.From) >= min(end.UnixMilli(), life.To) {
		return chart.Cell{Title: v.T("strip.day", day, v.T("strip.existence"))}
	}
	text, state := v.StateTimes(d.Counted)
	if text == "" {
		text = v.T("strip.none")
	}
	rest := d.Outside
	rest[availability.Unknown] = 0 // nobody promised to look
	if _, worst := v.StateTimes(rest); worst == availability.Down || worst == availability.Degraded {
		rest[availability.Up] = 0
		also, _ := v.StateTimes(rest)
		text = v.T("strip.outside", text, also)
	}
	cell := chart.Cell{Title: v.T("strip.day", day, text)}
	if d.Counted != [4]int64{} {
		cell.State = state.String()
	}
	return cell
}

// piecesOf are those of a timeline that no agreement cuts: all of it counts.
func piecesOf(timeline availability.Timeline) []availability.Piece {
	pieces := make([]availability.Piece, len(timeline))
	for i, seg := range timeline {
		pieces[i] = availability.Piece{Span: seg.Span, State: seg.State}
	}
	return pieces
}

// quarter is the last figures.LastDays days of a service, with that of the instant asked about.
func (s *Site) quarter(ctx context.Context, v *visit, service availability.Service, zone *time.Location, width int, link func(time.Time) string) (template.HTML, error) {
	y, m, d := v.AsOf.In(zone).Date()
	from, to := time.Date(y, m, d+1-figures.LastDays, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	all, err := s.Figures.LastDays(ctx, v.AsOf)
	if err != nil {
		return "", err
	}
	days, agreed := all[service.Name]
	if !agreed {
		timeline, err := s.Figures.ServiceTimeline(ctx, service.Name, from, to, v.AsOf)
		if err != nil {
			return "", err
		}
		days = availability.DaysOf(piecesOf(timeline), zone)
	}
	return v.dayStrip(v.T("strip.days", service.Name), days, lifeOf(service, zone), from, to, zone, width, link), nil
}

// lifeOf is the time in which a service exists; its dates are local to zone.
func lifeOf(s availability.Service, zone *time.Location) availability.Span {
	return availability.Span{From: s.From.In(zone, math.MinInt64), To: s.Until.In(zone, math.MaxInt64)}
}

// intervalStrip draws a timeline to scale.
func (v *visit) intervalStrip(title string, timeline availability.Timeline, zone *time.Location) template.HTML {
	strip := chart.Strip{Title: title, Width: 900, Height: 26}
	for _, iv := range timeline {
		strip.Cells = append(strip.Cells, chart.Cell{State: iv.State.String(), Width: iv.To - iv.From,
			Title: fmt.Sprintf("%s: %s – %s", v.T("state."+iv.State.String()), words.Instant(time.UnixMilli(iv.From), zone), words.Instant(time.UnixMilli(iv.To), zone))})
	}
	return template.HTML(strip.SVG()) // escaped by internal/chart
}

// reaches lists the services whose tree contains name, through services too.
func reaches(c *availability.Catalogue, name string) []string {
	var found []string
	for grown := true; grown; {
		grown = false
		for _, s := range c.Services {
			if slices.Contains(found, s.Name) {
				continue
			}
			for _, n := range s.Names() {
				if n == name || slices.Contains(found, n) {
					found = append(found, s.Name)
					grown = true
					break
				}
			}
		}
	}
	slices.Sort(found)
	return found
}
