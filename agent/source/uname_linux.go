package source

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func readUname() (unameInfo, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return unameInfo{}, fmt.Errorf("uname: %w", err)
	}
	return unameInfo{
		domainname: unix.ByteSliceToString(u.Domainname[:]),
		machine:    unix.ByteSliceToString(u.Machine[:]),
		nodename:   unix.ByteSliceToString(u.Nodename[:]),
		release:    unix.ByteSliceToString(u.Release[:]),
		sysname:    unix.ByteSliceToString(u.Sysname[:]),
		version:    unix.ByteSliceToString(u.Version[:]),
	}, nil
}
