//go:build unix

package batch

import "syscall"

// Large gives n bytes of zeros outside of the garbage collector's heap, and
// what gives them back. The heap would keep room for twice a large body long
// after it has gone: somebody who sends a few would blow the process up.
func Large(n int) (buf []byte, free func()) {
	mapped, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n), func() {}
	}
	return mapped, func() { _ = syscall.Munmap(mapped) }
}
