package check

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

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

// onBus is a unit as systemd shows it: all its properties of all interfaces.
type onBus struct{ load, active, sub, result string }

// GetAll is of org.freedesktop.DBus.Properties.
func (u onBus) GetAll(string) (map[string]dbus.Variant, *dbus.Error) {
	return map[string]dbus.Variant{
		"LoadState": dbus.MakeVariant(u.load), "ActiveState": dbus.MakeVariant(u.active),
		"SubState": dbus.MakeVariant(u.sub), "Result": dbus.MakeVariant(u.result),
	}, nil
}

// TestUnitOverTheBus: the check, the real systemctl and a real bus of the
// test's own, on which the test answers as org.freedesktop.systemd1(5) does.
// systemctl sees an empty /run in which systemd seems to have started, so it
// asks this bus and nobody else.
func TestUnitOverTheBus(t *testing.T) {
	systemctl := need.Program(t, "systemctl", "systemd")
	unshare := need.Program(t, "unshare", "util-linux")
	inside := []string{"--user", "--map-root-user", "--mount", "sh", "-c", `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && exec "$@"`, "sh"}
	if out, err := exec.Command(unshare, append(inside, "true")...).CombinedOutput(); err != nil {
		need.Missing(t, fmt.Sprintf("no mount namespace can be made here: %v %s", err, out))
	}
	address := "unix:path=" + dbus.EscapeBusAddressValue(need.Bus(t))
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	rows := []struct {
		name, path string
		unit       onBus
		state      State
		reason     string
	}{
		{"shop", "shop_2eservice", onBus{"loaded", "active", "running", "success"}, Up, ""},
		{"shop-db.service", "shop_2ddb_2eservice", onBus{"loaded", "failed", "failed", "oom-kill"}, Down, "the unit shop-db.service is failed (failed, result oom-kill)"},
		{"backup.timer", "backup_2etimer", onBus{"loaded", "inactive", "dead", "success"}, Down, "the unit backup.timer is inactive (dead)"},
		{"getty@tty1", "getty_40tty1_2eservice", onBus{"loaded", "activating", "start-pre", "success"}, Degraded, "the unit getty@tty1.service is starting (start-pre)"},
		{"gone", "gone_2eservice", onBus{"not-found", "inactive", "dead", "success"}, Unknown, "systemd knows no unit gone.service; correct its name, or install it"},
	}
	for _, row := range rows {
		if err := conn.Export(row.unit, dbus.ObjectPath("/org/freedesktop/systemd1/unit/"+row.path), "org.freedesktop.DBus.Properties"); err != nil {
			t.Fatal(err)
		}
	}
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nexport DBUS_SYSTEM_BUS_ADDRESS='%s'\nset -- %s \"$@\"\nexec %s %s '%s' sh \"$@\"\n",
		address, systemctl, unshare, strings.Join(inside[:5], " "), inside[5])
	if err := os.WriteFile(filepath.Join(bin, "systemctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	if r := probeOnce(t, Spec{Unit: "shop"}); r.State != Unknown || !strings.HasPrefix(r.Reason, "systemd cannot be asked (") {
		t.Errorf("a bus without systemd: got %s %q, want unknown", r.State, r.Reason)
	}
	if _, err := conn.RequestName("org.freedesktop.systemd1", 0); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if r := probeOnce(t, Spec{Unit: row.name}); r.State != row.state || r.Reason != row.reason {
			t.Errorf("%s: got %s %q, want %s %q", row.name, r.State, r.Reason, row.state, row.reason)
		}
	}
}

// TestNoSystemctl: a host without systemd is told what to do instead.
func TestNoSystemctl(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if r := probeOnce(t, Spec{Unit: "shop"}); r.State != Unknown || r.Reason != "there is no systemctl on this host; test the process or a port instead" {
		t.Errorf("got %s %q", r.State, r.Reason)
	}
}
