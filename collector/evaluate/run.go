package evaluate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/catalogue"
)

// Options are the command's arguments.
type Options struct {
	FactsPath     string
	CataloguePath string
	From, To      string    // a date, local to each agreement, or an instant
	AsOf          string    // an instant; "": Now
	Format        string    // json (also "") or table
	Now           time.Time // when the command was started
}

// The exit statuses.
const (
	good    = 0
	failed  = 1 // the machine's fault: reading or writing went wrong
	refused = 2 // the input's fault
)

// Run computes the figures and writes them to stdout; what is wrong goes to
// stderr, and then nothing to stdout. It returns the exit status: 0 when the
// figures are written, 2 when the input is refused, 1 when the machine failed.
func Run(ctx context.Context, o Options, stdout, stderr io.Writer) int {
	out := bufio.NewWriter(stderr)
	defer func() { _ = out.Flush() }() // nowhere left to tell it
	c := &command{options: o, stderr: out, terminal: isTerminal(stderr)}
	text, status := c.run(ctx)
	if status != good {
		return status
	}
	if _, err := stdout.Write(text); err != nil {
		c.refuse("write the figures: %v", err)
		return failed
	}
	return good
}

// command is one run.
type command struct {
	options  Options
	stderr   *bufio.Writer
	terminal bool

	from, to availability.Bound
	asOf     int64
	bad      int64 // bad lines
}

// refuse says, as the program, what is wrong with its arguments or the machine;
// what is wrong in a file begins with the file's name instead.
func (c *command) refuse(format string, args ...any) {
	c.say("plimsoll-collector evaluate: "+format, args...)
}

func (c *command) say(format string, args ...any) { c.sayf(format+"\n", args...) }

func (c *command) sayf(format string, args ...any) { fmt.Fprintf(c.stderr, format, args...) }

func (c *command) run(ctx context.Context) ([]byte, int) {
	ok := c.arguments()
	texts, err := catalogue.Read(c.options.CataloguePath)
	if err != nil {
		c.refuse("read the catalogue: %v", err)
		return nil, refused
	}
	parsed, faults := catalogue.ParseFiles(c.options.CataloguePath, texts)
	if len(faults) > 0 {
		c.say("%s", faults.Error())
		ok = false
		parsed = &catalogue.Catalogue{Availability: &availability.Catalogue{}}
	}
	file, err := os.Open(c.options.FactsPath)
	if err != nil {
		c.refuse("open the facts: %v", err)
		return nil, refused
	}
	defer func() { _ = file.Close() }() // only read
	figures, err := c.evaluate(ctx, file, parsed.Availability, ok)
	switch {
	case errors.Is(err, errRefused):
		return nil, refused
	case err != nil:
		c.refuse("%v", err)
		return nil, failed
	}
	text, err := c.format(figures)
	if err != nil {
		c.refuse("format the figures: %v", err)
		return nil, failed
	}
	return text, good
}

// errRefused says that the input is refused and why has been said.
var errRefused = errors.New("refused")

// arguments reads the period and the instant of knowledge.
func (c *command) arguments() bool {
	ok := true
	refuse := func(format string, args ...any) {
		ok = false
		c.refuse(format, args...)
	}
	var err error
	if c.from, err = availability.ParseBound(c.options.From); err != nil {
		refuse("--from: %v", err)
	}
	if c.to, err = availability.ParseBound(c.options.To); err != nil {
		refuse("--to: %v", err)
	}
	c.asOf = c.options.Now.UnixMilli()
	if c.options.AsOf != "" {
		if c.asOf, err = availability.ParseInstant(c.options.AsOf); err != nil {
			refuse("--as-of: %v", err)
		}
	}
	switch c.options.Format {
	case "", "json", "table":
	default:
		refuse("--format: %q is not a format; it is json or table", c.options.Format)
	}
	if ok && c.from.IsInstant() == c.to.IsInstant() && c.from.In(time.UTC, 0) >= c.to.In(time.UTC, 0) {
		refuse("--from %s is not before --to %s", c.options.From, c.options.To)
	}
	return ok
}

