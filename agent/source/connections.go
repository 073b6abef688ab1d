package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// connections is how many sockets there are of each protocol and what became
// of connections and datagrams; once a minute, as it costs time for each
// socket, in which states the TCP connections are.
type connections struct {
	sockstats []*file
	netstats  []*file
	own       bool     // the host's network is this process's
	tables    []string // of the TCP sockets, IPv4 and IPv6
	wanted    map[string]string
	names     map[string]string // "TCP_inuse" ─▶ metric
	pageSize  float64
	now       func() time.Time
	when      minute
}

func newConnections(r Roots, now func() time.Time) *connections {
	c := &connections{
		own: r.Proc == "/proc", tables: []string{r.net("tcp"), r.net("tcp6")}, wanted: netstatMetrics(),
		names: map[string]string{}, pageSize: float64(os.Getpagesize()), now: now,
	}
	for _, name := range [...]string{"sockstat", "sockstat6"} {
		c.sockstats = append(c.sockstats, &file{path: r.net(name)})
	}
	for _, name := range [...]string{"netstat", "snmp", "snmp6"} {
		c.netstats = append(c.netstats, &file{path: r.net(name)})
	}
	return c
}

func (c *connections) collect(_ context.Context, out *sample.Set) error {
	sockets, found := uint64(0), 0
	each := func(files []*file, parse func(text []byte) error) error {
		for _, f := range files {
			text, err := f.read()
			if errors.Is(orNothing(err), ErrNothing) {
				continue // a host without IPv6 has no *6
			}
			if err != nil {
				return err
			}
			found++
			if err := parse(text); err != nil {
				return fmt.Errorf("%s: %w", f.path, err)
			}
		}
		return nil
	}
	err := each(c.sockstats, func(text []byte) error {
		n, err := c.parseSockstat(text, out)
		sockets += n
		return err
	})
	if err != nil {
		return err
	}
	if err := each(c.netstats, func(text []byte) error { return c.parseNetstat(text, out) }); err != nil {
		return err
	}
	if found == 0 {
		return ErrNothing
	}
	if sockets > maxSockets || !c.when.due(c.now()) {
		return nil
	}
	if err := countStates(c.own, c.tables, out); !errors.Is(err, ErrNothing) {
		return err
	}
	return nil
}

// parseSockstat reads lines "TCP: inuse 110 orphan 0 tw 27 alloc 110 mem 64"
// and returns how many TCP sockets there are, waiting ones too.
func (c *connections) parseSockstat(text []byte, out *sample.Set) (sockets uint64, err error) {
	for first := range lines(text) {
		protocol, values, ok := bytes.Cut(first, []byte{':'})
		if !ok {
			continue
		}
		for {
			var field, digits []byte
			field, values = word(values)
			digits, values = word(values)
			if len(digits) == 0 {
				break
			}
			n, err := number(digits)
			if err != nil {
				return 0, fmt.Errorf("%s %s: %w", shorten(protocol), shorten(field), err)
			}
			out.Add(c.name(protocol, field, ""), float64(n))
			switch string(field) {
			case "mem": // pages
				out.Add(c.name(protocol, field, "_bytes"), float64(n)*c.pageSize)
			case "inuse", "tw":
				if bytes.HasPrefix(protocol, []byte("TCP")) {
					sockets += n
				}
			}
		}
	}
	return sockets, nil
}

// name is the metric of a field of sockstat.
func (c *connections) name(protocol, field []byte, unit string) string {
	var b [96]byte
	key := append(append(append(append(b[:0], protocol...), '_'), field...), unit...)
	if name, ok := c.names[string(key)]; ok {
		return name
	}
	if len(c.names) >= maxFields {
		clear(c.names)
	}
	name := "node_sockstat_" + string(key)
	c.names[string(key)] = name
	return name
}

// parseNetstat reads pairs of lines "Tcp: ActiveOpens PassiveOpens …" and
// "Tcp: 28443 23224 …", and of IPv6 lines "Udp6InDatagrams 4711".
func (c *connections) parseNetstat(text []byte, out *sample.Set) error {
	for {
		first, rest, ok := line(text)
		if !ok {
			return nil
		}
		text = rest
		protocol, fields, ok := bytes.Cut(first, []byte{':'})
		if !ok {
			name, value := word(first)
			if at := bytes.IndexByte(name, '6'); at > 0 {
				digits, _ := word(value)
				if err := c.addNetstat(name[:at+1], name[at+1:], digits, out); err != nil {
					return err
				}
			}
			continue
		}
		second, rest, _ := line(text)
		text = rest
		again, values, _ := bytes.Cut(second, []byte{':'})
		if !bytes.Equal(protocol, again) {
			return fmt.Errorf("the names of %s have no values", shorten(protocol))
		}
		for {
			var field, digits []byte
			field, fields = word(fields)
			digits, values = word(values)
			if len(field) == 0 {
				break
			}
			if err := c.addNetstat(protocol, field, digits, out); err != nil {
				return err
			}
		}
	}
}

func (c *connections) addNetstat(protocol, field, digits []byte, out *sample.Set) error {
	var b [96]byte
	metric := c.wanted[string(append(append(append(b[:0], protocol...), '_'), field...))]
	if metric == "" {
		return nil
	}
	sign := 1.0
	if len(digits) > 0 && digits[0] == '-' { // MaxConn is -1: no bound
		sign, digits = -1, digits[1:]
	}
	n, err := number(digits)
	if err != nil {
		return fmt.Errorf("%s %s: %w", shorten(protocol), shorten(field), err)
	}
	out.Add(metric, sign*float64(n))
	return nil
}

// netstatMetrics are the fields node_exporter reports unless told otherwise,
// and Tcp_MaxConn, which the usual board draws.
func netstatMetrics() map[string]string {
	metrics := map[string]string{}
	for _, key := range [...]string{
		"Icmp_InErrors", "Icmp_InMsgs", "Icmp_OutMsgs", "Icmp6_InErrors", "Icmp6_InMsgs", "Icmp6_OutMsgs",
		"Ip_Forwarding", "Ip6_InOctets", "Ip6_OutOctets", "IpExt_InOctets", "IpExt_OutOctets",
		"Tcp_ActiveOpens", "Tcp_CurrEstab", "Tcp_InErrs", "Tcp_InSegs", "Tcp_MaxConn", "Tcp_OutRsts", "Tcp_OutSegs", "Tcp_PassiveOpens", "Tcp_RetransSegs",
		"TcpExt_ListenDrops", "TcpExt_ListenOverflows", "TcpExt_SyncookiesFailed", "TcpExt_SyncookiesRecv", "TcpExt_SyncookiesSent",
		"TcpExt_TCPOFOQueue", "TcpExt_TCPRcvQDrop", "TcpExt_TCPSynRetrans", "TcpExt_TCPTimeouts",
		"Udp_InDatagrams", "Udp_InErrors", "Udp_NoPorts", "Udp_OutDatagrams", "Udp_RcvbufErrors", "Udp_SndbufErrors",
		"Udp6_InDatagrams", "Udp6_InErrors", "Udp6_NoPorts", "Udp6_OutDatagrams", "Udp6_RcvbufErrors", "Udp6_SndbufErrors",
		"UdpLite_InErrors", "UdpLite6_InErrors",
	} {
		metrics[key] = "node_netstat_" + key
	}
	return metrics
}
