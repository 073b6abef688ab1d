package check

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// recordTypes are the types of record that can be asked for.
func recordTypes() map[string]dnsmessage.Type {
	return map[string]dnsmessage.Type{
		"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "CNAME": dnsmessage.TypeCNAME, "MX": dnsmessage.TypeMX, "NS": dnsmessage.TypeNS,
		"PTR": dnsmessage.TypePTR, "SOA": dnsmessage.TypeSOA, "SRV": dnsmessage.TypeSRV, "TXT": dnsmessage.TypeTXT,
	}
}

// resolverFile is where this host names its resolvers.
const resolverFile = "/etc/resolv.conf"

// lookup tests whether a name server knows a name and answers as it should.
// The question goes to the server itself, past the host's own resolver, so
// that the answer is the server's and not a cache's.
type lookup struct {
	question  dnsmessage.Question
	kind      string
	server    string // host:port; empty: the first resolver of this host
	resolvers string // file that names them
	wanted    []string
	dialer    net.Dialer
}

func newDNS(spec Spec) (prober, error) {
	kind := spec.Lookup.Type
	if kind == "" {
		kind = "A"
	}
	code, ok := recordTypes()[kind]
	if !ok {
		return nil, fmt.Errorf("%q is not a type of record: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT", kind)
	}
	name, err := dnsmessage.NewName(strings.TrimSuffix(spec.DNS, ".") + ".")
	if err == nil {
		// Only packing looks at the labels.
		_, err = (&dnsmessage.Message{Questions: []dnsmessage.Question{{Name: name, Type: code, Class: dnsmessage.ClassINET}}}).Pack()
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not a name that can be asked for", spec.DNS)
	}
	server := spec.Lookup.Server
	if server != "" {
		if server, err = withPort(server, "53"); err != nil {
			return nil, err
		}
	}
	d := dialer(spec.Guard)
	if server == "" {
		d = dialer(nil) // this host asks its own resolver all day
	}
	return &lookup{question: dnsmessage.Question{Name: name, Type: code, Class: dnsmessage.ClassINET}, kind: kind,
		server: server, resolvers: resolverFile, wanted: spec.Lookup.Answers, dialer: d}, nil
}

// withPort adds the port to a host that names none.
func withPort(server, port string) (string, error) {
	if net.ParseIP(server) != nil || !strings.Contains(server, ":") {
		server = net.JoinHostPort(server, port)
	}
	if _, err := splitTarget(server); err != nil {
		return "", err
	}
	return server, nil
}

// probe asks once; over UDP, again while time is left, because a datagram may
// be lost, and over TCP when the answer says that it was cut.
func (l *lookup) probe(ctx context.Context) Result {
	server := l.server
	if server == "" {
		text, err := os.ReadFile(l.resolvers)
		if server = firstResolver(text); err != nil || server == "" {
			return unknown("no resolver is named in %s; name one there, or as server: of the check", l.resolvers)
		}
	}
	got, err := l.ask(ctx, "udp", server)
	if err == nil && got.truncated {
		got, err = l.ask(ctx, "tcp", server)
	}
	switch {
	case err != nil && l.server == "":
		return unknown("the resolver of this host, %s, did not answer; look at its DNS settings", server)
	case err != nil:
		return judged(err)
	}
	return l.verdict(got)
}

// verdict compares an answer with what is expected.
func (l *lookup) verdict(got answer) Result {
	if got.code != dnsmessage.RCodeSuccess {
		return down("answered %s", rcode(got.code))
	}
	if len(got.records) == 0 {
		return down("answered without a record of type %s", l.kind)
	}
	var lacking []string
	for _, w := range l.wanted {
		if !slices.ContainsFunc(got.records, func(r string) bool { return sameRecord(r, w) }) {
			lacking = append(lacking, w)
		}
	}
	if len(lacking) > 0 {
		return down("the answer lacks %s: it is %s", strings.Join(lacking, ", "), strings.Join(got.records, ", "))
	}
	return Result{State: Up}
}

// sameRecord compares as name servers do: without case and final dot.
func sameRecord(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// rcode is the response code by its usual name.
func rcode(code dnsmessage.RCode) string {
	names := map[dnsmessage.RCode]string{1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
	if name, ok := names[code]; ok {
		return name
	}
	return fmt.Sprintf("with the code %d", code)
}

// firstResolver is the first name server in the text of resolv.conf, "" without one.
func firstResolver(text []byte) string {
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0] == "nameserver" {
			return net.JoinHostPort(f[1], "53")
		}
	}
	return ""
}

// maxDatagram is the answer we say we take over UDP, in bytes: it fits into
// one packet everywhere.
const maxDatagram = 1232

// ask puts the question to the server once (tcp) or until it answers (udp).
func (l *lookup) ask(ctx context.Context, network, server string) (answer, error) {
	id := uint16(rand.Uint32()) // tells answers apart; the port is random too
	query, err := l.query(id)
	if err != nil {
		return answer{}, err
	}
	conn, err := l.dialer.DialContext(ctx, network, server)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = conn.Close() }() // all that was asked is read
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(time.Minute)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if network == "tcp" {
		if err := conn.SetDeadline(end); err != nil {
			return answer{}, err
		}
		return l.askStream(conn, id, query)
	}
	again := min(time.Until(end)/3, 2*time.Second)
	for {
		until := time.Now().Add(again)
		if until.After(end) {
			until = end
		}
		if err := conn.SetDeadline(until); err != nil {
			return answer{}, err
		}
		if ctx.Err() != nil { // ended while the deadline was set
			return answer{}, ctx.Err()
		}
		got, err := l.askDatagram(conn, id, query)
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil || !until.Before(end) {
			return got, err
		}
	}
}

func (l *lookup) query(id uint16) ([]byte, error) {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{l.question},
	}
	var edns dnsmessage.ResourceHeader
	if err := edns.SetEDNS0(maxDatagram, 0, false); err != nil {
		return nil, fmt.Errorf("make query: %w", err)
	}
	m.Additionals = []dnsmessage.Resource{{Header: edns, Body: &dnsmessage.OPTResource{}}}
	return m.Pack()
}

func (l *lookup) askDatagram(conn net.Conn, id uint16, query []byte) (answer, error) {
	if _, err := conn.Write(query); err != nil {
		return answer{}, err
	}
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return answer{}, err
		}
		got, err := readAnswer(buf[:n], id, l.question)
		if errors.Is(err, errNotOurs) {
			continue // late, or forged
		}
		return got, err
	}
}

// askStream speaks DNS over TCP: each message behind its length.
func (l *lookup) askStream(conn net.Conn, id uint16, query []byte) (answer, error) {
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	if _, err := conn.Write(framed); err != nil {
		return answer{}, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	msg := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, msg); err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	return readAnswer(msg, id, l.question)
}
