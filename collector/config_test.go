package collector

import (
	"os"
	"testing"
)

// FuzzParseConfig: no text makes the reader fall over, and what it accepts has
// two addresses and a retention.
func FuzzParseConfig(f *testing.F) {
	shipped, err := os.ReadFile("../configs/collector.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shipped)
	for _, seed := range []string{"", "data: /d", "listen: 127.0.0.1:1\nlisten_agents: :2", "retention: 90d", "retention: -1s", "listen: [a, b]",
		"unknown: 1", "tls: {}", "data: &a [*a]", "retention: 99999999999999d", "\xff\xfe"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		config, faults := ParseConfig("collector.yaml", text)
		if len(faults) == 0 && (config.Listen == "" || config.ListenAgents == "" || config.Retention <= 0) {
			t.Errorf("accepted %q as %+v", text, config)
		}
		_ = faults.Error()
	})
}
