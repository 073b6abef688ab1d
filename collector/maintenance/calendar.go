package maintenance

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Calendar is what of planned work goes into an iCalendar file.
type Calendar struct {
	Name string
	Made time.Time
	// Changes that were approved; those cancelled since tell calendars to drop
	// their windows. Others are left out: nothing is agreed yet.
	Changes []Change
}

// WriteTo writes RFC 5545: one event for each window, in UTC, so that no
// reader has to know a zone's rules.
func (c Calendar) WriteTo(w io.Writer) (int64, error) {
	counted := &counter{w: w}
	b := bufio.NewWriter(counted)
	line := func(name, value string) { fold(b, name+":"+value) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//Plimsoll//planned work//EN")
	line("METHOD", "PUBLISH")
	line("X-WR-CALNAME", escape(c.Name))
	for i := range c.Changes {
		change := &c.Changes[i]
		if change.ApprovedAt == 0 {
			continue
		}
		windows, err := change.Windows()
		if err != nil {
			return counted.n, fmt.Errorf("expand change %s: %w", change.No, err)
		}
		for n, window := range windows {
			change.event(line, n, window, c.Made)
		}
	}
	line("END", "VCALENDAR")
	err := b.Flush()
	return counted.n, err
}

// event is one window. A cancelled change leaves what had begun by then.
func (c *Change) event(line func(name, value string), n int, w Window, made time.Time) {
	status, sequence, stamp := "CONFIRMED", 0, c.ApprovedAt
	if c.CancelledAt != 0 {
		sequence, stamp = 1, c.CancelledAt
		if w.From >= c.CancelledAt {
			status = "CANCELLED"
		}
		if w.From < c.CancelledAt {
			w.To = min(w.To, c.CancelledAt)
		}
	}
	line("BEGIN", "VEVENT")
	line("UID", fmt.Sprintf("%s-%d@plimsoll", c.No, n+1))
	line("DTSTAMP", utc(made.UnixMilli()))
	line("LAST-MODIFIED", utc(stamp))
	line("SEQUENCE", strconv.Itoa(sequence))
	line("DTSTART", utc(w.From))
	line("DTEND", utc(w.To))
	line("SUMMARY", escape(c.No+" "+c.Title))
	line("DESCRIPTION", escape(strings.TrimSpace(strings.Join(append(append([]string{}, c.Services...), c.Components...), ", ")+"\n"+c.Reason)))
	line("STATUS", status)
	line("END", "VEVENT")
}

func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format("20060102T150405Z") }

// escape writes a TEXT value, RFC 5545 3.3.11.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(strings.ToValidUTF8(text, "\uFFFD"))
}

// fold writes a line in pieces of at most 75 octets that cut no character, RFC 5545 3.1.
func fold(w *bufio.Writer, line string) {
	const octets = 75
	for space := ""; ; space = " " {
		cut := min(len(line), octets-len(space))
		for cut < len(line) && !utf8.RuneStart(line[cut]) {
			cut--
		}
		_, _ = w.WriteString(space + line[:cut] + "\r\n") // Flush tells
		if line = line[cut:]; line == "" {
			return
		}
	}
}

type counter struct {
	w io.Writer
	n int64
}

// Write counts what was written.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
