package rules

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/plimsoll/plimsoll/agent"
	"github.com/plimsoll/plimsoll/collector/catalogue"
)

// TestWhatACatalogueAssignsAnAgentTakes: neither side imports the other, so
// this holds their two lists of faults together. What the collector sends is
// written as the checks of an agent's own file are.
func TestWhatACatalogueAssignsAnAgentTakes(t *testing.T) {
	rows := []struct {
		check string
		good  bool
	}{
		{`http: "https://shop.example/a?b=<c>", check: login, interval: 15s, timeout: 5s, slow: 2s, server_name: b, expect: {status: 200, contains: "a\"b", redirects: false}`, true},
		{`http: "http://[2001:db8::1]:8080"`, true},
		{`tcp: "[2001:db8::1]:22", timeout: 15s`, true},
		{`tls: "shop.example:443", expect: {warning: 0, critical: 0}`, true},
		{`tls: "shop.example:443", expect: {warning: 21d, critical: 21d}`, true},
		{`dns: shop.example., type: SRV, server: "2001:db8::53"`, true},
		{`dns: shop.example, server: "ns.example:5353", expect: {answers: [192.0.2.1, 192.0.2.2]}`, true},
		{`icmp: "2001:db8::1", interval: 1s, timeout: 500ms`, true},
		{`http: shop.example`, false},
		{`http: "ftp://shop.example/"`, false},
		{`tcp: "shop.example:http"`, false},
		{`tcp: "shop.example:65536"`, false},
		{`tls: ":443"`, false},
		{`dns: "shop..example"`, false},
		{`dns: shop.example, type: axfr`, false},
		{`dns: shop.example, server: "ns.example:0"`, false},
		{`icmp: "10.0.0.0/8"`, false},
		{`icmp: "shop.example:7"`, false},
		{`tcp: "a:1", interval: 2h`, false},
		{`tcp: "a:1", timeout: 16s`, false},
		{`tcp: "a:1", slow: 5s`, false},
		{`tcp: "a:1", expect: {status: 200}`, false},
		{`http: "http://a", expect: {status: 600}`, false},
		{`tls: "a:1", expect: {warning: 1d, critical: 2d}`, false},
		{`tcp: "a:1", icmp: a`, false},
	}
	for _, row := range rows {
		// An agent of its own file would refuse the wrong ones as well.
		_, own := agent.Parse("agent.yaml", fmt.Appendf(nil, "checks: [{component: a, %s}]", row.check))
		parsed, faults := catalogue.Parse("catalogue.yaml", fmt.Appendf(nil, "components: [{name: a, interval: 15s}]\nchecks: [{component: a, from: [p], %s}]", row.check))
		if (len(faults) == 0) != row.good || (len(own) == 0) != row.good {
			t.Errorf("%s: want good %v; the collector says %v, the agent %v", row.check, row.good, faults, own)
			continue
		}
		if !row.good {
			continue
		}
		sent, err := json.Marshal(parsed.AssignedTo("p"))
		if err != nil {
			t.Fatal(err)
		}
		if _, faults := agent.Parse("assigned", sent); len(faults) > 0 {
			t.Errorf("%s is sent as %s, which an agent refuses: %v", row.check, sent, faults)
		}
	}
}
