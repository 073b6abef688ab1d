package source

import (
	"bytes"
	"context"
	"fmt"

	"github.com/plimsoll/plimsoll/agent/sample"
)

// descriptors is how many files the whole host has open, and how many it may.
type descriptors struct{ fileNr file }

func newDescriptors(r Roots) *descriptors {
	return &descriptors{fileNr: file{path: r.Proc + "/sys/fs/file-nr"}}
}

func (d *descriptors) collect(_ context.Context, out *sample.Set) error {
	text, err := d.fileNr.read()
	if err != nil {
		return orNothing(err)
	}
	return parseFileNr(text, out)
}

// parseFileNr reads "1273 0 9223372036854775807": allocated, allocated but
// unused (always 0 since Linux 2.6), maximum.
func parseFileNr(text []byte, out *sample.Set) error {
	var v [3]uint64
	n, err := numbers(bytes.TrimSpace(text), v[:])
	if err != nil || n < len(v) {
		return fmt.Errorf("file-nr has %d of 3 numbers: %w", n, errOrShort(err))
	}
	out.Add("node_filefd_allocated", float64(v[0]))
	out.Add("node_filefd_maximum", float64(v[2]))
	return nil
}
