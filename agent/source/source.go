// Package source measures the host: one file for each source, reading and
// parsing apart, roots that a test or a container replaces.
//
//	/proc, /sys, statfs ──read──▶ bytes ──parse──▶ sample.Set
//
// Names, labels and units follow node_exporter where the meaning is the same,
// so its dashboards work unchanged. A host without disks is no failure: such
// a source returns ErrNothing. On systems other than Linux every source has
// nothing to measure so far.
package source

import (
	"context"
	"errors"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// ErrNothing tells that there is nothing of the kind on this host, which is
// not a failure.
var ErrNothing = errors.New("nothing to measure")

// Source is one thing that measures. Collect adds its samples to the set and
// is never called twice at the same time; what it added before an error stays
// (of nine filesystems, one may be dead).
type Source struct {
	Name    string
	Collect func(ctx context.Context, out *sample.Set) error
}

// Roots are where the host's own files are seen from: "/proc", "/sys" and "/"
// on the host itself, something like "/host/proc" in a container.
type Roots struct {
	Proc, Sys, RootFS string
}

// All lists the sources in the order they are measured.
func All(r Roots) []Source {
	return []Source{
		{"cpu", newCPU(r).collect},
		{"memory", newMemory(r).collect},
		{"load", newLoad(r).collect},
		{"filesystem", newFilesystem(r).collect},
		{"disk", newDisk(r).collect},
		{"network", newNetwork(r).collect},
		{"uptime", newUptime(r).collect},
		{"uname", newUname().collect},
	}
}

// Names lists what All has, for a configuration to be checked against.
func Names() []string {
	var names []string
	for _, s := range All(Roots{}) {
		names = append(names, s.Name)
	}
	return names
}
