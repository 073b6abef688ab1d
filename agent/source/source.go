// Package source measures the host: one file for each source, reading and
// parsing apart, roots that a test or a container replaces.
//
//	/proc, /sys, statfs, D-Bus ──read──▶ bytes ──parse──▶ sample.Set   Linux
//	package portable (gopsutil) ─────────────────────────▶ sample.Set   Windows, macOS, FreeBSD
//
// Names, labels and units follow node_exporter where the meaning is the same,
// so its dashboards work unchanged. A host without disks is no failure: such
// a source returns ErrNothing. What costs time for each process or socket of
// the host is read at most once a minute (minute), and what could have any
// number of series has a bound that docs/sources.md names.
package source

import (
	"context"
	"errors"
	"io/fs"
	"time"

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

// net is a file of the host's network. "net" is a link to the reader's own
// namespace; of another root the namespace of process 1 is meant.
func (r Roots) net(name string) string {
	if r.Proc == "/proc" {
		return r.Proc + "/net/" + name
	}
	return r.Proc + "/1/net/" + name
}

// All lists the sources in the order they are measured. The names are the
// same on every system; where one has nothing to measure, it says so.
func All(r Roots) []Source { return all(r, time.Now) }

// Names lists what All has, for a configuration to be checked against.
func Names() []string {
	var names []string
	for _, s := range All(Roots{}) {
		names = append(names, s.Name)
	}
	return names
}

// minute lets something happen at most once a minute. The zero value is due.
type minute struct{ last time.Time }

// due tells whether a minute has passed since it was last true; a second less
// will do, as collections are not exact. A clock that was set back is due.
func (m *minute) due(now time.Time) bool {
	if since := now.Sub(m.last); !m.last.IsZero() && since >= 0 && since < time.Minute-time.Second {
		return false
	}
	m.last = now
	return true
}

// orNothing makes a file that is not there into nothing to measure, and
// likewise what the kernel has switched off.
func orNothing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) {
		return ErrNothing
	}
	return err
}
