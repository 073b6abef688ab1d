package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// status asks the running agent and prints its answers to the three questions
// of the first phone call.
func (c Command) status(ctx context.Context, args []string) int {
	f := c.flags("status", "Asks the agent that runs on this host: is it measuring, is it delivering, is its clock right?\nExit status: 0 three times yes, 1 at least one no or nobody answers, 2 wrong arguments.")
	path := f.String("config", DefaultConfig, "configuration `file`; the default one need not exist")
	data := f.String("data", "", "data `directory`, instead of the configuration's")
	asJSON := f.Bool("json", false, "print the answer as JSON")
	if status, done := c.parse(f, args); done {
		return status
	}
	cfg, ok := c.config(f, *path, *data)
	if !ok {
		return exitBad
	}
	s, err := askStatus(ctx, cfg.Data)
	if err != nil {
		fmt.Fprintln(c.Stderr, "plimsoll-agent status:", err)
		if errors.Is(err, errNotRunning) {
			fmt.Fprintln(c.Stderr, "start it with \"plimsoll-agent run\", or name the data directory of the one that runs with --data")
		}
		return exitFailed
	}
	if *asJSON {
		encoder := json.NewEncoder(c.Stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(s)
	} else {
		err = s.print(c.Stdout)
	}
	if err != nil {
		fmt.Fprintln(c.Stderr, "plimsoll-agent status: write the answer:", err)
		return exitFailed
	}
	if !s.Measuring.Well || !s.Delivering.Well || !s.Clock.Well {
		return exitFailed
	}
	return exitOK
}

// print writes the answers, each with what it rests on.
func (s *Status) print(to io.Writer) error {
	who := "not enrolled at a collector yet"
	if s.Instance != "" {
		who = fmt.Sprintf("listed as %s, certificate until %s", s.Instance, s.Expires.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if s.CertificateTrouble != "" {
		who += "; " + s.CertificateTrouble
	}
	_, err := fmt.Fprintf(to, "plimsoll-agent %s, running for %s, %s\n%s\n%s\n%s\n", s.Version, age(s.At.Sub(s.Started)), who,
		s.measuring(), s.delivering(), s.clock())
	return err
}

func yes(well bool) string {
	if well {
		return "yes"
	}
	return "NO "
}

func (s *Status) measuring() string {
	m := &s.Measuring
	line := "measuring?   " + yes(m.Well)
	if m.Last.IsZero() {
		return line + "  no collection yet"
	}
	line += fmt.Sprintf("  last %s ago, %d series in %.0f ms, every %s", age(s.At.Sub(m.Last)), m.Series, m.TookS*1000, age(time.Duration(m.IntervalS*float64(time.Second))))
	if m.Failures > 0 {
		line += fmt.Sprintf("; sources failed %d times (\"plimsoll-agent check\" tries each)", m.Failures)
	}
	if m.Missed > 0 {
		line += fmt.Sprintf("; %d records did not get onto the disk", m.Missed)
	}
	return line
}

func (s *Status) delivering() string {
	d := &s.Delivering
	line := "delivering?  " + yes(d.Well)
	switch {
	case d.Trouble != "":
		line += fmt.Sprintf("  since %s: %s; %s", d.Since.UTC().Format("2006-01-02 15:04:05 UTC"), d.Trouble, d.Remedy)
	case d.Last.IsZero():
		line += "  nothing acknowledged in this run yet"
	}
	if !d.Last.IsZero() {
		line += fmt.Sprintf("  last acknowledged %s ago by %s", age(s.At.Sub(d.Last)), d.To)
	}
	line += fmt.Sprintf("; %d records wait", d.Waiting)
	if !d.Oldest.IsZero() {
		line += fmt.Sprintf(", the oldest for %s", age(s.At.Sub(d.Oldest)))
	}
	if d.Dropped > 0 {
		line += fmt.Sprintf("; %d were given up by the full buffer", d.Dropped)
	}
	if d.Refused > 0 {
		line += fmt.Sprintf("; %d were refused for good and put aside", d.Refused)
	}
	return line
}

func (s *Status) clock() string {
	c := &s.Clock
	line := "clock right? " + yes(c.Well)
	switch {
	case !c.Known:
		return line + "  not known before the first answer of a collector"
	case c.Well:
		return line + fmt.Sprintf("  %+.1f s against the collector's", c.AheadS)
	}
	return line + fmt.Sprintf("  %+.1f s against the collector's; set up time synchronisation on this host", c.AheadS)
}

// age is a duration in the two units a person looks at.
func age(d time.Duration) string {
	switch d = d.Round(100 * time.Millisecond); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}
