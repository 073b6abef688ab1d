package evaluate

import (
	"io"
	"os"
)

// progress shows on a terminal how far a pass over a large file is.
type progress struct {
	command *command
	what    string
	size    int64
	next    int64
	shown   bool
}

// worthShowing is the size in bytes from which reading takes noticeably long.
const worthShowing = 50 << 20

func (c *command) progress(file *os.File, what string) *progress {
	p := &progress{command: c, what: what, next: -1}
	if info, err := file.Stat(); err == nil && c.terminal && info.Size() >= worthShowing {
		p.size, p.next = info.Size(), 0
	}
	return p
}

// at tells how many bytes are read.
func (p *progress) at(read int64) {
	if p.next < 0 || read < p.next {
		return
	}
	p.next = read + p.size/50
	p.shown = true
	p.command.sayOver("%s the facts: %d %%", p.what, read*100/p.size)
}

// done wipes the line.
func (p *progress) done() {
	if p.shown {
		p.command.sayOver("")
	}
}

// sayOver writes over the line that is on the terminal.
func (c *command) sayOver(format string, args ...any) {
	if len(args) == 0 {
		_, _ = c.stderr.WriteString("\r\x1b[K")
	} else {
		c.sayf("\r"+format, args...)
	}
	_ = c.stderr.Flush() // progress is not worth an error
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
