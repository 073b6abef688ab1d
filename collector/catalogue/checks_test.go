package catalogue

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestAssignedTo: each host is given its own checks alone, in the form agents
// read, without what was not said.
func TestAssignedTo(t *testing.T) {
	c, faults := Parse("every-key.yaml", read(t, "testdata/every-key.yaml"))
	if faults != nil {
		t.Fatal(faults)
	}
	rows := map[string]string{
		"probe-a": `{"checks":[` +
			`{"component":"a","check":"login","http":"https://shop.example/login","interval":"15s","timeout":"5s","slow":"2s","server_name":"shop.example",` +
			`"expect":{"status":[200,302],"contains":"welcome","redirects":false}},` +
			`{"component":"b","tls":"shop.example:443","interval":"1m","expect":{"warning":"21d","critical":"3d"}},` +
			`{"component":"b2","dns":"shop.example","type":"A","server":"192.0.2.53","expect":{"answers":["192.0.2.1"]}}]}`,
		"probe-b": `{"checks":[` +
			`{"component":"a","check":"login","http":"https://shop.example/login","interval":"15s","timeout":"5s","slow":"2s","server_name":"shop.example",` +
			`"expect":{"status":[200,302],"contains":"welcome","redirects":false}},` +
			`{"component":"b2","icmp":"shop.example"},{"component":"b","tcp":"shop.example:22","interval":"1m"}]}`,
		"probe-c": `{"checks":[]}`,
		"":        `{"checks":[]}`,
	}
	for host, want := range rows {
		got, err := json.Marshal(c.AssignedTo(host))
		if err != nil || string(got) != want {
			t.Errorf("%q: got\n%s, %v, want\n%s", host, got, err, want)
		}
	}
}

// TestCheckTakesTheComponentsInterval: facts hold as long as the component's
// interval says, so its checks are made that often.
func TestCheckTakesTheComponentsInterval(t *testing.T) {
	c, faults := Parse("c.yaml", []byte(`{components: [{name: a, interval: 30s}], checks: [{component: a, from: [p], tcp: "a:80"}]}`))
	if faults != nil || c.AssignedTo("p").Checks[0].Interval != "30s" {
		t.Errorf("got %+v, %v", c, faults)
	}
}

// TestTooManyChecksOfAHost: one fault for a host, however far it goes beyond.
func TestTooManyChecksOfAHost(t *testing.T) {
	var text strings.Builder
	text.WriteString("components:\n")
	for i := range maxChecksOfHost + 5 {
		fmt.Fprintf(&text, "  - {name: c%d}\n", i)
	}
	text.WriteString("checks:\n")
	for i := range maxChecksOfHost + 5 {
		fmt.Fprintf(&text, "  - {component: c%d, from: [p], tcp: \"a:80\"}\n", i)
	}
	_, faults := Parse("c.yaml", []byte(text.String()))
	if got, want := faults.Error(), "c.yaml:408: checks[200].from[0]: p makes more than 200 checks; let several hosts share them"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
