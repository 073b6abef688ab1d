package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// processes is how many tasks run, wait and were started, in each collection;
// and once a minute, as it costs time for each process, their states.
type processes struct {
	stat, pidMax, threadsMax file
	table                    *table
	counted                  time.Time // the walk that was reported last
}

func newProcesses(r Roots, t *table) *processes {
	return &processes{
		stat:   file{path: r.Proc + "/stat"},
		pidMax: file{path: r.Proc + "/sys/kernel/pid_max"}, threadsMax: file{path: r.Proc + "/sys/kernel/threads-max"},
		table: t,
	}
}

func (p *processes) collect(ctx context.Context, out *sample.Set) error {
	text, err := p.stat.read()
	if err != nil {
		return err
	}
	if err := parseTasks(text, out); err != nil {
		return err
	}
	list, at, err := p.table.read(ctx)
	if errors.Is(err, ErrNothing) {
		return nil // hidden from the agent, which sees the counts all the same
	}
	if err != nil {
		return err
	}
	if at.Equal(p.counted) {
		return nil
	}
	p.counted = at
	addStates(list, out)
	for _, limit := range [...]struct {
		file   *file
		metric string
	}{{&p.pidMax, "node_processes_max_processes"}, {&p.threadsMax, "node_processes_max_threads"}} {
		text, err := limit.file.read()
		if errors.Is(orNothing(err), ErrNothing) {
			continue // hidden from a container
		}
		if err != nil {
			return err
		}
		n, err := number(bytes.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("%s: %w", limit.file.path, err)
		}
		out.Add(limit.metric, float64(n))
	}
	return nil
}

// parseTasks reads "intr 12447 0 …", "ctxt 512", "processes 401",
// "procs_running 3" and "procs_blocked 0" of /proc/stat.
func parseTasks(text []byte, out *sample.Set) error {
	found := 0
	for first := range lines(text) {
		if bytes.HasPrefix(first, []byte("cpu")) {
			continue
		}
		key, first := word(first)
		metric := ""
		switch string(key) {
		case "intr":
			metric = "node_intr_total"
		case "ctxt":
			metric = "node_context_switches_total"
		case "processes":
			metric = "node_forks_total"
		case "procs_running":
			metric = "node_procs_running"
		case "procs_blocked":
			metric = "node_procs_blocked"
		default:
			continue
		}
		digits, _ := word(first)
		n, err := number(digits)
		if err != nil {
			return fmt.Errorf("stat: %s: %w", key, err)
		}
		out.Add(metric, float64(n))
		found++
	}
	if found == 0 {
		return errors.New("stat: no count of tasks in it")
	}
	return nil
}

// states are the letters of process states, proc_pid_stat(5), as labels.
func states() [8]string { return [...]string{"D", "I", "R", "S", "T", "Z", "t", "other"} }

func addStates(list []process, out *sample.Set) {
	names := states()
	var counts [len(names)]int
	threads := 0
	for i := range list {
		threads += list[i].threads
		at := len(names) - 1
		for j, name := range names[:at] {
			if name[0] == list[i].state {
				at = j
			}
		}
		counts[at]++
	}
	for i, name := range names {
		// All that exist even at 0, so that a zombie that is gone is seen to be gone.
		if name != "other" || counts[i] > 0 {
			out.Add("node_processes_state", float64(counts[i]), "state", name)
		}
	}
	out.Add("node_processes_pids", float64(len(list)))
	out.Add("node_processes_threads", float64(threads))
}
