package quickstart

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// story tells a newcomer what happens, one line for each step: with seconds
// since the start in the first minute, and by the clock after that.
type story struct {
	mu    *sync.Mutex
	to    io.Writer
	begin time.Time
}

func newStory(to io.Writer) story { return story{new(sync.Mutex), to, time.Now()} }

func (s story) tell(format string, args ...any) {
	now := time.Now()
	at := fmt.Sprintf("%7.1fs", now.Sub(s.begin).Seconds())
	if now.Sub(s.begin) >= time.Minute {
		at = now.Format("15:04:05")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.to, "%s  %s\n", at, fmt.Sprintf(format, args...))
}

// hushed is how long the log's everyday lines are left out: the story tells
// of the start in its own words. Warnings are never left out.
const hushed = 10 * time.Second

// log is the story as a log: a line reads as the others do, and what comes
// with a message follows it in words.
func (s story) log() *slog.Logger { return slog.New(logLines{story: s}) }

type logLines struct {
	story
	attrs []slog.Attr
}

func (l logLines) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || level >= slog.LevelInfo && time.Since(l.begin) > hushed
}

// Handle writes "! message: err. Remedy." and the rest of the attributes in
// parentheses.
func (l logLines) Handle(_ context.Context, r slog.Record) error {
	var cause, remedy string
	var rest []string
	told := false
	take := func(a slog.Attr) bool {
		switch a.Key {
		case "err":
			cause = ": " + a.Value.String()
		case "no": // of a record: follow tells of it, with its page
			told = true
		case "remedy":
			remedy = "; " + a.Value.String()
		default:
			rest = append(rest, fmt.Sprintf("%s %s", a.Key, quoteControl(a.Value.String())))
		}
		return true
	}
	for _, a := range l.attrs {
		take(a)
	}
	r.Attrs(take)
	if told {
		return nil
	}
	text := strings.ToUpper(r.Message[:min(1, len(r.Message))]) + r.Message[min(1, len(r.Message)):] + quoteControl(cause+remedy)
	if len(rest) > 0 {
		text += " (" + strings.Join(rest, ", ") + ")"
	}
	if r.Level >= slog.LevelWarn {
		text = "! " + text
	}
	l.tell("%s", text)
	return nil
}

func (l logLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	l.attrs = append(l.attrs[:len(l.attrs):len(l.attrs)], attrs...)
	return l
}

// WithGroup keeps the attributes flat: nobody groups them here.
func (l logLines) WithGroup(string) slog.Handler { return l }

// quoteControl keeps what a host or a page sent from steering the terminal.
func quoteControl(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '·'
		}
		return r
	}, text)
}
