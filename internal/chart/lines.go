package chart

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Point is one value at one instant, in Unix milliseconds. NaN is a gap.
type Point struct {
	T int64
	V float64
}

// Line is one named sequence of points in time order.
type Line struct {
	Name   string
	Points []Point
}

// Threshold is a horizontal line with its name.
type Threshold struct {
	Name     string
	Value    float64
	Critical bool
}

func (t Threshold) look() (class, colour string) {
	if t.Critical {
		return "threshold critical", "#b42318"
	}
	return "threshold warning", "#9a6700"
}

// Lines is a chart of values over time.
type Lines struct {
	Title      string // what a screen reader says first
	Lines      []Line
	Thresholds []Threshold
	From, To   int64          // Unix milliseconds
	Zone       *time.Location // of the time axis; named on it
	Unit       Unit
	Top        float64 // the axis reaches at least this; 0 = the data alone decide
	Gap        int64   // two points further apart, in milliseconds, are not joined; 0 = always joined
	Width      int     // of the drawing, default 480
	Height     int     // without the legend, default 180
	Empty      string  // said in a chart without points
}

const (
	left, right, top, bottom = 62, 14, 12, 24
	ink, grid, faint         = "#1c2733", "#d8dee4", "#57606a"
)

// strokes are told apart by dash as well as by colour.
func strokes() []struct{ colour, dash string } {
	return []struct{ colour, dash string }{
		{"#0b5fae", ""}, {"#b35900", "6 3"}, {"#1a7f5a", "2 2"}, {"#8250df", "8 3 2 3"},
		{"#a40e56", "4 2"}, {"#4d6b00", "1 3"}, {"#006a80", "10 4"}, {"#7a4a1e", "3 3 1 3"},
	}
}

type frame struct {
	x0, x1, y0, y1 float64 // the plot in drawing units, y0 at the bottom
	from, to       int64
	lo, hi         float64
}

func (f frame) x(t int64) float64 {
	return f.x0 + (f.x1-f.x0)*float64(t-f.from)/float64(max(f.to-f.from, 1))
}

func (f frame) y(v float64) float64 {
	v = min(max(v, f.lo), f.hi)
	return f.y0 - (f.y0-f.y1)*(v-f.lo)/(f.hi-f.lo)
}

// SVG draws the chart.
func (c *Lines) SVG() string {
	w, h := c.Width, c.Height
	if w == 0 {
		w = 480
	}
	if h == 0 {
		h = 180
	}
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	rows := c.legendRows(float64(w))
	var s canvas
	s.open("chart", "", c.label(), w, h+18*len(rows))
	lo, hi, any := c.extent()
	f := frame{x0: left, x1: float64(w - right), y0: float64(h - bottom), y1: top, from: c.From, to: c.To, lo: lo, hi: hi}
	c.valueAxis(&s, f)
	timeAxis(&s, f, zone)
	for i, l := range c.Lines {
		c.draw(&s, f, i, l)
	}
	for _, th := range c.Thresholds {
		class, colour := th.look()
		s.line(class, colour, "5 4", f.x0, f.y(th.Value), f.x1, f.y(th.Value))
	}
	var taken []box
	for _, th := range c.Thresholds { // above every line
		class, colour := th.look()
		name := th.Name + " " + c.Unit.Format(th.Value)
		at, room := c.labelAt(f, f.y(th.Value), textWidth(name), taken)
		taken = append(taken, room)
		s.haloed(class, colour, at.anchor, at.x, at.y, name)
	}
	if !any && c.Empty != "" {
		s.text("empty", faint, "middle", (f.x0+f.x1)/2, (f.y0+f.y1)/2, c.Empty)
	}
	for r, row := range rows {
		x := float64(left)
		for _, i := range row {
			x = c.legend(&s, i, x, float64(h+12+18*r), float64(w))
		}
	}
	s.close()
	return s.String()
}

// place is where a text stands: its baseline begins or ends there.
type place struct {
	anchor string
	x, y   float64
}

// box is the room a text takes.
type box struct{ x0, x1, y0, y1 float64 }

// meets tells whether two boxes have room in common.
func (b box) meets(o box) bool { return b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1 }

