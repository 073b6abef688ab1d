package evaluate_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// duration writes milliseconds the way a catalogue does.
func duration(ms int64) string {
	if ms == 0 {
		return "0"
	}
	text := ""
	for _, u := range []struct {
		name string
		size int64
	}{{"d", day}, {"h", hour}, {"m", minute}, {"s", second}, {"ms", 1}} {
		if n := ms / u.size; n > 0 {
			text += fmt.Sprintf("%d%s", n, u.name)
			ms %= u.size
		}
	}
	return text
}

// readDuration is the reverse of duration.
func readDuration(text string) int64 {
	total, number := int64(0), int64(0)
	for text != "" {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		number, _ = strconv.ParseInt(text[:digits], 10, 64)
		text = text[digits:]
		letters := len(text) - len(strings.TrimLeft(text, "dhms"))
		total += number * map[string]int64{"": 1, "d": day, "h": hour, "m": minute, "s": second, "ms": 1}[text[:letters]]
		text = text[letters:]
	}
	return total
}

func rfc3339(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z07:00")
}

func (w when) String() string {
	if w.set {
		return rfc3339(w.at)
	}
	return w.date
}

func (s span) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.start/60, s.start%60, s.end/60, s.end%60)
}

// yaml is a catalogue in the making: every key goes through flow, which
// leaves out what was not given.
type yaml struct{ strings.Builder }

func (y *yaml) line(format string, args ...any) { fmt.Fprintf(y, format+"\n", args...) }

// flow writes {key: value, ...} of pairs, without those whose value is empty.
func flow(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			parts = append(parts, pairs[i]+": "+pairs[i+1])
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return `"` + text + `"`
}

