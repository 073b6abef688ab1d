package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// closedPort is a loopback address nobody listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// site is a small web server with a page for each row of the tests.
func site(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "all is well") })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.Handle("/moved", http.RedirectHandler("/ok", http.StatusFound))
	mux.Handle("/round", http.RedirectHandler("/round", http.StatusFound))
	mux.HandleFunc("/never", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestProbe(t *testing.T) {
	base := site(t)
	listener := strings.TrimPrefix(base, "http://")
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = nil
	rows := []struct {
		name   string
		spec   Spec
		state  State
		reason string // a part of it
	}{
		{"port open", Spec{TCP: listener}, Up, ""},
		{"port closed", Spec{TCP: closedPort(t)}, Down, "connection refused"},
		{"page", Spec{HTTP: base + "/ok"}, Up, ""},
		{"page with its text", Spec{HTTP: base + "/ok", Contains: "well"}, Up, ""},
		{"page without the text", Spec{HTTP: base + "/ok", Contains: "better"}, Down, `the answer does not contain "better"`},
		{"error", Spec{HTTP: base + "/broken"}, Down, "answered 500 Internal Server Error"},
		{"error that is expected", Spec{HTTP: base + "/broken", Status: []int{500}}, Up, ""},
		{"no such page", Spec{HTTP: base + "/none"}, Down, "answered 404 Not Found"},
		{"redirect followed", Spec{HTTP: base + "/moved"}, Up, ""},
		{"redirect as the answer", Spec{HTTP: base + "/moved", NoFollow: true, Status: []int{302}}, Up, ""},
		{"redirect for ever", Spec{HTTP: base + "/round"}, Down, "more than 5 redirects"},
		{"no answer", Spec{HTTP: base + "/never", Timeout: 50 * time.Millisecond}, Down, "no answer in time"},
		{"nobody there", Spec{HTTP: "http://" + closedPort(t)}, Down, "connection refused"},
		{"foreign certificate", Spec{HTTP: secure.URL}, Down, "certificate: "},
		{"slow", Spec{HTTP: base + "/ok", Slow: time.Nanosecond}, Degraded, "slower than 1ns"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.spec.Timeout == 0 {
				row.spec.Timeout = 5 * time.Second
			}
			c, err := New(row.spec)
			if err != nil {
				t.Fatal(err)
			}
			r := c.Probe(context.Background())
			if r.State != row.state || !strings.Contains(r.Reason, row.reason) || row.reason == "" && r.Reason != "" {
				t.Errorf("got %s %q, want %s %q", r.State, r.Reason, row.state, row.reason)
			}
			if r.Duration <= 0 || r.At.IsZero() {
				t.Errorf("no time taken: %+v", r)
			}
			if row.state == Up && row.spec.HTTP != "" && len(r.Phases) != 5 {
				t.Errorf("got phases %v, want all five", r.Phases)
			}
		})
	}
}