// labelAt is where the name of a horizontal line at y, width wide, can be
// read: at its right end above it, or where else no line of the data runs and
// no other name stands.
func (c *Lines) labelAt(f frame, y, width float64, taken []box) (place, box) {
	const above, below, height = -3, 13, 12
	all := [...]place{{"end", f.x1 - 2, y + above}, {"end", f.x1 - 2, y + below}, {"start", f.x0 + 2, y + above}, {"start", f.x0 + 2, y + below}}
	room := func(p place) box {
		x0 := p.x
		if p.anchor == "end" {
			x0 -= width
		}
		return box{x0, x0 + width, p.y - height, p.y + 3}
	}
	for _, p := range all {
		r := room(p)
		// Two names may stand as close as two lines of text do.
		free := !slices.ContainsFunc(taken, box{r.x0, r.x1, r.y0 + 2, r.y1 - 2}.meets)
		if free && r.y0 >= 0 && r.y1 <= f.y0 && !c.crosses(f, r.x0, r.x1, r.y0, r.y1) {
			return p, r
		}
	}
	return all[0], room(all[0])
}

// crosses tells whether a line of the data runs through a box.
func (c *Lines) crosses(f frame, x0, x1, y0, y1 float64) bool {
	for _, l := range c.Lines {
		for _, run := range c.runs(l) {
			for i := range run {
				from := run[max(i-1, 0)]
				ax, ay, bx, by := f.x(from.T), f.y(from.V), f.x(run[i].T), f.y(run[i].V)
				if bx < x0 || ax > x1 {
					continue
				}
				if bx > ax { // only the part between the box's sides
					slope := (by - ay) / (bx - ax)
					ay, by = ay+slope*(max(ax, x0)-ax), by-slope*(bx-min(bx, x1))
				}
				if max(ay, by) >= y0 && min(ay, by) <= y1 {
					return true
				}
			}
		}
	}
	return false
}

// extent is the span of the value axis; it begins at 0 unless values are negative.
func (c *Lines) extent() (lo, hi float64, any bool) {
	hi = c.Top
	for _, l := range c.Lines {
		for _, p := range l.Points {
			if math.IsNaN(p.V) || math.IsInf(p.V, 0) || p.T < c.From || p.T > c.To {
				continue
			}
			any = true
			lo, hi = min(lo, p.V), max(hi, p.V)
		}
	}
	for _, th := range c.Thresholds {
		hi = max(hi, th.Value)
	}
	if hi <= lo {
		hi = lo + 1
	} else if hi > c.Top {
		hi += (hi - lo) * 0.06
	}
	return lo, hi, any
}

func (c *Lines) valueAxis(s *canvas, f frame) {
	first, step, p := c.Unit.axis(f.lo, f.hi, 4)
	for v := first; v <= f.hi+step*1e-6; v += step {
		y := f.y(v)
		s.line("grid", grid, "", f.x0, y, f.x1, y)
		label := digits(v/p.scale, 4)
		if math.Abs(v) < step/2 {
			label = "0"
		}
		s.text("tick", faint, "end", f.x0-6, y+4, label+p.name)
	}
}

// timeSteps are the distances of time ticks, in minutes.
func timeSteps() []int {
	return []int{1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2 * 1440, 7 * 1440, 14 * 1440, 30 * 1440, 90 * 1440}
}

// timeAxis labels local times of day, or dates where a step is a day or more.
func timeAxis(s *canvas, f frame, zone *time.Location) {
	span := time.Duration(f.to-f.from) * time.Millisecond
	step := timeSteps()[len(timeSteps())-1]
	for _, m := range timeSteps() {
		if span <= time.Duration(m)*time.Minute*6 {
			step = m
			break
		}
	}
	start := time.UnixMilli(f.from).In(zone)
	y, mo, d := start.Date()
	name := zoneName(time.UnixMilli(f.to).In(zone))
	last := math.Inf(-1)
	for i := 0; i < 2000; i++ {
		var t time.Time
		if step >= 1440 {
			t = time.Date(y, mo, d+i*step/1440, 0, 0, 0, 0, zone)
		} else {
			t = time.Date(y, mo, d, 0, i*step, 0, 0, zone)
		}
		if ms := t.UnixMilli(); ms > f.to {
			break
		} else if ms < f.from {
			continue
		}
		x := f.x(t.UnixMilli())
		if x-last < 44 { // a clock set back repeats its labels
			continue
		}
		last = x
		label := t.Format("15:04")
		if step >= 1440 || label == "00:00" {
			label = t.Format("01-02")
		}
		s.line("grid", grid, "", x, f.y0, x, f.y0+4)
		if x+18 < f.x1-textWidth(name) { // the zone's name stands at the end
			s.text("tick", faint, "middle", x, f.y0+16, label)
		}
	}
	s.line("axis", faint, "", f.x0, f.y0, f.x1, f.y0)
	s.text("tick zone", faint, "end", f.x1, f.y0+16, name)
}

