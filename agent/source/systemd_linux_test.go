package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/internal/need"
)

// standIn answers on the bus as systemd does.
type standIn struct {
	rows  []row
	state atomic.Value // a string; none: running
}

// row is a unit as ListUnits has it, org.freedesktop.systemd1(5).
type row struct {
	Name, Description, Load, Active, Sub, Following string
	Path                                            dbus.ObjectPath
	Job                                             uint32
	JobType                                         string
	JobPath                                         dbus.ObjectPath
}

func (s *standIn) ListUnits() ([]row, *dbus.Error) { return s.rows, nil }

func (s *standIn) Get(_, property string) (dbus.Variant, *dbus.Error) {
	if property != "SystemState" {
		return dbus.Variant{}, dbus.MakeFailedError(errors.New("no " + property))
	}
	state, _ := s.state.Load().(string)
	return dbus.MakeVariant(cmp.Or(state, "running")), nil
}

func TestUnitsOverTheBus(t *testing.T) {
	socket := need.Bus(t)
	root := strings.TrimSuffix(socket, "run/dbus/system_bus_socket")
	if _, err := readUnits(context.Background(), root); !errors.Is(err, ErrNothing) {
		t.Errorf("a bus without systemd: got %v, want nothing to measure", err)
	}
	conn, err := dbus.Connect("unix:path=" + dbus.EscapeBusAddressValue(socket))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	server := &standIn{}
	for _, u := range [...][3]string{
		{"nginx.service", "loaded", "active"}, {"backup.service", "loaded", "failed"}, {"gone.service", "not-found", "inactive"},
		{"removed.service", "not-found", "failed"}, {"backup.timer", "loaded", "active"}, {"rescue.service", "loaded", "inactive"},
	} {
		server.rows = append(server.rows, row{Name: u[0], Load: u[1], Active: u[2], Path: "/a", JobPath: "/b"})
	}
	for _, name := range []string{managerName, "org.freedesktop.DBus.Properties"} {
		if err := conn.Export(server, systemdPath, name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.RequestName(systemdName, 0); err != nil {
		t.Fatal(err)
	}
	got, err := readUnits(context.Background(), root)
	want := "{running [{nginx.service active} {backup.service failed} {removed.service failed} {backup.timer active} {rescue.service inactive}]}"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
}

// TestStopping: the host is being shut down where its systemd says so, and
// nowhere else.
func TestStopping(t *testing.T) {
	socket := need.Bus(t)
	root := strings.TrimSuffix(socket, "run/dbus/system_bus_socket")
	if Stopping(context.Background(), t.TempDir()) || Stopping(context.Background(), root) {
		t.Error("without a bus or without systemd: stopping")
	}
	conn, err := dbus.Connect("unix:path=" + dbus.EscapeBusAddressValue(socket))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	server := &standIn{}
	if err := conn.Export(server, systemdPath, "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName(systemdName, 0); err != nil {
		t.Fatal(err)
	}
	for state, want := range map[string]bool{"running": false, "degraded": false, "stopping": true} {
		server.state.Store(state)
		if Stopping(context.Background(), root) != want {
			t.Errorf("systemd says %s: stopping %v, want %v", state, !want, want)
		}
	}
}

// TestNoBus: a host without a bus is no failure.
func TestNoBus(t *testing.T) {
	if _, err := readUnits(context.Background(), t.TempDir()); !errors.Is(err, ErrNothing) {
		t.Errorf("no socket: got %v, want nothing to measure", err)
	}
}

// TestServiceStaysVisible: a service that was seen running and stops is
// reported as inactive; one that never ran is not reported.
func TestServiceStaysVisible(t *testing.T) {
	s := newSystemd(Roots{}, clock())
	for _, step := range []struct {
		active string
		want   string
	}{
		{"inactive", ""},
		{"active", "active"},
		{"inactive", "inactive"},
		{"failed", "failed"},
	} {
		s.read = func(context.Context) (manager, error) {
			return manager{"running", []unit{{"a.service", step.active}}}, nil
		}
		var set sample.Set
		if err := s.collect(context.Background(), &set); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, l := range set.Samples() {
			if l.Name == "node_systemd_unit_state" && l.V == 1 {
				got += l.Labels[3]
			}
		}
		if got != step.want {
			t.Errorf("%s: reported as %q, want %q", step.active, got, step.want)
		}
	}
}

// TestUnitsAreBounded: of 1000 services 64 are reported, the failed ones
// among them, and how many are not.
func TestUnitsAreBounded(t *testing.T) {
	var units []unit
	for i := range 1000 {
		units = append(units, unit{fmt.Sprintf("a%03d.service", i), "active"})
	}
	units[998].active, units[999].active = "failed", "failed"
	s := newSystemd(Roots{}, clock())
	s.read = func(context.Context) (manager, error) { return manager{"degraded", units}, nil }
	var set sample.Set
	if err := s.collect(context.Background(), &set); err != nil {
		t.Fatal(err)
	}
	got := text(&set)
	for _, want := range []string{
		`node_systemd_unit_state{name="a998.service",state="failed"} 1`, `node_systemd_unit_state{name="a999.service",state="failed"} 1`,
		`node_systemd_units{state="active"} 998`, "plimsoll_systemd_services_left_out 936\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	if n := strings.Count(got, "node_systemd_unit_state{"); n != maxUnits*5 {
		t.Errorf("%d series of services, want %d", n, maxUnits*5)
	}
}
