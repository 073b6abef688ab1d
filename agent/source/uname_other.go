//go:build !linux

package source

func readUname() (unameInfo, error) { return unameInfo{}, ErrNothing }
