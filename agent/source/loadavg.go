package source

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// load is the number of tasks that run or wait, averaged over 1, 5 and 15
// minutes.
type load struct{ loadavg file }

func newLoad(r Roots) *load {
	return &load{loadavg: file{path: r.Proc + "/loadavg"}}
}

func (l *load) collect(_ context.Context, out *sample.Set) error {
	text, err := l.loadavg.read()
	if err != nil {
		return err
	}
	return parseLoadavg(text, out)
}

// parseLoadavg reads "0.52 0.58 0.59 1/467 12345".
func parseLoadavg(text []byte, out *sample.Set) error {
	for _, name := range [...]string{"node_load1", "node_load5", "node_load15"} {
		var w []byte
		w, text = word(text)
		v, err := decimal(w)
		if err != nil {
			return fmt.Errorf("loadavg: %w", err)
		}
		out.Add(name, v)
	}
	return nil
}