// zoneName is the zone of t as its offset, which no reader takes for another.
func zoneName(t time.Time) string {
	if _, offset := t.Zone(); offset == 0 {
		return "UTC"
	}
	return t.Format("-07:00")
}

func (c *Lines) draw(s *canvas, f frame, i int, l Line) {
	st := strokes()[i%len(strokes())]
	class := "line line" + num(float64(i%len(strokes())))
	for _, run := range c.runs(l) {
		if len(run) == 1 {
			s.WriteString(`<circle class="` + class + ` dot" fill="` + st.colour + `" r="2" cx="` + num(f.x(run[0].T)) + `" cy="` + num(f.y(run[0].V)) + `"/>`)
			continue
		}
		var path strings.Builder
		for k, p := range run {
			if k > 0 {
				path.WriteByte(' ')
			}
			path.WriteString(num(f.x(p.T)) + "," + num(f.y(p.V)))
		}
		if len(c.Lines) == 1 {
			s.WriteString(`<polygon class="` + class + ` area" fill="` + st.colour + `" fill-opacity="0.1" points="` +
				num(f.x(run[0].T)) + "," + num(f.y0) + " " + path.String() + " " + num(f.x(run[len(run)-1].T)) + "," + num(f.y0) + `"/>`)
		}
		s.WriteString(`<polyline class="` + class + `" fill="none" stroke="` + st.colour + `" stroke-width="1.5" stroke-linejoin="round"`)
		if st.dash != "" {
			s.WriteString(` stroke-dasharray="` + st.dash + `"`)
		}
		s.WriteString(` points="` + path.String() + `"/>`)
	}
}

// runs splits the points where a value is missing or the gap is too wide.
func (c *Lines) runs(l Line) [][]Point {
	var all [][]Point
	var run []Point
	flush := func() {
		if len(run) > 0 {
			all = append(all, run)
		}
		run = nil
	}
	for _, p := range l.Points {
		if p.T < c.From || p.T > c.To {
			continue
		}
		if math.IsNaN(p.V) || math.IsInf(p.V, 0) {
			flush()
			continue
		}
		if len(run) > 0 && c.Gap > 0 && p.T-run[len(run)-1].T > c.Gap {
			flush()
		}
		run = append(run, p)
	}
	flush()
	return all
}

// latest is the newest value of a line, NaN without one.
func latest(l Line) float64 {
	if len(l.Points) == 0 {
		return math.NaN()
	}
	return l.Points[len(l.Points)-1].V
}

func (c *Lines) legendText(i int) string {
	return c.Lines[i].Name + " " + c.Unit.Format(latest(c.Lines[i]))
}

// legendFit is legendText in at most w px: of a name that is too long, such as
// a mount point, the end stays, which tells it from its neighbours.
func (c *Lines) legendFit(i int, w float64) string {
	name, value := []rune(c.Lines[i].Name), " "+c.Unit.Format(latest(c.Lines[i]))
	if textWidth(string(name)+value) <= w {
		return string(name) + value
	}
	for len(name) > 1 && textWidth("…"+string(name)+value) > w {
		name = name[1:]
	}
	return "…" + string(name) + value
}

// legendWidth is the room for one text of the legend in a chart w px wide.
func legendWidth(w float64) float64 { return w - left - right - 28 - 14 }

// legendRows says which lines' names share a row below the chart.
func (c *Lines) legendRows(w float64) [][]int {
	var rows [][]int
	x := w
	for i := range c.Lines {
		need := 28 + textWidth(c.legendFit(i, legendWidth(w))) + 14
		if x+need > w-right {
			rows = append(rows, nil)
			x = left
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], i)
		x += need
	}
	return rows
}

func (c *Lines) legend(s *canvas, i int, x, y, w float64) float64 {
	st := strokes()[i%len(strokes())]
	s.line("line line"+num(float64(i%len(strokes()))), st.colour, st.dash, x, y-4, x+22, y-4)
	text := c.legendFit(i, legendWidth(w))
	s.text("legend", ink, "start", x+28, y, text)
	return x + 28 + textWidth(text) + 14
}

// label is the chart in one sentence, for those who cannot see it.
func (c *Lines) label() string {
	parts := []string{c.Title}
	for i := range c.Lines {
		parts = append(parts, c.legendText(i))
	}
	return strings.Join(parts, "; ")
}
