package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/godbus/dbus/v5"
)

// The names of systemd on the bus, org.freedesktop.systemd1(5).
const (
	systemdName   = "org.freedesktop.systemd1"
	systemdPath   = "/org/freedesktop/systemd1"
	listUnits     = "org.freedesktop.systemd1.Manager.ListUnits"
	getProperty   = "org.freedesktop.DBus.Properties.Get"
	managerName   = "org.freedesktop.systemd1.Manager"
	unknownOnBus  = "org.freedesktop.DBus.Error.ServiceUnknown"
	noOwnerOnBus  = "org.freedesktop.DBus.Error.NameHasNoOwner"
	spawnNotFound = "org.freedesktop.DBus.Error.Spawn."
)

// readUnits asks the systemd of the host under rootfs. A host without a bus,
// or with a bus and without systemd, has nothing to measure.
func readUnits(ctx context.Context, rootfs string) (manager, error) {
	socket := filepath.Join(rootfs, "run/dbus/system_bus_socket")
	conn, err := dbus.Connect("unix:path="+dbus.EscapeBusAddressValue(socket), dbus.WithContext(ctx))
	if err != nil {
		if errors.Is(orNothing(err), ErrNothing) || errors.Is(err, syscall.ECONNREFUSED) {
			return manager{}, ErrNothing
		}
		return manager{}, fmt.Errorf("connect to %s: %w", socket, err)
	}
	defer func() { _ = conn.Close() }() // everything was answered
	object := conn.Object(systemdName, systemdPath)
	var m manager
	// name, description, load, active, sub, following, path, job, its type, its path
	var rows []struct {
		Name, Description, Load, Active, Sub, Following string
		Path                                            dbus.ObjectPath
		Job                                             uint32
		JobType                                         string
		JobPath                                         dbus.ObjectPath
	}
	if err := object.CallWithContext(ctx, listUnits, 0).Store(&rows); err != nil {
		return manager{}, ofBus("list the units of systemd", err)
	}
	for _, row := range rows {
		if row.Load == "loaded" || row.Active != "inactive" { // others are only names that something refers to
			m.units = append(m.units, unit{strings.ToValidUTF8(row.Name, "_"), row.Active})
		}
	}
	var state dbus.Variant
	if err := object.CallWithContext(ctx, getProperty, 0, managerName, "SystemState").Store(&state); err != nil {
		return manager{}, ofBus("ask systemd how it is", err)
	}
	m.state, _ = state.Value().(string)
	return m, nil
}

// Stopping tells whether the host under rootfs is being shut down or
// restarted, by its systemd; false where nobody can tell.
func Stopping(ctx context.Context, rootfs string) bool {
	socket := filepath.Join(rootfs, "run/dbus/system_bus_socket")
	conn, err := dbus.Connect("unix:path="+dbus.EscapeBusAddressValue(socket), dbus.WithContext(ctx))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }() // it was answered
	var state dbus.Variant
	err = conn.Object(systemdName, systemdPath).CallWithContext(ctx, getProperty, 0, managerName, "SystemState").Store(&state)
	text, _ := state.Value().(string)
	return err == nil && text == "stopping"
}

// ofBus tells a bus without systemd from a systemd that does not answer.
func ofBus(what string, err error) error {
	var refused dbus.Error
	if errors.As(err, &refused) && (refused.Name == unknownOnBus || refused.Name == noOwnerOnBus || strings.HasPrefix(refused.Name, spawnNotFound)) {
		return ErrNothing
	}
	return fmt.Errorf("%s: %w", what, err)
}