func list[T any](items []T, write func(T) string) string {
	var parts []string
	for _, item := range items {
		parts = append(parts, write(item))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func names(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return list(items, func(s string) string { return s })
}

func renderPaces(all []pace) string {
	if len(all) == 0 {
		return ""
	}
	return list(all, func(p pace) string {
		return flow("from", quoted(instant(p.from).String()), "interval", optional(p.interval), "hold", optional(p.hold))
	})
}

func optional(ms int64) string {
	if ms == none {
		return ""
	}
	return duration(ms)
}

func spans(items []span) string {
	return list(items, func(s span) string { return quoted(s.String()) })
}

func (v calendarVersion) render() string {
	var week, open, closed []string
	for i, items := range v.week {
		if len(items) > 0 {
			week = append(week, strings.ToLower(time.Weekday(i).String()[:3])+": "+spans(items))
		}
	}
	for date, items := range v.open {
		open = append(open, quoted(date)+": "+spans(items))
	}
	slices.Sort(open)
	for _, r := range v.closed {
		text := r.first
		if r.last != r.first {
			text += "/" + r.last
		}
		closed = append(closed, quoted(text))
	}
	result := []string{"from", v.from, "week", "{" + strings.Join(week, ", ") + "}", "closed", names(closed)}
	if len(open) > 0 {
		result = append(result, "open", "{"+strings.Join(open, ", ")+"}")
	}
	return flow(result...)
}

func (n node) render() string {
	switch {
	case n.name != "":
		return n.name
	case n.form == "at_least":
		return fmt.Sprintf("{at_least: %d, of: %s}", n.k, list(n.of, node.render))
	}
	return "{" + n.form + ": " + list(n.of, node.render) + "}"
}

// catalogue is the problem's catalogue.yaml.
func (p *problem) catalogue() string {
	y := &yaml{}
	if len(p.calendars) > 0 {
		y.line("calendars:")
	}
	for _, c := range p.calendars {
		if len(c.versions) == 1 {
			body := c.versions[0].render()
			if c.zone != "" {
				body = "{zone: " + c.zone + ", " + body[1:]
			}
			y.line("  %s: %s", c.name, body)
			continue
		}
		y.line("  %s:", c.name)
		for _, v := range c.versions {
			body := v.render()
			if c.zone != "" {
				body = "{zone: " + c.zone + ", " + body[1:]
			}
			y.line("    - %s", body)
		}
	}
	y.line("components:")
	for _, c := range p.components {
		need := ""
		if c.need > 0 {
			need = strconv.Itoa(c.need)
		}
		y.line("  - %s", flow("name", c.name, "interval", optional(c.interval), "hold", optional(c.hold), "need", need, "paces", renderPaces(c.paces),
			"from", quoted(c.from.String()), "until", quoted(c.until.String())))
	}
	y.line("services:")
	for _, s := range p.services {
		y.line("  - %s", flow("name", s.name, "customer", s.customer, "needs", s.needs.render(),
			"from", quoted(s.from.String()), "until", quoted(s.until.String()), "users", count(s.users), "functions", renderFunctions(s.functions)))
	}
	p.renderAgreements(y)
	p.renderChanges(y)
	return y.String()
}

func (p *problem) renderAgreements(y *yaml) {
	if len(p.agreements) > 0 {
		y.line("agreements:")
	}
	for _, a := range p.agreements {
		y.line("  - number: %s\n    version: %d\n    service: %s\n    zone: %s\n    calendar: %s", a.number, a.version, a.service, a.zone, a.calendar)
		y.line("    effective: %s", flow("from", quoted(a.from.String()), "to", quoted(a.to.String())))
		y.line("    policies: %s", flow("planned", a.planned, "unknown", a.unknown, "degraded", a.degraded, "before_existence", a.existence))
		cap := ""
		if a.cap != none {
			cap = duration(a.cap) + "/" + a.capPer
		}
		y.line("    planned: %s", flow("notice", optional(a.notice), "cap", cap))
		y.line("    blips: %s", flow("ignore", optional(a.ignore), "merge", optional(a.merge)))
		if a.coverageLimit != "" {
			y.line("    coverage_limit: %s", a.coverageLimit)
		}
		y.line("    indicators:")
		for _, ind := range a.indicators {
			y.line("      - %s", flow("name", ind.name, "kind", ind.kind, "target", ind.target, "unacceptable", ind.unacceptable, "period", "month"))
		}
	}
}

func (p *problem) renderChanges(y *yaml) {
	approved := func(ms int64) string {
		if ms == none {
			return ""
		}
		return quoted(rfc3339(ms))
	}
	if len(p.windows) > 0 {
		y.line("maintenance:")
	}
	for _, m := range p.windows {
		y.line("  - %s", flow("change", m.change, "services", names(m.services), "components", names(m.components),
			"from", quoted(rfc3339(m.from)), "to", quoted(rfc3339(m.to)), "approved_at", approved(m.approved)))
	}
	if len(p.adjustments) > 0 {
		y.line("adjustments:")
	}
	for _, a := range p.adjustments {
		y.line("  - %s", flow("id", a.id, "services", names(a.services), "components", names(a.components),
			"from", quoted(rfc3339(a.from)), "to", quoted(rfc3339(a.to)), "effect", a.effect, "reason", "force majeure",
			"evidence", quoted("note 17"), "requested_by", "li", "approved_by", "wang", "approved_at", approved(a.approved)))
	}
}

// csv is the problem's facts.csv, in the order of the facts. Times are
// written in every form the contract allows.
func (p *problem) csv() string {
	var b strings.Builder
	b.WriteString("state,time,observer,component,latency_ms,received_at,hold\n")
	for i, f := range p.facts {
		at := rfc3339(f.at)
		switch (p.seed + uint64(i)) % 4 {
		case 0:
			at = strconv.FormatInt(f.at, 10)
		case 1:
			at = time.UnixMilli(f.at).In(time.FixedZone("", 20700)).Format("2006-01-02T15:04:05.000-07:00")
		case 2:
			at = time.UnixMilli(f.at).UTC().Format("2006-01-02T15:04:05.000") + "987Z"
		}
		received := ""
		if f.received != none {
			received = rfc3339(f.received)
		}
		observer := f.observer
		if i%3 == 0 && observer != "" {
			observer = quoted(observer)
		}
		fmt.Fprintf(&b, "%s,%s,%s,%s,,%s,%s\n", f.state, at, observer, f.component, received, optional(f.hold))
	}
	return b.String()
}

// count is empty for 0.
func count(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func renderFunctions(all []function) string {
	if len(all) == 0 {
		return ""
	}
	var out []string
	for _, f := range all {
		text := f.name
		if !f.short {
			needs := ""
			if f.own {
				needs = f.needs.render()
			}
			text = flow("name", f.name, "weight", f.weight, "users", count(f.users), "needs", needs)
		}
		out = append(out, text)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
