package maintenance

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// event is a VEVENT as a calendar reads it.
type event map[string]string

// parseICS reads iCalendar strictly: CRLF, at most 75 octets a line, whole
// characters, folding undone, begin and end in pairs.
func parseICS(t *testing.T, data string) (head event, events []event) {
	t.Helper()
	if !strings.HasSuffix(data, "\r\n") || strings.Contains(strings.ReplaceAll(data, "\r\n", ""), "\n") {
		t.Fatal("lines do not end in CRLF")
	}
	var lines []string
	for _, line := range strings.Split(strings.TrimSuffix(data, "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) {
			t.Errorf("a line of %d octets, or a character cut in two: %q", len(line), line)
		}
		if rest, folded := strings.CutPrefix(line, " "); folded {
			lines[len(lines)-1] += rest
			continue
		}
		lines = append(lines, line)
	}
	head = event{}
	in := head
	var open []string
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("no property: %q", line)
		}
		switch name {
		case "BEGIN":
			if open = append(open, value); value == "VEVENT" {
				in = event{}
				events = append(events, in)
			}
		case "END":
			if len(open) == 0 || open[len(open)-1] != value {
				t.Fatalf("%s ends, open are %v", value, open)
			}
			open, in = open[:len(open)-1], head
		default:
			in[name] = strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, "\n").Replace(value)
		}
	}
	if len(open) > 0 {
		t.Errorf("left open: %v", open)
	}
	return head, events
}

func TestCalendarIsReadBack(t *testing.T) {
	from := time.Date(2026, 10, 24, 22, 0, 0, 0, zone(t, "Europe/Paris"))
	plan := Plan{Title: `系统补丁; kernel, "openssl" \ 与重启` + strings.Repeat("，每月例行维护", 8), Reason: "line 1\nline 2", Services: []string{"shop"}, Zone: "Europe/Paris",
		From: from.UnixMilli(), To: from.Add(2 * time.Hour).UnixMilli(), Rule: "FREQ=WEEKLY;COUNT=3"}
	approved := Change{No: "CHG-2026-0001", Plan: plan, State: Scheduled, ApprovedAt: from.Add(-100 * time.Hour).UnixMilli()}
	cancelled := approved
	cancelled.No, cancelled.State, cancelled.CancelledAt = "CHG-2026-0002", Cancelled, from.Add(time.Hour).UnixMilli()
	waiting := Change{No: "CHG-2026-0003", Plan: plan, State: New}
	var b bytes.Buffer
	n, err := Calendar{Name: "acme, all", Made: from, Changes: []Change{approved, cancelled, waiting}}.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("wrote %d of %d octets: %v", n, b.Len(), err)
	}
	head, events := parseICS(t, b.String())
	if head["VERSION"] != "2.0" || head["X-WR-CALNAME"] != "acme, all" || head["PRODID"] == "" {
		t.Errorf("head: %v", head)
	}
	want := []struct{ uid, start, end, status string }{
		{"CHG-2026-0001-1@plimsoll", "20261024T200000Z", "20261024T220000Z", "CONFIRMED"},
		{"CHG-2026-0001-2@plimsoll", "20261031T210000Z", "20261031T230000Z", "CONFIRMED"}, // after the change of clocks, still 22:00
		{"CHG-2026-0001-3@plimsoll", "20261107T210000Z", "20261107T230000Z", "CONFIRMED"},
		{"CHG-2026-0002-1@plimsoll", "20261024T200000Z", "20261024T210000Z", "CONFIRMED"}, // under way when it was cancelled
		{"CHG-2026-0002-2@plimsoll", "20261031T210000Z", "20261031T230000Z", "CANCELLED"},
		{"CHG-2026-0002-3@plimsoll", "20261107T210000Z", "20261107T230000Z", "CANCELLED"},
	}
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d", len(events), len(want))
	}
	for i, w := range want {
		e := events[i]
		if e["UID"] != w.uid || e["DTSTART"] != w.start || e["DTEND"] != w.end || e["STATUS"] != w.status {
			t.Errorf("event %d: got %v, want %v", i, e, w)
		}
		if !strings.HasSuffix(e["SUMMARY"], plan.Title) || !strings.HasSuffix(e["DESCRIPTION"], "line 1\nline 2") || e["DTSTAMP"] == "" {
			t.Errorf("event %d: texts %q %q", i, e["SUMMARY"], e["DESCRIPTION"])
		}
	}
}
