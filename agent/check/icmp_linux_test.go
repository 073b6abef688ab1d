package check

import (
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plimsoll/plimsoll/internal/need"
)

// inNetwork runs f on a thread in a network of its own, with loopback up and
// ping permitted to a range of groups.
func inNetwork(t *testing.T, groups string, f func()) {
	t.Helper()
	need.Root(t, "make a network namespace")
	done := make(chan string)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		why := func() string {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return "make a network namespace: " + err.Error()
			}
			if err := loopbackUp(); err != nil {
				return "bring loopback up: " + err.Error()
			}
			if err := os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte(groups), 0); err != nil {
				return "set ping_group_range: " + err.Error()
			}
			return ""
		}()
		if why == "" {
			f()
		}
		done <- why
	}()
	if why := <-done; why != "" {
		need.Missing(t, why)
	}
}

func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr)
}

func TestICMP(t *testing.T) {
	rows := []struct {
		name, host string
		groups     string
		state      State
		reason     string // a part of it
	}{
		{"IPv4", "127.0.0.1", "0 2147483647", Up, ""},
		{"IPv6", "::1", "0 2147483647", Up, ""},
		{"mapped", "::ffff:127.0.0.1", "0 2147483647", Up, ""},
		{"not permitted, IPv4", "127.0.0.1", "1 0", Unknown, `allow it with sysctl -w net.ipv4.ping_group_range="0 2147483647"`},
		{"not permitted, IPv6", "::1", "1 0", Unknown, `allow it with sysctl -w net.ipv4.ping_group_range="0 2147483647"`},
		{"no route", "192.0.2.1", "0 2147483647", Unknown, "no route from this host"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			inNetwork(t, row.groups, func() {
				r := probeOnce(t, Spec{ICMP: row.host, Timeout: time.Second})
				if r.State != row.state || !strings.Contains(r.Reason, row.reason) || row.reason == "" && r.Reason != "" {
					t.Errorf("got %s %q, want %s %q", r.State, r.Reason, row.state, row.reason)
				}
				if row.state == Up && (len(r.Phases) != 3 || r.Phases[2].Took <= 0 || r.Phases[2].Took > r.Duration) {
					t.Errorf("phases %v, want resolve, setup and a round trip below %s", r.Phases, r.Duration)
				}
			})
		})
	}
}

// TestICMPNoAnswer: a host that drops pings is down after all requests.
func TestICMPNoAnswer(t *testing.T) {
	inNetwork(t, "0 2147483647", func() {
		if err := os.WriteFile("/proc/sys/net/ipv4/icmp_echo_ignore_all", []byte("1"), 0); err != nil {
			t.Error(err)
			return
		}
		r := probeOnce(t, Spec{ICMP: "127.0.0.1", Timeout: 300 * time.Millisecond})
		if r.State != Down || r.Reason != "no answer in time" || r.Duration < 250*time.Millisecond {
			t.Errorf("got %s %q after %s", r.State, r.Reason, r.Duration)
		}
	})
}

// TestReplySeq: only the answer to our own request counts.
func TestReplySeq(t *testing.T) {
	token := []byte("0123456789abcdef")
	p := protocolOf(netip.MustParseAddr("127.0.0.1"))
	reply := func(kind, code byte, seq byte, data string) []byte {
		return append([]byte{kind, code, 0, 0, 0, 7, 0, seq}, data...)
	}
	rows := []struct {
		name   string
		packet []byte
		seq    int
		ok     bool
	}{
		{"the answer to the second", reply(0, 0, 1, string(token)), 1, true},
		{"a request", reply(8, 0, 1, string(token)), 0, false},
		{"another's", reply(0, 0, 1, "fedcba9876543210"), 0, false},
		{"a number we never sent", reply(0, 0, 9, string(token)), 0, false},
		{"cut", reply(0, 0, 1, "")[:5], 0, false},
		{"nothing", nil, 0, false},
	}
	for _, row := range rows {
		if seq, ok := replySeq(row.packet, p, token); seq != row.seq || ok != row.ok {
			t.Errorf("%s: got %d %v, want %d %v", row.name, seq, ok, row.seq, row.ok)
		}
	}
}

func FuzzReplySeq(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 7, 0, 1, 'x'}, true)
	f.Add([]byte{129, 0, 0, 0, 0, 7, 0, 1, 'x'}, false)
	f.Fuzz(func(t *testing.T, packet []byte, four bool) {
		host := "::1"
		if four {
			host = "127.0.0.1"
		}
		if seq, ok := replySeq(packet, protocolOf(netip.MustParseAddr(host)), []byte("x")); ok && (seq < 0 || seq >= maxEchoes) {
			t.Errorf("number %d", seq)
		}
	})
}