// TestJudge: what this host cannot do is never the target's fault.
func TestJudge(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	rows := []struct {
		err    error
		state  State
		reason string
	}{
		{dial(syscall.ECONNREFUSED), Down, "connection refused"},
		{dial(syscall.EHOSTUNREACH), Down, "no route to host"},
		{dial(syscall.ENETUNREACH), Unknown, "no route from this host; look at its routes and interfaces"},
		{dial(syscall.EACCES), Unknown, "not permitted on this host; look at its firewall and at the agent's sandbox"},
		{dial(syscall.EMFILE), Unknown, "the agent has no file descriptor left; raise its limit"},
		{dial(syscall.EADDRNOTAVAIL), Unknown, "no local address or port left on this host"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, Down, "no answer in time"},
		{context.DeadlineExceeded, Down, "no answer in time"},
		{context.Canceled, Unknown, "the agent is stopping"},
		{&net.DNSError{Err: "no such host", Name: "shop.example", IsNotFound: true}, Down, "the name shop.example does not exist"},
		{&net.DNSError{Err: "i/o timeout", Name: "shop.example", IsTimeout: true}, Unknown, "the resolver of this host did not answer for shop.example; look at its DNS settings"},
		{&net.DNSError{Err: "server misbehaving", Name: "a.b", IsTemporary: true}, Unknown, "the resolver of this host did not answer for a.b; look at its DNS settings"},
		{errors.New("two\nlines"), Down, "two lines"},
	}
	for _, row := range rows {
		if state, reason := judge(row.err); state != row.state || reason != row.reason {
			t.Errorf("%v: got %s %q, want %s %q", row.err, state, reason, row.state, row.reason)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	rows := []struct {
		spec Spec
		want string
	}{
		{Spec{}, "nothing to test: name one of [http tcp tls dns icmp process unit file script plugin heartbeat]"},
		{Spec{TCP: "localhost"}, `"localhost" is not host:port`},
		{Spec{TCP: ":80"}, `":80" names no host`},
		{Spec{TCP: "localhost:http"}, `"http" is not a port between 1 and 65535`},
		{Spec{TCP: "localhost:0"}, `"0" is not a port between 1 and 65535`},
		{Spec{HTTP: "localhost:80"}, `"localhost:80" is not a URL that begins with http:// or https:// and names a host`},
		{Spec{HTTP: "ftp://localhost"}, `"ftp://localhost" is not a URL that begins with http:// or https:// and names a host`},
		{Spec{HTTP: "http://%zz"}, `"http://%zz" is not a URL`},
		{Spec{TLS: "shop.example"}, `"shop.example" is not host:port`},
		{Spec{DNS: "shop.example", Lookup: Lookup{Type: "ANY"}}, `"ANY" is not a type of record: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT`},
		{Spec{DNS: "shop..example"}, `"shop..example" is not a name that can be asked for`},
		{Spec{DNS: strings.Repeat("a", 64) + ".example"}, `"` + strings.Repeat("a", 64) + `.example" is not a name that can be asked for`},
		{Spec{DNS: "shop.example", Lookup: Lookup{Server: "192.0.2.1:0"}}, `"0" is not a port between 1 and 65535`},
		{Spec{ICMP: "10.0.0.0/8"}, `"10.0.0.0/8" is not a host`},
		{Spec{ICMP: "shop.example:80"}, `"shop.example:80" is not a host; ping knows no port`},
		{Spec{Process: "/usr/bin/shop"}, `"/usr/bin/shop" is a path; give the program's name alone, as ps shows it`},
		{Spec{Unit: "-shop"}, `"-shop" is not the name of a unit`},
		{Spec{Unit: "shop;reboot"}, `"shop;reboot" is not the name of a unit`},
		{Spec{File: "backup.tar"}, `"backup.tar" is not an absolute path`},
		{Spec{File: "/backup/*/db"}, `"/backup/*/db" has a pattern in its directory; only the last element may be one`},
		{Spec{File: "/backup/db[1"}, `"/backup/db[1" is not a pattern: a [ is not closed`},
		{Spec{Script: []string{"sh", "-c", "true"}}, `"sh" is not an absolute path: a program is never looked for in a PATH`},
	}
	for _, row := range rows {
		if _, err := New(row.spec); err == nil || err.Error() != row.want {
			t.Errorf("%+v: got %v, want %s", row.spec, err, row.want)
		}
	}
}

func TestRefusedOn(t *testing.T) {
	rows := []struct{ system, kind, want string }{
		{"linux", "process", ""},
		{"linux", "unit", ""},
		{"windows", "process", "processes are counted in /proc, which windows does not have; test a port of the program by tcp or http, or have a script look for it"},
		{"darwin", "unit", "units are those of systemd, which darwin does not have; test a port of the program by tcp or http, or have a script look for it"},
		{"freebsd", "http", ""},
		{"windows", "script", ""},
	}
	for _, row := range rows {
		got := ""
		if err := refusedOn(row.system, row.kind); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s on %s: got %q, want %q", row.kind, row.system, got, row.want)
		}
	}
}
