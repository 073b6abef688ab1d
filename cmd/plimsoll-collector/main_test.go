package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestWithRemedy(t *testing.T) {
	full := "no space is left on the disk of the data directory: free some"
	for _, row := range []struct {
		name, begins string
		err          error
	}{
		{"a file", full, fmt.Errorf("write the catalogue: %w", &fs.PathError{Op: "write", Path: "d/x", Err: syscall.ENOSPC})},
		{"the ledger", full, errors.New("bring ledger from 0 to 1: database or disk is full (13)")},
		{"another error", "listen: in use", errors.New("listen: in use")},
	} {
		got := withRemedy(row.err)
		if !strings.HasPrefix(got.Error(), row.begins) || !errors.Is(got, row.err) {
			t.Errorf("%s: got %q, want it to begin with %q and wrap the cause", row.name, got, row.begins)
		}
	}
}
