package check

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestGuard(t *testing.T) {
	private := &Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("169.254.0.0/16")}}
	rows := []struct {
		addr           string
		usual, private bool // permitted without a list, and with one
	}{
		{"192.0.2.1", true, false},
		{"10.1.2.3", true, true},
		{"2001:db8::1", true, false},
		{"127.0.0.1", false, true}, // loopback only where it is listed
		{"127.0.0.2", false, false},
		{"::1", false, false},
		{"169.254.169.254", false, false}, // the metadata of most clouds: not even where it is listed
		{"100.100.100.200", false, false},
		{"168.63.129.16", false, false},
		{"192.0.0.192", false, false},
		{"fd00:ec2::254", false, false},
		{"fe80::1", false, false},
		{"fe80::1%eth0", false, false},
		{"224.0.0.1", false, false},
		{"ff02::1", false, false},
		{"255.255.255.255", false, false},
		{"0.0.0.0", false, false}, // reaches loopback on Linux
		{"::", false, false},
		{"::ffff:169.254.169.254", false, false}, // mapped
		{"::ffff:10.1.2.3", true, true},
		{"::ffff:127.0.0.1", false, true},
		{"64:ff9b::169.254.169.254", false, false}, // NAT64
		{"64:ff9b::10.1.2.3", true, true},
		{"64:ff9b:1::127.0.0.2", false, false},
		{"2002:a9fe:a9fe::1", false, false}, // 6to4 of 169.254.169.254
		{"::169.254.169.254", false, false}, // compatible
	}
	for _, row := range rows {
		addr := netip.MustParseAddr(row.addr)
		if got := (&Guard{}).check(addr) == nil; got != row.usual {
			t.Errorf("%s without a list: permitted %v, want %v", row.addr, got, row.usual)
		}
		if got := private.check(addr) == nil; got != row.private {
			t.Errorf("%s with a list: permitted %v, want %v", row.addr, got, row.private)
		}
		if (*Guard)(nil).check(addr) != nil {
			t.Errorf("%s: denied to the agent's own file", row.addr)
		}
	}
}

// TestGuardedChecks: every kind that may be assigned asks the guard, by name
// and by address, and what it denies is unknown, never down.
func TestGuardedChecks(t *testing.T) {
	web := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	defer web.Close()
	host := strings.TrimPrefix(web.URL, "http://")
	port := host[strings.LastIndex(host, ":"):]
	listed := &Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	rows := map[string]Spec{
		"http":                 {HTTP: web.URL, Guard: &Guard{}},
		"http by name":         {HTTP: "http://localhost" + port, Guard: &Guard{}},
		"http in octal":        {HTTP: "http://[::ffff:127.0.0.1]" + port, Guard: &Guard{}},
		"redirect to metadata": {HTTP: web.URL, Guard: listed},
		"tcp":                  {TCP: host, Guard: &Guard{}},
		"tcp by name":          {TCP: "localhost" + port, Guard: &Guard{}},
		"tls":                  {TLS: host, Guard: &Guard{}},
		"dns server":           {DNS: "shop.example", Lookup: Lookup{Server: host}, Guard: &Guard{}},
		"icmp":                 {ICMP: "127.0.0.1", Guard: &Guard{}},
		"icmp by name":         {ICMP: "localhost", Guard: &Guard{}},
	}
	for name, spec := range rows {
		t.Run(name, func(t *testing.T) {
			spec.Timeout = 5 * time.Second
			r := probeOnce(t, spec)
			if r.State != Unknown || !strings.Contains(r.Reason, "is not an address this host lets the collector test; set assigned.allow") {
				t.Errorf("got %s %q, want unknown by the guard", r.State, r.Reason)
			}
		})
	}
	if r := probeOnce(t, Spec{TCP: host, Guard: listed}); r.State != Up {
		t.Errorf("a listed address: got %s %q, want up", r.State, r.Reason)
	}
}

// TestAssignedRedirects: an assigned check follows fewer redirects.
func TestAssignedRedirects(t *testing.T) {
	hops := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hops++; hops > 4 {
			return
		}
		http.Redirect(w, r, "/", http.StatusFound)
	}))
	defer web.Close()
	if r := probeOnce(t, Spec{HTTP: web.URL}); r.State != Up {
		t.Errorf("4 redirects of the agent's own check: got %s %q", r.State, r.Reason)
	}
	hops = 0
	guard := &Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if r := probeOnce(t, Spec{HTTP: web.URL, Guard: guard}); r.State != Down || r.Reason != "more than 3 redirects" {
		t.Errorf("4 redirects of an assigned check: got %s %q", r.State, r.Reason)
	}
}
