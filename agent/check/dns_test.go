package check

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// zone answers questions by name; each row of the tests has a name of its own.
func zone(q dnsmessage.Question, over string) []dnsmessage.Message {
	name := strings.TrimSuffix(q.Name.String(), ".")
	answer := dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Questions: []dnsmessage.Question{q}}
	add := func(body dnsmessage.ResourceBody, kind dnsmessage.Type) {
		answer.Answers = append(answer.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: kind, Class: dnsmessage.ClassINET, TTL: 60}, Body: body})
	}
	a := &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}
	switch name {
	case "shop.example":
		add(&dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("web.example.")}, dnsmessage.TypeCNAME)
		add(a, dnsmessage.TypeA)
		add(&dnsmessage.AResource{A: [4]byte{192, 0, 2, 2}}, dnsmessage.TypeA)
	case "mail.example":
		add(&dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName("MX.example.")}, dnsmessage.TypeMX)
	case "text.example":
		add(&dnsmessage.TXTResource{TXT: []string{"v=spf1 ", "-all\x1b[31m"}}, dnsmessage.TypeTXT)
	case "empty.example":
	case "none.example":
		answer.RCode = dnsmessage.RCodeNameError
	case "broken.example":
		answer.RCode = dnsmessage.RCodeServerFailure
	case "large.example":
		if answer.Truncated = over == "udp"; !answer.Truncated {
			add(a, dnsmessage.TypeA)
		}
	case "forged.example": // first a datagram with another id and one for another question, then the answer
		forged, other := answer, answer
		forged.ID = 1 // is added to the right one
		other.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("x.example."), Type: q.Type, Class: q.Class}}
		add(a, dnsmessage.TypeA)
		return []dnsmessage.Message{forged, other, answer}
	case "silent.example":
		return nil
	}
	return []dnsmessage.Message{answer}
}

// nameServer serves zone over UDP and TCP on the same port; the first
// datagram of "lossy.example" is lost.
func nameServer(t *testing.T) string {
	t.Helper()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	tcp, err := net.Listen("tcp", udp.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close() })
	reply := func(query []byte, over string) (out [][]byte) {
		var m dnsmessage.Message
		if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
			return nil
		}
		for _, answer := range zone(m.Questions[0], over) {
			answer.ID += m.ID
			packed, err := answer.Pack()
			if err != nil {
				t.Error(err)
			}
			out = append(out, packed)
		}
		return out
	}
	go func() {
		buf, lost := make([]byte, 4096), false
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			if strings.Contains(string(buf[:n]), "lossy") && !lost {
				lost = true
				continue
			}
			for _, m := range reply(buf[:n], "udp") {
				udp.WriteTo(m, from)
			}
		}
	}()
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			var size [2]byte
			io.ReadFull(c, size[:])
			query := make([]byte, binary.BigEndian.Uint16(size[:]))
			io.ReadFull(c, query)
			for _, m := range reply(query, "tcp") {
				c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
			}
			c.Close()
		}
	}()
	return udp.LocalAddr().String()
}

