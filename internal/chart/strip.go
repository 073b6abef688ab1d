package chart

import (
	"math"
	"strings"
)

// Cell is one piece of a strip.
type Cell struct {
	State string // up, degraded, down, unknown; anything else is not drawn as a state: still to come, not agreed
	Title string // shown when pointed at
	Link  string // opened when pressed; empty: none
	Width int64  // in any unit, the same in all cells; 0 is taken as 1
}

// Strip is a row of states: a bar of 90 days, a month, the hours around an outage.
type Strip struct {
	Title  string
	Cells  []Cell
	Width  int // of the drawing, default 360
	Height int // default 22
	Gap    int // between cells, default 0
}

// shapes gives each state its colour and its height, so that it is told apart in grey.
func shape(state string) (colour string, height float64) {
	switch state {
	case "up":
		return "#1a7f5a", 0.55
	case "degraded":
		return "#bf8700", 0.8
	case "down":
		return "#b42318", 1
	case "unknown":
		return "#afb8c1", 0.3
	}
	return "#d8dee4", 0.1
}

// SVG draws the strip.
func (t *Strip) SVG() string {
	w, h := t.Width, t.Height
	if w == 0 {
		w = 360
	}
	if h == 0 {
		h = 22
	}
	total := int64(0)
	for _, c := range t.Cells {
		total += max(c.Width, 1)
	}
	var s canvas
	s.open("strip", ` preserveAspectRatio="none"`, t.Title, w, h)
	x := 0.0
	for _, c := range t.Cells {
		width := float64(w) * float64(max(c.Width, 1)) / float64(max(total, 1))
		state := c.State
		colour, share := shape(state)
		if state == "" {
			state = "none"
		}
		tall := float64(h) * share
		if c.Link != "" {
			s.WriteString(`<a href="` + escape(c.Link) + `">`)
		}
		// At least one drawing unit: two seconds down in a month stay visible.
		s.WriteString(`<rect class="state ` + escape(state) + `" fill="` + colour + `" x="` + num(x) + `" y="` + num(float64(h)-tall) +
			`" width="` + num(math.Max(width-float64(t.Gap), 1)) + `" height="` + num(tall) + `"><title>` + escape(c.Title) + `</title></rect>`)
		if c.Link != "" {
			s.WriteString(`</a>`)
		}
		x += width
	}
	s.close()
	return s.String()
}

// Spark is a line of values without axes.
type Spark struct {
	Title  string
	Points []Point
	Top    float64 // the full height stands for at least this
	Width  int     // default 96
	Height int     // default 22
}

// SVG draws the line; gaps (NaN) stay gaps.
func (k *Spark) SVG() string {
	w, h := k.Width, k.Height
	if w == 0 {
		w = 96
	}
	if h == 0 {
		h = 22
	}
	var s canvas
	s.open("spark", "", k.Title, w, h)
	if n := len(k.Points); n > 0 {
		c := Lines{Lines: []Line{{Points: k.Points}}, From: k.Points[0].T, To: k.Points[n-1].T, Top: k.Top}
		_, hi, _ := c.extent()
		f := frame{x0: 1, x1: float64(w - 1), y0: float64(h - 1), y1: 1, from: c.From, to: c.To, lo: 0, hi: hi}
		for _, run := range c.runs(c.Lines[0]) {
			points := make([]string, len(run))
			for i, p := range run {
				points[i] = num(f.x(p.T)) + "," + num(f.y(p.V))
			}
			s.WriteString(`<polyline class="line line0" fill="none" stroke="#0b5fae" stroke-width="1.2" points="` + strings.Join(points, " ") + `"/>`)
		}
	}
	s.close()
	return s.String()
}
