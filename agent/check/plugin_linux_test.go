package check

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/internal/need"
)

func TestPlugin(t *testing.T) {
	rows := []struct {
		name, script string
		state        State
		reason       string
		values       string
	}{
		{"0 is up", "echo 'OK - fine|a=1s;2'; exit 0", Up, "", "a=1s w2"},
		{"1 is degraded", "echo 'WARNING - nearly full|a=90%'; exit 1", Degraded, "WARNING - nearly full", "a=90%"},
		{"2 is down", "echo 'CRITICAL - full'; exit 2", Down, "CRITICAL - full", ""},
		{"3 is unknown", "echo 'UNKNOWN - no permission'; exit 3", Unknown, "UNKNOWN - no permission", ""},
		{"3 without a word", "exit 3", Unknown, "/bin/sh ended with status 3", ""},
		{"a status that is none of a plugin's", "echo oops; exit 4", Unknown, "/bin/sh ended with status 4, which is none of a plugin's (0 to 3): oops", ""},
		{"ended by a signal", "kill -9 $$", Unknown, "/bin/sh was ended by a signal (killed); look for who sent it, often the kernel when memory ran out", ""},
		{"writes without end", "echo 'OK|a=1'; head -c 20000000 /dev/zero; exit 0", Up, "", "a=1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := probeOnce(t, Spec{Plugin: []string{"/bin/sh", "-c", row.script}})
			var values []string
			for _, p := range r.Performance {
				values = append(values, said(p))
			}
			if r.State != row.state || r.Reason != row.reason || strings.Join(values, ", ") != row.values {
				t.Errorf("got %s %q %q; want %s %q %q", r.State, r.Reason, values, row.state, row.reason, row.values)
			}
		})
	}
}

// TestDebianPlugins: those of Debian's package, on the real thing: a server of
// our own, a port nobody listens on, this host's load and disk.
func TestDebianPlugins(t *testing.T) {
	const folder = "/usr/lib/nagios/plugins/"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	t.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, nobody, _ := net.SplitHostPort(closed.Addr().String())
	_ = closed.Close()
	rows := []struct {
		name   string
		argv   []string
		state  State
		values string // labels and units of the performance data
	}{
		{"check_http answers", []string{"check_http", "-H", host, "-p", port}, Up, "time:s size:B"},
		{"check_http, text missing", []string{"check_http", "-H", host, "-p", port, "-s", "bye"}, Down, "time:s size:B"},
		{"check_tcp, nobody listens", []string{"check_tcp", "-H", "127.0.0.1", "-p", nobody}, Down, ""},
		{"check_load, any", []string{"check_load", "-w", "1000,1000,1000", "-c", "2000,2000,2000"}, Up, "load1: load5: load15:"},
		{"check_dummy 1", []string{"check_dummy", "1", "a warning"}, Degraded, ""},
		{"check_dummy 3", []string{"check_dummy", "3", "nobody knows"}, Unknown, ""},
		{"arguments it does not know", []string{"check_http", "--no-such-option"}, Unknown, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.argv[0] = need.Program(t, folder+row.argv[0], "monitoring-plugins-basic")
			r := probeOnce(t, Spec{Plugin: row.argv})
			var values []string
			for _, p := range r.Performance {
				values = append(values, p.Label+":"+p.Unit)
			}
			if r.State != row.state || strings.Join(values, " ") != row.values || r.Unread != 0 {
				t.Errorf("got %s %q, values %q, %d unread; want %s, %q", r.State, r.Reason, values, r.Unread, row.state, row.values)
			}
		})
	}
}

// TestPluginSamples: what a plugin measured is series of its component, those of
// one series next to each other.
func TestPluginSamples(t *testing.T) {
	c := &Check{Spec: Spec{Component: "disk", Name: "plugin", Plugin: []string{"/x"}}}
	_, data, _ := splitOutput("x|a=1B;5;;0;9 b=2")
	all, _ := readPerformance(data, false)
	var set sample.Set
	c.AppendResults([]Result{{State: Up, Performance: all}, {State: Unknown, Performance: all, Unread: 2}}, &set)
	var got []string
	for _, s := range set.Samples() {
		if strings.HasPrefix(s.Name, "plimsoll_plugin") {
			got = append(got, strings.TrimPrefix(s.Name, "plimsoll_plugin_")+" "+strings.Join(s.Labels[4:], "="))
		}
	}
	want := "value label=a=unit=B,value label=a=unit=B,value label=b,value label=b,warning label=a=unit=B,warning label=a=unit=B," +
		"min label=a=unit=B,min label=a=unit=B,max label=a=unit=B,max label=a=unit=B,unread_values ,unread_values "
	if strings.Join(got, ",") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ","), want)
	}
}
