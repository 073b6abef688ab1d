package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// maxSockets is the number of TCP sockets above which their states are not
// counted: each costs a line of 150 bytes.
const maxSockets = 20_000

// tcpStates are the kernel's numbers of states, 1 to 11, by the names of
// node_exporter's label.
func tcpStates() [11]string {
	return [...]string{"established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close", "close_wait", "last_ack", "listen", "closing"}
}

// countStates adds how many TCP sockets are in each state: of this process's
// own network if own, else, or where the kernel does not say, of the tables.
func countStates(own bool, tables []string, out *sample.Set) error {
	names := tcpStates()
	var counts [len(names)]int
	if !own || dumpStates(counts[:]) != nil {
		counts = [len(names)]int{}
		if err := readTables(tables, counts[:]); err != nil {
			return orNothing(err)
		}
	}
	for i, name := range names {
		out.Add("node_tcp_connection_states", float64(counts[i]), "state", name)
	}
	return nil
}

func readTables(tables []string, counts []int) error {
	found := false
	for _, path := range tables {
		f, err := os.Open(path)
		if errors.Is(orNothing(err), ErrNothing) {
			continue // a host without IPv6
		}
		if err != nil {
			return err
		}
		found = true
		err = readStates(f, counts)
		_ = f.Close() // only read from
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if !found {
		return ErrNothing
	}
	return nil
}

// readStates counts the lines " 0: 0100007F:1F90 00000000:0000 0A …" behind
// one line of headings, in bounded memory.
func readStates(r io.Reader, counts []int) error {
	var buf [16 << 10]byte
	kept, heading := 0, true
	for {
		n, err := r.Read(buf[kept:])
		text := buf[:kept+n]
		for {
			end := bytes.IndexByte(text, '\n')
			if end < 0 {
				break
			}
			if !heading {
				state, err := tcpState(text[:end], len(counts))
				if err != nil {
					return err
				}
				counts[state-1]++
			}
			heading, text = false, text[end+1:]
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if kept = copy(buf[:], text); kept == len(buf) {
			return errors.New("a line without an end")
		}
	}
}

// tcpState is the fourth word of a line, two hexadecimal digits from 1 to most.
func tcpState(line []byte, most int) (int, error) {
	var w []byte
	for range 4 {
		w, line = word(line)
	}
	if len(w) == 2 && w[0] == '0' {
		if at := bytes.IndexByte([]byte("0123456789ABCDEF"), w[1]); at >= 1 && at <= most {
			return at, nil
		}
		if w[1] == 'C' {
			return 3, nil // NEW_SYN_RECV is shown as what it becomes
		}
	}
	return 0, fmt.Errorf("%q is not a state", shorten(w))
}
