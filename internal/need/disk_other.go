//go:build !linux

package need

import "testing"

// Disk is a file system of its own, which only Linux has.
type Disk struct{ Path string }

// NewDisk skips the test.
func NewDisk(t testing.TB, _ int64) *Disk {
	t.Helper()
	Missing(t, "an ext4 on a loop device is mounted on Linux only")
	return nil
}

// NewXFS skips the test.
func NewXFS(t testing.TB, mib int64) *Disk {
	t.Helper()
	return NewDisk(t, mib)
}

// NewTmpfs skips the test.
func NewTmpfs(t testing.TB, _ int64) string {
	t.Helper()
	Missing(t, "a tmpfs is mounted on Linux only")
	return ""
}

// Cut is never reached.
func (*Disk) Cut(testing.TB) {}

// PowerOn is never reached.
func (*Disk) PowerOn(testing.TB) {}

// Unmount is never reached.
func (*Disk) Unmount(testing.TB) {}

// Mount is never reached.
func (*Disk) Mount(testing.TB) {}

// Fill skips the test.
func Fill(t testing.TB, _ string) string {
	t.Helper()
	Missing(t, "disks of their own are for Linux only")
	return ""
}
