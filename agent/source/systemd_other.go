//go:build !linux

package source

import "context"

func readUnits(context.Context, string) (manager, error) { return manager{}, ErrNothing }

// Stopping tells whether the host is being shut down; nobody can tell here.
func Stopping(context.Context, string) bool { return false }
