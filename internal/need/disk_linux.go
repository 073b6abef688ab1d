package need

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Values of linux/fs/ext4/ext4.h and xfs/libxfs/xfs_fs.h, which agree: the
// file system stops at once, and what its own log has not on the disk yet is
// gone, as when the power goes.
const (
	shutdown   = 0x8004587d // EXT4_IOC_SHUTDOWN, XFS_IOC_GOINGDOWN: _IOR('X', 125, __u32)
	noLogFlush = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH, XFS_FSOP_GOING_FLAGS_NOLOGFLUSH
)

// filesystem is how a kind of file system is made, and looked after before it
// is mounted again.
type filesystem struct {
	name        string
	debian      string // the package of its programs
	make, check []string
}

// Disk is a file system of its own on a loop device, whose power can be cut.
type Disk struct {
	Path  string // where it is mounted
	kind  filesystem
	image string
	on    bool
}

// NewDisk makes and mounts an ext4 of that many MiB, or skips the test. It is
// unmounted when the test ends; what was started on it must be stopped before.
func NewDisk(t testing.TB, mib int64) *Disk {
	t.Helper()
	return newDisk(t, mib, filesystem{"ext4", "e2fsprogs", []string{"mkfs.ext4", "-q", "-F"}, []string{"fsck.ext4", "-p"}})
}

// NewXFS is NewDisk with an xfs, which repairs itself when it is mounted. It
// wants 300 MiB at least.
func NewXFS(t testing.TB, mib int64) *Disk {
	t.Helper()
	return newDisk(t, mib, filesystem{"xfs", "xfsprogs", []string{"mkfs.xfs", "-q", "-f"}, nil})
}

func newDisk(t testing.TB, mib int64, kind filesystem) *Disk {
	t.Helper()
	Root(t, "mounting an "+kind.name+" on a loop device")
	Program(t, kind.make[0], kind.debian)
	Program(t, "mount", "mount")
	if kind.check != nil {
		Program(t, kind.check[0], kind.debian)
	}
	dir := t.TempDir()
	d := &Disk{Path: filepath.Join(dir, "disk"), kind: kind, image: filepath.Join(dir, "image")}
	if err := errors.Join(os.Mkdir(d.Path, 0o755), os.WriteFile(d.image, nil, 0o600), os.Truncate(d.image, mib<<20)); err != nil {
		t.Fatal(err)
	}
	if out, err := d.run(kind.make); err != nil {
		t.Fatalf("%s: %v: %s", kind.make[0], err, out)
	}
	if err := d.mount(); err != nil {
		Missing(t, "no "+kind.name+" on a loop device can be mounted here: "+err.Error())
	}
	t.Cleanup(func() {
		if err := d.unmount(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// NewTmpfs mounts a tmpfs of that many MiB and returns its path, or skips the test.
func NewTmpfs(t testing.TB, mib int64) string {
	t.Helper()
	Root(t, "mounting a tmpfs")
	path := t.TempDir()
	if err := unix.Mount("tmpfs", path, "tmpfs", 0, fmt.Sprintf("size=%dm", mib)); err != nil {
		Missing(t, "no tmpfs can be mounted here: "+err.Error())
	}
	t.Cleanup(func() { _ = unix.Unmount(path, unix.MNT_DETACH) })
	return path
}

// Cut cuts the power: everything that was not fsynced is gone, and every
// program that has a file open gets EIO from now on. It skips the test where
// the kernel does not know how.
func (d *Disk) Cut(t testing.TB) {
	t.Helper()
	dir, err := os.Open(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	err = unix.IoctlSetPointerInt(int(dir.Fd()), shutdown, noLogFlush)
	_ = dir.Close()
	switch {
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EPERM):
		Missing(t, "this kernel does not cut the power of an "+d.kind.name+" (EXT4_IOC_SHUTDOWN): "+err.Error())
	case err != nil:
		t.Fatalf("cut the power: %v", err)
	}
}

// PowerOn unmounts a disk whose power was cut, looks after the file system as
// a machine does when it boots, and mounts it again. All programs that had
// files open on it must have ended.
func (d *Disk) PowerOn(t testing.TB) {
	t.Helper()
	if err := d.unmount(); err != nil {
		t.Fatal(err)
	}
	if d.kind.check != nil {
		out, err := d.run(d.kind.check)
		if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 1) {
			t.Fatalf("%s: %v: %s", d.kind.check[0], err, out)
		}
	}
	if err := d.mount(); err != nil {
		t.Fatal(err)
	}
}

// Unmount takes the disk away from a machine that runs on.
func (d *Disk) Unmount(t testing.TB) {
	t.Helper()
	if err := d.unmount(); err != nil {
		t.Fatal(err)
	}
}

// Mount gives it back.
func (d *Disk) Mount(t testing.TB) {
	t.Helper()
	if err := d.mount(); err != nil {
		t.Fatal(err)
	}
}

// run runs a program with options over the image.
func (d *Disk) run(command []string) ([]byte, error) {
	return exec.Command(command[0], append(command[1:len(command):len(command)], d.image)...).CombinedOutput()
}

func (d *Disk) mount() error {
	out, err := exec.Command("mount", "-o", "loop", d.image, d.Path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mount: %w: %s", err, strings.TrimSpace(string(out)))
	}
	d.on = true
	return nil
}

// unmount waits for the last file of a program that was killed to be closed.
func (d *Disk) unmount() (err error) {
	if !d.on {
		return nil
	}
	for range 100 {
		if err = unix.Unmount(d.Path, 0); err == nil {
			d.on = false
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("unmount %s: %w", d.Path, err)
}

// Fill writes a file into dir until nothing more fits, down to the last byte,
// and returns its path: removing it frees the space.
func Fill(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		block := make([]byte, 1<<20)
		for size := len(block); size > 0; {
			if _, err = f.Write(block[:size]); err != nil {
				size /= 2
			}
		}
		_ = f.Close()
	}
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, fs.ErrExist) {
		t.Fatalf("fill %s: %v", dir, err)
	}
	return path
}
