package quickstart

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector"
	"github.com/plimsoll/plimsoll/collector/availability"
)

// newsEvery is how often the story looks at how things stand.
const newsEvery = time.Second

// follow tells of every component that changes and every problem record that
// is opened, as long as ctx lasts.
func follow(ctx context.Context, c *collector.Collector, tell story) error {
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	told := digest{begin: tell.begin.UnixMilli()}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		news, err := c.News(ctx)
		if err != nil {
			continue // told by the collector's own log
		}
		for _, line := range told.lines(news, c.URL()) {
			tell.tell("%s", line)
		}
	}
}

// digest is what the story has told already.
type digest struct {
	begin      int64 // of the story, Unix ms: records opened before it are no news
	components map[string]collector.ComponentNews
	problems   map[string]bool // number ─▶ recovered
}

// lines are the sentences for what is new in news since the last call.
func (d *digest) lines(news collector.News, address string) []string {
	var lines, up []string
	if d.components == nil {
		d.components, d.problems = map[string]collector.ComponentNews{}, map[string]bool{}
	}
	for _, now := range news.Components {
		before, seen := d.components[now.Name]
		if now.State == availability.Unknown && !seen || seen && before.State == now.State {
			continue
		}
		d.components[now.Name] = now
		if now.State == availability.Up && (!seen || before.State != availability.Down) {
			up = append(up, now.Name)
			continue
		}
		lines = append(lines, sentence(before, now, address))
	}
	if len(up) > 0 {
		lines = append(lines, fmt.Sprintf("Up: %s.", strings.Join(up, ", ")))
	}
	if line := d.before(news.Problems, address); line != "" {
		lines = append(lines, line)
	}
	for _, p := range news.Problems {
		recovered, seen := d.problems[p.No]
		d.problems[p.No] = p.Recovered
		where := address + "/problems/" + p.No
		switch {
		case !seen && !p.Recovered:
			lines = append(lines, fmt.Sprintf("Problem %s: %s   %s", p.No, quoteControl(p.Title), where))
		case seen && p.Recovered && !recovered:
			lines = append(lines, fmt.Sprintf("Problem %s: the values are back to normal; the record stays open until somebody closes it.   %s", p.No, where))
		case seen && !p.Recovered && recovered:
			lines = append(lines, fmt.Sprintf("Problem %s: again; noted in the same record.   %s", p.No, where))
		}
	}
	return lines
}

// before is one line for all records that were open when the story began, the
// first time they are seen.
func (d *digest) before(problems []collector.ProblemNews, address string) string {
	var newest collector.ProblemNews
	count := 0
	for _, p := range problems {
		if _, seen := d.problems[p.No]; seen || p.Opened >= d.begin {
			continue
		}
		d.problems[p.No] = p.Recovered
		if count++; count == 1 || p.Opened > newest.Opened {
			newest = p
		}
	}
	switch count {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("Still open from before: 1 problem record, %s: %s   %s/problems/%s", newest.No, quoteControl(newest.Title), address, newest.No)
	}
	return fmt.Sprintf("Still open from before: %d problem records, the newest %s: %s   %s/problems", count, newest.No, quoteControl(newest.Title), address)
}

// sentence tells of a component that is not simply up.
func sentence(before, now collector.ComponentNews, address string) string {
	since := time.UnixMilli(now.Since).Format("15:04:05.000")
	switch now.State {
	case availability.Up: // after being down
		lasted := time.Duration(now.Since-before.Since) * time.Millisecond
		return fmt.Sprintf("%s is up again since %s, after %v.   %s/outages/%d", now.Name, since, lasted, address, now.Outage)
	case availability.Down:
		return fmt.Sprintf("%s is DOWN since %s: %s   %s/outages/%d", now.Name, since, because(now), address, now.Outage)
	case availability.Degraded:
		return fmt.Sprintf("%s is degraded since %s: %s", now.Name, since, because(now))
	}
	return fmt.Sprintf("%s is unknown since %s: nothing is heard of it, which is not the same as down.", now.Name, since)
}

func because(c collector.ComponentNews) string {
	if c.Reason == "" {
		return "its observer says so"
	}
	return quoteControl(c.Reason)
}