func TestDNS(t *testing.T) {
	server := nameServer(t)
	nobody, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := nobody.LocalAddr().String()
	nobody.Close()
	rows := []struct {
		name   string
		ask    string
		lookup Lookup
		state  State
		reason string // a part of it
	}{
		{"answered", "shop.example", Lookup{}, Up, ""},
		{"final dot", "shop.example.", Lookup{Type: "A"}, Up, ""},
		{"expected answers", "shop.example", Lookup{Answers: []string{"192.0.2.2", "192.0.2.1"}}, Up, ""},
		{"another answer", "shop.example", Lookup{Answers: []string{"192.0.2.1", "192.0.2.9"}}, Down, "the answer lacks 192.0.2.9: it is 192.0.2.1, 192.0.2.2"},
		{"mail, without case and dot", "mail.example", Lookup{Type: "MX", Answers: []string{"10 mx.example."}}, Up, ""},
		{"alias asked for", "shop.example", Lookup{Type: "CNAME", Answers: []string{"web.example"}}, Up, ""},
		{"text that steers a terminal", "text.example", Lookup{Type: "TXT", Answers: []string{"v=spf1 ~all"}}, Down, "the answer lacks v=spf1 ~all: it is v=spf1 -all [31m"},
		{"no record of the type", "empty.example", Lookup{Type: "AAAA"}, Down, "answered without a record of type AAAA"},
		{"no such name", "none.example", Lookup{}, Down, "answered NXDOMAIN"},
		{"server in trouble", "broken.example", Lookup{}, Down, "answered SERVFAIL"},
		{"too long for a datagram", "large.example", Lookup{Answers: []string{"192.0.2.1"}}, Up, ""},
		{"forged answers first", "forged.example", Lookup{Answers: []string{"192.0.2.1"}}, Up, ""},
		{"silent", "silent.example", Lookup{}, Down, "no answer in time"},
		{"nobody there", "shop.example", Lookup{Server: closed}, Down, "connection refused"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.lookup.Server == "" {
				row.lookup.Server = server
			}
			r := probeOnce(t, Spec{DNS: row.ask, Lookup: row.lookup, Timeout: 500 * time.Millisecond})
			if r.State != row.state || !strings.Contains(r.Reason, row.reason) || row.reason == "" && r.Reason != "" {
				t.Errorf("got %s %q, want %s %q", r.State, r.Reason, row.state, row.reason)
			}
		})
	}
}

// TestDNSAsksAgain: a lost datagram is no outage.
func TestDNSAsksAgain(t *testing.T) {
	r := probeOnce(t, Spec{DNS: "lossy.example", Lookup: Lookup{Server: nameServer(t)}, Timeout: 900 * time.Millisecond})
	if r.State != Down || r.Reason != "answered without a record of type A" || r.Duration < 250*time.Millisecond {
		t.Errorf("got %s %q after %s, want the second datagram's answer", r.State, r.Reason, r.Duration)
	}
}

// TestOwnResolver: when this host's own resolver is silent or not named,
// nothing is known of the name.
func TestOwnResolver(t *testing.T) {
	made, err := newDNS(Spec{DNS: "shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	l := made.(*lookup)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	for text, want := range map[string]string{
		"":                                     "no resolver is named in",
		"options rotate\nnameserver 127.0.0.9": "the resolver of this host, 127.0.0.9:53, did not answer; look at its DNS settings",
	} {
		l.resolvers = filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(l.resolvers, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := l.probe(ctx); r.State != Unknown || !strings.Contains(r.Reason, want) {
			t.Errorf("%q: got %s %q, want unknown %q", text, r.State, r.Reason, want)
		}
	}
}

// FuzzReadAnswer: whatever a datagram holds, it is no answer or one that can
// be judged, with a reason a note can carry.
func FuzzReadAnswer(f *testing.F) {
	q := dnsmessage.Question{Name: dnsmessage.MustNewName("shop.example."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
	for _, name := range []string{"shop.example.", "mail.example.", "text.example.", "none.example.", "large.example."} {
		for _, kind := range recordTypes() {
			asked := dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}
			for _, m := range zone(asked, "udp") {
				m.Questions = []dnsmessage.Question{q}
				packed, err := m.Pack()
				if err != nil {
					f.Fatal(err)
				}
				f.Add(packed)
			}
		}
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		got, err := readAnswer(msg, 0, q)
		if err != nil && !reflect.DeepEqual(got, answer{}) {
			t.Errorf("an error and an answer: %v, %+v", err, got)
		}
		l := lookup{kind: "A", wanted: []string{"192.0.2.1"}}
		r := l.verdict(got)
		if len(r.Reason) > maxReason || strings.ContainsFunc(r.Reason, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			t.Errorf("a reason no note can carry: %q", r.Reason)
		}
		if r.State == Up && len(got.records) == 0 {
			t.Errorf("up without a record: %+v", got)
		}
	})
}
