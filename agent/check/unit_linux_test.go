package check

import (
	"strings"
	"testing"

	"github.com/plimsoll/plimsoll/internal/need"
)

func TestUnitState(t *testing.T) {
	// As systemctl show prints it.
	rows := []struct {
		text, reason string
		state        State
	}{
		{"Result=success\nLoadState=loaded\nActiveState=active\nSubState=running\n", "", Up},
		{"Result=success\nLoadState=loaded\nActiveState=active\nSubState=exited\n", "", Up},
		{"Result=success\nLoadState=loaded\nActiveState=reloading\nSubState=reload\n", "", Up},
		{"Result=success\nLoadState=loaded\nActiveState=activating\nSubState=start-pre\n", "the unit shop.service is starting (start-pre)", Degraded},
		{"Result=exit-code\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\n", "the unit shop.service is activating (auto-restart, result exit-code)", Down},
		{"Result=oom-kill\nLoadState=loaded\nActiveState=failed\nSubState=failed\n", "the unit shop.service is failed (failed, result oom-kill)", Down},
		{"Result=success\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n", "the unit shop.service is inactive (dead)", Down},
		{"Result=success\nLoadState=masked\nActiveState=inactive\nSubState=dead\n", "the unit shop.service is inactive (dead)", Down},
		{"Result=success\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n", "systemd knows no unit shop.service; correct its name, or install it", Unknown},
		{"", `systemd says nothing of the unit shop.service; see "systemctl status shop.service"`, Unknown},
	}
	for _, row := range rows {
		if r := unitState("shop.service", row.text); r.State != row.state || r.Reason != row.reason {
			t.Errorf("%q: got %s %q, want %s %q", row.text, r.State, r.Reason, row.state, row.reason)
		}
	}
}

// TestUnit asks the real systemctl: where systemd runs it knows the unit, and
// where it does not, nothing is known.
func TestUnit(t *testing.T) {
	need.Program(t, "systemctl", "systemd")
	r := probeOnce(t, Spec{Unit: "no-such-unit-of-plimsoll"})
	knows, cannot := "systemd knows no unit no-such-unit-of-plimsoll.service", "systemd cannot be asked ("
	if r.State != Unknown || !strings.HasPrefix(r.Reason, knows) && !strings.HasPrefix(r.Reason, cannot) {
		t.Errorf("got %s %q, want unknown %q or %q", r.State, r.Reason, knows, cannot)
	}
}

// TestNoSystemctl: a host without systemd is told what to do instead.
func TestNoSystemctl(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if r := probeOnce(t, Spec{Unit: "shop"}); r.State != Unknown || r.Reason != "there is no systemctl on this host; test the process or a port instead" {
		t.Errorf("got %s %q", r.State, r.Reason)
	}
}
