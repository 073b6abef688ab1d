package check

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Echo requests of one test: one lost packet is no outage.
const (
	maxEchoes = 3
	echoEvery = time.Second // at most; a third of the timeout where that is less
)

// echo tests whether a host answers to ping, over the unprivileged ping
// sockets of the system.
type echo struct {
	host     string
	guard    *Guard
	resolver *net.Resolver
}

func newICMP(spec Spec) (prober, error) {
	if strings.ContainsAny(spec.ICMP, "/ ") {
		return nil, fmt.Errorf("%q is not a host", spec.ICMP)
	}
	if _, err := netip.ParseAddr(spec.ICMP); err != nil && strings.Contains(spec.ICMP, ":") {
		return nil, fmt.Errorf("%q is not a host; ping knows no port", spec.ICMP)
	}
	return &echo{host: spec.ICMP, guard: spec.Guard, resolver: &net.Resolver{PreferGo: true}}, nil
}

// protocol is what differs between the two versions of IP.
type protocol struct {
	network, any   string
	number         int // of ICMP in the IP header
	request, reply icmp.Type
}

func protocolOf(to netip.Addr) protocol {
	if to.Is4() {
		return protocol{"udp4", "0.0.0.0", 1, ipv4.ICMPTypeEcho, ipv4.ICMPTypeEchoReply}
	}
	return protocol{"udp6", "::", 58, ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply}
}

// probe sends up to maxEchoes requests and is content with one answer.
func (e *echo) probe(ctx context.Context) Result {
	begin := time.Now()
	to, err := e.resolve(ctx)
	if err != nil {
		return judged(err)
	}
	if err := e.guard.check(to); err != nil {
		return judged(err)
	}
	r := Result{Phases: []Phase{{"resolve", time.Since(begin)}}}
	begin = time.Now()
	p := protocolOf(to)
	conn, err := icmp.ListenPacket(p.network, p.any)
	if err != nil {
		return noPingSocket(err)
	}
	defer func() { _ = conn.Close() }() // only answers were read from it
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	r.Phases = append(r.Phases, Phase{"setup", time.Since(begin)})
	took, err := exchange(ctx, conn, p, to)
	if err != nil {
		failed := judgedEcho(err, to)
		failed.Phases = r.Phases
		return failed
	}
	r.State, r.Phases = Up, append(r.Phases, Phase{"rtt", took})
	return r
}

func (e *echo) resolve(ctx context.Context) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(e.host); err == nil {
		return addr.Unmap(), nil
	}
	all, err := e.resolver.LookupNetIP(ctx, "ip", e.host)
	if err != nil {
		return netip.Addr{}, err
	}
	return all[0].Unmap(), nil // in the order this host prefers; the look-up never answers without one
}

// noPingSocket: whether a host may ping says nothing of the target.
func noPingSocket(err error) Result {
	switch {
	case errors.Is(err, os.ErrPermission):
		return unknown(`ping is not permitted to the agent's group on this host; allow it with sysctl -w net.ipv4.ping_group_range="0 2147483647"`)
	case ownFault(err) != "":
		return unknown("%s", ownFault(err))
	}
	return unknown("this system has no unprivileged ping (%s); test a port with tcp instead", reasonOf(err))
}

// judgedEcho is judged for errors that carry no address.
func judgedEcho(err error, to netip.Addr) Result {
	if isLate(err) {
		if reason := silentGatewayTo(to); reason != "" {
			return unknown("%s", reason)
		}
	}
	return judged(err)
}

// exchange sends requests until one is answered and tells how long that one took.
func exchange(ctx context.Context, conn *icmp.PacketConn, p protocol, to netip.Addr) (time.Duration, error) {
	var token [16]byte         // tells our answers from those of others
	_, _ = rand.Read(token[:]) // never fails
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(maxEchoes * echoEvery)
	}
	every := min(time.Until(end)/maxEchoes, echoEvery)
	var sent [maxEchoes]time.Time
	for seq := range sent {
		m := icmp.Message{Type: p.request, Body: &icmp.Echo{Seq: seq, Data: token[:]}}
		packet, err := m.Marshal(nil)
		if err != nil {
			return 0, fmt.Errorf("make echo request: %w", err)
		}
		sent[seq] = time.Now()
		if _, err := conn.WriteTo(packet, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 0))); err != nil {
			return 0, err
		}
		until := sent[seq].Add(every)
		if seq == maxEchoes-1 || until.After(end) {
			until = end
		}
		got, err := awaitReply(ctx, conn, p, token[:], until)
		if err == nil {
			return time.Since(sent[got]), nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil {
			return 0, errors.Join(ctx.Err(), err)
		}
	}
	return 0, os.ErrDeadlineExceeded
}

// awaitReply waits for the answer to one of our requests and tells which.
func awaitReply(ctx context.Context, conn *icmp.PacketConn, p protocol, token []byte, until time.Time) (int, error) {
	if err := conn.SetReadDeadline(until); err != nil {
		return 0, err
	}
	if ctx.Err() != nil { // ended while the deadline was set
		return 0, ctx.Err()
	}
	buf := make([]byte, 512)
	for {
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			return 0, err
		}
		if seq, ok := replySeq(buf[:n], p, token); ok {
			return seq, nil
		}
	}
}

// replySeq is the number of the request that the packet answers.
func replySeq(packet []byte, p protocol, token []byte) (int, bool) {
	m, err := icmp.ParseMessage(p.number, packet)
	if err != nil || m.Type != p.reply {
		return 0, false
	}
	body, ok := m.Body.(*icmp.Echo)
	if !ok || body.Seq < 0 || body.Seq >= maxEchoes || !bytes.Equal(body.Data, token) {
		return 0, false
	}
	return body.Seq, true
}
