package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// pressure is for how long tasks had to wait for a processor, a disk, memory
// or interrupts (pressure stall information, since Linux 4.20).
type pressure struct{ files []pressureFile }

// pressureFile is one file of /proc/pressure with the metrics of its lines;
// an empty name leaves the line out.
type pressureFile struct {
	file
	some, full string
}

func newPressure(r Roots) *pressure {
	p := &pressure{}
	add := func(name, some, full string) {
		p.files = append(p.files, pressureFile{file{path: r.Proc + "/pressure/" + name}, some, full})
	}
	// "full" of the processor means nothing for a whole host.
	add("cpu", "node_pressure_cpu_waiting_seconds_total", "")
	add("io", "node_pressure_io_waiting_seconds_total", "node_pressure_io_stalled_seconds_total")
	add("memory", "node_pressure_memory_waiting_seconds_total", "node_pressure_memory_stalled_seconds_total")
	add("irq", "", "node_pressure_irq_stalled_seconds_total")
	return p
}

func (p *pressure) collect(_ context.Context, out *sample.Set) error {
	var all []error
	found := 0
	for i := range p.files {
		f := &p.files[i]
		text, err := f.read()
		if err = orNothing(err); errors.Is(err, ErrNothing) {
			continue // a kernel without it, or with it switched off
		}
		found++
		if err == nil {
			err = f.parse(text, out)
		}
		all = append(all, err)
	}
	if found == 0 {
		return ErrNothing
	}
	return errors.Join(all...)
}

// parse reads lines "some avg10=0.00 avg60=0.00 avg300=0.00 total=4711", the
// total in microseconds.
func (f *pressureFile) parse(text []byte, out *sample.Set) error {
	for first := range lines(text) {
		kind, first := word(first)
		metric := ""
		switch string(kind) {
		case "some":
			metric = f.some
		case "full":
			metric = f.full
		}
		if metric == "" {
			continue
		}
		_, total, ok := bytes.Cut(first, []byte("total="))
		if !ok {
			return fmt.Errorf("%s: %s has no total", f.path, kind)
		}
		n, err := number(total)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", f.path, kind, err)
		}
		out.Add(metric, float64(n)/1e6)
	}
	return nil
}
