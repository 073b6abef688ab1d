package source

import (
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/agent/sample"
)

const sector = 512 // bytes of a unit of /proc/diskstats, whatever the disk's own

// disk is what each block device read and wrote. Partitions, loop devices and
// RAM disks are left out: they repeat what their disk says, or never change.
type disk struct{ diskstats file }

func newDisk(r Roots) *disk {
	return &disk{diskstats: file{path: r.Proc + "/diskstats"}}
}

func (d *disk) collect(_ context.Context, out *sample.Set) error {
	text, err := d.diskstats.read()
	if err != nil {
		return err
	}
	return parseDiskstats(text, out)
}

// diskColumn is one column of /proc/diskstats behind the device's name.
type diskColumn struct {
	metric string
	factor float64
}

// diskColumns follow the kernel's Documentation/admin-guide/iostats.rst:
// times are in milliseconds.
func diskColumns() [17]diskColumn {
	return [...]diskColumn{
		{"node_disk_reads_completed_total", 1},
		{"node_disk_reads_merged_total", 1},
		{"node_disk_read_bytes_total", sector},
		{"node_disk_read_time_seconds_total", 0.001},
		{"node_disk_writes_completed_total", 1},
		{"node_disk_writes_merged_total", 1},
		{"node_disk_written_bytes_total", sector},
		{"node_disk_write_time_seconds_total", 0.001},
		{"node_disk_io_now", 1},
		{"node_disk_io_time_seconds_total", 0.001},
		{"node_disk_io_time_weighted_seconds_total", 0.001},
		{"node_disk_discards_completed_total", 1},
		{"node_disk_discards_merged_total", 1},
		{"node_disk_discarded_sectors_total", 1},
		{"node_disk_discard_time_seconds_total", 0.001},
		{"node_disk_flush_requests_total", 1},
		{"node_disk_flush_requests_time_seconds_total", 0.001},
	}
}

// parseDiskstats reads "254 0 vda 105353 32373 …"; kernels before 4.18 have
// 11 numbers, before 5.5 have 15.
func parseDiskstats(text []byte, out *sample.Set) error {
	columns := diskColumns()
	found := 0
	for first := range lines(text) {
		_, first = word(first) // major
		_, first = word(first) // minor
		device, first := word(first)
		if len(device) == 0 || !wholeDisk(device) {
			continue
		}
		var v [17]uint64
		n, err := numbers(first, v[:])
		if err != nil {
			return fmt.Errorf("diskstats: %s: %w", shorten(device), err)
		}
		name := out.Intern(device)
		for i := range n {
			value := float64(v[i])
			if columns[i].factor == 0.001 {
				value /= 1000 // exact to the last digit, unlike times 0.001
			} else {
				value *= columns[i].factor
			}
			out.Add(columns[i].metric, value, "device", name)
		}
		found++
	}
	if found == 0 {
		return ErrNothing
	}
	return nil
}

// wholeDisk tells a disk from its partitions (sda1, nvme0n1p2, mmcblk0p1) and
// from ram0, loop0 and fd0.
func wholeDisk(device []byte) bool {
	digits := len(device)
	for digits > 0 && device[digits-1] >= '0' && device[digits-1] <= '9' {
		digits--
	}
	if digits == len(device) {
		return true
	}
	stem := string(device[:digits])
	switch stem {
	case "ram", "loop", "fd":
		return false
	}
	if n := len(stem); n >= 3 && stem[1] == 'd' && (stem[0] == 's' || stem[0] == 'h' || stem[0] == 'v') || n >= 4 && stem[:3] == "xvd" {
		return false // sda1, hda1, vda1, xvda1
	}
	if n := len(stem); n >= 2 && stem[n-1] == 'p' && stem[n-2] >= '0' && stem[n-2] <= '9' {
		return false // nvme0n1p2, mmcblk0p1
	}
	return true
}
