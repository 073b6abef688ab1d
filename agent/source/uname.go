package source

import (
	"context"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// unameInfo are the fields of uname(2) by the names of node_exporter's labels.
type unameInfo struct {
	domainname, machine, nodename, release, sysname, version string
}

// uname is the name and version of the system.
type uname struct{ read func() (unameInfo, error) }

func newUname() *uname { return &uname{read: readUname} }

func (u *uname) collect(_ context.Context, out *sample.Set) error {
	info, err := u.read()
	if err != nil {
		return err
	}
	out.Add("node_uname_info", 1, "domainname", info.domainname, "machine", info.machine, "nodename", info.nodename,
		"release", info.release, "sysname", info.sysname, "version", info.version)
	return nil
}
