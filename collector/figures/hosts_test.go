package figures

import (
	"testing"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/ledger"
)

func TestHostStates(t *testing.T) {
	up, down, unknown := StateSince{availability.Up, 1}, StateSince{availability.Down, 2}, StateSince{}
	states := States{Components: map[string]StateSince{
		"web-1": up, "node/a": down, "db/a": up, "k8s/pods/b": up,
		"web/https://shop/": down, "probe/web/https://shop/": up, "web/c": up, "probe/web/c": unknown,
	}}.Hosts()
	for _, row := range []struct {
		instance, sender, component string
		why                         string
	}{
		{"web-1", "", "web-1", "an enrolled host speaks for itself"},
		{"a", "prom", "node/a", "of two jobs the worse"},
		{"b", "prom", "k8s/pods/b", "a job may have slashes"},
		{"https://shop/", "prom", "probe/web/https://shop/", "the probe knows, its exporter does not"},
		{"c", "prom", "web/c", "a probe that knows nothing"},
		{"d", "prom", "", "never seen"},
	} {
		if got := states.Component(&ledger.Host{Instance: row.instance, Sender: row.sender}); got != row.component {
			t.Errorf("%s: %s: got %q, want %q", row.instance, row.why, got, row.component)
		}
	}
}