// evaluate reads the facts and computes. Where ok is false it only looks for
// what else is wrong.
func (c *command) evaluate(ctx context.Context, file *os.File, agreed *availability.Catalogue, ok bool) ([]availability.Figures, error) {
	for i := range agreed.Agreements {
		zone := agreed.Agreements[i].Zone
		if ok && c.from.In(zone, 0) >= c.to.In(zone, 0) {
			c.refuse("--from %s is not before --to %s in %s", c.options.From, c.options.To, zone)
			ok = false
		}
	}
	all := newCollector(agreed, c.asOf)
	if err := c.pass(ctx, file, "reading", all.take); err != nil {
		return nil, err
	}
	if c.bad > 0 {
		c.say("%s: %d bad lines; nothing was computed", c.options.FactsPath, c.bad)
	}
	if !ok || c.bad > 0 {
		return nil, errRefused
	}
	if all.skipped > 0 {
		c.say("%s: skipped %d facts of components the catalogue does not name: %s", c.options.FactsPath, all.skipped, listed(all.strange, 3))
	}
	if all.disordered() {
		if err := c.pass(ctx, file, "sorting", all.takeAgain); err != nil {
			return nil, err
		}
	}
	inside := lookup{collector: all}
	in := availability.Input{Catalogue: agreed, Streaks: all.streaks(), From: c.from, To: c.to, AsOf: c.asOf, FactBefore: inside.ask}
	figures, err := availability.Evaluate(in)
	if err != nil || !inside.asked {
		return figures, err
	}
	if err := c.pass(ctx, file, "looking up", inside.take); err != nil {
		return nil, err
	}
	inside.settle()
	return availability.Evaluate(in)
}

func listed(names []string, most int) string {
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// pass reads the file of facts from its beginning and gives every good row to
// take; bad ones are said, in the first pass (the others find the same).
func (c *command) pass(ctx context.Context, file *os.File, what string, take func(*row)) error {
	if at, err := file.Seek(0, io.SeekStart); err != nil || at != 0 {
		if what != "reading" {
			return fmt.Errorf("read the facts again: %w; give them as a file, not as a pipe", err)
		}
	}
	shown := c.progress(file, what)
	defer shown.done()
	r := newRecords(file)
	fields, err := r.next(ctx)
	if errors.Is(err, io.EOF) {
		c.say("%s:1: no header; the first line names the columns", c.options.FactsPath)
		return errRefused
	}
	if err != nil {
		return c.unreadable(err)
	}
	l, faults := readHeader(fields)
	for _, fault := range faults {
		c.say("%s:1: %s", c.options.FactsPath, fault)
	}
	if faults != nil {
		return errRefused
	}
	for {
		fields, err := r.next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		var each row
		if err == nil {
			each, err = l.parse(fields)
		}
		var bad badRecord
		if errors.As(err, &bad) {
			c.bad++
			c.say("%s:%d: %s", c.options.FactsPath, r.line, bad)
			continue
		}
		if err != nil {
			return c.unreadable(err)
		}
		take(&each)
		shown.at(r.read)
	}
}

// unreadable is what stops the reading altogether.
func (c *command) unreadable(err error) error {
	var bad badRecord
	if errors.As(err, &bad) {
		c.say("%s:1: %s", c.options.FactsPath, bad)
		return errRefused
	}
	return fmt.Errorf("read the facts from %s: %w", c.options.FactsPath, err)
}

// format writes the figures as they were asked for.
func (c *command) format(figures []availability.Figures) ([]byte, error) {
	if c.options.Format == "table" {
		return []byte(table(figures)), nil
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(struct {
		Services []availability.Figures `json:"services"`
	}{figures})
	return []byte(out.String()), err
}
