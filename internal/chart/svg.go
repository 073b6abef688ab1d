package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// canvas collects SVG elements.
type canvas struct{ strings.Builder }

// open begins a drawing; more are further attributes of it.
func (c *canvas) open(class, more, label string, w, h int) {
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" class="%s" viewBox="0 0 %d %d" width="%d" height="%d"%s role="img" aria-label="%s" font-family="system-ui, sans-serif" font-size="12">`,
		class, w, h, w, h, more, escape(label))
}

func (c *canvas) close() { c.WriteString("</svg>") }

func (c *canvas) text(class, fill, anchor string, x, y float64, s string) {
	fmt.Fprintf(c, `<text class="%s" fill="%s" text-anchor="%s" x="%s" y="%s">%s</text>`, class, fill, anchor, num(x), num(y), escape(s))
}

// haloed is text with a rim in the colour of the paper, readable on a curve.
func (c *canvas) haloed(class, fill, anchor string, x, y float64, s string) {
	fmt.Fprintf(c, `<text class="%s" fill="%s" stroke="#fff" stroke-width="7" stroke-linejoin="round" paint-order="stroke" text-anchor="%s" x="%s" y="%s">%s</text>`, class, fill, anchor, num(x), num(y), escape(s))
}

func (c *canvas) line(class, stroke, dash string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(c, `<line class="%s" stroke="%s"`, class, stroke)
	if dash != "" {
		fmt.Fprintf(c, ` stroke-dasharray="%s"`, dash)
	}
	fmt.Fprintf(c, ` x1="%s" y1="%s" x2="%s" y2="%s"/>`, num(x1), num(y1), num(x2), num(y2))
}

// num prints a coordinate with at most two decimals.
func num(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

// escape makes s safe as text and as a double-quoted attribute, and drops
// what XML does not allow.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r < ' ' && r != '\n' && r != '\t', r == 0xFFFE, r == 0xFFFF:
			b.WriteRune('\uFFFD')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// textWidth estimates the width of s at 12 px, so that legends wrap: East
// Asian characters are as wide as they are high.
func textWidth(s string) float64 {
	w := 0.0
	for _, r := range s {
		if r >= 0x1100 {
			w += 12
		} else {
			w += 6.7
		}
	}
	return w
}
