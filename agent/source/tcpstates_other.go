//go:build !linux

package source

func dumpStates([]int) error { return ErrNothing }
