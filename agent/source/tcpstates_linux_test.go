package source

import (
	"net"
	"testing"
)

// TestStatesOfThisHost: a listening socket and both ends of a connection more
// are seen by the kernel's dump and by the text of /proc alike.
func TestStatesOfThisHost(t *testing.T) {
	ways := map[string]func([]int) error{
		"sock_diag":     dumpStates,
		"/proc/net/tcp": func(counts []int) error { return readTables([]string{"/proc/net/tcp", "/proc/net/tcp6"}, counts) },
	}
	const sockets = 20
	for name, count := range ways {
		var before, after [11]int
		if err := count(before[:]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		for range sockets {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
		}
		if err := count(after[:]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = l.Close()
		// Others on this machine come and go: more than half must be seen.
		if got := after[0] - before[0]; got < sockets {
			t.Errorf("%s: %d more connections established, want about %d", name, got, 2*sockets)
		}
		if after[9] == 0 {
			t.Errorf("%s: nothing listens", name)
		}
	}
}

// FuzzDiag: no answer of a kernel makes the reader panic or go on for ever.
func FuzzDiag(f *testing.F) {
	f.Add([]byte("\x14\x00\x00\x00\x14\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x0a\x00\x00"))
	f.Add([]byte("\x14\x00\x00\x00\x03\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x14\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var counts [11]int
		_, _ = readDiag(data, counts[:])
		sum := 0
		for _, n := range counts {
			sum += n
		}
		if sum > len(data)/netlinkHeader {
			t.Errorf("%d sockets in %d bytes", sum, len(data))
		}
	})
}
